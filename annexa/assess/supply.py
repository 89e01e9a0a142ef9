"""What a check's tables rest on: from the names it requires to collected tables, through the entities. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from annexa import clock
from annexa.ages import age_text
from annexa.assess.entities import COLLECTED, Entity
from annexa.assess.evidence import Cite, Evidence, TableEvidence
from annexa.assess.verdicts import Condition, Trouble

_AHEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Found:
    """What loading and building found out: by table, its gaps, and why it cannot be used."""

    gaps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Supply:
    """Answers what feeds a table."""

    evidence: Evidence
    entities: Mapping[str, Entity]

    def sourced(self, name: str) -> bool:
        """Whether any configured source feeds a table or an entity."""
        return name in self.evidence or bool(self.feeds(name))

    def feeds(self, name: str) -> list[str]:
        """The vendor tables by which configured sources feed an entity."""
        entity = self.entities.get(name)
        return [vendor for vendor in entity.feeds if self.sourced(vendor)] if entity else []

    def usable(self, name: str) -> list[str]:
        """Those of its feeds whose tables all have rows to read, if only none."""
        feeds = self.entities[name].feeds
        return [vendor for vendor in self.feeds(name) if all(self.exists(table) for table in feeds[vendor].tables)]

    def exists(self, name: str) -> bool:
        """Whether there is something to read: a segment, however empty."""
        if name in self.entities:
            return bool(self.usable(name)) or self.exists_itself(name)
        return name in self.evidence and bool(self.evidence[name].segments)

    def exists_itself(self, name: str) -> bool:
        """Whether rows were collected under a name itself, not by feeds."""
        return name in self.evidence and bool(self.evidence[name].segments)

    def closure(self, names: Iterable[str]) -> list[str]:
        """The names and, for entities, all tables that their feeds read, each once."""
        seen: dict[str, None] = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen[name] = None
                waiting += [table for vendor in self.feeds(name) for table in self.entities[name].feeds[vendor].tables]
        return list(seen)

    def collected(self, names: Iterable[str]) -> Iterator[tuple[str, TableEvidence]]:
        """What was collected for all of these: pairs of the table's name in SQL and its evidence."""
        for name in self.closure(names):
            if name in self.evidence:
                yield (f"{COLLECTED}{name}" if name in self.entities else name), self.evidence[name]

    def cites(self, names: Iterable[str]) -> tuple[Cite, ...]:
        """All segments that these tables rest on, in a fixed order."""
        cites = [Cite(found.table.name, segment) for _, found in self.collected(names) for segment in found.segments]
        return tuple(sorted(cites, key=lambda c: (c.table, c.segment.source, c.segment.scope, c.segment.shard)))

    def oldest(self, names: Iterable[str]) -> datetime | None:
        """The oldest time that their evidence speaks for."""
        return min((cite.segment.as_of for cite in self.cites(names)), default=None)

    def conditions(self, requires: Mapping[str, timedelta], as_of: datetime, found: Found) -> list[Condition]:
        """Everything that is wrong with the evidence of the required tables."""
        conditions: list[Condition] = []
        for name, age in requires.items():
            conditions += self._standing(name, name, found)
            for _, table in self.collected([name]):
                conditions += _aged(name, table, age, as_of)
        return list(dict.fromkeys(conditions))

    def _standing(self, name: str, told: str, found: Found) -> Iterator[Condition]:
        """What is wrong with a table; `told` is the name by which the check knows it."""
        for table in (name, f"{COLLECTED}{name}"):
            if table in found.broken:
                yield Condition(Trouble.BROKEN, told, found.broken[table])
            for gap in found.gaps.get(table, ()):
                yield Condition(Trouble.GAP, told, gap if name == told else f"{name}: {gap}")
        if name in self.evidence:
            yield from self._gaps(name, told)
        if not self.exists(name):
            yield self._nothing(name, told)
        for vendor in self.feeds(name):
            yield from self._feed(name, vendor, told, found)

    def _gaps(self, name: str, told: str) -> Iterator[Condition]:
        for gap in self.evidence[name].gaps:
            why = f"{gap.shard} is {gap.state}" + (f": {gap.reason}" if gap.reason else "")
            yield Condition(Trouble.GAP, told, why)

    def _nothing(self, name: str, told: str) -> Condition:
        """A table of which there is no row to read: nothing was collected, or there is nothing to collect."""
        if self._nowhere(name):
            return Condition(Trouble.NOWHERE, told, "its service does not exist in any scope that was asked")
        return Condition(Trouble.MISSING, told, "nothing was collected" + self._why(name))

    def _nowhere(self, name: str) -> bool:
        return not self.exists(name) and not any(table.gaps for _, table in self.collected([name]))

    def _why(self, name: str) -> str:
        gaps = [gap for _, table in self.collected([name]) for gap in table.gaps]
        return f"; {gaps[0].shard} is {gaps[0].state}: {gaps[0].reason}" if gaps else ""

    def _feed(self, name: str, vendor: str, told: str, found: Found) -> Iterator[Condition]:
        """What is wrong with one feed of an entity: what its tables lack, the entity lacks.

        Where the vendor's own table cannot exist, the feed has no rows to lack.
        """
        if self._nowhere(vendor):
            return
        for table in self.entities[name].feeds[vendor].tables:
            if not self.sourced(table):
                yield Condition(Trouble.GAP, told, f"{table}, which the feed {vendor} reads, is fed by no source")
                continue
            for condition in self._standing(table, told, found):
                if condition.trouble not in (Trouble.MISSING, Trouble.NOWHERE):
                    yield condition
                elif condition.trouble is Trouble.NOWHERE:
                    yield Condition(Trouble.GAP, told, f"{table}: {condition.text}")


def _aged(name: str, table: TableEvidence, age: timedelta, as_of: datetime) -> Iterator[Condition]:
    """Segments that are too old, one condition for each source; and those that come from the future."""
    oldest: dict[str, datetime] = {}
    for segment in table.segments:
        oldest[segment.source] = min(segment.as_of, oldest.get(segment.source, segment.as_of))
        if segment.as_of - as_of > _AHEAD:
            why = f"{segment.shard} is dated {clock.text(segment.as_of)}, after the assessment"
            yield Condition(Trouble.GAP, name, why)
    for source, moment in sorted(oldest.items()):
        limit = table.max_age.get(source, age)
        if as_of - moment > limit:
            why = f"{table.table.name} of {source} is of {clock.text(moment)}, older than {age_text(limit)}"
            yield Condition(Trouble.STALE, name, why)
