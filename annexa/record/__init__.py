"""The one place where something is recorded: events to ledger entries, and their projection into tables.

Rules:
- `record` appends one ledger entry per event and applies it, in the caller's transaction: both or neither.
- `apply` is the only writer of projection tables. It looks at the event, the entry and what earlier events projected,
  never at the clock, the configuration or the world; so `rebuild` from the ledger gives the same tables.
- A projection that has not changed is not written again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from annexa import clock, events
from annexa.database import models
from annexa.errors import Tampered
from annexa.evidence.blobs import BlobStore
from annexa.evidence.leaves import Kind, Leaf
from annexa.evidence.ledger import Entry, Ledger
from annexa.record import controls, nonconformities, runs, verdicts
from annexa.record.place import Place

PROJECTIONS = (
    models.Segment,
    models.Shard,
    models.CheckResult,
    models.VerdictRow,
    models.ControlState,
    models.Nonconformity,
    models.KpiValue,
    models.StatementRow,
    models.Run,
)
"""The tables that are derived from the ledger, in an order in which they can be emptied."""


def record(
    session: Session,
    ledger: Ledger,
    blobs: BlobStore,
    happened: Iterable[events.Event],
    *,
    time: datetime,
    run: str | None = None,
) -> list[Entry]:
    """Append each event to the ledger and apply it, in the session's transaction.

    Returns:
        The entries, in order.
    """
    entries = []
    for event in happened:
        entry = ledger.append(Kind(event.kind), events.body(event), time=time, run=run)
        apply(event, session, Place(entry.index, clock.text(time), run), blobs)
        entries.append(entry)
    return entries


def rebuild(session: Session, ledger: Ledger, blobs: BlobStore) -> int:
    """Empty all projections and make them anew from the ledger.

    Returns:
        The number of entries that were applied.

    Raises:
        Tampered: an entry cannot be read as an event, or refers to one that is not there.
    """
    for table in PROJECTIONS:
        session.execute(delete(table))
    done = 0
    for entry in ledger.entries():
        leaf = entry.read()
        apply(_event(leaf), session, Place(leaf.index, leaf.time, leaf.run), blobs)
        done += 1
    return done


def _event(leaf: Leaf) -> events.Event:
    try:
        return events.parse(dict(leaf.body))
    except ValueError as problem:
        raise Tampered(f"ledger entry {leaf.index} cannot be read: {problem}") from problem


def apply(event: events.Event, session: Session, place: Place, blobs: BlobStore) -> None:
    """Project one event into the tables."""
    if isinstance(event, events.Assessed):
        verdicts.assessed(session, event, place, blobs)
    else:
        PROJECT[type(event)](session, event, place)


PROJECT: dict[type, Callable[[Session, Any, Place], None]] = {
    events.RunStarted: runs.started,
    events.Collected: runs.collected,
    events.RunEnded: runs.ended,
    events.EffectivenessChanged: controls.effectiveness_changed,
    events.StatementAdopted: controls.statement_adopted,
    events.KpiMeasured: controls.kpi_measured,
    events.NonconformityRaised: nonconformities.raised,
    events.NonconformityUpdated: nonconformities.updated,
    events.NonconformityResolved: nonconformities.resolved,
    events.NonconformityReopened: nonconformities.reopened,
}
"""What each event does to the tables; `Assessed` reads its results from the blob store besides."""
