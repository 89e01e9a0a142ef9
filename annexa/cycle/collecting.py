"""Plan all sources, collect all shards, and what the ledger says of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from annexa import clock, events
from annexa.collect import runner
from annexa.collect.connections import Connections
from annexa.collect.plan import plan
from annexa.collect.shards import Outcome, Shard
from annexa.config import Config
from annexa.cycle.content import Content
from annexa.errors import UsageError
from annexa.evidence.blobs import BlobStore
from annexa.execute import threads


@dataclass(frozen=True, slots=True)
class Planned:
    """All that a run intends to collect.

    Args:
        shards: To be collected.
        ended: What ended while planning: discoveries, and shards that they left without a scope.
    """

    shards: tuple[Shard, ...]
    ended: tuple[Outcome, ...]
    work: runner.Run

    def all(self) -> list[events.PlannedShard]:
        """Every shard, as the ledger names it."""
        every = [*(outcome.shard for outcome in self.ended), *self.shards]
        return [events.PlannedShard(s.source, s.collector, s.fetch.name, s.scope.name) for s in every]


def plan_all(config: Config, content: Content, only: frozenset[str], as_of: datetime, blobs: BlobStore) -> Planned:
    """The plan over all sources, or those named.

    Raises:
        UsageError: `only` names a source that is not configured.
        ConfigError: a source's settings contradict the entities.
    """
    unknown = only - {source.name for source in content.sources}
    if unknown:
        raise UsageError(
            f"no source is named {', '.join(sorted(unknown))}",
            remedy=f"config.yaml has {', '.join(source.name for source in content.sources) or 'none'}.",
        )
    work = runner.Run(blobs, as_of, config.path.parent, Connections(), deadline=config.scan.deadline)
    plans = [
        plan(
            source.name,
            source.collector,
            source.settings,
            content.tables,
            lambda shard, collector, settings: runner.collect(shard, collector, settings, work),
        )
        for source in content.sources
        if not only or source.name in only
    ]
    return Planned(
        tuple(shard for found in plans for shard in found.shards),
        tuple(outcome for found in plans for outcome in found.ended),
        work,
    )


def collect_all(config: Config, content: Content, planned: Planned) -> Iterator[Outcome]:
    """Collect every shard; outcomes come as they end."""
    sources = {source.name: source for source in content.sources}
    planned.work.connections.expect(planned.shards)

    def one(shard: Shard) -> Outcome:
        source = sources[shard.source]
        return runner.collect(shard, source.collector, source.settings, planned.work)

    try:
        yield from threads.run(planned.shards, one, config.scan.workers)
    finally:
        planned.work.connections.close()


def collected(outcome: Outcome) -> events.Collected:
    """What the ledger says of a shard."""
    shard = outcome.shard
    return events.Collected(
        source=shard.source,
        collector=shard.collector,
        fetch=shard.fetch.name,
        scope=shard.scope.name,
        state=outcome.state.value,
        reason=outcome.reason,
        remedy=outcome.remedy,
        started_at=clock.text(outcome.started_at),
        ended_at=clock.text(outcome.ended_at),
        as_of=clock.text(outcome.as_of),
        pages=outcome.pages,
        declared_total=outcome.declared_total,
        exchanges=outcome.exchanges,
        bodies=outcome.bodies,
        tables=[events.Rows(item.table, item.blob, item.rows, dict(item.unknown)) for item in outcome.tables],
        principal=outcome.principal,
        redactions=outcome.redactions,
    )
