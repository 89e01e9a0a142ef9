"""The numbers at the top of the page. Controls are counted over those that nobody excluded.

A control that nobody has decided on yet counts as applicable, as it does for nonconformities and KPIs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from annexa.isms.effectiveness import Effectiveness
from annexa.reports.capped import Capped, first
from annexa.reports.kpis import KpiRow
from annexa.reports.statement import Count, Theme, counts
from annexa.reports.text import moment
from annexa.views.checks import Result
from annexa.views.evidence import Item
from annexa.views.isms import ControlView, NonconformityView

EFFECTIVENESS = tuple(value.value for value in Effectiveness)
CHECKS = ("pass", "fail", "error", "incomplete", "stale", "exempt", "na", "unsourced")
KPIS = ("on target", "warning", "off target", "not measured")
GRADES = ("major", "minor", "observation")
IMPLEMENTATION = ("implemented", "inherited", "partly", "planned", "not_implemented", "not adopted")
AGES = (("up to 24 h", timedelta(hours=24)), ("up to 7 d", timedelta(days=7)), ("up to 30 d", timedelta(days=30)))
FIRST = 8
"""Entries of each list of things to look at."""


@dataclass(frozen=True, slots=True)
class Tally:
    """One line of a cross table: a name, a number for each column, and their sum."""

    name: str
    numbers: tuple[int, ...]

    @property
    def total(self) -> int:
        """The sum of the line."""
        return sum(self.numbers)


@dataclass(frozen=True, slots=True)
class Freshness:
    """The latest evidence: pieces, how many are complete, the oldest, and how many are how old."""

    pieces: int
    complete: int
    oldest: str | None
    ages: tuple[Count, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """What the tiles say. `disagree` are controls declared implemented that evidence shows ineffective."""

    controls: Tally
    applicable: int
    excluded: int
    undecided: int
    by_theme: tuple[Tally, ...]
    declared: tuple[Tally, ...]
    checks: tuple[Count, ...]
    kpis: tuple[Count, ...]
    grades: tuple[Tally, ...]
    resolved: int
    freshness: Freshness
    ineffective: Capped[ControlView]
    disagree: Capped[ControlView]
    overdue: Capped[NonconformityView]
    off_target: Capped[KpiRow]

    @property
    def open(self) -> int:
        """Open nonconformities, overdue ones included."""
        return sum(grade.numbers[0] for grade in self.grades)


def summary(
    themes: Sequence[Theme],
    results: Sequence[Result],
    kpis: Sequence[KpiRow],
    records: Sequence[NonconformityView],
    items: Sequence[Item],
    now: datetime,
) -> Summary:
    """Count everything once."""
    controls = [row.view for theme in themes for row in theme.controls]
    applicable = [control for control in controls if control.applicable is not False]
    ineffective = [c for c in applicable if c.effectiveness == Effectiveness.INEFFECTIVE]
    overdue = sorted((r for r in records if r.overdue), key=lambda record: (record.due_at, record.id))
    return Summary(
        controls=_effectiveness("all", applicable),
        applicable=len(applicable),
        excluded=sum(control.applicable is False for control in controls),
        undecided=sum(control.applicable is None for control in controls),
        by_theme=tuple(_effectiveness(theme.name, _applicable(theme)) for theme in themes),
        declared=_declared(applicable),
        checks=counts(Counter(result.status for result in results), CHECKS),
        kpis=counts(Counter(row.status for row in kpis), KPIS),
        grades=_grades(records),
        resolved=sum(record.state == "resolved" for record in records),
        freshness=_freshness(items, now),
        ineffective=first(ineffective, FIRST),
        disagree=first([c for c in ineffective if c.implementation in ("implemented", "inherited")], FIRST),
        overdue=first(overdue, FIRST),
        off_target=first([row for row in kpis if row.status == "off target"], FIRST),
    )


def _applicable(theme: Theme) -> list[ControlView]:
    return [row.view for row in theme.controls if row.view.applicable is not False]


def _effectiveness(name: str, controls: Iterable[ControlView]) -> Tally:
    found = Counter(control.effectiveness for control in controls)
    return Tally(name, tuple(found[value] for value in EFFECTIVENESS))


def _declared(controls: Sequence[ControlView]) -> tuple[Tally, ...]:
    """What people declare of the implementation against what evidence shows."""
    names = {control.implementation for control in controls}
    order = [*(n for n in IMPLEMENTATION if n in names), *sorted(names - set(IMPLEMENTATION))]
    return tuple(_effectiveness(name, (c for c in controls if c.implementation == name)) for name in order)


def _grades(records: Sequence[NonconformityView]) -> tuple[Tally, ...]:
    """By grade: open, and of these overdue."""
    standing = [record for record in records if record.state == "open"]
    found = Counter(record.grade for record in standing)
    late = Counter(record.grade for record in standing if record.overdue)
    names = [*GRADES, *sorted(set(found) - set(GRADES))]
    return tuple(Tally(name, (found[name], late[name])) for name in names)


def _freshness(items: Sequence[Item], now: datetime) -> Freshness:
    found = Counter(_bucket(item.as_of, now) for item in items)
    order = (*(name for name, _ in AGES), "older", "never collected")
    return Freshness(
        pieces=len(items),
        complete=sum(item.state == "complete" for item in items),
        oldest=min((item.as_of for item in items if item.as_of), default=None),
        ages=counts(found, order),
    )


def _bucket(as_of: str | None, now: datetime) -> str:
    then = None if as_of is None else moment(as_of)
    if then is None:
        return "never collected"
    return next((name for name, limit in AGES if now - then <= limit), "older")
