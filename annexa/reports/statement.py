"""The Statement of Applicability as the page shows it: controls by theme, each with its checks and what fails."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from annexa.reports.standing import Group, Standing
from annexa.views.checks import Result
from annexa.views.isms import ControlView

VERDICTS = ("pass", "fail", "error", "incomplete", "stale", "exempt", "na")
"""The order in which verdicts are counted."""

_THEMES = {"organizational": "A.5", "people": "A.6", "physical": "A.7", "technological": "A.8"}


@dataclass(frozen=True, slots=True)
class Count:
    """How many have this status."""

    word: str
    number: int


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A check with its verdict counts and the resources that stand out."""

    result: Result
    counts: tuple[Count, ...]
    groups: tuple[Group, ...]

    @property
    def remembered(self) -> bool:
        """More failures stand than the latest assessment saw: it was blind and disproved none of the earlier ones."""
        fails = next((group.shown.total for group in self.groups if group.status == "fail"), 0)
        return fails > self.result.counts.get("fail", 0)


@dataclass(frozen=True, slots=True)
class ControlRow:
    """A control as decided and as derived; `counts` sums the verdicts of its checks."""

    view: ControlView
    checks: tuple[CheckRow, ...]
    counts: tuple[Count, ...]

    @property
    def applicable(self) -> str:
        """`yes`, `no`, or `not decided` when nobody said so."""
        return {True: "yes", False: "no", None: "not decided"}[self.view.applicable]


@dataclass(frozen=True, slots=True)
class Theme:
    """The controls of one theme, in the order of the standard."""

    name: str
    section: str
    controls: tuple[ControlRow, ...]


def check_rows(results: list[Result], standing: Standing) -> dict[str, CheckRow]:
    """Every check that was ever assessed, by id."""
    return {r.check: CheckRow(r, counts(r.counts), standing.get(r.check, ())) for r in results}


def themes(controls: list[ControlView], checks: dict[str, CheckRow]) -> tuple[Theme, ...]:
    """The controls by theme, themes in the order in which they first appear."""
    grouped: dict[str, list[ControlRow]] = {}
    for view in controls:
        grouped.setdefault(view.theme, []).append(_control(view, checks))
    return tuple(Theme(name, _THEMES.get(name, ""), tuple(rows)) for name, rows in grouped.items())


def _control(view: ControlView, checks: dict[str, CheckRow]) -> ControlRow:
    total: Counter[str] = Counter()
    for result in view.checks:
        total.update(result.counts)
    return ControlRow(view, tuple(checks[result.check] for result in view.checks), counts(total))


def counts(numbers: dict[str, int] | Counter[str], order: tuple[str, ...] = VERDICTS) -> tuple[Count, ...]:
    """The counts that are not zero: first those of `order`, then others by name."""
    names = [*order, *sorted(set(numbers) - set(order))]
    return tuple(Count(name, numbers[name]) for name in names if numbers.get(name, 0))
