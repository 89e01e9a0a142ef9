"""The verdicts other than pass that stand, the oldest few of each check and status.

The database counts and cuts: a check that fails for 100,000 resources costs the page no more than one with 20.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from annexa.database.models import VerdictRow
from annexa.reports.capped import Capped
from annexa.reports.text import clipped
from annexa.views.checks import OpenVerdict

STATUSES = ("fail", "error", "incomplete", "stale", "exempt")
"""What is listed by resource, in this order; `na` and `pass` are counted only."""

FIRST = 20
"""Resources shown for each check and status."""


@dataclass(frozen=True, slots=True)
class Group:
    """The standing verdicts of one check with one status."""

    status: str
    shown: Capped[OpenVerdict]


Standing = Mapping[str, tuple[Group, ...]]
"""By check, its groups in the order of `STATUSES`."""


def standing(session: Session, limit: int = FIRST) -> Standing:
    """The oldest `limit` standing verdicts of each check and status, with how many there are."""
    group = [VerdictRow.check, VerdictRow.status]
    rank = func.row_number().over(partition_by=group, order_by=[VerdictRow.opened_at, VerdictRow.id])
    total = func.count().over(partition_by=group)
    ranked = (
        select(VerdictRow.id, rank.label("rank"), total.label("total"))
        .where(VerdictRow.closed_at.is_(None), VerdictRow.status.in_(STATUSES))
        .subquery()
    )
    query = select(VerdictRow, ranked.c.total).join(ranked, ranked.c.id == VerdictRow.id).where(ranked.c.rank <= limit)
    found: dict[tuple[str, str], list[OpenVerdict]] = {}
    totals: dict[tuple[str, str], int] = {}
    for row, count in session.execute(query.order_by(VerdictRow.opened_at, VerdictRow.id)):
        found.setdefault((row.check, row.status), []).append(_verdict(row))
        totals[row.check, row.status] = count
    return _by_check({key: Capped(tuple(rows), totals[key]) for key, rows in found.items()})


def _by_check(found: Mapping[tuple[str, str], Capped[OpenVerdict]]) -> Standing:
    checks: dict[str, list[Group]] = {}
    for check, status in sorted(found, key=lambda key: (key[0], STATUSES.index(key[1]))):
        checks.setdefault(check, []).append(Group(status, found[check, status]))
    return {check: tuple(groups) for check, groups in checks.items()}


def _verdict(row: VerdictRow) -> OpenVerdict:
    return OpenVerdict(
        check=row.check,
        source=row.source,
        scope=row.scope,
        resource=clipped(row.resource, 200),
        status=row.status,
        reason=clipped(row.reason),
        since=row.opened_at,
    )
