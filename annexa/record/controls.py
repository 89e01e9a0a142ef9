"""Projections of what is derived and decided per control, and of measurements."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from annexa import events
from annexa.database.models import ControlState, KpiValue, StatementRow
from annexa.record.place import Place


def effectiveness_changed(session: Session, event: events.EffectivenessChanged, place: Place) -> None:
    """A new current state; the earlier ones stay."""
    current = ControlState.control == event.control, ControlState.current.is_(True)
    session.execute(update(ControlState).where(*current).values(current=False))
    session.execute(delete(ControlState).where(ControlState.control == event.control, ControlState.since == place.time))
    session.execute(insert(ControlState).values(**asdict(event), since=place.time, current=True))


def statement_adopted(session: Session, event: events.StatementAdopted, place: Place) -> None:
    """The lines that changed."""
    controls = [line.control for line in event.lines]
    session.execute(delete(StatementRow).where(StatementRow.control.in_(controls)))
    rows = [asdict(line) | {"digest": event.digest, "adopted_at": place.time} for line in event.lines]
    if rows:
        session.execute(insert(StatementRow), rows)


def kpi_measured(session: Session, event: events.KpiMeasured, place: Place) -> None:
    """One more value of the series."""
    session.execute(insert(KpiValue).values(**asdict(event), measured_at=place.time, run=place.of_run))
