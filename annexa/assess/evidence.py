"""What the assess room is given: the evidence of each table, as values.

Rules:
- A table that no configured source feeds is absent from the evidence: checks on it are not run (`unsourced`).
- A shard that did not end complete is a gap. With gaps and no segments, nothing was seen: checks on the table are an
  `error`. With gaps and segments, what was seen to fail fails, and nothing passes.
- With neither, every shard said that the service does not exist there: checks on the table are `na`, not a pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from annexa.errors import PackError
from annexa.sdk.tables import Table

RESERVED = ("source", "scope")
"""Columns that the loader adds to every table: which source a row comes from, and which part of it."""


@dataclass(frozen=True, slots=True)
class SegmentRef:
    """The rows that one shard gave for one table.

    Args:
        source: The configured source.
        scope: The part of the source (account, region …).
        path: The blob: JSON Lines in one zstd frame; each line an object of the table's columns and `_exchange`.
        digest: SHA-256 of the uncompressed bytes.
        rows: Number of lines.
        as_of: The time for which the rows speak.
        shard: The shard's name, as people see it.
    """

    source: str
    scope: str
    path: Path
    digest: str
    rows: int
    as_of: datetime
    shard: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A shard that did not give all of its rows: `state` and `reason` as its collection recorded them."""

    source: str
    scope: str
    shard: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class TableEvidence:
    """All that was collected for one table, and what was not.

    Args:
        table: The table with its columns.
        segments: What was collected.
        gaps: Shards that are not complete.
        max_age: By source: how old its segments may be, in place of the age that a check requires (an export that
            is made once a week is not stale after a day).
    """

    table: Table
    segments: tuple[SegmentRef, ...] = ()
    gaps: tuple[Gap, ...] = ()
    max_age: Mapping[str, timedelta] = field(default_factory=dict)


Evidence = Mapping[str, TableEvidence]
"""The evidence by table name."""


@dataclass(frozen=True, slots=True)
class Cite:
    """A piece of evidence that a verdict rests on."""

    table: str
    segment: SegmentRef


def refuse_reserved(table: Table) -> None:
    """See that a table's columns leave the loader's own names free.

    Raises:
        PackError: A column is called `source` or `scope`, starts with `_`, or differs from another in case only
            (SQL names are case-insensitive).
    """
    seen: dict[str, str] = {}
    for column in table.columns:
        folded = column.name.lower()
        if folded in RESERVED or folded.startswith("_"):
            raise PackError(
                f"table {table.name}: column {column.name} has a reserved name",
                remedy=f"Rename it: {', '.join(RESERVED)} and names that start with _ are added by the loader.",
            )
        if folded in seen:
            raise PackError(f"table {table.name}: columns {seen[folded]} and {column.name} differ in case only")
        seen[folded] = column.name
