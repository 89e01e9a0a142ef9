"""The ISMS records: statement, effectiveness, nonconformities, KPIs, runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from annexa.database.models import ControlState, KpiValue, Nonconformity, Run, Shard, StatementRow
from annexa.isms.catalogue import Control
from annexa.views.checks import Result


@dataclass(frozen=True, slots=True)
class ControlView:
    """One control: what the standard calls it, what people decided, what the machine derived, and from what."""

    control: str
    title: str
    theme: str
    intent: str
    automation: str
    evidence: str
    attest: str
    applicable: bool | None
    reasons: list[str]
    justification: str
    implementation: str
    provider: str | None
    owner: str | None
    documents: list[str]
    effectiveness: str
    effectiveness_reason: str
    score: float | None
    since: str | None
    checks: list[Result]

    @property
    def oldest(self) -> str | None:
        """The time of the oldest evidence its checks read."""
        return min((check.oldest for check in self.checks if check.oldest), default=None)


def statement(session: Session, catalogue: Mapping[str, Control], results: list[Result]) -> list[ControlView]:
    """The Statement of Applicability with the derived effectiveness beside it, all controls in order."""
    decided = {row.control: row for row in session.scalars(select(StatementRow))}
    states = {row.control: row for row in session.scalars(select(ControlState).where(ControlState.current.is_(True)))}
    return [_control(c, decided.get(c.id), states.get(c.id), results) for c in catalogue.values()]


def _control(
    control: Control, row: StatementRow | None, state: ControlState | None, results: list[Result]
) -> ControlView:
    return ControlView(
        control=control.id,
        title=control.title,
        theme=control.theme,
        intent=control.intent,
        automation=control.automation,
        evidence=control.evidence,
        attest=control.attest,
        applicable=row.applicable if row else None,
        reasons=row.reasons if row else [],
        justification=row.justification if row else "",
        implementation=row.implementation if row else "not adopted",
        provider=row.provider if row else None,
        owner=row.owner if row else None,
        documents=row.documents if row else [],
        effectiveness=state.effectiveness if state else "not demonstrated",
        effectiveness_reason=state.reason if state else "nothing was assessed yet",
        score=state.score if state else None,
        since=state.since if state else None,
        checks=[result for result in results if control.id in result.controls],
    )


@dataclass(frozen=True, slots=True)
class NonconformityView:
    """A nonconformity as recorded."""

    id: str
    state: str
    grade: str
    severity: str
    control: str
    controls: list[str]
    check: str
    source: str
    scope: str
    title: str
    statement: str
    owner: str | None
    raised_at: str
    due_at: str
    resolved_at: str | None
    reopened: int
    resources: int
    recurrence_of: str | None
    overdue: bool


def nonconformities(session: Session, now: str, state: str | None = None) -> list[NonconformityView]:
    """The nonconformities, by number. `now` (27 characters, UTC) decides what is overdue."""
    query = select(Nonconformity).order_by(Nonconformity.raised_at, Nonconformity.id)
    if state is not None:
        query = query.where(Nonconformity.state == state)
    return [_nonconformity(row, now) for row in session.scalars(query)]


def _nonconformity(row: Nonconformity, now: str) -> NonconformityView:
    return NonconformityView(
        id=row.id,
        state=row.state,
        grade=row.grade,
        severity=row.severity,
        control=row.control,
        controls=row.controls,
        check=row.check,
        source=row.source,
        scope=row.scope,
        title=row.title,
        statement=row.statement,
        owner=row.owner,
        raised_at=row.raised_at,
        due_at=row.due_at,
        resolved_at=row.resolved_at,
        reopened=row.reopened,
        resources=row.resources,
        recurrence_of=row.recurrence_of,
        overdue=row.state == "open" and row.due_at < now,
    )


@dataclass(frozen=True, slots=True)
class KpiPoint:
    """One measured value."""

    kpi: str
    measured_at: str
    value: float | None
    numerator: float | None
    denominator: float | None
    unit: str
    status: str
    reason: str


def kpi_series(session: Session, kpi: str | None = None, last: int | None = None) -> dict[str, list[KpiPoint]]:
    """By KPI, its values in order of time; only the `last` ones where given."""
    query = select(KpiValue).order_by(KpiValue.kpi, KpiValue.measured_at)
    if kpi is not None:
        query = query.where(KpiValue.kpi == kpi)
    series: dict[str, list[KpiPoint]] = {}
    for r in session.scalars(query):
        point = KpiPoint(r.kpi, r.measured_at, r.value, r.numerator, r.denominator, r.unit, r.status, r.reason)
        series.setdefault(r.kpi, []).append(point)
    return {name: points[-last:] if last else points for name, points in series.items()}


@dataclass(frozen=True, slots=True)
class RunView:
    """A run, and how its shards ended."""

    id: str
    started_at: str
    ended_at: str | None
    planned: int
    shards: dict[str, int]
    counts: dict[str, Any]


def runs(session: Session, last: int = 20) -> list[RunView]:
    """The latest runs, newest first."""
    rows = list(session.scalars(select(Run).order_by(Run.started_at.desc(), Run.id.desc()).limit(last)))
    return [RunView(r.id, r.started_at, r.ended_at, r.planned, _states(session, r.id), r.counts) for r in rows]


def unfinished(session: Session) -> list[RunView]:
    """Runs that began and never ended, newest first."""
    rows = list(session.scalars(select(Run).where(Run.ended_at.is_(None)).order_by(Run.started_at.desc())))
    return [RunView(r.id, r.started_at, None, r.planned, _states(session, r.id), {}) for r in rows]


def _states(session: Session, run: str) -> dict[str, int]:
    query = select(Shard.state, func.count()).where(Shard.run == run).group_by(Shard.state).order_by(Shard.state)
    return dict(session.execute(query).all())
