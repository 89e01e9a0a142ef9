"""Projections of a run: its plan, its shards and their segments."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from annexa import events
from annexa.database.models import Run, Segment, Shard
from annexa.record.place import Place


def started(session: Session, event: events.RunStarted, place: Place) -> None:
    """The run and all its shards, still planned."""
    session.execute(
        insert(Run).values(
            id=place.of_run,
            started_at=place.time,
            ended_at=None,
            planned=len(event.planned),
            counts={},
            digests=event.digests,
        )
    )
    rows = [_planned(shard, place) for shard in event.planned]
    if rows:
        session.execute(insert(Shard), rows)


def _planned(shard: events.PlannedShard, place: Place) -> dict[str, object]:
    return asdict(shard) | {
        "run": place.of_run,
        "state": "planned",
        "reason": "",
        "remedy": "",
        "principal": "",
        "pages": 0,
        "declared_total": None,
        "as_of": None,
        "started_at": None,
        "ended_at": None,
        "exchanges": None,
        "bodies": None,
        "entry": None,
    }


def collected(session: Session, event: events.Collected, place: Place) -> None:
    """What became of one planned shard, and the segments it gave."""
    key = {"run": place.of_run, "source": event.source, "fetch": event.fetch, "scope": event.scope}
    session.execute(
        update(Shard)
        .where(*(getattr(Shard, name) == value for name, value in key.items()))
        .values(
            state=event.state,
            reason=event.reason,
            remedy=event.remedy,
            principal=event.principal,
            started_at=event.started_at,
            ended_at=event.ended_at,
            as_of=event.as_of,
            pages=event.pages,
            declared_total=event.declared_total,
            exchanges=event.exchanges,
            bodies=event.bodies,
            entry=place.entry,
        )
    )
    rows = [key | {"table": item.table, "blob": item.blob, "rows": item.rows} for item in event.tables]
    if rows:
        session.execute(insert(Segment), rows)


def ended(session: Session, event: events.RunEnded, place: Place) -> None:
    """The run has done all that it could."""
    session.execute(update(Run).where(Run.id == place.of_run).values(ended_at=place.time, counts=event.counts))
