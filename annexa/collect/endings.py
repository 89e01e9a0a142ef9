"""How a shard ended: from what was raised, lost and not understood to a state, a reason and a remedy.

| what happened | state |
|---|---|
| nothing | complete |
| a part was lost, a value was not understood | incomplete |
| a `CollectError` after some rows or lost parts | incomplete |
| `Denied` before that | denied |
| `Unavailable` before that | unavailable |
| any other `CollectError` before that, a secret that is missing, an error in the collector | failed |
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from inspect import unwrap
from pathlib import Path

from annexa.collect.parts import Flaw
from annexa.collect.rows import printable
from annexa.collect.shards import Shard, State
from annexa.errors import AnnexaError, CollectError, Denied, Unavailable

_LONGEST = 500
_REPORT = "This is an error in the collector: report it, or correct it if it is yours."
_UNDERSTOOD = "Compare the table's columns with what the system gives; the recorded exchanges show it."


@dataclass(frozen=True, slots=True)
class Ending:
    """A state, why, and what to do about it; both texts are empty when the shard is complete."""

    state: State
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a fetch left behind.

    Args:
        rows: Rows that it gave, understood or not.
        doubts: Values and rows that were not understood, with the first one as `example`.
        flaws: Parts that were lost.
    """

    rows: int
    doubts: int = 0
    example: str = ""
    flaws: Sequence[Flaw] = ()


def ending(shard: Shard, error: BaseException | None, seen: Seen) -> Ending:
    """How the shard ended.

    Args:
        shard: Which.
        error: What left the fetch, or None at its regular end.
        seen: What it left behind.
    """
    if error is None:
        return _of_losses(seen)
    if not isinstance(error, AnnexaError):
        return Ending(State.FAILED, _bug(shard, error), _REPORT)
    ended = Ending(_state(error), _short(str(error)), _remedy(shard, error))
    if not isinstance(error, CollectError) or not (seen.rows or seen.flaws):
        return ended
    lost = _of_losses(seen).reason
    after = f"after {seen.rows} rows: {ended.reason}"
    return replace(ended, state=State.INCOMPLETE, reason=_short(f"{after}; {lost}" if lost else after))


def _state(error: AnnexaError) -> State:
    if isinstance(error, Denied):
        return State.DENIED
    return State.UNAVAILABLE if isinstance(error, Unavailable) else State.FAILED


def _remedy(shard: Shard, error: AnnexaError) -> str:
    """The error's own advice; where it has none, the permissions that the fetch declares."""
    if isinstance(error, Denied) and error.remedy == CollectError.remedy and shard.fetch.permissions:
        return f"Grant {', '.join(shard.fetch.permissions)} to the credential of this source."
    return _short(error.remedy)


def _of_losses(seen: Seen) -> Ending:
    reasons, remedies = [], []
    if seen.flaws:
        first = seen.flaws[0]
        lost = f"{len(seen.flaws)} parts were lost, the first: " if len(seen.flaws) > 1 else ""
        reasons.append(f"{lost}{first.part}: {first.message}")
        remedies.append(first.remedy)
    if seen.doubts:
        values = f"{seen.doubts} values were" if seen.doubts > 1 else "1 value was"
        reasons.append(f"{values} not understood, first {seen.example}")
        remedies.append(_UNDERSTOOD)
    if not reasons:
        return Ending(State.COMPLETE)
    return Ending(State.INCOMPLETE, _short("; ".join(reasons)), _short(remedies[0]))


def _bug(shard: Shard, error: BaseException) -> str:
    """`collector okta raised KeyError: 'id' at okta.py:41`: the last line of the collector's own that was running."""
    frames = traceback.extract_tb(error.__traceback__)
    code = getattr(unwrap(shard.fetch.run), "__code__", None)
    home = Path(code.co_filename).parent if code else None
    own = [frame for frame in frames if Path(frame.filename).parent == home] or frames
    place = f" at {Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""
    said = f": {error}" if str(error) else ""
    return _short(f"collector {shard.collector} raised {type(error).__name__}{said}{place}")


def _short(text: str) -> str:
    return printable(text, _LONGEST)
