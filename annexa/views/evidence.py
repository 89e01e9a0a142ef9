"""Evidence items: what was collected, when, how completely, and where its bytes are."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from annexa.database.models import Segment, Shard
from annexa.record.state import latest_runs


@dataclass(frozen=True, slots=True)
class Item:
    """One table's segment of one shard, or a shard that gave none.

    Args:
        as_of: The time for which the data speak; None when the shard never ran.
        entry: The ledger entry that seals it.
    """

    run: str
    source: str
    scope: str
    fetch: str
    table: str
    state: str
    reason: str
    rows: int
    as_of: str | None
    blob: str | None
    exchanges: str | None
    bodies: str | None
    entry: int | None
    principal: str


def latest(session: Session, source: str | None = None, table: str | None = None) -> list[Item]:
    """The latest evidence of each source: that of the latest run that planned it."""
    runs = latest_runs(session)
    items = []
    for name, run in sorted(runs.items()):
        if source in (None, name):
            items += of_run(session, run, name)
    return [item for item in items if table in (None, item.table)]


def of_run(session: Session, run: str, source: str | None = None) -> list[Item]:
    """The evidence of one run, by source, scope and fetch."""
    query = (
        select(Shard, Segment)
        .outerjoin(
            Segment,
            (Segment.run == Shard.run)
            & (Segment.source == Shard.source)
            & (Segment.fetch == Shard.fetch)
            & (Segment.scope == Shard.scope),
        )
        .where(Shard.run == run)
        .order_by(Shard.source, Shard.scope, Shard.fetch, Segment.table)
    )
    if source is not None:
        query = query.where(Shard.source == source)
    return [_item(shard, segment) for shard, segment in session.execute(query)]


def _item(shard: Shard, segment: Segment | None) -> Item:
    return Item(
        run=shard.run,
        source=shard.source,
        scope=shard.scope,
        fetch=shard.fetch,
        table=segment.table if segment else "",
        state=shard.state,
        reason=shard.reason,
        rows=segment.rows if segment else 0,
        as_of=shard.as_of,
        blob=segment.blob if segment else None,
        exchanges=shard.exchanges,
        bodies=shard.bodies,
        entry=shard.entry,
        principal=shard.principal,
    )
