"""The tables. `ledger_entry`, `tree_node`, `checkpoint` hold the ledger; all others are a projection of it.

Rules:
- Times are UTC, stored as ISO 8601 text with microseconds and `Z`: they sort as text, read the same on SQLite and
  PostgreSQL, and are the very bytes that the ledger's leaf holds.
- A projection table is written by `annexa.record.apply` only, in the transaction that appends the ledger entry.
- Digests are lower-case hexadecimal SHA-256 in projections and raw bytes in the ledger's own tables.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """All tables of annexa."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {dict[str, Any]: JSON, list[str]: JSON, list[dict[str, Any]]: JSON}


class LedgerEntry(Base):
    """One leaf of the RFC 6962 tree: exact RFC 8785 JSON bytes, never re-canonicalised."""

    __tablename__ = "ledger_entry"

    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    time: Mapped[str] = mapped_column(String(27))
    kind: Mapped[str] = mapped_column(String(40), index=True)
    run: Mapped[str | None] = mapped_column(String(40), index=True)
    leaf: Mapped[bytes] = mapped_column(LargeBinary)


class TreeNode(Base):
    """The hash of one perfect subtree: 2**level leaves that start at leaf position * 2**level."""

    __tablename__ = "tree_node"

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class Checkpoint(Base):
    """A signed tree head: the C2SP signed note of a checkpoint, verbatim."""

    __tablename__ = "checkpoint"

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    time: Mapped[str] = mapped_column(String(27))
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    note: Mapped[str] = mapped_column(Text)


class Run(Base):
    """One `annexa scan`. Without `ended_at` it did not finish."""

    __tablename__ = "run"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    started_at: Mapped[str] = mapped_column(String(27), index=True)
    ended_at: Mapped[str | None] = mapped_column(String(27))
    planned: Mapped[int]
    counts: Mapped[dict[str, Any]]
    digests: Mapped[dict[str, Any]]


class Shard(Base):
    """A shard as planned in a run. Its `state` stays `planned` until its collection is recorded."""

    __tablename__ = "shard"

    run: Mapped[str] = mapped_column(ForeignKey("run.id"), primary_key=True)
    source: Mapped[str] = mapped_column(String(100), primary_key=True)
    fetch: Mapped[str] = mapped_column(String(100), primary_key=True)
    scope: Mapped[str] = mapped_column(String(200), primary_key=True)
    collector: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(Text)
    started_at: Mapped[str | None] = mapped_column(String(27))
    ended_at: Mapped[str | None] = mapped_column(String(27))
    remedy: Mapped[str] = mapped_column(Text)
    principal: Mapped[str] = mapped_column(Text)
    pages: Mapped[int]
    declared_total: Mapped[int | None]
    as_of: Mapped[str | None] = mapped_column(String(27))
    exchanges: Mapped[str | None] = mapped_column(String(64))
    bodies: Mapped[str | None] = mapped_column(String(64))
    entry: Mapped[int | None] = mapped_column(BigInteger)


class Segment(Base):
    """The rows that one shard gave for one table: an evidence item."""

    __tablename__ = "segment"

    run: Mapped[str] = mapped_column(ForeignKey("run.id"), primary_key=True)
    source: Mapped[str] = mapped_column(String(100), primary_key=True)
    fetch: Mapped[str] = mapped_column(String(100), primary_key=True)
    scope: Mapped[str] = mapped_column(String(200), primary_key=True)
    table: Mapped[str] = mapped_column(String(100), primary_key=True)
    blob: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int] = mapped_column(BigInteger)


class CheckResult(Base):
    """What one check gave at its latest assessment: its status, counts and the evidence it read."""

    __tablename__ = "check_result"

    check: Mapped[str] = mapped_column(String(100), primary_key=True)
    run: Mapped[str] = mapped_column(ForeignKey("run.id"))
    as_of: Mapped[str] = mapped_column(String(27))
    title: Mapped[str] = mapped_column(Text)
    severity: Mapped[str] = mapped_column(String(10))
    controls: Mapped[list[str]]
    digest: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(12), index=True)
    reason: Mapped[str] = mapped_column(Text)
    counts: Mapped[dict[str, Any]]
    results: Mapped[str | None] = mapped_column(String(64))
    cites: Mapped[list[dict[str, Any]]]
    oldest: Mapped[str | None] = mapped_column(String(27))


class VerdictRow(Base):
    """A verdict other than pass, with when it was first and last seen so. Passes are counted, not stored here."""

    __tablename__ = "verdict"
    __table_args__ = (Index("verdict_open", "check", "closed_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    check: Mapped[str] = mapped_column(String(100))
    source: Mapped[str] = mapped_column(String(100))
    scope: Mapped[str] = mapped_column(String(200))
    resource: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[str] = mapped_column(String(27))
    closed_at: Mapped[str | None] = mapped_column(String(27))


class ControlState(Base):
    """The derived effectiveness of one control, since when."""

    __tablename__ = "control_effectiveness"

    control: Mapped[str] = mapped_column(String(20), primary_key=True)
    since: Mapped[str] = mapped_column(String(27), primary_key=True)
    effectiveness: Mapped[str] = mapped_column(String(24))
    reason: Mapped[str] = mapped_column(Text)
    score: Mapped[float | None]
    current: Mapped[bool] = mapped_column(index=True)


class Nonconformity(Base):
    """A nonconformity (ISO/IEC 27001, 10.2), one open record per fingerprint.

    The resources that show it are the open `verdict` rows with status `fail` of its check and group.
    """

    __tablename__ = "nonconformity"

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64), index=True)
    state: Mapped[str] = mapped_column(String(12), index=True)
    origin: Mapped[str] = mapped_column(String(20))
    control: Mapped[str] = mapped_column(String(20))
    controls: Mapped[list[str]]
    check: Mapped[str] = mapped_column(String(100))
    source: Mapped[str] = mapped_column(String(100))
    scope: Mapped[str] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(Text)
    statement: Mapped[str] = mapped_column(Text)
    severity: Mapped[str] = mapped_column(String(10))
    grade: Mapped[str] = mapped_column(String(12))
    owner: Mapped[str | None] = mapped_column(String(200))
    raised_at: Mapped[str] = mapped_column(String(27))
    due_at: Mapped[str] = mapped_column(String(27))
    resolved_at: Mapped[str | None] = mapped_column(String(27))
    reopened: Mapped[int]
    resources: Mapped[int]
    shown: Mapped[str] = mapped_column(String(64))
    recurrence_of: Mapped[str | None] = mapped_column(String(20))


class KpiValue(Base):
    """One measured value of a KPI (9.1). `value` is null when it could not be measured; `reason` says why."""

    __tablename__ = "kpi_value"

    kpi: Mapped[str] = mapped_column(String(60), primary_key=True)
    measured_at: Mapped[str] = mapped_column(String(27), primary_key=True)
    run: Mapped[str] = mapped_column(String(40))
    value: Mapped[float | None]
    numerator: Mapped[float | None]
    denominator: Mapped[float | None]
    unit: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)


class StatementRow(Base):
    """One control's row of the Statement of Applicability (6.1.3 d) as people decided it."""

    __tablename__ = "statement"

    control: Mapped[str] = mapped_column(String(20), primary_key=True)
    applicable: Mapped[bool]
    reasons: Mapped[list[str]]
    justification: Mapped[str] = mapped_column(Text)
    implementation: Mapped[str] = mapped_column(String(20))
    owner: Mapped[str | None] = mapped_column(String(200))
    documents: Mapped[list[str]]
    provider: Mapped[str | None] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64))
    adopted_at: Mapped[str] = mapped_column(String(27))
