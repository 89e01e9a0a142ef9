"""`annexa scan` killed at a dozen moments: the store stays consistent, and the next run says so and works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from threading import Event
from time import monotonic

import pytest
from click.testing import CliRunner
from sqlalchemy.orm import Session

from annexa.cli import annexa
from annexa.database.models import Run, Segment, Shard
from annexa.database.session import open_writer
from annexa.evidence.ledger import Ledger
from annexa.evidence.tree_check import verify_tree
from annexa.record import rebuild
from tests.cycle.estate import SOURCES, Estate, above, estate, no_pass

pytestmark = pytest.mark.slow

NAMES = ("code", "incidents")
SHARDS = 8
KILLED_AT = """
import os, signal, sys
from annexa.cli import main
from annexa.evidence.ledger import Ledger

place, left = sys.argv.pop(1), int(sys.argv.pop(1))
owner, name = {"append": (Ledger, "append"), "sign": (Ledger, "checkpoint"), "rename": (os, "replace")}[place]
real = getattr(owner, name)

def counted(*values, **named):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*values, **named)

setattr(owner, name, counted)
main()
"""
"""Runs `annexa`, and kills it at its n-th entry of the ledger, signature, or rename of a blob."""

MOMENTS = [
    ("start", 0.2),
    ("append", 1),
    ("append", 2),
    ("append", SHARDS),
    ("append", SHARDS + 2),
    ("append", SHARDS + 9),
    ("append", SHARDS + 20),
    ("sign", 1),
    ("rename", 1),
    ("rename", 5),
    ("request", 3),
    ("end", 0.1),
]
"""Where, and when there: at which number, or after how many seconds."""


@pytest.fixture(scope="module")
def ltd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """GitHub and one export only, so that a scan is short; it has been scanned once."""
    with estate(tmp_path_factory.mktemp("killed") / "ltd") as made:
        made.sources = {name: SOURCES[name] for name in NAMES}
        assert made.scan().shards == {"complete": SHARDS}
        yield made


@pytest.mark.parametrize(("place", "when"), MOMENTS)
def test_the_store_stays_consistent_and_the_next_run_goes_on(ltd: Estate, place: str, when: float) -> None:
    records = {key: (row.id, row.state, row.resources) for key, row in ltd.nonconformities().items()}
    before, standing = set(ltd.unfinished()), ltd.standing()
    answered = len(ltd.github.requests)
    ltd.become("drift")
    assert killed(ltd, place, when) == -signal.SIGKILL
    ltd.become("start")
    assert place != "request" or len(ltd.github.requests) - answered < 20, "it had more to ask"
    cut = set(ltd.unfinished()) - before
    assert len(cut) == (0 if (place, when) in (("start", 0.2), ("append", 1)) else 1)
    consistent(ltd)
    assert ltd.standing() == standing, "no verdict without the decisions that follow from it"
    said = CliRunner().invoke(annexa, ["status", "-c", str(ltd.folder / "config.yaml")], catch_exceptions=False)
    assert all(f"run {run} is incomplete" in said.output for run in cut)

    (ltd.folder / "evidence" / "tmp" / "left.part").touch()
    summary = ltd.scan()
    assert (summary.exit_code, summary.shards, summary.unseen) == (1, {"complete": SHARDS}, [])
    assert {f"run {run} is incomplete: it has no end" for run in cut} <= set(summary.notes)
    assert set(ltd.unfinished()) == before | cut, "what is known of it stays"
    assert list((ltd.folder / "evidence" / "tmp").iterdir()) == [], "what was half written is gone"
    assert {key: (row.id, row.state, row.resources) for key, row in ltd.nonconformities().items()} == records
    assert ltd.standing() == standing


def test_what_a_killed_run_did_not_collect_is_a_gap_until_it_is_collected(ltd: Estate) -> None:
    """No older evidence stands in for it, and nothing passes."""
    killed(ltd, "append", 2)
    lost = ltd.all(Shard, Shard.run == ltd.unfinished()[0])
    assert {shard.state for shard in lost} == {"planned"}
    summary = ltd.scan("incidents")
    assert summary.exit_code == 2
    assert summary.nonconformities["resolved"] == []
    tables = ("github_organisation", "github_member", "github_repository", "github_branch_protection")
    no_pass(ltd, above(*tables) & ltd.results().keys())
    assert ltd.scan().exit_code == 1
    assert ltd.results()["github-two-factor-required"].status == "pass"


def killed(ltd: Estate, place: str, when: float) -> int:
    """Scan in a process of its own and kill that; gives how it ended."""
    temporary = ltd.folder / "tmp"
    temporary.mkdir(exist_ok=True)
    hook = ["-c", KILLED_AT, place, str(int(when))] if place in ("append", "sign", "rename") else ["-m", "annexa"]
    process = subprocess.Popen(
        [sys.executable, *hook, "scan", "-q", "-c", ltd.folder / "config.yaml"],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    if hook[0] == "-m":
        asked = len(ltd.github.requests)
        known = set(ltd.stored())
        goal = {
            "start": lambda: True,
            "request": lambda: len(ltd.github.requests) - asked >= when,
            "end": lambda: len(ltd.stored() - known) >= SHARDS,
        }[place]
        end = monotonic() + 60
        while not goal() and process.poll() is None and monotonic() < end:
            Event().wait(0.002)
        Event().wait(when if place in ("start", "end") else 0)
        process.kill()
    return process.wait(60)


def consistent(ltd: Estate) -> None:
    """The ledger agrees with itself, its tables follow from it, and every blob that it names is there and sound."""
    for row in ltd.all(Segment):
        ltd.blobs.verify(row.blob)
    for shard in ltd.all(Shard, Shard.entry.is_not(None)):
        for digest in filter(None, (shard.exchanges, shard.bodies)):
            ltd.blobs.verify(digest)
    engine = open_writer(ltd.config.database_url())
    with Session(engine) as session:
        size, runs = verify_tree(session), session.query(Run).count()
        assert rebuild(session, Ledger(session), ltd.blobs) == size
        assert session.query(Run).count() == runs
        session.rollback()
    engine.dispose()
