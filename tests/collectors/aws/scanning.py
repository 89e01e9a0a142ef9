"""Runs the fetches of the AWS collector as the engine does: recorded, typed, and again from the recording."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from annexa.collect.aws import AwsTransport
from annexa.collect.aws_sessions import AwsAccess, AwsClients
from annexa.collect.exchange import Tape
from annexa.collect.parts import Flaw
from annexa.collect.redaction import Redactor
from annexa.collect.replay import ReplayTape
from annexa.collect.rows import SegmentWriter
from annexa.collect.tape import RecordingTape
from annexa.sdk import GLOBAL, Scope, TableRow
from collectors.aws import AwsConfig, aws

_CLIENTS = AwsClients(attempts=1)


@dataclass
class Opened:
    """The engine's `Transports`, for one shard."""

    scope: Scope
    as_of: datetime
    tape: Tape
    transport: Any = None

    def aws(self, *, region: str, **access: Any) -> AwsTransport:
        self.transport = AwsTransport(
            self.tape,
            _CLIENTS,
            AwsAccess(**access),
            region=region,
            scope=self.scope,
            as_of=self.as_of,
            pause=lambda _: None,
        )
        return self.transport


@dataclass
class Fetched:
    """What a fetch gave: rows and segments by table, what it lost, and its recording."""

    segments: dict[str, bytes]
    flaws: list[Flaw]
    tape: Tape
    exchanges: bytes = b""
    bodies: bytes = b""

    def rows(self, table: str = "") -> list[dict[str, Any]]:
        (name,) = [table] if table else self.segments
        return [json.loads(line) for line in self.segments[name].splitlines()]

    def by(self, column: str, table: str = "") -> dict[Any, dict[str, Any]]:
        return {row[column]: row for row in self.rows(table)}


@dataclass
class Scan:
    """A configured source at a time."""

    config: AwsConfig
    now: datetime
    scopes: list[Scope] = field(default_factory=list)

    def discover(self) -> list[Scope]:
        opened = Opened(GLOBAL, self.now, RecordingTape(io.BytesIO(), io.BytesIO(), Redactor()))
        assert aws.discover is not None
        self.scopes = list(aws.discover(aws.connect(self.config, opened), self.config))
        return self.scopes

    def scope(self, name: str, region: str = "eu-west-1") -> Scope:
        """The fetch's scope; of a region's, that region's."""
        level = aws.fetches[name].per
        return next(s for s in self.scopes if s.level == level and (level != "region" or s.values["region"] == region))

    def run(self, name: str, region: str = "eu-west-1") -> Fetched:
        """Fetch and record. What leaves the fetch is raised."""
        exchanges, bodies = io.BytesIO(), io.BytesIO()
        tape = RecordingTape(exchanges, bodies, Redactor())
        fetched = self._run(name, self.scope(name, region), tape)
        fetched.exchanges, fetched.bodies = exchanges.getvalue(), bodies.getvalue()
        return fetched

    def replay(self, name: str, recorded: Fetched, region: str = "eu-west-1") -> Fetched:
        """Fetch from a recording."""
        tape = ReplayTape(recorded.exchanges.splitlines(), recorded.bodies)
        return self._run(name, self.scope(name, region), tape)

    def _run(self, name: str, scope: Scope, tape: Tape) -> Fetched:
        opened = Opened(scope, self.now, tape)
        fetch = aws.fetches[name]
        api = aws.connect(self.config, opened)
        tables = fetch.tables_for(self.config, {})
        sinks = {table.name: io.BytesIO() for table in tables}
        writers = {table.name: SegmentWriter(table, sinks[table.name]) for table in tables}
        for row in fetch.run(api):
            table, values = (row.table.name, row.values) if isinstance(row, TableRow) else (tables[0].name, row)
            writers[table].add(values, tape.last)
        for table in tables:
            assert writers[table.name].doubts == 0, writers[table.name].example
            _unique(sinks[table.name].getvalue(), table.key, table.name)
        return Fetched({name: sink.getvalue() for name, sink in sinks.items()}, opened.transport.flaws, tape)


def _unique(segment: bytes, key: tuple[str, ...], name: str) -> None:
    keys = [tuple(json.loads(line)[column] for column in key) for line in segment.splitlines()] if key else []
    assert len(set(keys)) == len(keys), f"{name}: a key comes twice"


def lines_where(
    rows: list[dict[str, Any]], keep: Callable[[dict[str, Any]], bool], *columns: str
) -> set[tuple[Any, ...]]:
    """These columns of the rows to keep."""
    return {tuple(row[column] for column in columns) for row in rows if keep(row)}
