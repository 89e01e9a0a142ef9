"""Which evidence an assessment rests on: for every table, the latest of every configured source.

The latest shard counts, whatever became of it: older evidence never stands in for what a newer attempt could not see. A
source that was never collected is a gap in each of its tables, not an empty table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from annexa import clock
from annexa.assess.evidence import Gap, SegmentRef, TableEvidence
from annexa.database.models import Segment, Shard
from annexa.evidence.blobs import BlobStore
from annexa.record.state import latest_runs
from annexa.sdk import Collector, Entities, Table

SEEN = ("complete", "incomplete")


@dataclass(frozen=True, slots=True)
class Source:
    """A configured source: its collector, the instance of its settings, and the age its evidence may have."""

    name: str
    collector: Collector
    settings: Any
    max_age: timedelta | None

    def tables(self, entities: Entities) -> dict[str, tuple[Table, ...]]:
        """By fetch, the tables it fills."""
        return {name: fetch.tables_for(self.settings, entities) for name, fetch in self.collector.fetches.items()}


def gather(
    session: Session, blobs: BlobStore, sources: Iterable[Source], entities: Entities
) -> tuple[dict[str, TableEvidence], dict[str, int]]:
    """The evidence by table, and the ledger entry of each shard that was collected.

    Returns:
        Evidence for every table that a configured source fills, and by the shard's name the entry that seals it.
    """
    runs = latest_runs(session)
    tables: dict[str, _Table] = {}
    entries: dict[str, int] = {}
    for source in sources:
        filled = source.tables(entities)
        for fetch_tables in filled.values():
            for table in fetch_tables:
                tables.setdefault(table.name, _Table(table, [], [], {})).note(source)
        run = runs.get(source.name)
        if run is None:
            _never(source, filled, tables)
        else:
            _collected(session, blobs, source, run, filled, tables, entries)
    return {name: found.evidence() for name, found in tables.items()}, entries


@dataclass(slots=True)
class _Table:
    table: Table
    segments: list[SegmentRef]
    gaps: list[Gap]
    max_age: dict[str, timedelta]

    def note(self, source: Source) -> None:
        if source.max_age is not None:
            self.max_age[source.name] = source.max_age

    def evidence(self) -> TableEvidence:
        return TableEvidence(self.table, tuple(self.segments), tuple(self.gaps), self.max_age)


def _never(source: Source, filled: Mapping[str, tuple[Table, ...]], tables: Mapping[str, _Table]) -> None:
    for fetch, fetch_tables in filled.items():
        for table in fetch_tables:
            gap = Gap(source.name, "", f"{source.name}/{fetch}", "planned", "it was never collected")
            tables[table.name].gaps.append(gap)


def _collected(
    session: Session,
    blobs: BlobStore,
    source: Source,
    run: str,
    filled: Mapping[str, tuple[Table, ...]],
    tables: Mapping[str, _Table],
    entries: dict[str, int],
) -> None:
    shards = session.scalars(select(Shard).where(Shard.run == run, Shard.source == source.name)).all()
    segments = _segments(session, run, source.name)
    planned = {shard.fetch for shard in shards}
    for fetch in filled.keys() - planned:
        _never(source, {fetch: filled[fetch]}, tables)
    for shard in shards:
        if shard.entry is not None:
            entries[_name(shard)] = shard.entry
        for table in filled.get(shard.fetch, ()):
            _place(tables[table.name], shard, segments.get((shard.fetch, shard.scope, table.name)), blobs)


def _segments(session: Session, run: str, source: str) -> dict[tuple[str, str, str], Segment]:
    rows = session.scalars(select(Segment).where(Segment.run == run, Segment.source == source))
    return {(row.fetch, row.scope, row.table): row for row in rows}


def _place(table: _Table, shard: Shard, segment: Segment | None, blobs: BlobStore) -> None:
    name = _name(shard)
    if segment is not None and shard.state in SEEN and shard.as_of is not None:
        path, as_of = blobs.path(segment.blob), clock.moment(shard.as_of)
        table.segments.append(SegmentRef(shard.source, shard.scope, path, segment.blob, segment.rows, as_of, name))
    if shard.state not in ("complete", "unavailable") or (shard.state == "complete" and segment is None):
        reason = shard.reason or "it never ran"
        table.gaps.append(Gap(shard.source, shard.scope, name, shard.state, reason))


def _name(shard: Shard) -> str:
    return f"{shard.source}/{shard.scope}/{shard.fetch}"
