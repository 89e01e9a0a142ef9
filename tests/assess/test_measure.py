"""Measurements over evidence and records."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from annexa.assess.evidence import Gap
from annexa.assess.measure import Query, measure
from annexa.errors import CheckError
from annexa.sdk import Table, Timestamp

NONCONFORMITY = Table.of("nonconformity", {"id": str, "status": str, "due_at": Timestamp, "resources": int}, key="id")
RECORDS = {
    NONCONFORMITY: [
        {"id": "NC-1", "status": "open", "due_at": "2026-09-01T00:00:00Z", "resources": 3},
        {"id": "NC-2", "status": "open", "due_at": "2026-10-01T00:00:00Z", "resources": 1},
    ]
}
OVERDUE = Query(
    "select count(*) filter (where due_at < $as_of) as value, count(*) as denominator from nonconformity",
    {},
    ("nonconformity",),
)
DAY = timedelta(days=1)


def test_records_and_evidence_are_counted(bench: Any, tmp_path: Path) -> None:
    evidence = {"person": bench.table(bench.person, [{"id": "1", "left_at": "2026-09-01T00:00:00Z"}, {"id": "2"}])}
    queries = {
        "overdue": OVERDUE,
        "leavers": Query(
            "select count(left_at) as value, max(left_at) as last, [1, null] as list from person", {"person": DAY}
        ),
        "both": Query(
            "select (select count(*) from person) * sum(resources) * $factor as value from nonconformity",
            {"person": DAY},
            ("nonconformity",),
            {"factor": 0.5},
        ),
    }
    found = measure(queries, evidence, {}, RECORDS, bench.as_of, workdir=tmp_path)
    assert (found["overdue"].rows, found["overdue"].blind, found["overdue"].cites) == (
        ({"value": 1, "denominator": 2},),
        "",
        (),
    )
    assert found["leavers"].rows == ({"value": 1, "last": "2026-09-01 00:00:00+00", "list": [1, None]},)
    assert [cite.table for cite in found["both"].cites] == ["person"]
    assert found["both"].rows == ({"value": 4.0},)


def test_no_records_are_a_table_without_rows(bench: Any, tmp_path: Path) -> None:
    found = measure({"overdue": OVERDUE}, {}, {}, {NONCONFORMITY: []}, bench.as_of, workdir=tmp_path)
    assert found["overdue"].rows == ({"value": 0, "denominator": 0},)


def test_evidence_that_cannot_carry_a_value_says_so(bench: Any, tmp_path: Path) -> None:
    people = bench.table(bench.person, [{"id": "1"}])
    gap = Gap("hr", "global", "hr/global/people", "failed", "HTTP 500")
    states = {
        "absent": ({}, "no configured source feeds person", 0),
        "missing": ({"person": replace(people, segments=(), gaps=(gap,))}, "person: nothing was collected", 0),
        "partial": ({"person": replace(people, gaps=(gap,))}, "person: hr/global/people is failed: HTTP 500", 1),
        "old": ({"person": bench.table(bench.person, [{"id": "1"}], as_of=bench.as_of - 9 * DAY)}, "older than 1d", 1),
    }
    query = {"people": Query("select count(*) as value from person", {"person": DAY})}
    for state, (evidence, blind, rows) in states.items():
        found = measure(query, evidence, {}, {}, bench.as_of, workdir=tmp_path)["people"]
        assert blind in found.blind, state
        assert len(found.rows) == rows, state


def test_a_measurement_passes_the_same_gate_and_sandbox(bench: Any, tmp_path: Path, limits: Any) -> None:
    queries = {
        "reads": Query("select content from read_text('/etc/passwd'), nonconformity", {}, ("nonconformity",)),
        "other": Query("select count(*) as value from person", {}, ("nonconformity",)),
        "loops": Query(
            "with recursive t as (select 1 a union all select a + 1 from t) select max(a) from t, nonconformity",
            {},
            ("nonconformity",),
        ),
        "overdue": OVERDUE,
    }
    found = measure(queries, {}, {}, RECORDS, bench.as_of, workdir=tmp_path, limits=limits)
    assert "refused: read_text()" in found["reads"].blind
    assert "'person' is not declared" in found["other"].blind
    assert found["loops"].blind == "stopped after 1 s"
    assert [found[name].rows for name in ("reads", "other", "loops")] == [()] * 3
    assert found["overdue"].rows == ({"value": 1, "denominator": 2},)


def test_a_record_that_does_not_fit_is_an_error(bench: Any, tmp_path: Path) -> None:
    with pytest.raises(CheckError, match="nonconformity has no column colour"):
        measure({}, {}, {}, {NONCONFORMITY: [{"id": "1", "colour": "red"}]}, bench.as_of, workdir=tmp_path)
