"""A shard: the unit of work and of failure. One fetch of one source in one scope.

A shard ends in exactly one state:

- `complete`: every page was read and understood, and what the vendor declared as total was met.
- `incomplete`: some rows were read, some were not, or could not be understood.
- `denied`: the credential may not ask this; `failed`: the call did not work.
- `unavailable`: the service says that it does not exist in this scope; there is nothing that could be seen.

Only `complete` (and `unavailable`, where the vendor documents it) can carry a pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from annexa.sdk import Fetch, Scope, Table


class State(StrEnum):
    """How a shard ended; `planned` until it did."""

    PLANNED = "planned"
    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    DENIED = "denied"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Shard:
    """One fetch of one source in one scope; `tables` are what it fills."""

    source: str
    collector: str
    fetch: Fetch
    scope: Scope
    tables: tuple[Table, ...]

    @property
    def name(self) -> str:
        """`source/scope/fetch`, as people see it."""
        return f"{self.source}/{self.scope.name}/{self.fetch.name}"


@dataclass(frozen=True, slots=True)
class TableRows:
    """What a shard gave for one table.

    Args:
        table: The table's name.
        blob: Digest of the segment: JSON Lines, one row a line, with `_exchange` naming the exchange it came from.
        rows: Number of lines.
        unknown: Keys that the vendor gave and no column declares, with how often (`profile.nickName`: 12).
    """

    table: str
    blob: str
    rows: int
    unknown: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a shard.

    Args:
        state: How it ended.
        reason: Why it is not complete, for a person; empty when complete.
        remedy: What to do about it.
        as_of: The time for which the data speak: when collecting began, or an exported file's own time.
        pages: Exchanges that were recorded.
        declared_total: The total the vendor declared, when it did.
        exchanges: Digest of the exchange log (JSON Lines), None when nothing was asked.
        bodies: Digest of the answers' bytes, one after the other, None when there were none.
        tables: One per table of the shard, also when empty: collected, none.
        principal: Who asked, in the vendor's words (never a secret): an ARN, a token's owner, a user.
        redactions: How many secrets were cut out before hashing.
    """

    shard: Shard
    state: State
    reason: str
    remedy: str
    started_at: datetime
    ended_at: datetime
    as_of: datetime
    pages: int
    declared_total: int | None
    exchanges: str | None
    bodies: str | None
    tables: tuple[TableRows, ...]
    principal: str = ""
    redactions: int = 0

    def counts(self) -> dict[str, Any]:
        """Rows by table, for people."""
        return {table.table: table.rows for table in self.tables}
