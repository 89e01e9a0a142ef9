"""What is recorded now, as the values that decisions need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from annexa.database.models import CheckResult, ControlState, Nonconformity, Run, Shard, StatementRow
from annexa.events import Assessed, StatementLine
from annexa.isms.catalogue import Control
from annexa.isms.effectiveness import CheckSummary
from annexa.isms.nonconformities import Known


def adopted_statement(session: Session) -> dict[str, StatementLine]:
    """The statement as it was last adopted, by control."""
    return {
        row.control: StatementLine(
            control=row.control,
            applicable=row.applicable,
            reasons=row.reasons,
            justification=row.justification,
            implementation=row.implementation,
            owner=row.owner,
            documents=row.documents,
            provider=row.provider,
        )
        for row in session.scalars(select(StatementRow))
    }


def effectiveness(session: Session) -> dict[str, tuple[str, str]]:
    """By control, its current effectiveness and the reason."""
    rows = session.scalars(select(ControlState).where(ControlState.current.is_(True)))
    return {row.control: (row.effectiveness, row.reason) for row in rows}


def check_summaries(session: Session) -> list[CheckSummary]:
    """The latest result of every check."""
    rows = session.scalars(select(CheckResult).order_by(CheckResult.check))
    return [CheckSummary(row.check, row.severity, tuple(row.controls), row.status, row.counts) for row in rows]


def retired(session: Session, judged: set[str]) -> list[Assessed]:
    """The events for checks that were judged once and are not any more: an old pass does not go on counting."""
    rows = session.scalars(select(CheckResult).where(CheckResult.status != "unsourced").order_by(CheckResult.check))
    return [
        Assessed(
            check=row.check,
            title=row.title,
            severity=row.severity,
            controls=row.controls,
            digest=row.digest,
            as_of=row.as_of,
            status="unsourced",
            reason="it is not judged any more: it has no source, or is not among the checks",
            counts={},
            results=None,
            cites=[],
            oldest=None,
        )
        for row in rows
        if row.check not in judged
    ]


def nonconformities(session: Session) -> list[Known]:
    """Every record; of one fingerprint only the latest, which is the one that is not closed if there is any."""
    rows = session.scalars(select(Nonconformity).order_by(Nonconformity.raised_at, Nonconformity.id))
    latest = {row.fingerprint: row for row in rows}
    return [Known(r.id, r.fingerprint, r.check, r.source, r.state, r.shown, r.resources) for r in latest.values()]


def next_number(session: Session) -> int:
    """The number of the next nonconformity: they are never deleted, so it counts on."""
    return (session.scalar(select(func.count()).select_from(Nonconformity)) or 0) + 1


def unfinished_runs(session: Session) -> list[str]:
    """Runs since the latest finished one that have no end, oldest first."""
    finished = select(func.coalesce(func.max(Run.started_at), "")).where(Run.ended_at.is_not(None)).scalar_subquery()
    query = select(Run.id).where(Run.ended_at.is_(None), Run.started_at > finished)
    return list(session.scalars(query.order_by(Run.started_at)))


def latest_runs(session: Session) -> dict[str, str]:
    """By source, the latest run that planned it."""
    query = select(Shard.source, Run.id, Run.started_at).join(Run, Run.id == Shard.run).distinct()
    return {source: run for source, run, _ in session.execute(query.order_by(Run.started_at))}


def record_tables(session: Session, controls: Mapping[str, Control]) -> dict[str, list[dict[str, Any]]]:
    """The records that KPI formulas may read, as rows: `nonconformity`, `control`, `collection`, `check_result`."""
    return {
        "nonconformity": [_nonconformity(row) for row in session.scalars(select(Nonconformity))],
        "control": _controls(session, controls),
        "collection": _collections(session),
        "check_result": [
            {"check": row.check, "severity": row.severity, "status": row.status, "as_of": row.as_of}
            for row in session.scalars(select(CheckResult))
        ],
    }


def _nonconformity(row: Nonconformity) -> dict[str, Any]:
    columns = ("id", "state", "grade", "severity", "control", "check", "source", "raised_at", "due_at", "resolved_at")
    return {column: getattr(row, column) for column in columns} | {"reopened": row.reopened}


def _controls(session: Session, controls: Mapping[str, Control]) -> list[dict[str, Any]]:
    """Every control; one that nobody has decided on yet counts as applicable."""
    statement, derived = adopted_statement(session), effectiveness(session)
    return [
        {
            "control": control.id,
            "theme": control.theme,
            "automation": control.automation,
            "applicable": line.applicable if line else True,
            "implementation": line.implementation if line else "not decided",
            "effectiveness": derived.get(control.id, ("not demonstrated", ""))[0],
        }
        for control in controls.values()
        for line in (statement.get(control.id),)
    ]


def _collections(session: Session) -> list[dict[str, Any]]:
    """The latest shards of every source."""
    columns = ("source", "scope", "fetch", "state", "as_of")
    return [
        {column: getattr(shard, column) for column in columns}
        for source, run in latest_runs(session).items()
        for shard in session.scalars(select(Shard).where(Shard.run == run, Shard.source == source))
    ]
