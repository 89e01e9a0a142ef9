"""KPIs of a run: their formulas over the evidence and the records as they are now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from annexa.assess.entities import Entity
from annexa.assess.evidence import Evidence
from annexa.assess.measure import Query, measure
from annexa.events import KpiMeasured
from annexa.isms.catalogue import Control
from annexa.isms.kpis import Kpi, measured
from annexa.record import state
from annexa.record.writer import Writer
from annexa.sdk import Row, Table, Timestamp

NONCONFORMITY = Table.of(
    "nonconformity",
    {
        "id": str,
        "state": str,
        "grade": str,
        "severity": str,
        "control": str,
        "check": str,
        "system": (str, "source"),
        "raised_at": Timestamp,
        "due_at": Timestamp,
        "resolved_at": Timestamp,
        "reopened": int,
    },
    doc="One nonconformity.",
)
CONTROL = Table.of(
    "control",
    {
        "control": str,
        "theme": str,
        "automation": str,
        "applicable": bool,
        "implementation": str,
        "effectiveness": str,
    },
    doc="One control; one that nobody has decided on yet counts as applicable.",
)
COLLECTION = Table.of(
    "collection",
    {"system": (str, "source"), "part": (str, "scope"), "fetch": str, "state": str, "as_of": Timestamp},
    doc="One shard of the latest run that planned its source.",
)
CHECK_RESULT = Table.of(
    "check_result",
    {"check": str, "severity": str, "status": str, "as_of": Timestamp},
    doc="The latest result of one check.",
)
RECORDS = {table.name: table for table in (NONCONFORMITY, CONTROL, COLLECTION, CHECK_RESULT)}
"""The tables of records that a formula may read. `source` and `scope` are the loader's own names, hence `system`."""


def measure_kpis(
    writer: Writer,
    kpis: Mapping[str, Kpi],
    evidence: Evidence,
    entities: Mapping[str, Entity],
    controls: Mapping[str, Control],
    as_of: datetime,
    workdir: Path,
) -> list[KpiMeasured]:
    """Measure every KPI and record the values.

    Returns:
        The measurements, by id of the KPI.
    """
    queries = {kpi.id: Query(kpi.formula, kpi.requires, kpi.records) for kpi in kpis.values()}
    rows = state.record_tables(writer.session, controls)
    records: dict[Table, list[Row]] = {RECORDS[name]: _renamed(RECORDS[name], rows[name]) for name in RECORDS}
    answers = measure(queries, evidence, entities, records, as_of, workdir=workdir)
    values = [measured(kpi, next(iter(answers[kpi.id].rows), None), answers[kpi.id].blind) for kpi in kpis.values()]
    writer.record(*values)
    return values


def _renamed(table: Table, rows: list[dict[str, object]]) -> list[Row]:
    return [{column.name: row.get(column.path) for column in table.columns} for row in rows]
