"""What a run came to, and the exit code that says so.

- 2: something failed or was denied while collecting, or a check could not be evaluated.
- 3: something is incomplete or stale.
- 1: checks at or above the bar fail.
- 0: none of these.

The first that holds: a verdict from evidence that is not there is worth less than to know that it is not there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from annexa import events
from annexa.collect.shards import Outcome, State
from annexa.isms.nonconformities import Happening

SEVERITIES = ("low", "medium", "high", "critical")
NEVER = "never"


@dataclass(frozen=True, slots=True)
class Unseen:
    """A shard that is not complete, why, and what to do."""

    shard: str
    state: str
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Failing:
    """A check that is not a pass."""

    check: str
    title: str
    severity: str
    status: str
    reason: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Summary:
    """A run for people and machines.

    Args:
        notes: What a person should know besides: unfinished earlier runs, a statement that is only the example.
    """

    run: str
    started_at: str
    ended_at: str
    shards: dict[str, int]
    unseen: list[Unseen]
    checks: dict[str, int]
    failing: list[Failing]
    controls: dict[str, int]
    nonconformities: dict[str, list[str]]
    kpis: list[events.KpiMeasured]
    notes: list[str] = field(default_factory=list)
    exit_code: int = 0


def unseen(outcomes: Iterable[Outcome]) -> list[Unseen]:
    """The shards that are not complete, by name."""
    found = [
        Unseen(outcome.shard.name, outcome.state.value, outcome.reason, outcome.remedy)
        for outcome in outcomes
        if outcome.state not in (State.COMPLETE, State.UNAVAILABLE)
    ]
    return sorted(found, key=lambda item: item.shard)


def failing(assessed: Iterable[events.Assessed]) -> list[Failing]:
    """The checks that are neither pass nor na, the most severe first."""
    found = [
        Failing(check.check, check.title, check.severity, check.status, check.reason, check.counts)
        for check in assessed
        if check.status not in ("pass", "na", "unsourced")
    ]
    return sorted(found, key=lambda item: (-SEVERITIES.index(item.severity), item.check))


def happened(happenings: Iterable[Happening]) -> dict[str, list[str]]:
    """Nonconformities by what happened to them."""
    names = {
        events.NonconformityRaised: "raised",
        events.NonconformityUpdated: "updated",
        events.NonconformityResolved: "resolved",
        events.NonconformityReopened: "reopened",
    }
    found: dict[str, list[str]] = {name: [] for name in names.values()}
    for happening in happenings:
        found[names[type(happening)]].append(happening.id)
    return found


def exit_code(states: Iterable[str], assessed: Iterable[events.Assessed], bar: str) -> int:
    """0, 1, 2 or 3, as the module says.

    Args:
        states: How each shard ended.
        bar: The severity from which a failing check counts, or `never`.
    """
    shards, checks = set(states), list(assessed)
    statuses = {status for check in checks for status, number in check.counts.items() if number}
    statuses |= {check.status for check in checks}
    if shards & {State.FAILED, State.DENIED} or "error" in statuses:
        return 2
    if shards & {State.INCOMPLETE, State.PLANNED} or statuses & {"incomplete", "stale"}:
        return 3
    return 1 if any(_counts(check, bar) for check in checks) else 0


def _counts(check: events.Assessed, bar: str) -> bool:
    if bar == NEVER or not check.counts.get("fail"):
        return False
    return SEVERITIES.index(check.severity) >= SEVERITIES.index(bar)


def tally(names: Iterable[str]) -> dict[str, int]:
    """How often each name occurs, in the order of names."""
    return dict(sorted(Counter(names).items()))
