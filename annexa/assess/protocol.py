"""What parent and worker say to each other: one JSON object a line, a request and its reply in turn.

All of it is plain values, so that nothing of the parent (secrets, handles, code) crosses over.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class SegmentSpec(Struct, frozen=True):
    """A blob to load, and what it must hold."""

    path: str
    digest: str
    rows: int
    source: str
    scope: str


class TableSpec(Struct, frozen=True):
    """A table: `columns` are pairs of name and `ColumnType`."""

    name: str
    columns: list[tuple[str, str]]
    key: list[str]


class RawSpec(Struct, frozen=True):
    """A collected table and its segments."""

    table: TableSpec
    segments: list[SegmentSpec]


class FeedSpec(Struct, frozen=True):
    """A feed of an entity: the tables that its SQL may read, and the SQL."""

    tables: list[str]
    sql: str


class RowSpec(Struct, frozen=True):
    """The engine's own row of a check, with the resource `*`."""

    status: str
    reason: str


class Load(Struct, tag=True, frozen=True):
    """Open a fresh database, load tables into it and lock it."""

    tables: list[RawSpec]
    threads: int
    memory: int
    seconds: float


class Build(Struct, tag=True, frozen=True):
    """Build an entity from tables that are there; `collected` names the table with rows of its own, if any."""

    table: TableSpec
    feeds: list[FeedSpec]
    collected: str | None


class Judge(Struct, tag=True, frozen=True):
    """Evaluate a check.

    `rewrite` and `suffix` are what the state of the evidence does to each verdict, `row` the engine's own row,
    `empty` its row where the population is empty.
    """

    population: str
    query: str
    tables: list[str]
    params: dict[str, Any]
    as_of: str
    rewrite: dict[str, str]
    suffix: str
    row: RowSpec | None
    empty: RowSpec
    results: str


class Ask(Struct, tag=True, frozen=True):
    """Run a SELECT and give its first rows as they are."""

    sql: str
    tables: list[str]
    params: dict[str, Any]
    as_of: str
    limit: int


class TableReport(Struct, frozen=True):
    """What loading or building a table found: `gaps` make it incomplete, `broken` unusable."""

    name: str
    rows: int = 0
    gaps: list[str] = []
    broken: str = ""


class Loaded(Struct, tag=True, frozen=True):
    """The reply to `Load` and `Build`."""

    tables: list[TableReport]


class Judged(Struct, tag=True, frozen=True):
    """The reply to `Judge`: counts by status after rewriting, the engine's row included; whether nothing was judged."""

    counts: dict[str, int]
    tables: list[str]
    empty: bool


class Answered(Struct, tag=True, frozen=True):
    """The reply to `Ask`."""

    rows: list[dict[str, Any]]
    tables: list[str]


class Refused(Struct, tag=True, frozen=True):
    """The request could not be done; `fatal` says that the database is no longer to be used."""

    reason: str
    fatal: bool = False


Request = Load | Build | Judge | Ask
Reply = Loaded | Judged | Answered | Refused
