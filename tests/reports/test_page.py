"""The page against the database: what it counts is counted again here, by SQL of its own."""

from __future__ import annotations

import base64
import hashlib
import html
import os
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from annexa.isms.catalogue import Control
from annexa.isms.kpis import Kpi
from annexa.reports.html import render
from annexa.reports.model import Report, build

VOID = {"meta", "input", "br", "hr", "img", "link"}
NOW = "2026-09-15T09:12:00.000000Z"


class Page(HTMLParser):
    """Reads a page: its elements, and the text below each element that has an id."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[tuple[str, str | None]] = []
        self.texts: dict[str | None, str] = {}
        self.feed(source)
        self.close()
        assert self.open == [], "elements that were never closed"

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attributes}) == len(attributes), "an attribute is there twice"
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append((tag, dict(attributes).get("id")))

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        self.handle_data(" ")
        assert self.open.pop()[0] == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        for identifier in {identifier for _, identifier in self.open}:
            self.texts[identifier] = self.texts.get(identifier, "") + data

    def text(self, identifier: str | None = None) -> str:
        return " ".join(self.texts[identifier].split())

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.elements if "id" in attributes]


@pytest.fixture(scope="module")
def source(report: Report) -> str:
    return render(report)


@pytest.fixture(scope="module")
def page(source: str) -> Page:
    return Page(source)


@pytest.fixture
def query(company: Any) -> Any:
    connection = sqlite3.connect(company.engine.url.database)
    yield lambda sql, *values: connection.execute(sql, values).fetchall()
    connection.close()


def test_every_control_is_an_anchor_once_and_every_link_leads_to_an_anchor(
    page: Page, controls: dict[str, Control]
) -> None:
    anchors = Counter(page.ids)
    assert [name for name, number in anchors.items() if number > 1] == []
    assert len(controls) == 93
    assert controls.keys() <= anchors.keys()
    links = [attributes["href"] or "" for _, attributes in page.elements if "href" in attributes]
    assert len(links) > 93
    assert [link for link in links if link[1:] not in anchors or link[0] != "#"] == []


def test_nothing_on_the_page_makes_a_request(source: str, page: Page) -> None:
    loading = {"src", "srcset", "action", "formaction", "data", "poster", "background", "ping", "xlink:href", "style"}
    names = {name for _, attributes in page.elements for name in attributes}
    assert names & loading == set()
    assert not [name for name in names if name.startswith("on")]
    assert not {tag for tag, _ in page.elements} & {"link", "img", "iframe", "object", "embed", "form", "base", "audio"}
    assert re.findall(r"https?:|//[a-z]|url\(|@import|import\s*\(|fetch\(|XMLHttp|WebSocket", source) == []


def test_the_policy_allows_the_one_style_and_the_one_script_by_their_digests(source: str, page: Page) -> None:
    policy = next(a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy") or ""
    directives = {part.split()[0]: part.split()[1:] for part in policy.split(";")}
    assert directives["default-src"] == ["'none'"]
    assert directives["base-uri"] == directives["form-action"] == ["'none'"]
    for element, directive in (("style", "style-src"), ("script", "script-src")):
        contents = re.findall(f"<{element}[^>]*>(.*?)</{element}>", source, re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() for content in contents]
        assert directives[directive] == [f"'sha256-{digest}'" for digest in digests]
        assert len(contents) == 1


def test_tables_have_headings_with_a_scope(page: Page) -> None:
    assert {attributes.get("scope") for tag, attributes in page.elements if tag == "th"} == {"col", "row"}
    headings = [tag for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert headings.count("h1") == 1
    assert all(int(after[1]) - int(before[1]) <= 1 for before, after in pairwise(headings))


def test_controls_are_counted_over_the_applicable_ones(page: Page, query: Any) -> None:
    found = dict(
        query(
            "select effectiveness, count(*) from statement s join control_effectiveness e on e.control = s.control "
            "where s.applicable and e.current group by 1"
        )
    )
    applicable = query("select count(*) from statement where applicable")[0][0]
    summary = page.text("summary")
    assert sum(found.values()) == applicable == 92
    assert f"Controls {found['effective']} of {applicable} applicable controls shown effective" in summary
    for word, number in found.items():
        assert f"{word} {number}" in summary
    assert f"{93 - applicable} of 93 excluded" in summary


def test_controls_are_counted_by_theme_and_by_what_people_declare(page: Page, query: Any) -> None:
    joined = "from statement s join control_effectiveness e on e.control = s.control where s.applicable and e.current"
    columns = ("effective", "partially effective", "ineffective", "not demonstrated")
    sums = ", ".join(f"sum(effectiveness = '{word}')" for word in columns)
    summary = page.text("summary")
    themes = {"A.5": "organizational", "A.6": "people", "A.7": "physical", "A.8": "technological"}
    for section, *numbers in query(f"select substr(s.control, 1, 3), {sums}, count(*) {joined} group by 1"):
        assert f"{themes[section]} {' '.join(map(str, numbers))}" in summary
    for declared, *numbers in query(f"select implementation, {sums}, count(*) {joined} group by 1"):
        assert f"{declared} {' '.join(map(str, numbers))}" in summary


def test_nonconformities_are_counted_by_grade(page: Page, query: Any) -> None:
    rows = query("select grade, count(*), sum(due_at < ?) from nonconformity where state = 'open' group by 1", NOW)
    summary = page.text("summary")
    assert f"Nonconformities {sum(number for _, number, _ in rows)} open" in summary
    assert sum(late for _, _, late in rows) > 0
    for grade, number, late in rows:
        assert f"{grade} {number} {late}" in summary
    resolved = query("select count(*) from nonconformity where state = 'resolved'")[0][0]
    assert f"{resolved} resolved" in summary
    assert resolved == 1


def test_every_nonconformity_is_shown_as_recorded(page: Page, query: Any) -> None:
    for row in query("select id, state, grade, control, owner, due_at, resources, title from nonconformity"):
        identifier, state, grade, control, owner, due, resources, title = row
        text = page.text(identifier)
        word = "overdue" if state == "open" and due < NOW else state
        for value in (word, grade, control, owner, due[:10], str(resources), title):
            assert value in text
    reopened = query("select id from nonconformity where reopened > 0")
    assert len(reopened) == 1
    assert "reopened 1×" in page.text(reopened[0][0])


def test_checks_kpis_and_evidence_are_counted(page: Page, query: Any) -> None:
    summary = page.text("summary")
    for status, number in query("select status, count(*) from check_result group by 1"):
        assert f"{status} {number}" in summary
    latest = query("select max(id) from run where ended_at is not null")[0][0]
    for status, number in query("select status, count(*) from kpi_value where run = ? group by 1", latest):
        # One KPI was never measured at all, and so has no row.
        assert f"{status} {number + (status == 'not measured')}" in summary
    pieces = "from shard left join segment using (run, source, fetch, scope) where run = ?"
    seen, total = query(f"select sum(shard.state = 'complete'), count(*) {pieces}", latest)[0]
    assert f"{seen} of {total} pieces complete" in summary
    assert 0 < seen < total


def test_every_piece_of_evidence_names_its_entry_and_digest(source: str, page: Page, query: Any) -> None:
    latest = query("select max(id) from run")[0][0]
    evidence = page.text("evidence")
    rows = query(
        "select shard.entry, blob from shard join segment using (run, source, fetch, scope) where run = ?", latest
    )
    for entry, blob in rows:
        assert f"{entry:,} {blob[:12]}" in evidence
        assert f'title="rows: SHA-256 {blob}"' in source
    assert len(rows) == 10


def test_failing_resources_are_listed_and_the_rest_is_counted(page: Page, query: Any) -> None:
    standing = "from verdict where \"check\" = ? and status = 'fail' and closed_at is null"
    assert query(f"select count(*) {standing}", "volume-encrypted") == [(137,)]
    shown = page.text("A.8.24")
    resources = [name for (name,) in query(f"select resource {standing} order by id", "volume-encrypted")]
    assert [name for name in resources if name in shown] == resources[:20]
    assert "The first 20 of 137; 117 more" in shown
    assert "annexa results --check volume-encrypted --status fail" in shown
    few = [name for (name,) in query(f"select resource {standing}", "leaver-access")]
    assert len(few) == 2
    assert all(name in page.text("A.5.18") for name in few)


def test_failures_seen_earlier_stand_while_their_check_is_blind(page: Page) -> None:
    assert "failures seen earlier stand until complete evidence disproves them" in page.text("A.8.32")
    assert "failures seen earlier" not in page.text("A.8.24")


def test_what_was_not_seen_is_said_before_everything_else(source: str, page: Page) -> None:
    assert source.index('class="notices"') < source.index('id="summary"') < source.index('id="statement"')
    text = page.text(None)
    start, end = text.index("What this page could not see"), text.index("Summary Controls")
    notices = text[start:end]
    assert "2 of 10 fetches could not be seen in full" in notices
    assert "code / example / repositories denied 403: Resource not accessible by personal access token" in notices
    assert "training / example / enrolments incomplete page 3 of 4" in notices
    assert "2 of 11 checks could not judge everything" in notices
    assert "training-done incomplete" in notices
    assert "branch-protected error" in notices
    assert "1 earlier run did not finish" in notices
    assert "20260909T053000Z-5c1e did not end" in notices
    assert "training-completion not measured training is incomplete" in notices


def test_the_signed_checkpoint_is_there_verbatim(source: str, query: Any) -> None:
    note = query("select note from checkpoint order by size desc limit 1")[0][0]
    assert f"<pre>{html.escape(note)}</pre>" in source


def test_a_series_is_drawn_with_its_gaps(page: Page) -> None:
    labels = [a.get("aria-label") or "" for tag, a in page.elements if tag == "svg" and a.get("class") == "spark"]
    assert len(labels) == 8
    # Fourteen runs ended; training was not measured on three of their days.
    assert "11 values of 14 measurements: lowest 92.2 %, highest 93.5 %, last 93.5 %" in labels


def test_the_same_records_and_time_give_the_same_bytes(source: str, company: Any, session: Session) -> None:
    script = (
        "import sys, hashlib\n"
        "from datetime import datetime\n"
        "from annexa.database.session import open_reader, reading\n"
        "from annexa.isms.catalogue import catalogue\n"
        "from annexa.isms.kpis import kpi\n"
        "from annexa.packs import mount\n"
        "from annexa.reports.html import render\n"
        "from annexa.reports.model import build\n"
        "packs = mount()\n"
        "kpis = {name: kpi(document.data) for name, document in packs.kpis().items()}\n"
        "with reading(open_reader(sys.argv[1])) as session:\n"
        "    report = build(session, company='Example Ltd', controls=catalogue(packs.catalogue()), kpis=kpis,\n"
        "                   now=datetime.fromisoformat('2026-09-15T09:12:00+00:00'))\n"
        "print(hashlib.sha256(render(report).encode()).hexdigest())\n"
    )
    command = [sys.executable, "-c", script, str(company.engine.url)]
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Pacific/Auckland", "LC_ALL": "C"}
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == hashlib.sha256(source.encode()).hexdigest()


def test_before_the_first_scan_the_page_says_that_there_is_nothing(
    tmp_path: Path, controls: dict[str, Control], kpis: dict[str, Kpi], report: Report
) -> None:
    from annexa.database.session import open_writer, reading

    with reading(open_writer(f"sqlite:///{tmp_path}/empty.db")) as empty:
        bare = build(empty, company="Example Ltd", controls=controls, kpis=kpis, now=report.now, configured=["okta"])
    text = Page(render(bare)).text(None)
    assert "Nothing was collected yet" in text
    assert "1 source was never collected" in text
    assert "93 of 93 controls are not in the adopted statement" in text
    assert "There is no signed checkpoint yet" in text
    assert "Controls 0 of 93" in text
