"""What can happen: the events that the ledger holds and the database projects. Values only.

Rules:
- An event says what was seen or decided, never how the database should change; `annexa.record.apply` derives that.
- Its ledger body is the dataclass as JSON with `event` naming the class, so the ledger alone gives every event back.
- Lists that can be long (verdicts, rows) are sealed blobs; the event names their digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class PlannedShard:
    """A shard as the plan names it."""

    source: str
    collector: str
    fetch: str
    scope: str


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins: all that it intends to do, before it does any of it.

    `digests` are SHA-256 of what decides the outcome besides the evidence: config, pack, code.
    """

    kind: ClassVar[str] = "run_start"
    planned: list[PlannedShard]
    digests: dict[str, str]
    host: str
    version: str
    previous_anchor: str | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """One table's segment within a collection."""

    table: str
    blob: str
    rows: int
    unknown: dict[str, int]


@dataclass(frozen=True, slots=True)
class Collected:
    """A shard ended, in whatever state. The evidence item of design section 3."""

    kind: ClassVar[str] = "collection"
    source: str
    collector: str
    fetch: str
    scope: str
    state: str
    reason: str
    remedy: str
    started_at: str
    ended_at: str
    as_of: str
    pages: int
    declared_total: int | None
    exchanges: str | None
    bodies: str | None
    tables: list[Rows]
    principal: str
    redactions: int


@dataclass(frozen=True, slots=True)
class Cite:
    """A piece of evidence that a check read: a table's segment in a collection entry of the ledger."""

    entry: int
    table: str
    blob: str


@dataclass(frozen=True, slots=True)
class Assessed:
    """A check was evaluated. `results` is the blob of all its verdicts, one JSON object a line."""

    kind: ClassVar[str] = "assessment"
    check: str
    title: str
    severity: str
    controls: list[str]
    digest: str
    as_of: str
    status: str
    reason: str
    counts: dict[str, int]
    results: str | None
    cites: list[Cite]
    oldest: str | None


@dataclass(frozen=True, slots=True)
class EffectivenessChanged:
    """A control's derived effectiveness is not what it was, or its reason is another."""

    kind: ClassVar[str] = "effectiveness"
    control: str
    effectiveness: str
    reason: str
    score: float | None


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One control in the Statement of Applicability (6.1.3 d)."""

    control: str
    applicable: bool
    reasons: list[str]
    justification: str
    implementation: str
    owner: str | None
    documents: list[str]
    provider: str | None


@dataclass(frozen=True, slots=True)
class StatementAdopted:
    """The statement in the pack differs from the adopted one in these lines; `digest` is that of the whole."""

    kind: ClassVar[str] = "statement"
    digest: str
    lines: list[StatementLine]


@dataclass(frozen=True, slots=True)
class NonconformityRaised:
    """A requirement is not fulfilled (ISO/IEC 27000, 3.47), and no open record says so yet.

    `shown` is a digest of the resources that show it, so that another set of them is noticed and other words are not.
    """

    kind: ClassVar[str] = "nonconformity"
    id: str
    fingerprint: str
    origin: str
    control: str
    controls: list[str]
    check: str
    source: str
    scope: str
    title: str
    statement: str
    severity: str
    grade: str
    owner: str | None
    due_at: str
    resources: int
    shown: str
    recurrence_of: str | None = None


@dataclass(frozen=True, slots=True)
class NonconformityUpdated:
    """An open nonconformity shows in other resources than before."""

    kind: ClassVar[str] = "nonconformity"
    id: str
    resources: int
    shown: str
    statement: str


@dataclass(frozen=True, slots=True)
class NonconformityResolved:
    """Complete and fresh evidence no longer shows it. People still decide causes, actions and closure."""

    kind: ClassVar[str] = "nonconformity"
    id: str
    statement: str


@dataclass(frozen=True, slots=True)
class NonconformityReopened:
    """A resolved nonconformity shows again."""

    kind: ClassVar[str] = "nonconformity"
    id: str
    resources: int
    shown: str
    statement: str
    due_at: str


@dataclass(frozen=True, slots=True)
class KpiMeasured:
    """One measurement (9.1). `value` is null when it could not be measured, and `reason` says why."""

    kind: ClassVar[str] = "kpi"
    kpi: str
    value: float | None
    numerator: float | None
    denominator: float | None
    unit: str
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run did all that it could. `counts` has shards by state and checks by status."""

    kind: ClassVar[str] = "run_end"
    counts: dict[str, dict[str, int]]


Event = (
    RunStarted
    | Collected
    | Assessed
    | EffectivenessChanged
    | StatementAdopted
    | NonconformityRaised
    | NonconformityUpdated
    | NonconformityResolved
    | NonconformityReopened
    | KpiMeasured
    | RunEnded
)

TYPES: dict[str, type[Any]] = {cls.__name__: cls for cls in Event.__args__}


def body(event: Event) -> dict[str, Any]:
    """The event as the ledger's body: JSON-ready, with its class name."""
    import msgspec

    return {"event": type(event).__name__, **msgspec.to_builtins(event)}


def parse(entry_body: dict[str, Any]) -> Event:
    """The event that `body` wrote.

    Raises:
        ValueError: the body names no known event, or misses a field.
    """
    import msgspec

    fields = dict(entry_body)
    name = fields.pop("event", "")
    if name not in TYPES:
        raise ValueError(f"unknown event {name!r}")
    try:
        event: Event = msgspec.convert(fields, TYPES[name])
    except msgspec.ValidationError as problem:
        raise ValueError(f"{name}: {problem}") from problem
    return event
