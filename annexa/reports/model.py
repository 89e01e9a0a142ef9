"""All that a report says, as one value: built from views, read-only, the same for the same database and time.

Rules:
- What could not be seen is part of the value and comes first (`notices`).
- A list that can be long is `Capped`: it holds the first items and how many there are.
- Nothing is judged here; effectiveness, states and verdicts are those that were recorded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from annexa import __version__, clock
from annexa.database.models import Checkpoint, LedgerEntry, Run
from annexa.isms.catalogue import Control
from annexa.isms.kpis import Kpi
from annexa.reports.capped import Capped
from annexa.reports.kpis import KpiRow, kpi_rows
from annexa.reports.pieces import Source, sources
from annexa.reports.registers import Register, register
from annexa.reports.standing import standing
from annexa.reports.statement import CheckRow, Theme, check_rows, themes
from annexa.reports.summary import Summary, summary
from annexa.reports.unseen import Known, Notice, notices
from annexa.views import checks, evidence, isms
from annexa.views.isms import RunView

RUNS = 20
"""Runs shown in the history."""


@dataclass(frozen=True, slots=True)
class Head:
    """The latest signed checkpoint: how many entries it covers, when, their root in hexadecimal, the note verbatim."""

    size: int
    time: str
    root: str
    note: str


@dataclass(frozen=True, slots=True)
class Report:
    """One company at one time.

    Args:
        now: When the page was made; ages and what is overdue count from it.
        run: The latest run, finished or not; None before the first.
        entries: Entries in the ledger.
    """

    company: str
    now: datetime
    version: str
    run: RunView | None
    entries: int
    head: Head | None
    notices: tuple[Notice, ...]
    summary: Summary
    themes: tuple[Theme, ...]
    checks: tuple[CheckRow, ...]
    kpis: tuple[KpiRow, ...]
    nonconformities: Register
    sources: tuple[Source, ...]
    runs: Capped[RunView]

    @property
    def controls(self) -> int:
        """Controls in the catalogue."""
        return sum(len(theme.controls) for theme in self.themes)


def build(
    session: Session,
    *,
    company: str,
    controls: Mapping[str, Control],
    kpis: Mapping[str, Kpi],
    now: datetime,
    configured: Collection[str] | None = None,
    example: bool = False,
) -> Report:
    """The report of what is recorded.

    Args:
        session: Open for reading; one consistent state.
        controls: The catalogue, in the order of the standard.
        kpis: By id, the KPIs that the packs define.
        now: With its zone.
        configured: The names of the configured sources, so that one that was never collected is said to be.
        example: The statement is the built-in example, which speaks of no company.
    """
    results = checks.results(session)
    items = evidence.latest(session)
    history = isms.runs(session, RUNS)
    records = isms.nonconformities(session, clock.text(now))
    rows = kpi_rows(kpis, isms.kpi_series(session))
    by_check = check_rows(results, standing(session))
    statement = isms.statement(session, controls, results)
    grouped = themes(statement, by_check)
    known = Known(history, isms.unfinished(session), items, results, rows, statement, configured, example)
    return Report(
        company=company,
        now=now,
        version=__version__,
        run=history[0] if history else None,
        entries=session.scalar(select(func.count()).select_from(LedgerEntry)) or 0,
        head=_head(session),
        notices=notices(known),
        summary=summary(grouped, results, rows, records, items, now),
        themes=grouped,
        checks=tuple(by_check.values()),
        kpis=rows,
        nonconformities=register(records),
        sources=sources(items),
        runs=Capped(tuple(history), session.scalar(select(func.count()).select_from(Run)) or 0),
    )


def _head(session: Session) -> Head | None:
    latest = session.scalars(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1)).first()
    return None if latest is None else Head(latest.size, latest.time, latest.root.hex(), latest.note)
