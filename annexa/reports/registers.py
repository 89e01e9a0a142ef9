"""The registers of the page: nonconformities and runs, each cut where it gets long and saying so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from annexa.reports.capped import Capped, first
from annexa.reports.text import clipped
from annexa.views.isms import NonconformityView

OPEN = 500
"""Open nonconformities shown, the first due first."""

SETTLED = 100
"""Resolved and closed ones shown, the latest first."""


@dataclass(frozen=True, slots=True)
class Register:
    """The nonconformities (10.2): open ones by due date, then resolved and closed ones."""

    open: Capped[NonconformityView]
    settled: Capped[NonconformityView]


def register(records: Sequence[NonconformityView]) -> Register:
    """Sort and cut."""
    standing = sorted((r for r in records if r.state == "open"), key=lambda record: (record.due_at, record.id))
    settled = [record for record in records if record.state != "open"]
    settled.sort(key=lambda record: record.id)
    settled.sort(key=lambda record: record.resolved_at or "", reverse=True)
    return Register(_cut(standing, OPEN), _cut(settled, SETTLED))


def _cut(records: list[NonconformityView], limit: int) -> Capped[NonconformityView]:
    shown = first(records, limit)
    texts = (replace(r, statement=clipped(r.statement, 700), title=clipped(r.title)) for r in shown.items)
    return Capped(tuple(texts), shown.total)
