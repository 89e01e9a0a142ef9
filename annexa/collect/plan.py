"""The plan: which shards a source has, before any of them is collected.

Rules:
- A fetch that fills no table in this configuration is not planned.
- A fetch is done once in every scope of its level; a fetch per source is done in `GLOBAL` unless the collector's
  discovery gives scopes of the level `source`.
- Nothing disappears because it could not be found: where discovery fails, or gives no scope of a level, each fetch of
  that level ends at once as a failed (or denied) shard of the scope `unknown`. So its tables are known to be
  incomplete. Scopes that were found before the failure are collected all the same.
- Discovery is collected like any other shard: recorded, sealed, replayable.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, NoReturn

from annexa.collect.shards import Outcome, Shard, State
from annexa.errors import CollectError, ConfigError, Denied
from annexa.sdk import GLOBAL, Collector, Entities, Fetch, Row, Scope, Table, Transports

UNKNOWN = "unknown"
DISCOVERY = "scopes"

Collect = Callable[[Shard, Collector, Any], Outcome]
"""Collects one shard: `runner.collect` within its run."""

_Tables = tuple[Table, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one source is asked.

    Args:
        shards: To be collected, scope by scope.
        ended: What ended while planning: the discovery, and the shards that it left without a scope.
    """

    source: str
    shards: tuple[Shard, ...]
    ended: tuple[Outcome, ...] = ()


def plan(
    source: str,
    collector: Collector,
    settings: Any,
    entities: Entities,
    collect: Collect,
    *,
    tables_needed: Collection[str] | None = None,
) -> Plan:
    """The shards of one source.

    Args:
        source: Its name in config.yaml.
        collector: What reads it.
        settings: An instance of the collector's configuration.
        entities: The common entities, for files that fill them.
        collect: Collects the discovery.
        tables_needed: Plan only fetches that fill one of these tables; None: all.

    Raises:
        ConfigError: the configuration names tables or columns that do not exist.
    """
    wanted = [
        (fetch, tables)
        for fetch in collector.fetches.values()
        if _needed(tables := _tables(source, fetch, settings, entities), tables_needed)
    ]
    if collector.discover is None or not wanted:
        return Plan(source, _expand(source, collector, wanted, [GLOBAL]))
    found: list[Scope] = []
    discovery = collect(discovery_shard(source, collector, settings, found), collector, settings)
    whole = discovery.state is State.COMPLETE
    levels = {scope.level for scope in found}
    scopes = found if GLOBAL.level in levels else [GLOBAL, *found]
    lost = [
        _lost(Shard(source, collector.name, fetch, Scope(UNKNOWN, fetch.per), tables), discovery, collect, settings)
        for fetch, tables in wanted
        if (fetch.per not in levels or not whole) and not (fetch.per == GLOBAL.level and GLOBAL in scopes)
    ]
    return Plan(source, _expand(source, collector, wanted, scopes), (discovery, *lost))


def discovery_shard(source: str, collector: Collector, settings: Any, found: list[Scope]) -> Shard:
    """The shard that finds the scopes of a source and puts them into `found`; it fills no table."""
    discover = collector.discover
    if discover is None:
        raise ValueError(f"collector {collector.name} discovers no scopes")

    @wraps(discover)
    def scopes(api: Any) -> Iterator[Row]:
        names = {UNKNOWN}
        for scope in discover(api, settings):
            if not scope.name or scope.name in names:
                raise CollectError(f"two scopes are named {scope.name!r}, or it is no name for one")
            names.add(scope.name)
            found.append(scope)
        return iter(())

    doc = "The scopes of the source."
    fetch = Fetch(DISCOVERY, scopes, (), collector.discover_permissions, GLOBAL.level, doc)
    return Shard(source, collector.name, fetch, GLOBAL, ())


def _tables(source: str, fetch: Fetch, settings: Any, entities: Entities) -> _Tables:
    try:
        return fetch.tables_for(settings, entities)
    except CollectError as failure:
        remedy = failure.remedy if failure.remedy != CollectError.remedy else None
        raise ConfigError(str(failure), field=f"sources.{source}", remedy=remedy) from failure


def _needed(tables: _Tables, names: Collection[str] | None) -> bool:
    return any(names is None or table.name in names for table in tables)


def _expand(
    source: str, collector: Collector, wanted: Sequence[tuple[Fetch, _Tables]], scopes: Sequence[Scope]
) -> tuple[Shard, ...]:
    return tuple(
        Shard(source, collector.name, fetch, scope, tables)
        for scope in scopes
        for fetch, tables in wanted
        if fetch.per == scope.level
    )


def _lost(shard: Shard, discovery: Outcome, collect: Collect, settings: Any) -> Outcome:
    """What becomes of a fetch without a scope: collected from nobody, so that it ends like any other failure."""
    if discovery.state is State.COMPLETE:
        error = CollectError(f"no scope of level {shard.fetch.per} was found in {shard.source}")
    else:
        kind = Denied if discovery.state is State.DENIED else CollectError
        error = kind(f"not all scopes of {shard.source} could be found: {discovery.reason}", remedy=discovery.remedy)

    def connect(_settings: Any, _open: Transports) -> NoReturn:
        raise error

    return collect(shard, Collector(shard.collector, config=type(settings), connect=connect, docs=""), settings)
