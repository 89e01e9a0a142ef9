"""The outcome of one check, as the room hands it over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from annexa.assess.evidence import Cite


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What became of a check.

    Args:
        check: The check's id.
        status: The worst of its verdicts (`verdicts.RANK`), or `unsourced`.
        reason: Counts and the engine's own row, in a few words; the same while the verdicts are the same.
        counts: Verdicts by status, the engine's own row included.
        results: JSON Lines, one verdict a line (`results.py`); the caller seals and removes the file. None when the
            check was not run because no source feeds it.
        rows: Lines of that file.
        cites: The segments of the tables that its SQL read; of all that it requires, where it could not run.
        oldest: The oldest time that the evidence of its required tables speaks for.
    """

    check: str
    status: str
    reason: str
    counts: Mapping[str, int]
    results: Path | None
    rows: int
    cites: tuple[Cite, ...]
    oldest: datetime | None
