"""Example Ltd for a test: simulated vendors on loopback, exported files, a configuration, and what a scan left."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from annexa import cycle
from annexa.config import Config, load
from annexa.cycle import Summary
from annexa.database import models
from annexa.database.session import open_reader, reading
from annexa.evidence.blobs import BlobStore
from annexa.packs import Packs, mount
from annexa.record.verdicts import Verdict, read
from annexa.views import checks, isms
from tests.simulators import company, github, github_states, knowbe4, okta, okta_states

SECRETS = {"github": "github-owner-token", "okta": "okta-super-token", "knowbe4": "knowbe4-token"}
HEAD = "company: Example Ltd\nledger: {origin: example.com/isms}\nevidence: ./evidence\n"
SOURCES = {
    "code": 'collector: github, organisation: example, url: "{github}", token: "file:secrets/github"',
    "okta": 'collector: okta, url: "{okta}", token: "file:secrets/okta"',
    "awareness": 'collector: knowbe4, url: "{knowbe4}", token: "file:secrets/knowbe4"',
    "people": "collector: files, table: person, path: exports/people.csv, columns: {{id: Employee No, email: Mail,"
    " name: Name, department: Department, manager: Manager, kind: Type, started_at: Start, left_at: End}}",
    "training": "collector: files, table: training, path: exports/training.csv, columns: {{email: Mail,"
    " course: Course, assigned_at: Assigned, due_at: Due, completed_at: Completed}}",
    "incidents": "collector: files, table: incident, path: exports/incidents.csv, columns: {{id: Number,"
    " title: Title, category: Category, severity: Severity, state: State, occurred_at: Occurred,"
    " detected_at: Detected, contained_at: Contained, resolved_at: Resolved, reporter: Reporter}}",
    "owners": "collector: files, table: account_owner, path: exports/account-owners.csv,"
    " columns: {{system: System, login: Login, email: Mail}}",
}
ROOT = Path(__file__).parents[2]


@dataclass
class Estate:
    """The company, its configuration, and its store. `at` is when its systems were last looked at."""

    folder: Path
    at: datetime
    github: github.GithubSimulator
    okta: okta.OktaSimulator
    knowbe4: knowbe4.KnowBe4Simulator
    state: str = ""
    more: str = ""
    sources: dict[str, str] = field(default_factory=lambda: dict(SOURCES))

    def become(self, state: str) -> None:
        """Every system moves to `start`, `drift` or `repair`."""
        self.github.state = getattr(github_states, state)(self.at)
        self.okta.state = getattr(okta_states, state)(self.at)
        self.knowbe4.state = getattr(knowbe4, state)(self.at)
        self.export("people", company.hr_rows(self.at))
        self.export("training", company.training_rows(self.at, state))
        self.export("incidents", company.incident_rows(self.at, state))
        owners = [{"System": "github", "Login": p.login, "Mail": p.email} for p in company.PEOPLE]
        self.export("account-owners", owners)

    def heal(self) -> None:
        """No more faults anywhere."""
        for simulator in (self.github, self.okta, self.knowbe4):
            simulator._faults.clear()
            simulator.page_size = None

    def file(self, name: str) -> Path:
        """The exported file."""
        return self.folder / "exports" / f"{name}.csv"

    def export(self, name: str, rows: list[dict[str, str]]) -> None:
        """Write a file as its system would export it, now."""
        with self.file(name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    def age(self, name: str, hours: float) -> None:
        """Let a file be as old as that."""
        written = datetime.now(UTC).timestamp() - hours * 3600
        os.utime(self.file(name), (written, written))

    def write(self) -> Path:
        """config.yaml for the sources as they are named now."""
        path = self.folder / "config.yaml"
        urls = {"github": self.github.url, "okta": self.okta.url, "knowbe4": self.knowbe4.url}
        lines = [f"  {name}: {{{text.format(**urls)}}}\n" for name, text in self.sources.items()]
        state = f"state: {self.state}\n" if self.state else ""
        path.write_text(f"{HEAD}{state}{self.more}sources:\n{''.join(lines)}", encoding="utf-8")
        return path

    @property
    def config(self) -> Config:
        return load(self.write())

    def scan(self, *only: str) -> Summary:
        """One run, in this process."""
        config = self.config
        return cycle.scan(config, mounted() if not config.packs else mount(config.packs), only=frozenset(only))

    @property
    def blobs(self) -> BlobStore:
        return BlobStore(self.folder / "evidence")

    @contextmanager
    def session(self) -> Iterator[Session]:
        """The database as a reader sees it."""
        engine = open_reader(self.config.database_url())
        try:
            with reading(engine) as session:
                yield session
        finally:
            engine.dispose()

    def all(self, model: Any, *where: Any) -> list[Any]:
        """The rows of a table."""
        with self.session() as session:
            rows = session.scalars(select(model).where(*where)).all()
            session.expunge_all()
            return list(rows)

    def results(self) -> dict[str, checks.Result]:
        """By check, its latest result."""
        with self.session() as session:
            return {result.check: result for result in checks.results(session)}

    def verdicts(self, check: str) -> list[Verdict]:
        """What a check said last, from its sealed results."""
        digest = self.results()[check].results
        return [] if digest is None else list(read(self.blobs, digest))

    def standing(self) -> set[tuple[str, ...]]:
        """The open verdict rows, with the row's own number and when it was opened."""
        rows = self.all(models.VerdictRow, models.VerdictRow.closed_at.is_(None))
        return {(str(r.id), r.check, r.source, r.resource, r.status, r.reason, r.opened_at) for r in rows}

    def nonconformities(self) -> dict[tuple[str, str], models.Nonconformity]:
        """By check and source; fails where there are two records of one fingerprint that are not closed."""
        rows = self.all(models.Nonconformity)
        prints = Counter(row.fingerprint for row in rows)
        assert [mark for mark, number in prints.items() if number > 1] == []
        return {(row.check, row.source): row for row in rows}

    def effectiveness(self) -> dict[str, str]:
        """By control, as it is derived now."""
        rows = self.all(models.ControlState, models.ControlState.current.is_(True))
        return {row.control: row.effectiveness for row in rows}

    def segments(self, run: str) -> dict[tuple[str, str, str], str]:
        """By source, fetch and table, the blob of a run's segment."""
        rows = self.all(models.Segment, models.Segment.run == run)
        return {(row.source, row.fetch, row.table): row.blob for row in rows}

    def stored(self) -> set[str]:
        """The digests of all blobs in the store."""
        return {path.stem for path in (self.folder / "evidence" / "blobs").rglob("*.zst")}

    def unfinished(self) -> list[str]:
        """Runs without an end."""
        with self.session() as session:
            return [run.id for run in isms.unfinished(session)]


