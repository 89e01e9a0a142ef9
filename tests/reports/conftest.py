"""A company with a past: fifteen daily runs, recorded through the one door that real runs use."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from annexa import clock, events
from annexa.database.session import open_reader, open_writer, reading
from annexa.evidence.blobs import BlobStore
from annexa.evidence.keys import load_or_create
from annexa.isms import effectiveness, nonconformities, statement
from annexa.isms.catalogue import Control, catalogue
from annexa.isms.kpis import Kpi, kpi, measured
from annexa.packs import mount
from annexa.record import state as recorded
from annexa.record.writer import Writer, recording
from annexa.reports.model import Report, build

FIRST_DAY = datetime(2026, 9, 1, 5, 30, tzinfo=UTC)
DAYS = 15
NOW = datetime(2026, 9, 15, 9, 12, tzinfo=UTC)
CUT_DAY = 8  # the run of this day is killed

FETCHES = [
    ("aws", "aws", "organisation", "iam", ("aws_iam_user", "aws_iam_role")),
    ("aws", "aws", "eu-west-1", "buckets", ("aws_s3_bucket",)),
    ("aws", "aws", "eu-west-1", "volumes", ("aws_ebs_volume",)),
    ("aws", "aws", "us-east-1", "volumes", ("aws_ebs_volume",)),
    ("code", "github", "example", "members", ("github_member",)),
    ("code", "github", "example", "repositories", ("github_repository",)),
    ("directory", "okta", "example", "users", ("okta_user",)),
    ("directory", "okta", "example", "log", ("okta_event",)),
    ("people", "files", "exports/people.csv", "person", ("person",)),
    ("training", "knowbe4", "example", "enrolments", ("training",)),
]
"""Source, collector, scope, fetch, tables."""

TROUBLE = {
    ("code", "repositories"): ("denied", "403: Resource not accessible by personal access token", DAYS - 1),
    ("aws", "log"): ("failed", "never reached", DAYS),
    ("training", "enrolments"): ("incomplete", "page 3 of 4: 500 Internal Server Error after 5 tries", DAYS - 1),
}
"""By source and fetch: the state, the reason, and the day from which it is so."""


@dataclass(frozen=True)
class Question:
    """A check: its facts, the fetch it reads, how many resources it judges, and which of them fail on a day."""

    id: str
    title: str
    severity: str
    controls: tuple[str, ...]
    reads: tuple[str, str]
    size: int
    failing: Callable[[int], int]
    resource: str = "user-{:04d}@example.com"
    reason: str = "does not hold"


QUESTIONS = [
    Question("leaver-access", "Leavers hold no active access", "critical", ("A.5.18", "A.6.5", "A.5.11"),
             ("directory", "users"), 41, lambda day: 2 if 3 <= day < 7 or day >= 11 else 0,
             "leaver-{:02d}@example.com", "left 2026-08-28, still active in directory, code"),
    Question("mfa-enforced", "People sign in with a second factor", "high", ("A.8.5", "A.5.17"),
             ("directory", "users"), 412, lambda day: max(0, 60 - 4 * day), reason="no enrolled factor"),
    Question("root-use", "The root user is not used for daily work", "critical", ("A.8.2",),
             ("aws", "iam"), 3, lambda day: 0, "arn:aws:iam::11112222333{}:root"),
    Question("bucket-public", "Storage buckets are not public", "high", ("A.8.3", "A.5.10", "A.8.12"),
             ("aws", "buckets"), 96, lambda day: 1 if day > 4 else 3, "arn:aws:s3:::example-{:03d}",
             "its policy allows everybody to read"),
    Question("volume-encrypted", "Volumes are encrypted", "medium", ("A.8.24",),
             ("aws", "volumes"), 1240, lambda day: 137, "vol-0a1b{:08x}", "is not encrypted"),
    Question("branch-protected", "Default branches take reviewed changes only", "medium", ("A.8.32", "A.8.4", "A.8.25"),
             ("code", "repositories"), 58, lambda day: 6, "example/service-{:02d}", "no review is required"),
    Question("members-known", "Every member of the organisation is a person we employ", "high", ("A.5.16",),
             ("code", "members"), 44, lambda day: 0, "member-{:02d}"),
    Question("training-done", "Security training is completed when due", "low", ("A.6.3",),
             ("training", "enrolments"), 398, lambda day: 31, reason="due 2026-08-31, not completed"),
    Question("admin-reviewed", "Privileged roles were reviewed in the last 90 days", "medium", ("A.8.2", "A.5.15"),
             ("aws", "iam"), 17, lambda day: 0 if day > 9 else 4, "role/admin-{:02d}", "last reviewed 2026-05-02"),
    Question("log-collected", "Sign-in events are collected every day", "high", ("A.8.15", "A.8.16"),
             ("directory", "log"), 14, lambda day: 0, "2026-09-{:02d}"),
    Question("people-listed", "Everybody has an owner and a contract date", "low", ("A.6.2", "A.5.2"),
             ("people", "person"), 412, lambda day: 0),
]  # fmt: skip

SERIES: dict[str, Callable[[int], tuple[float, float | None, float | None] | None]] = {
    "control-effectiveness": lambda day: (round(100 * (9 + day) / 78, 2), 9.0 + day, 78.0),
    "evidence-freshness": lambda day: (100.0, 10, 10) if day < DAYS - 1 else (80.0, 8, 10),
    "incident-count": lambda day: (float([4, 4, 5, 5, 3, 2, 2, 2, 1, 1, 2, 2, 3, 3, 3][day]), None, None),
    "incident-time-to-resolve": lambda day: (52.5 - day, 210.0, 4),
    "mfa-coverage": lambda day: (round(100 * (352 + 4 * day) / 412, 2), 352.0 + 4 * day, 412.0),
    "nonconformities-open": lambda day: (float(7 - day // 4), None, None),
    "nonconformities-overdue": lambda day: (1.0 if day > 12 else 0.0, None, None),
    "training-completion": lambda day: (round(92.2 + day / 10, 2), 367, 398) if day not in (5, 6, DAYS - 1) else None,
}


@dataclass
class Story:
    """Tells the runs of a company, day by day."""

    engine: Engine
    blobs: BlobStore
    key: Path
    day: int = 0
    entries: dict[tuple[str, str], list[events.Cite]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        packs = mount()
        self.controls = catalogue(packs.catalogue())
        self.kpis = {name: kpi(document.data) for name, document in packs.kpis().items()}
        self.decided = statement.lines(packs.statement().data, self.controls)
        due = {"critical": 2, "high": 10, "medium": 60, "low": 90}
        self.policy = nonconformities.Policy.of({**packs.policy().data, "due_days": due})
        self.signer = load_or_create(self.key, "example.com/annexa")

    def now(self) -> datetime:
        return FIRST_DAY + timedelta(days=self.day)

    def run(self) -> None:
        """One day's run; on CUT_DAY the process dies in the middle."""
        plan = [events.PlannedShard(source, collector, fetch, scope) for source, collector, scope, fetch, _ in FETCHES]
        run = self.now().strftime("%Y%m%dT%H%M%SZ-5c1e")
        with recording(self.engine, self.blobs, run, self.now) as writer:
            self._adopt(writer)
            writer.record(events.RunStarted(plan, {"config": "c" * 64}, "scanner.example.com", "0.1.0"))
            for place in FETCHES[: 6 if self.day == CUT_DAY else None]:
                self._collect(writer, *place)
            if self.day != CUT_DAY:
                self._judge(writer)
                writer.ledger.checkpoint(self.signer, "example.com/annexa", self.now())
        self.day += 1

    def _collect(self, writer: Writer, source: str, collector: str, scope: str, fetch: str, tables: tuple[str]) -> None:
        state, reason = self._state(source, fetch)
        blob = self.blobs.put(f"{source} {scope} {fetch} {self.day // 3}\n".encode()).digest
        rows = [events.Rows(table, blob, 40 + 7 * len(fetch), {}) for table in tables] if state != "denied" else []
        now = clock.text(self.now())
        event = events.Collected(
            source, collector, fetch, scope, state, reason, "", now, now, now, 4, None, blob, None, rows,
            f"annexa-reader@{source}", 0,
        )  # fmt: skip
        entry = writer.record(event)[0].index
        self.entries[source, fetch] = [events.Cite(entry, item.table, item.blob) for item in rows]

    def _state(self, source: str, fetch: str) -> tuple[str, str]:
        state, reason, since = TROUBLE.get((source, fetch), ("complete", "", 0))
        return (state, reason) if self.day >= since else ("complete", "")

    def _judge(self, writer: Writer) -> None:
        lines = {question.id: self._lines(question) for question in QUESTIONS}
        assessed = [self._assess(question, lines[question.id]) for question in QUESTIONS]
        writer.record(*assessed)
        summaries = recorded.check_summaries(writer.session)
        derived = {control.id: effectiveness.derive(control, summaries) for control in self.controls.values()}
        writer.record(*effectiveness.changes(recorded.effectiveness(writer.session), derived))
        writer.record(*self._nonconformities(writer, lines))
        writer.record(*self._measurements())
        checks = Counter(event.status for event in assessed)
        shards = Counter(self._state(place[0], place[3])[0] for place in FETCHES)
        writer.record(events.RunEnded({"shards": dict(shards), "checks": dict(checks)}))

    def _adopt(self, writer: Writer) -> None:
        adoption = statement.adoption(recorded.adopted_statement(writer.session), self.decided)
        writer.record(*([adoption] if adoption else []))

    def _nonconformities(self, writer: Writer, lines: dict[str, list[dict[str, str]]]) -> list[events.Event]:
        context = nonconformities.Context(
            policy=self.policy,
            applicable=frozenset(control for control, line in self.decided.items() if line.applicable),
            owners={control: line.owner for control, line in self.decided.items()},
            sources=frozenset(place[0] for place in FETCHES),
            as_of=self.now(),
        )
        judged = [self._judged(question, lines[question.id]) for question in QUESTIONS]
        number = recorded.next_number(writer.session)
        return [*nonconformities.decide(judged, recorded.nonconformities(writer.session), context, next_number=number)]

    def _judged(self, question: Question, lines: list[dict[str, str]]) -> nonconformities.Judged:
        failures = [
            nonconformities.Failure(line["source"], "", line["resource"], line["reason"])
            for line in lines
            if line["status"] == "fail"
        ]
        clean = all(line["resource"] != "*" for line in lines)
        return nonconformities.Judged(
            question.id, question.title, question.severity, question.controls, clean, tuple(failures)
        )

    def _lines(self, question: Question) -> list[dict[str, str]]:
        state, why = self._state(*question.reads)
        lines = [self._line(question, number) for number in range(question.size)] if state != "denied" else []
        blind = {"denied": "error", "incomplete": "incomplete"}.get(state)
        if blind:
            reason = f"{question.reads[0]}/{question.reads[1]} is {state}: {why}"
            lines.append({"resource": "*", "status": blind, "reason": reason, "source": question.reads[0]})
        return lines

    def _assess(self, question: Question, lines: list[dict[str, str]]) -> events.Assessed:
        blind = next((line for line in lines if line["resource"] == "*"), {"status": "pass", "reason": ""})
        counts = Counter(line["status"] for line in lines)
        ref = self.blobs.put("".join(f"{json.dumps(line)}\n" for line in lines).encode())
        status = "fail" if counts["fail"] else blind["status"]
        as_of = clock.text(self.now())
        return events.Assessed(
            question.id, question.title, question.severity, list(question.controls), "f" * 64, as_of, status,
            blind["reason"], dict(counts), ref.digest, self.entries[question.reads], as_of,
        )  # fmt: skip

    def _line(self, question: Question, number: int) -> dict[str, str]:
        fails = number < question.failing(self.day)
        return {
            "resource": question.resource.format(number),
            "status": "fail" if fails else "pass",
            "reason": question.reason if fails else "holds",
            "source": question.reads[0],
            "scope": "eu-west-1" if question.reads[0] == "aws" else "",
        }

    def _measurements(self) -> Iterator[events.KpiMeasured]:
        for name, series in SERIES.items():
            point = series(self.day)
            row = dict(zip(("value", "numerator", "denominator"), point, strict=True)) if point else None
            yield measured(self.kpis[name], row, "" if point else "training is incomplete: page 3 of 4 failed")


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The company, all its runs told. Tests only read it."""
    folder = tmp_path_factory.mktemp("company")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)  # a thousand of them; no test here cuts the power
        story = Story(open_writer(f"sqlite:///{folder}/annexa.db"), BlobStore(folder / "evidence"), folder / "key")
        for _ in range(DAYS):
            story.run()
    return story


@pytest.fixture(scope="session")
def session(company: Story) -> Iterator[Session]:
    """Reads the company's records."""
    with reading(open_reader(str(company.engine.url))) as opened:
        yield opened


@pytest.fixture(scope="session")
def controls(company: Story) -> dict[str, Control]:
    return company.controls


@pytest.fixture(scope="session")
def kpis(company: Story) -> dict[str, Kpi]:
    return company.kpis


@pytest.fixture(scope="session")
def report(session: Session, controls: dict[str, Control], kpis: dict[str, Kpi]) -> Report:
    """The report on the company."""
    return build(session, company="Example Ltd", controls=controls, kpis=kpis, now=NOW)
