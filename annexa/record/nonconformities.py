"""Projections of nonconformities: raised, updated, resolved, reopened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from annexa import events
from annexa.database.models import Nonconformity
from annexa.errors import Tampered
from annexa.record.place import Place


def raised(session: Session, event: events.NonconformityRaised, place: Place) -> None:
    """A new open record."""
    session.execute(
        insert(Nonconformity).values(**asdict(event), state="open", raised_at=place.time, resolved_at=None, reopened=0)
    )


def updated(session: Session, event: events.NonconformityUpdated, place: Place) -> None:
    """Other resources than before."""
    _change(
        session, event.id, place, {"resources": event.resources, "shown": event.shown, "statement": event.statement}
    )


def resolved(session: Session, event: events.NonconformityResolved, place: Place) -> None:
    """Evidence no longer shows it."""
    _change(session, event.id, place, {"state": "resolved", "resolved_at": place.time, "resources": 0})


def reopened(session: Session, event: events.NonconformityReopened, place: Place) -> None:
    """It shows again."""
    changes = {
        "state": "open",
        "resolved_at": None,
        "resources": event.resources,
        "shown": event.shown,
        "statement": event.statement,
        "due_at": event.due_at,
        "reopened": Nonconformity.reopened + 1,
    }
    _change(session, event.id, place, changes)


def _change(session: Session, identifier: str, place: Place, changes: Mapping[str, object]) -> None:
    change = update(Nonconformity).where(Nonconformity.id == identifier).values(**changes)
    if session.scalar(change.returning(Nonconformity.id)) is None:
        raise Tampered(f"ledger entry {place.entry} changes {identifier}, which no earlier entry raised")