@cache
def mounted() -> Packs:
    """The built-in pack: reading it takes a second."""
    return mount(())


@cache
def content(folder: str) -> dict[str, Any]:
    """What stands in a folder of the built-in pack, by id or name: as YAML, not as the engine understands it."""
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(ROOT.glob(f"{folder}/**/*.yaml"))]
    return {document.get("id") or document["name"]: document for document in documents}


def above(*tables: str) -> set[str]:
    """The checks that rest on any of these tables, directly or through the entities that they feed."""
    found = set(tables)
    for _ in content("mappings/entities"):
        for name, entity in content("mappings/entities").items():
            read = [{vendor, *feed.get("also", ())} for vendor, feed in entity.get("feeds", {}).items()]
            if any(found & tables for tables in read):
                found.add(name)
    return {name for name, check in content("checks").items() if found & check["requires"].keys()}


def no_pass(estate: Estate, affected: Iterable[str]) -> None:
    """Nothing above evidence that is missing may look good: no pass, no effective control."""
    results, derived = estate.results(), estate.effectiveness()
    checked = sorted(affected)
    assert checked, "the test names checks"
    for check in checked:
        statuses = Counter(verdict.status for verdict in estate.verdicts(check))
        assert not statuses["pass"], f"{check} passes: {statuses}"
        assert results[check].counts.get("pass", 0) == 0
        assert results[check].status != "pass"
        for control in results[check].controls:
            assert derived.get(control) != "effective", f"{control} is effective by {check}"


@contextmanager
def estate(folder: Path, at: datetime | None = None) -> Iterator[Estate]:
    """The company in a folder of its own, as it is found."""
    now = at or datetime.now(UTC)
    (folder / "exports").mkdir(parents=True)
    (folder / "secrets").mkdir()
    for name, secret in SECRETS.items():
        path = folder / "secrets" / name
        path.touch(mode=0o600)
        path.write_text(secret, encoding="utf-8")
    with ExitStack() as services:
        made = Estate(
            folder,
            now,
            services.enter_context(github.GithubSimulator(github_states.start(now)).start()),
            services.enter_context(okta.OktaSimulator(okta_states.start(now)).start()),
            services.enter_context(knowbe4.KnowBe4Simulator(knowbe4.start(now)).start()),
        )
        made.become("start")
        yield made
