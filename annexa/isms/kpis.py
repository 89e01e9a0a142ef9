"""KPIs (ISO/IEC 27001, 9.1): measurement constructs, and what their values mean.

Formulas are SQL over evidence and records.

A KPI whose evidence is missing, incomplete or stale, or whose denominator is empty, is `not measured`, with the reason;
it is never a perfect score.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from annexa.ages import age
from annexa.events import KpiMeasured


@dataclass(frozen=True, slots=True)
class Kpi:
    """One measurement construct.

    Args:
        formula: SQL that gives one row: `value`, and `numerator` and `denominator` where it is a ratio.
        requires: Evidence tables and entities to the age they may have. records: Tables of ISMS records it reads.
        unit: percent, count, days or hours. direction: `up` or `down` is better.
        target: The value aimed at. warn: The value up to which it is only a warning.
    """

    id: str
    title: str
    purpose: str
    formula: str
    requires: Mapping[str, timedelta]
    records: tuple[str, ...]
    unit: str
    direction: str
    target: float
    warn: float
    frequency: str

    def status(self, value: float | None) -> str:
        """`on target`, `warning`, `off target` or `not measured`."""
        if value is None:
            return "not measured"
        sign = 1 if self.direction == "up" else -1
        if sign * value >= sign * self.target:
            return "on target"
        return "warning" if sign * value >= sign * self.warn else "off target"


def measured(kpi: Kpi, row: Mapping[str, Any] | None, blind: str) -> KpiMeasured:
    """The event for one measurement.

    Args:
        row: What the formula gave; None when it could not be evaluated.
        blind: Why the evidence cannot carry a value; empty when it can.
    """
    value = _number(row, "value") if row is not None and not blind else None
    reason = blind or ("" if value is not None else "there is nothing to measure")
    return KpiMeasured(
        kpi=kpi.id,
        value=value,
        numerator=_number(row, "numerator") if value is not None else None,
        denominator=_number(row, "denominator") if value is not None else None,
        unit=kpi.unit,
        status=kpi.status(value),
        reason=reason,
    )


def _number(row: Mapping[str, Any] | None, name: str) -> float | None:
    value = (row or {}).get(name)
    return None if value is None else round(float(value), 4)


def kpi(content: Mapping[str, Any]) -> Kpi:
    """The KPI of a validated file."""
    return Kpi(
        id=content["id"],
        title=content["title"],
        purpose=content["purpose"],
        formula=content["formula"],
        requires={table: age(text) for table, text in content.get("requires", {}).items()},
        records=tuple(content.get("records", ())),
        unit=content["unit"],
        direction=content["direction"],
        target=content["target"],
        warn=content["thresholds"]["warn"],
        frequency=content["frequency"],
    )
