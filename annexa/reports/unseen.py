"""What the page says first: whether its run finished, and what could not be seen.

A reader who stops after the first screen must not believe more than was shown. So every gap is a notice: a run without
an end, a fetch that did not complete, a check that could not judge, a KPI without a value, a control nobody decided on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

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
    gaps: Capped[Gap] = field(default_factory=Capped)
    command: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """All that can have a gap.

    Args:
        runs: The latest runs, newest first. unfinished: All runs without an end.
        configured: The names of the configured sources; None when nobody knows them.
        example: The statement is the built-in example, not the company's own.
    """

    runs: Sequence[RunView]
    unfinished: Sequence[RunView]
    items: Sequence[Item]
    results: Sequence[Result]
    kpis: Sequence[KpiRow]
    controls: Sequence[ControlView]
    configured: Collection[str] | None = None
    example: bool = False


def notices(known: Known) -> tuple[Notice, ...]:
    """Every gap, the gravest first; a single good notice when there is none."""
    found = [
        *_latest(known.runs, known.results),
        *_fetches(known.items),
        *_sources(known.items, known.configured),
        *_checks(known.results),
        *_outdated(known.runs, known.results),
        *_earlier(known.runs, known.unfinished),
        *_kpis(known.kpis),
        *_undecided(known.controls),
        *(_EXAMPLE if known.example else ()),
    ]
    found.sort(key=lambda notice: notice.tone != "bad")
    return tuple(found) or (_all_seen(known.runs, known.items),)


_EXAMPLE = (
    Notice(
        "warn",
        "The Statement of Applicability is the built-in example",
        "It speaks of Example Ltd: reasons, owners and implementation are not this company's own decisions. "
        "Copy soa/statement.yaml into a pack of your own and decide there.",
    ),
)


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
    meaning = "What was not recorded is unknown; later runs stand on their own."
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


def _sources(items: Sequence[Item], configured: Collection[str] | None) -> list[Notice]:
    """Configured and never collected; collected once and no longer configured."""
    if configured is None:
        return []
    known = {item.source: item.run for item in items}
    never = [Gap(name, "never ran", "no run has planned this source") for name in sorted(set(configured) - set(known))]
    gone = [
        Gap(name, "stale", f"not configured any more; last seen by run {known[name]}")
        for name in sorted(set(known) - set(configured))
    ]
    found = []
    if never:
        headline = f"{_sources_of(never)} never collected"
        found.append(Notice("bad", headline, "Configured, and nothing on this page speaks of it.", first(never, FIRST)))
    if gone:
        headline = f"{_sources_of(gone)} taken out of the configuration"
        found.append(Notice("warn", headline, "The last evidence is shown; no run renews it.", first(gone, FIRST)))
    return found


def _sources_of(gaps: Sequence[Gap]) -> str:
    return "1 source was" if len(gaps) == 1 else f"{len(gaps)} sources were"


def _fetch(item: Item) -> Gap:
    status = "never ran" if item.state == "planned" else item.state
    reason = clipped(item.reason) or "the run ended before its turn"
    return Gap(" / ".join(part for part in (item.source, item.scope, item.fetch) if part), status, reason)


def _checks(results: Sequence[Result]) -> list[Notice]:
    gaps = [Gap(r.check, status, clipped(r.reason)) for r in results for status in _blindness(r)]
    if not gaps:
        return []
    meaning = "What they did not see is neither pass nor fail. It never counts as effective."
    headline = f"{len(gaps)} of {len(results)} checks could not judge everything"
    return [Notice("warn", headline, meaning, first(gaps, FIRST), "annexa results")]


def _blindness(result: Result) -> list[str]:
    """How a check was blind: by its status, or by a verdict beside failures that it saw all the same."""
    if result.status in BLIND:
        return [result.status]
    return [status for status in BLIND if result.counts.get(status, 0)][:1]


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
