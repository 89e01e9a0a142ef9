"""How effective a control is, from the results of its checks.

- `effective`: every check that has a source saw all it needed and the share of passing resources reaches the threshold.
- `partially effective`: something fails, but at least half of what was judged passes and nothing critical fails.
- `ineffective`: less than half passes, or a critical check fails.
- `not demonstrated`: no fresh and complete evidence says anything. Missing evidence is never effectiveness.

Failures that were seen count even when something else could not be seen; a pass counts only from complete evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from annexa.events import EffectivenessChanged
from annexa.isms.catalogue import Control

BLIND = ("error", "incomplete", "stale")


class Effectiveness(StrEnum):
    """The four derived values."""

    EFFECTIVE = "effective"
    PARTIAL = "partially effective"
    INEFFECTIVE = "ineffective"
    NOT_DEMONSTRATED = "not demonstrated"


@dataclass(frozen=True, slots=True)
class CheckSummary:
    """A check's latest result: its status, how many resources have which verdict, and its weight (default 1)."""

    check: str
    severity: str
    controls: tuple[str, ...]
    status: str
    counts: Mapping[str, int]
    weight: float = 1.0

    @property
    def judged(self) -> int:
        """Resources with a pass or a fail."""
        return self.counts.get("pass", 0) + self.counts.get("fail", 0)

    @property
    def share(self) -> float:
        """Share of the judged resources that pass."""
        return self.counts.get("pass", 0) / self.judged


@dataclass(frozen=True, slots=True)
class Derived:
    """A control's effectiveness, why, and the weighted share of passing resources where anything was judged."""

    effectiveness: Effectiveness
    reason: str
    score: float | None


def derive(control: Control, checks: Iterable[CheckSummary]) -> Derived:
    """The effectiveness of one control from its checks."""
    mine = [check for check in checks if control.id in check.controls and check.status != "unsourced"]
    judged = [check for check in mine if check.judged]
    failing = [check for check in judged if check.counts.get("fail", 0)]
    blind = [check for check in mine if check.status in BLIND or any(check.counts.get(s, 0) for s in BLIND)]
    score = _score(judged)
    if failing and score is not None:
        return Derived(_failing(control, failing, blind, score), _failures(failing, blind), score)
    if not mine:
        why = "judged by people only" if control.automation == "manual" else "no check has a source"
        return Derived(Effectiveness.NOT_DEMONSTRATED, why, None)
    if blind:
        return Derived(Effectiveness.NOT_DEMONSTRATED, f"not seen: {_names(blind)}", None)
    if not judged:
        return Derived(Effectiveness.NOT_DEMONSTRATED, "there was nothing to judge", None)
    total = sum(check.judged for check in judged)
    return Derived(
        Effectiveness.EFFECTIVE, f"all {total} pass in {len(judged)} {'check' if len(judged) == 1 else 'checks'}", score
    )


def _score(judged: list[CheckSummary]) -> float | None:
    weight = sum(check.weight for check in judged)
    return sum(check.weight * check.share for check in judged) / weight if weight else None


def _failing(control: Control, failing: list[CheckSummary], blind: list[CheckSummary], score: float) -> Effectiveness:
    if score < 0.5 or any(check.severity == "critical" for check in failing):
        return Effectiveness.INEFFECTIVE
    if score >= control.threshold and not blind:
        return Effectiveness.EFFECTIVE
    return Effectiveness.PARTIAL


def _failures(failing: list[CheckSummary], blind: list[CheckSummary]) -> str:
    parts = [f"{check.check}: {check.counts['fail']} of {check.judged} fail" for check in failing]
    if blind:
        parts.append(f"not seen: {_names(blind)}")
    return "; ".join(parts)


def _names(checks: list[CheckSummary]) -> str:
    return ", ".join(check.check for check in checks)


def changes(current: Mapping[str, tuple[str, str]], derived: Mapping[str, Derived]) -> list[EffectivenessChanged]:
    """The events for controls whose effectiveness, or its reason, is not the recorded one.

    Args:
        current: By control, the recorded effectiveness and reason.
        derived: By control, the newly derived one.
    """
    return [
        EffectivenessChanged(control, now.effectiveness.value, now.reason, now.score)
        for control, now in derived.items()
        if current.get(control) != (now.effectiveness.value, now.reason)
    ]
