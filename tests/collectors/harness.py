"""Runs one fetch of one collector over the real transport, as the runner does, and shows what it gave.

Every fetch is checked for what holds for all of them: its values are of their columns' types, its rows have their
keys, its token is not in the recording, and the recording, replayed, gives the same rows.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from annexa.collect.connections import Connections
from annexa.collect.exchange import Tape
from annexa.collect.parts import Flaw
from annexa.collect.replay import ReplayTape
from annexa.collect.retry import Patience
from annexa.collect.rows import SegmentWriter
from annexa.collect.shards import Shard
from annexa.collect.tape import RecordingTape
from annexa.collect.transports import RecordedTransports
from annexa.collect.wire import Wire
from annexa.sdk import GLOBAL, Collector, Table

NOW = datetime(2026, 9, 10, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch gave: its rows by column, as the vendor wrote the values, and what it lost on the way."""

    rows: list[dict[str, Any]]
    flaws: list[Flaw] = field(default_factory=list)

    def by(self, column: str) -> dict[Any, dict[str, Any]]:
        """The rows by a column that tells them apart."""
        found = {row[column]: row for row in self.rows}
        assert len(found) == len(self.rows), f"{column} occurs twice"
        return found

    def pairs(self, *columns: str) -> set[tuple[Any, ...]]:
        """These columns of every row."""
        return {tuple(row[column] for column in columns) for row in self.rows}


def fetch(collector: Collector, config: Any, name: str, *, now: datetime = NOW) -> Fetched:
    """Every row of one fetch. What leaves the fetch is raised."""
    connections = Connections(
        lambda redactor: Wire(learn=redactor.learn, patience=Patience(attempts=2, sleep=lambda _: None))
    )
    exchanges, bodies = io.BytesIO(), io.BytesIO()
    try:
        tape = RecordingTape(exchanges, bodies, connections.redactor)
        rows, flaws = _run(collector, config, name, tape, connections, now)
    finally:
        connections.close()
    assert config.token.reveal().encode() not in exchanges.getvalue() + bodies.getvalue()
    replay = ReplayTape(exchanges.getvalue().splitlines(), bodies.getvalue())
    assert _run(collector, config, name, replay, connections, now) == (rows, flaws)
    return Fetched(rows, flaws)


def _run(
    collector: Collector, config: Any, name: str, tape: Tape, connections: Connections, now: datetime
) -> tuple[list[dict[str, Any]], list[Flaw]]:
    unit = collector.fetches[name]
    tables = unit.tables_for(config, {})
    shard = Shard("main", collector.name, unit, GLOBAL, tables)
    opened = RecordedTransports(shard, tape, connections, as_of=now, base=Path())
    given = list(unit.run(collector.connect(config, opened)))
    (table,) = tables
    _understood(table, given)
    return [{column.name: pick(row, column.path) for column in table.columns} for row in given], opened.flaws


def _understood(table: Table, rows: list[Mapping[str, Any]]) -> None:
    writer = SegmentWriter(table, io.BytesIO())
    for row in rows:
        writer.add(row, 1)
    assert writer.example == "", "a value is not of its column's type, or a key is null"
    paths = [column.path for key in table.key for column in table.columns if column.name == key]
    keys = [tuple(pick(row, path) for path in paths) for row in rows]
    assert not paths or len(set(keys)) == len(keys), "a key occurs twice"


def pick(row: Mapping[str, Any], path: str) -> Any:
    """What stands at a dotted path; None where nothing does."""
    value: Any = row
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
