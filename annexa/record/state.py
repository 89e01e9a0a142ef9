"""What is recorded now, as the values that decisions need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from annexa.database.models import CheckResult, ControlState, Nonconformity, Run, Shard, StatementRow
from annexa.events import StatementLine
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


def nonconformities(session: Session) -> list[Known]:
    """Every record; of one fingerprint only the latest, which is the one that is not closed if there is any."""
    rows = session.scalars(select(Nonconformity).order_by(Nonconformity.raised_at, Nonconformity.id))
    latest = {row.fingerprint: row for row in rows}
    return [Known(r.id, r.fingerprint, r.check, r.state, r.statement, r.resources) for r in latest.values()]


def next_number(session: Session) -> int:
    """The number of the next nonconformity: they are never deleted, so it counts on."""
    return (session.scalar(select(func.count()).select_from(Nonconformity)) or 0) + 1


def unfinished_runs(session: Session) -> list[str]:
    """Runs that began and have no end, oldest first."""
    return list(session.scalars(select(Run.id).where(Run.ended_at.is_(None)).order_by(Run.started_at)))


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
    """The latest shard of every source: that of the latest run that planned it."""
    rows = session.execute(select(Shard).join(Run, Run.id == Shard.run).order_by(Run.started_at)).scalars()
    by_source: dict[str, list[Shard]] = {}
    for shard in rows:
        known = by_source.setdefault(shard.source, [])
        if known and known[0].run != shard.run:
            known.clear()
        known.append(shard)
    columns = ("source", "scope", "fetch", "state", "as_of")
    return [{column: getattr(shard, column) for column in columns} for shards in by_source.values() for shard in shards]
