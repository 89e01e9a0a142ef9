"""KPIs as the page shows them: the latest value against its target, and the series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annexa.isms.kpis import Kpi
from annexa.reports.text import clipped, prose, quantity
from annexa.views.isms import KpiPoint

LAST = 60
"""Points of a sparkline."""

_FREQUENCY = {"run": "at every run"}


@dataclass(frozen=True, slots=True)
class KpiRow:
    """One KPI.

    Args:
        value: The latest value with its unit; empty when it was not measured.
        basis: `41 of 44` of a share, `210 hours over 4` of a mean.
        target: `≥ 95 %`; empty when no pack defines the KPI any more.
        points: The latest values, oldest first, those that could not be measured included.
    """

    id: str
    title: str
    purpose: str
    frequency: str
    status: str
    value: str
    basis: str
    target: str
    reason: str
    measured_at: str | None
    points: tuple[KpiPoint, ...]
    aim: float | None


def kpi_rows(kpis: Mapping[str, Kpi], series: Mapping[str, Sequence[KpiPoint]]) -> tuple[KpiRow, ...]:
    """Every KPI that a pack defines or that was ever measured, by id."""
    return tuple(_row(name, kpis.get(name), series.get(name, ())) for name in sorted({*kpis, *series}))


def _row(name: str, kpi: Kpi | None, points: Sequence[KpiPoint]) -> KpiRow:
    last = points[-1] if points else None
    return KpiRow(
        id=name,
        title=prose(kpi.title) if kpi else name,
        purpose=prose(kpi.purpose) if kpi else "No pack defines this KPI any more.",
        frequency=_FREQUENCY.get(kpi.frequency, kpi.frequency) if kpi else "",
        status=last.status if last else "not measured",
        value="" if last is None or last.value is None else quantity(last.value, last.unit),
        basis=_basis(last),
        target=_target(kpi) if kpi else "",
        reason=clipped(last.reason) if last else "no run has measured it yet",
        measured_at=last.measured_at if last else None,
        points=tuple(points[-LAST:]),
        aim=kpi.target if kpi else None,
    )


def _basis(point: KpiPoint | None) -> str:
    if point is None or point.numerator is None or point.denominator is None:
        return ""
    count = quantity(point.denominator, "count")
    if point.unit == "percent":
        return f"{quantity(point.numerator, 'count')} of {count}"
    return f"{quantity(point.numerator, point.unit)} over {count}"


def _target(kpi: Kpi) -> str:
    return f"{'≥' if kpi.direction == 'up' else '≤'} {quantity(kpi.target, kpi.unit)}"
