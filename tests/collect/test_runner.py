"""One shard: how it ends, what is sealed, and that a replay gives the same. The system is a real HTTP server."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from annexa.collect.connections import Connections
from annexa.collect.replay_run import Replayed, replay_shard
from annexa.collect.runner import Run, collect
from annexa.collect.shards import Outcome, Shard, State
from annexa.errors import StoreError
from annexa.evidence.blobs import BlobStore
from annexa.sdk import (
    GLOBAL,
    Bearer,
    CollectError,
    Collector,
    Denied,
    Http,
    LinkHeader,
    Row,
    Scope,
    Secret,
    Table,
    TableRow,
    Timestamp,
    Transports,
    Unavailable,
)

AS_OF = datetime(2026, 9, 10, tzinfo=UTC)
USER = Table.of("acme_user", {"id": str, "created": Timestamp}, key="id", doc="A user.")
GROUP = Table.of("acme_group", {"id": str}, key="id", doc="A group.")
Fetching = Callable[[Any], Iterator[Any]]


@dataclass(frozen=True)
class AcmeConfig:
    url: str
    token: Secret | None = None


def connect(config: AcmeConfig, open: Transports) -> Http:
    auth = Bearer(config.token) if config.token else None
    return open.http(config.url, auth=auth, paging=LinkHeader())


@dataclass
class Bench:
    """A store, a run and a system."""

    blobs: BlobStore
    run: Run
    config: AcmeConfig

    def collector(self, fetch: Fetching, *tables: Table, permissions: tuple[str, ...] = ()) -> Collector:
        acme = Collector("acme", config=AcmeConfig, connect=connect, docs="")
        fetch.__doc__ = fetch.__doc__ or "Something."
        acme.fetch(*(tables or (USER,)), permissions=permissions)(fetch)
        return acme

    def shard(self, acme: Collector, scope: Scope = GLOBAL) -> Shard:
        (fetch,) = acme.fetches.values()
        return Shard("main", "acme", fetch, scope, fetch.tables_for(self.config, {}))

    def collect(self, fetch: Fetching, *tables: Table, **more: Any) -> Outcome:
        acme = self.collector(fetch, *tables, **more)
        return collect(self.shard(acme), acme, self.config, self.run)

    def replay(self, fetch: Fetching, recording: Outcome, *tables: Table) -> Replayed:
        acme = self.collector(fetch, *tables)
        return replay_shard(recording, self.shard(acme), acme, self.config, self.blobs, as_of=AS_OF)

    def lines(self, digest: str | None) -> list[dict[str, Any]]:
        assert digest is not None
        return [json.loads(line) for line in self.blobs.read(digest).splitlines()]


@pytest.fixture
def bench(tmp_path: Path, server: Any, make_wire: Callable[..., Any]) -> Iterator[Bench]:
    connections = Connections(lambda redactor: make_wire(attempts=2, learn=redactor.learn))
    blobs = BlobStore(tmp_path / "evidence")
    yield Bench(blobs, Run(blobs, AS_OF, tmp_path, connections), AcmeConfig(server.url))
    connections.close()


def page(*ids: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    return 200, json.dumps([{"id": name, "created": "2026-09-01T00:00:00Z"} for name in ids]), headers


def users(api: Http) -> Iterator[Row]:
    """Every user."""
    yield from api.pages("/users")


def test_a_shard_that_was_read_to_its_end_is_complete_and_sealed(bench: Bench, server: Any) -> None:
    server.replies("/users", page("u1", "u2", link='</users?p=2>; rel="next"'), page("u3"))
    outcome = bench.collect(users)
    assert (outcome.state, outcome.reason, outcome.remedy) == (State.COMPLETE, "", "")
    assert (outcome.pages, outcome.as_of, outcome.counts()) == (2, AS_OF, {"acme_user": 3})
    rows = bench.lines(outcome.tables[0].blob)
    assert [(row["id"], row["_exchange"]) for row in rows] == [("u1", 1), ("u2", 1), ("u3", 2)]
    assert [line["_annexa"]["number"] for line in bench.lines(outcome.exchanges)] == [1, 2]
    assert bench.blobs.read(outcome.bodies or "") == (page("u1", "u2")[1] + page("u3")[1]).encode()


def test_collected_none_is_an_empty_segment(bench: Bench, server: Any) -> None:
    server.replies("/users", page())
    outcome = bench.collect(users)
    assert (outcome.state, outcome.counts()) == (State.COMPLETE, {"acme_user": 0})
    assert bench.blobs.read(outcome.tables[0].blob) == b""


def test_a_refusal_is_denied_with_the_permissions_that_the_fetch_needs(bench: Bench, server: Any) -> None:
    server.replies("/users", (403, '{"message": "no"}', {}))
    outcome = bench.collect(users, permissions=("acme.users.read",))
    assert outcome.state is State.DENIED
    assert outcome.remedy == "Grant acme.users.read to the credential of this source."
    assert outcome.counts() == {"acme_user": 0}
    assert len(bench.lines(outcome.exchanges)) == 1


@pytest.mark.parametrize("broken", [(500, "{}", {}), (200, "[", {}), (200, "<html>", {}), (403, "{}", {})])
def test_a_failure_on_page_two_is_incomplete_and_page_one_still_counts(
    bench: Bench, server: Any, broken: tuple[int, str, dict[str, str]]
) -> None:
    server.replies("/users", page("u1", link='</users?p=2>; rel="next"'), broken)
    outcome = bench.collect(users)
    assert outcome.state is State.INCOMPLETE
    assert outcome.reason.startswith("after 1 rows: ")
    assert [row["id"] for row in bench.lines(outcome.tables[0].blob)] == ["u1"]


@pytest.mark.parametrize("answer", [(500, "{}", {}), (404, "{}", {}), (200, "{}", {}), (204, "", {})])
def test_a_failure_at_once_is_failed(bench: Bench, server: Any, answer: tuple[int, str, dict[str, str]]) -> None:
    server.replies("/users", answer)
    outcome = bench.collect(users)
    assert outcome.state is State.FAILED
    assert outcome.reason
    assert outcome.remedy


def test_a_part_that_is_lost_makes_it_incomplete_and_the_others_go_on(bench: Bench, server: Any) -> None:
    server.replies("/users/a", (200, '{"id": "a"}', {}))
    server.replies("/users/c", (200, '{"id": "c"}', {}))

    def some(api: Http) -> Iterator[Row]:
        for name in "abc":
            with api.part(f"user {name}"):
                yield api.get(f"/users/{name}")

    outcome = bench.collect(some)
    assert outcome.state is State.INCOMPLETE
    assert outcome.reason.startswith("user b: ")
    assert outcome.counts() == {"acme_user": 2}


def test_a_value_that_is_not_understood_makes_it_incomplete(bench: Bench, server: Any) -> None:
    server.replies("/users", (200, '[{"id": "u1", "created": "yesterday"}, {"id": "u2"}, {"id": null}]', {}))
    outcome = bench.collect(users)
    assert outcome.state is State.INCOMPLETE
    assert outcome.reason == (
        "2 values were not understood, first acme_user.created: 'yesterday' is not an ISO 8601 time"
    )


def test_a_declared_total_that_is_not_met_makes_it_incomplete(bench: Bench, server: Any) -> None:
    server.replies("/users", (200, '{"users": [{"id": "u1"}], "total": 2}', {}))

    def listed(api: Http) -> Iterator[Row]:
        yield from api.pages("/users", items="users", paging=LinkHeader(total="total"))

    outcome = bench.collect(listed)
    assert (outcome.state, outcome.declared_total, outcome.counts()) == (State.INCOMPLETE, 2, {"acme_user": 1})


@pytest.mark.parametrize(
    ("error", "rows", "state"),
    [
        (Unavailable("not in this region"), 0, State.UNAVAILABLE),
        (Unavailable("not in this region"), 1, State.INCOMPLETE),
        (Denied("no", permission="acme.users.read"), 0, State.DENIED),
        (Denied("no", permission="acme.users.read"), 1, State.INCOMPLETE),
        (CollectError("no"), 0, State.FAILED),
        (CollectError("no"), 1, State.INCOMPLETE),
        (KeyError("id"), 0, State.FAILED),
        (KeyError("id"), 1, State.FAILED),
        (RecursionError("deep"), 1, State.FAILED),
        (SystemExit(0), 1, State.FAILED),
    ],
)
def test_what_a_fetch_raises_decides_its_state_and_never_completes(
    bench: Bench, error: BaseException, rows: int, state: State
) -> None:
    def raising(api: Http) -> Iterator[Row]:
        yield from ({"id": str(n)} for n in range(rows))
        raise error

    outcome = bench.collect(raising)
    assert outcome.state is state
    assert outcome.counts() == {"acme_user": rows}
    assert outcome.exchanges is None


def test_a_lost_part_before_a_refusal_is_incomplete(bench: Bench) -> None:
    def raising(api: Http) -> Iterator[Row]:
        with api.part("user a"):
            raise CollectError("gone")
        raise Denied("no")
        yield {}

    outcome = bench.collect(raising)
    assert (outcome.state, outcome.reason) == (State.INCOMPLETE, "after 0 rows: no; user a: gone")


def test_an_error_in_the_collector_is_named_with_its_line(bench: Bench) -> None:
    def broken(api: Http) -> Iterator[Row]:
        yield {"id": {}["id"]}

    line = sys._getframe().f_lineno - 2
    outcome = bench.collect(broken)
    assert outcome.reason == f"collector acme raised KeyError: 'id' at test_runner.py:{line}"


def test_an_error_while_connecting_ends_the_shard_alone(bench: Bench) -> None:
    acme = Collector("acme", config=AcmeConfig, connect=lambda _config, _open: {}["no"], docs="")
    acme.fetch(USER)(users)
    assert collect(bench.shard(acme), acme, bench.config, bench.run).state is State.FAILED


def test_a_secret_that_is_missing_fails_and_one_that_is_used_shows_nowhere(
    bench: Bench, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ACME_TOKEN", raising=False)
    bench.config = AcmeConfig(server.url, Secret("env:ACME_TOKEN"))
    server.replies("/users", (200, '[{"id": "s3cr3t-t0k3n"}]', {}), (500, "s3cr3t-t0k3n", {}))
    outcome = bench.collect(users)
    assert outcome.state is State.FAILED
    assert "export ACME_TOKEN" in outcome.remedy

    monkeypatch.setenv("ACME_TOKEN", "s3cr3t-t0k3n")
    bench.config = AcmeConfig(server.url, Secret("env:ACME_TOKEN"))
    first, second = bench.collect(users), bench.collect(users)
    assert first.redactions == 1
    assert server.asked[-1].headers["Authorization"] == "Bearer s3cr3t-t0k3n"
    assert second.state is State.FAILED
    for outcome in (first, second):
        blobs = [outcome.exchanges, outcome.bodies, *(table.blob for table in outcome.tables)]
        sealed = b"".join(bench.blobs.read(digest) for digest in blobs if digest)
        assert b"s3cr3t" not in sealed
        assert "s3cr3t" not in repr(outcome)


def test_a_fetch_of_several_tables_says_to_which_a_row_belongs(bench: Bench) -> None:
    def both(api: Http) -> Iterator[TableRow]:
        yield USER.row({"id": "u1"})
        yield GROUP.row({"id": "g1"})
        yield USER.row({"id": "u2"})

    outcome = bench.collect(both, USER, GROUP)
    assert (outcome.state, outcome.counts()) == (State.COMPLETE, {"acme_user": 2, "acme_group": 1})


@pytest.mark.parametrize("row", [{"id": "x"}, Table.of("acme_other", {"id": str}).row({"id": "x"})])
def test_a_row_for_no_table_of_the_shard_fails(bench: Bench, row: Any) -> None:
    outcome = bench.collect(lambda api: iter([USER.row({"id": "u1"}), row]), USER, GROUP)
    assert outcome.state is State.FAILED
    assert "gave a row" in outcome.reason
    assert outcome.counts() == {"acme_user": 1, "acme_group": 0}


@pytest.mark.parametrize("length", [1, 600_000], ids=["while sealing", "while collecting"])
def test_a_disk_that_is_full_stops_everything(
    bench: Bench, server: Any, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    server.replies("/users", page("u" * length))

    write, calls = os.write, iter(range(1_000))

    def full_once(handle: int, data: bytes) -> int:
        if next(calls) == 0:
            raise OSError(28, "No space left on device")
        return write(handle, data)

    monkeypatch.setattr(os, "write", full_once)
    with pytest.raises(StoreError, match="No space left"):
        bench.collect(users)
    monkeypatch.undo()
    assert list((bench.blobs.root / "tmp").iterdir()) == []


def test_an_interrupt_passes_and_leaves_nothing(bench: Bench) -> None:
    def interrupted(api: Http) -> Iterator[Row]:
        yield {"id": "u1"}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.collect(interrupted)
    assert list((bench.blobs.root / "tmp").iterdir()) == []


def test_a_fetch_sees_the_runs_time_and_its_scope(bench: Bench) -> None:
    def seen(api: Http) -> Iterator[Row]:
        yield {"id": f"{api.scope.name} {api.as_of.isoformat()}"}

    acme = bench.collector(seen)
    scope = Scope("1234/eu-west-1", "region", {"principal": "arn:aws:iam::1234:role/auditor"})
    outcome = collect(bench.shard(acme, scope), acme, bench.config, bench.run)
    assert bench.lines(outcome.tables[0].blob)[0]["id"] == "1234/eu-west-1 2026-09-10T00:00:00+00:00"
    assert outcome.principal == "arn:aws:iam::1234:role/auditor"


@pytest.mark.parametrize(("written", "as_of"), [(AS_OF - timedelta(days=3), AS_OF - timedelta(days=3)),
                                                (AS_OF + timedelta(days=3), AS_OF)])  # fmt: skip
def test_data_of_a_file_are_as_old_as_the_file_and_never_younger_than_the_run(
    bench: Bench, tmp_path: Path, written: datetime, as_of: datetime
) -> None:
    (tmp_path / "people.csv").write_text("id\n1\n")
    os.utime(tmp_path / "people.csv", (written.timestamp(), written.timestamp()))
    acme = Collector("acme", config=AcmeConfig, connect=lambda _, open: open.files(), docs="")
    acme.fetch(USER)(people)
    assert collect(bench.shard(acme), acme, bench.config, bench.run).as_of == as_of


def people(api: Any) -> Iterator[Any]:
    """People."""
    return api.rows(Path("people.csv"))


def test_two_fetches_of_one_scope_share_a_listing_and_both_record_it(bench: Bench, server: Any) -> None:
    server.replies("/users", page("u1"))
    acme = bench.collector(users)
    shard = bench.shard(acme)
    bench.run.connections.expect([shard, shard])
    first, second = (collect(shard, acme, bench.config, bench.run) for _ in range(2))
    assert len(server.asked) == 1
    assert first.bodies == second.bodies
    assert first.tables == second.tables
    collect(shard, acme, bench.config, bench.run)
    assert len(server.asked) == 2, "what was kept is let go with the last shard that was announced"


def scenario(name: str) -> Any:
    next_page = {"link": '</users?p=2>; rel="next"'}
    return {
        "complete": [page("u1", **next_page), page("u2")],
        "denied": [(403, "{}", {})],
        "page two fails": [page("u1", **next_page), (500, "{}", {})],
        "not understood": [(200, '[{"id": "u1", "created": 5e20, "more": 1}]', {})],
    }[name]


@pytest.mark.parametrize("name", ["complete", "denied", "page two fails", "not understood"])
def test_a_replay_without_the_system_gives_the_same_rows_and_state(bench: Bench, server: Any, name: str) -> None:
    server.replies("/users", *scenario(name))
    outcome = bench.collect(users)
    asked = len(server.asked)
    replayed = bench.replay(users, outcome)
    assert (replayed.tables, replayed.state, replayed.reason) == (outcome.tables, outcome.state, outcome.reason)
    assert (replayed.unused, len(server.asked)) == (0, asked)


def test_a_replay_needs_no_secret(bench: Bench, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_TOKEN", "s3cr3t-t0k3n")
    bench.config = AcmeConfig(server.url, Secret("env:ACME_TOKEN"))
    server.replies("/users", page("u1"))
    outcome = bench.collect(users)
    monkeypatch.delenv("ACME_TOKEN")
    bench.config = AcmeConfig(server.url, Secret("env:ACME_TOKEN"))
    assert bench.replay(users, outcome).tables == outcome.tables


def test_a_replay_shows_a_collector_that_changed(bench: Bench, server: Any) -> None:
    server.replies("/users", page("u1"))
    outcome = bench.collect(users)

    def other_rows(api: Http) -> Iterator[Row]:
        for row in api.pages("/users"):
            yield {**row, "id": "changed"}

    def other_calls(api: Http) -> Iterator[Row]:
        yield from api.pages("/people")

    assert bench.replay(other_rows, outcome).tables != outcome.tables
    replayed = bench.replay(other_calls, outcome)
    assert (replayed.state, replayed.unused) == (State.FAILED, 1)
