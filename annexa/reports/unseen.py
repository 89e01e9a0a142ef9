"""What the page says first: whether its run finished, and what could not be seen.

A reader who stops after the first screen must not believe more than was shown. So every gap is a notice: a run without
an end, a fetch that did not complete, a check that could not judge, a KPI without a value, a control nobody decided on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from annexa.isms.effectiveness import BLIND
from annexa.reports.capped import Capped, first
from annexa.reports.kpis import KpiRow
from annexa.reports.text import clipped, when
from annexa.views.checks import Result
from annexa.views.evidence import Item
from annexa.views.isms import ControlView, RunView

FIRST = 25
"""Lines shown under a notice."""

SEEN = ("complete", "unavailable")


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that could not be seen: what, its status, why."""

    what: str
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A headline, what it means, the gaps behind it, and the command that lists them all."""

    tone: str
    headline: str
    meaning: str
    gaps: Capped[Gap] = Capped()
    command: str = ""


def notices(
    runs: Sequence[RunView],
    unfinished: Sequence[RunView],
    items: Sequence[Item],
    results: Sequence[Result],
    kpis: Sequence[KpiRow],
    controls: Sequence[ControlView],
) -> tuple[Notice, ...]:
    """Every gap, the gravest first; a single good notice when there is none."""
    found = [
        *_latest(runs, results),
        *_earlier(runs, unfinished),
        *_fetches(items),
        *_checks(results),
        *_outdated(runs, results),
        *_kpis(kpis),
        *_undecided(controls),
    ]
    return tuple(found) or (_all_seen(runs, items),)


def _latest(runs: Sequence[RunView], results: Sequence[Result]) -> list[Notice]:
    if not runs:
        meaning = "No run was recorded: the page shows what people declared, and no evidence."
        return [Notice("bad", "Nothing was collected yet", meaning, command="annexa scan")]
    run = runs[0]
    if run.ended_at is not None:
        return []
    missing = run.shards.get("planned", 0)
    earlier = f"{sum(result.run != run.id for result in results)} of {len(results)} check results are of earlier runs."
    return [
        Notice(
            "bad",
            f"The latest run, {run.id}, did not finish",
            f"It began {when(run.started_at)} and has no end: {missing} of {run.planned} planned fetches were never "
            f"recorded, and what it would have found is unknown. {earlier}",
            command="annexa scan",
        )
    ]


def _earlier(runs: Sequence[RunView], unfinished: Sequence[RunView]) -> list[Notice]:
    earlier = [run for run in unfinished if run.id != runs[0].id]
    if not earlier:
        return []
    gaps = [Gap(run.id, "did not end", f"began {when(run.started_at)}") for run in earlier]
    meaning = "What they would have found is unknown; later runs stand on their own."
    return [Notice("warn", f"{_runs(len(earlier))} did not finish", meaning, first(gaps, FIRST))]


def _runs(number: int) -> str:
    return "1 earlier run" if number == 1 else f"{number} earlier runs"


def _fetches(items: Sequence[Item]) -> list[Notice]:
    shards = {(item.source, item.scope, item.fetch): item for item in items}
    blind = [item for _, item in sorted(shards.items()) if item.state not in SEEN]
    if not blind:
        return []
    gaps = [_fetch(item) for item in blind]
    return [
        Notice(
            "bad",
            f"{len(blind)} of {len(shards)} fetches could not be seen in full",
            "Checks that need them cannot pass. Failures that were seen all the same count.",
            first(gaps, FIRST),
            "annexa status",
        )
    ]


def _fetch(item: Item) -> Gap:
    status = "never ran" if item.state == "planned" else item.state
    reason = clipped(item.reason) or "the run ended before its turn"
    return Gap(" / ".join(part for part in (item.source, item.scope, item.fetch) if part), status, reason)


def _checks(results: Sequence[Result]) -> list[Notice]:
    blind = [result for result in results if result.status in BLIND]
    if not blind:
        return []
    gaps = [Gap(result.check, result.status, clipped(result.reason)) for result in blind]
    meaning = "They say neither pass nor fail for what they did not see. Their controls are at best partially shown."
    headline = f"{len(blind)} of {len(results)} checks could not judge everything"
    return [Notice("warn", headline, meaning, first(gaps, FIRST), "annexa results")]


def _outdated(runs: Sequence[RunView], results: Sequence[Result]) -> list[Notice]:
    """Results that the latest finished run did not renew; an unfinished one is spoken of already."""
    if not runs or runs[0].ended_at is None:
        return []
    old = [result for result in results if result.run != runs[0].id]
    gaps = [Gap(result.check, result.status, f"of run {result.run}, {when(result.as_of)}") for result in old]
    if not old:
        return []
    meaning = f"Run {runs[0].id} did not assess them again: they speak for the time of their own run."
    return [Notice("warn", f"{len(old)} check results are of earlier runs", meaning, first(gaps, FIRST))]


def _kpis(kpis: Sequence[KpiRow]) -> list[Notice]:
    gaps = [Gap(row.id, row.status, row.reason) for row in kpis if row.status == "not measured"]
    if not gaps:
        return []
    meaning = "A KPI without complete and fresh evidence has no value; it is never taken for a good one."
    return [Notice("warn", f"{len(gaps)} of {len(kpis)} KPIs were not measured", meaning, first(gaps, FIRST))]


def _undecided(controls: Sequence[ControlView]) -> list[Notice]:
    gaps = [Gap(c.control, "not decided", c.title) for c in controls if c.applicable is None]
    if not gaps:
        return []
    meaning = "The statement has to say of every control whether it is needed (ISO/IEC 27001, 6.1.3 d)."
    headline = f"{len(gaps)} of {len(controls)} controls are not in the adopted statement"
    return [Notice("warn", headline, meaning, first(gaps, FIRST))]


def _all_seen(runs: Sequence[RunView], items: Sequence[Item]) -> Notice:
    fetches = len({(item.source, item.scope, item.fetch) for item in items})
    meaning = f"All {fetches} fetches were seen in full, and every check that has a source could judge."
    return Notice("ok", f"Run {runs[0].id} finished and saw all that it planned", meaning)
