"""A transaction in which events are recorded: one session, one ledger, one time, one run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from annexa import clock, events
from annexa.database.session import writing
from annexa.evidence.blobs import BlobStore
from annexa.evidence.ledger import Entry, Ledger
from annexa.record import record


@dataclass(frozen=True, slots=True)
class Writer:
    """Records events in the transaction of `session`."""

    session: Session
    ledger: Ledger
    blobs: BlobStore
    run: str | None
    now: Callable[[], datetime]

    def record(self, *happened: events.Event) -> list[Entry]:
        """Append the events to the ledger, in order and at this moment, and apply them."""
        return record(self.session, self.ledger, self.blobs, happened, time=self.now(), run=self.run)


@contextmanager
def recording(
    engine: Engine, blobs: BlobStore, run: str | None, now: Callable[[], datetime] = clock.now
) -> Iterator[Writer]:
    """One transaction: what is recorded in the block is committed at its end, all of it or nothing."""
    with writing(engine) as session:
        yield Writer(session, Ledger(session), blobs, run, now)
