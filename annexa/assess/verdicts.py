"""What the state of the evidence does to verdicts, and what the verdicts of a check amount to. Pure.

| the evidence of a required table | verdicts of the check | the engine's own row `*` |
|---|---|---|
| absent: no configured source feeds it | not run: `unsourced` | none |
| nothing collected, unreadable or tampered with | not run | `error` |
| the service does not exist anywhere | not run | `na` |
| in part: gaps | `pass` and `na` become `incomplete`; `fail` stays | `incomplete` |
| too old | all become `stale` | `stale` |
| too old and in part | all become `stale` | `incomplete` |
| complete and fresh, the population is empty | none | `na` |

So nothing but complete and fresh evidence can carry a pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

UNSOURCED = "unsourced"
RANK = ("error", "fail", "incomplete", "stale", "pass", "na", "exempt")
"""Statuses from the worst to the mildest. An `na` beside a pass does not count; an exemption counts least."""

_SHOWN = 3


class Trouble(StrEnum):
    """What can be wrong with the evidence of a table, the worst first."""

    BROKEN = "broken"
    MISSING = "missing"
    NOWHERE = "nowhere"
    GAP = "gap"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that is wrong with the evidence; `text` says what, for a person, and is the same in the next run."""

    trouble: Trouble
    table: str
    text: str

    def __str__(self) -> str:
        return f"{self.table}: {self.text}"


@dataclass(frozen=True, slots=True)
class EngineRow:
    """The engine's own verdict, on the resource `*`."""

    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class Modifier:
    """What is done to each verdict: status to status, a suffix to the reason of those, and the engine's own row."""

    rewrite: Mapping[str, str]
    suffix: str
    row: EngineRow | None


EMPTY = EngineRow("na", "the population is empty")
NOTHING = Modifier(MappingProxyType({}), "", None)


def preventing(conditions: Iterable[Condition]) -> EngineRow | None:
    """The engine's row in place of all verdicts, where the check cannot be run."""
    found = list(conditions)
    for trouble, status in ((Trouble.BROKEN, "error"), (Trouble.MISSING, "error"), (Trouble.NOWHERE, "na")):
        named = [condition for condition in found if condition.trouble is trouble]
        if named:
            return EngineRow(status, _summary(named))
    return None


def modifier(conditions: Iterable[Condition]) -> Modifier:
    """What gaps and age do to the verdicts of a check that was run."""
    found = list(conditions)
    gaps = [condition for condition in found if condition.trouble is Trouble.GAP]
    old = [condition for condition in found if condition.trouble is Trouble.STALE]
    if old:
        row = EngineRow("incomplete" if gaps else "stale", _summary([*gaps, *old]))
        return Modifier({"pass": "stale", "na": "stale", "fail": "stale"}, f" (the evidence is too old: {old[0]})", row)
    if gaps:
        row = EngineRow("incomplete", _summary(gaps))
        return Modifier({"pass": "incomplete", "na": "incomplete"}, f" (not everything was seen: {gaps[0]})", row)
    return NOTHING


def worst(statuses: Iterable[str]) -> str:
    """The status of a check from those of its verdicts; `na` where there are none.

    Raises:
        ValueError: An unknown status.
    """
    return min(statuses, key=RANK.index, default="na")


def summary(counts: Mapping[str, int], row: EngineRow | None) -> str:
    """The reason of a check, in a few words: its counts, then what the engine's own row says."""
    mine = {status: count - (row is not None and row.status == status) for status, count in counts.items()}
    told = ", ".join(f"{mine[status]} {status}" for status in RANK if mine.get(status))
    return "; ".join(part for part in (told, row.reason if row else "") if part)


def _summary(conditions: Sequence[Condition]) -> str:
    shown = "; ".join(map(str, conditions[:_SHOWN]))
    return shown if len(conditions) <= _SHOWN else f"{shown}; and {len(conditions) - _SHOWN} more"
