"""Evidence is hostile: whatever stands in a record, the page keeps its shape, and nothing in it is invisible."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, String, Text, insert, select
from sqlalchemy.orm import Session

from annexa.database.models import Base
from annexa.database.session import open_writer, reading, writing
from annexa.isms.catalogue import Control
from annexa.isms.kpis import Kpi
from annexa.reports.html import render
from annexa.reports.model import Report, build

PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)//https://evil.example/",
    "</style></script></title></details></table><svg onload=alert(1)>",
    "\u202etxt.exe\u2066\u200b\ufeff\x00\x1b[31m\x85\u2028",
    "{{ 7 * 7 }}{% raw %}",
]

STATES = {"state", "status", "effectiveness", "implementation", "severity", "grade", "unit", "kind"}
"""Columns that hold a word out of a list; a record may hold another one all the same."""

FIXED = {"entry", "table", "blob", "shards", "checks"}
"""Keys that the program itself writes."""

LEDGER = {"ledger_entry", "tree_node", "alembic_version"}


class Shape(HTMLParser):
    """The elements and attributes of a page, and its text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attributes]

    def handle_data(self, data: str) -> None:
        self.text += data


def poisoned(value: Any, payload: str) -> Any:
    """The value with the payload before every text in it; keys too."""
    if isinstance(value, str):
        return payload + value
    if isinstance(value, list):
        return [poisoned(item, payload) for item in value]
    if isinstance(value, dict):
        return {(key if key in FIXED else payload + key): poisoned(item, payload) for key, item in value.items()}
    return value


def poison(session: Session, payload: str, leave: Callable[[str], bool]) -> None:
    """Put the payload before every text of every record, except in columns to leave."""
    connection = session.connection()
    connection.exec_driver_sql("pragma defer_foreign_keys = on")
    for table in Base.metadata.sorted_tables:
        if table.name in LEDGER:
            continue
        rows = [dict(row._mapping) for row in connection.execute(select(table))]
        kept = {column.name for column in table.columns if leave(column.name)}
        new = [
            {name: value if name in kept else poisoned(value, payload) for name, value in row.items()} for row in rows
        ]
        connection.execute(table.delete())
        if new:
            connection.execute(insert(table), new)


def copied(company: Any, folder: Path) -> Engine:
    """The company's database again, to be changed."""
    with (
        closing(sqlite3.connect(company.engine.url.database)) as one,
        closing(sqlite3.connect(folder / "copy.db")) as two,
    ):
        one.backup(two)
    return open_writer(f"sqlite:///{folder}/copy.db")


def anywhere(name: str) -> bool:
    return False


def states_and_times(name: str) -> bool:
    return name in STATES or name.endswith("_at") or name in ("as_of", "oldest", "since", "time", "measured_at")


@pytest.fixture
def hostile(company: Any, tmp_path: Path, kpis: Mapping[str, Kpi], report: Report) -> Callable[..., Report]:
    def made(payload: str, leave: Callable[[str], bool]) -> Report:
        engine = copied(company, tmp_path)
        with writing(engine) as session:
            poison(session, payload, leave)
        controls = {payload + name: whole(control, payload) for name, control in company.controls.items()}
        named = {payload + name: whole(kpi, payload) for name, kpi in kpis.items()}
        with reading(engine) as session:
            return build(
                session,
                company=payload + "\ud800 Example Ltd",
                controls=controls,
                kpis=named,
                now=report.now,
                configured=[payload],
            )

    return made


def whole(value: Control | Kpi, payload: str) -> Any:
    """A value of the pack with the payload in each of its texts."""
    texts = {f.name: getattr(value, f.name) for f in fields(value)}
    return replace(value, **{n: payload + text for n, text in texts.items() if isinstance(text, str)})


@pytest.fixture(scope="module")
def good(report: Report) -> Shape:
    return Shape(render(report))


@pytest.mark.parametrize("leave", [anywhere, states_and_times], ids=["every text", "texts that people write"])
@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_whatever_a_record_holds_the_page_keeps_its_shape_and_shows_every_character(
    hostile: Callable[..., Report], good: Shape, payload: str, leave: Callable[[str], bool]
) -> None:
    source = render(hostile(payload, leave))
    source.encode()
    bad = Shape(source)
    assert set(bad.tags) <= set(good.tags) | {"strong"}
    known = {(tag, name) for tag, name, _ in good.attributes} | {("li", "class"), ("details", "open")}
    assert {(tag, name) for tag, name, _ in bad.attributes} <= known
    assert bad.tags.count("script") == bad.tags.count("style") == bad.tags.count("h1") == 1
    assert [value for _, name, value in bad.attributes if name == "href" and not value.startswith("#")] == []
    categories = {unicodedata.category(char) for char in set(source) - {"\n"}}
    assert categories & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} == set()
    shown = "".join(c if c.isprintable() else f"⟦U+{ord(c):04X}⟧" for c in payload)
    assert bad.text.count(shown) > 1_500
    assert shown + "⟦U+D800⟧ Example Ltd" in bad.text


def test_a_check_that_fails_for_a_hundred_thousand_resources_costs_no_more_than_one_with_twenty(
    company: Any, tmp_path: Path, report: Report
) -> None:
    engine = copied(company, tmp_path)
    opened = "2026-09-15T05:30:00.000000Z"
    rows = (
        (f"arn:aws:s3:::bulk-{number:06d}", "r" * (5_000 if number < 30 else 50), opened) for number in range(99_999)
    )
    with closing(sqlite3.connect(tmp_path / "copy.db")) as connection, connection:
        connection.executemany(
            'insert into verdict ("check", source, scope, status, resource, reason, opened_at) '
            "values ('bucket-public', 'aws', 'eu-west-1', 'fail', ?, ?, ?)",
            rows,
        )
    with reading(engine) as session:
        large = build(session, company="Example Ltd", controls=company.controls, kpis=company.kpis, now=report.now)
    page = render(large)
    assert "The first 20 of 100,000; <strong>99,980 more</strong>" in page
    assert "… (4,600 more characters)" in page
    assert len(page) < 1_000_000


def test_no_text_column_was_forgotten() -> None:
    """Were a table renamed, the poison would miss it without a word."""
    texts = {t.name for t in Base.metadata.sorted_tables if any(isinstance(c.type, String | Text) for c in t.columns)}
    assert texts - LEDGER == {
        "checkpoint", "run", "shard", "segment", "check_result", "verdict", "control_effectiveness",
        "nonconformity", "kpi_value", "statement",
    }  # fmt: skip
