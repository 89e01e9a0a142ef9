"""Shards on threads: all of them, fairly, and a clean stop."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annexa.collect.shards import Outcome, Shard, State
from annexa.errors import StoreError
from annexa.execute.threads import Turns, run
from annexa.sdk import Fetch, Scope

NOW = datetime(2026, 9, 10, tzinfo=UTC)
FETCH = Fetch("things", lambda api: iter(()), (), (), "source", "Things.")


def shard(source: str, number: int) -> Shard:
    return Shard(source, "acme", FETCH, Scope(str(number)), ())


def outcome(shard: Shard) -> Outcome:
    return Outcome(shard, State.COMPLETE, "", "", NOW, NOW, NOW, 0, None, None, None, ())


@given(st.lists(st.integers(0, 5), max_size=4), st.integers(1, 5))
def test_every_shard_is_collected_exactly_once(sizes: list[int], workers: int) -> None:
    shards = [shard(f"s{source}", n) for source, size in enumerate(sizes) for n in range(size)]
    found = Counter(ended.shard.name for ended in run(shards, outcome, workers))
    assert found == Counter(shard.name for shard in shards)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_turns_go_round_the_sources_in_the_order_of_each(sizes: list[int]) -> None:
    shards = [shard(f"s{source}", n) for source, size in enumerate(sizes) for n in range(size)]
    turns = Turns(shards)
    taken: list[Shard] = []
    while (found := turns.take()) is not None:
        taken.append(found)
    assert [s.source for s in taken[: len(sizes)]] == [f"s{n}" for n in range(len(sizes))]
    for source in {s.source for s in shards}:
        numbers = [int(s.scope.name) for s in taken if s.source == source]
        assert numbers == sorted(numbers)


def test_a_source_that_hangs_holds_back_itself_alone() -> None:
    """Two workers; every shard of the slow source waits until all of the quick ones have been yielded."""
    quick_done = threading.Event()

    def collect(shard: Shard) -> Outcome:
        if shard.source == "slow":
            assert quick_done.wait(10)
        return outcome(shard)

    shards = [shard("slow", n) for n in range(5)] + [shard("quick", n) for n in range(5)]
    order = []
    for ended in run(shards, collect, 2):
        order.append(ended.shard.source)
        if order.count("quick") == 5:
            quick_done.set()
    assert order == ["quick"] * 5 + ["slow"] * 5


def test_no_more_workers_run_than_were_asked_for() -> None:
    guard, running, most = threading.Lock(), 0, 0
    barrier = threading.Barrier(3)

    def collect(shard: Shard) -> Outcome:
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        barrier.wait(10)
        with guard:
            running -= 1
        return outcome(shard)

    assert len(list(run([shard("a", n) for n in range(9)], collect, 3))) == 9
    assert most == 3


def test_an_error_is_raised_after_what_was_running_has_been_yielded() -> None:
    all_run, failing = threading.Barrier(3), threading.Event()
    full = StoreError("no space left")
    begun = []

    def collect(shard: Shard) -> Outcome:
        begun.append(shard.scope.name)
        if shard.scope.name in "012":
            all_run.wait(10)
        if shard.scope.name == "1":
            failing.set()
            raise full
        assert failing.wait(10)
        return outcome(shard)

    found = []
    with pytest.raises(StoreError) as raised:
        found.extend(run([shard("a", n) for n in range(10_000)], collect, 3))
    assert raised.value is full
    assert {ended.shard.scope.name for ended in found} == set(begun) - {"1"}
    assert {"0", "2"} < set(begun)
    assert len(begun) < 10_000


def test_a_consumer_that_stops_stops_the_giving_out() -> None:
    begun = []

    def collect(shard: Shard) -> Outcome:
        begun.append(shard)
        return outcome(shard)

    outcomes = run([shard("a", n) for n in range(10_000)], collect, 2)
    next(outcomes)
    outcomes.close()
    for thread in threading.enumerate():
        if thread.name.startswith("collect-"):
            thread.join(10)
    assert len(begun) < 10_000


HANGING = """
import threading
from annexa.collect.shards import Shard
from annexa.execute.threads import run
from annexa.sdk import Fetch, Scope

def hang(shard):
    print("begun", flush=True)
    threading.Event().wait(60)

fetch = Fetch("things", iter, (), (), "source", "Things.")
list(run([Shard("a", "acme", fetch, Scope("1"), ())], hang, 1))
"""


def test_ctrl_c_does_not_wait_for_a_shard_that_hangs() -> None:
    with subprocess.Popen([sys.executable, "-c", HANGING], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=50)
    assert time.monotonic() - begun < 20
    assert b"KeyboardInterrupt" in said
    assert process.returncode != 0
