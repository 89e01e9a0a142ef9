from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from annexa import events
from annexa.database import models
from annexa.database.session import open_writer, writing
from annexa.errors import Tampered
from annexa.evidence.blobs import BlobStore
from annexa.evidence.ledger import Kind, Ledger
from annexa.record import PROJECTIONS, rebuild, record

START = datetime(2026, 9, 1, tzinfo=UTC)
RUN = "20260901T000000Z-aaaa"


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    engine = open_writer(database)
    with writing(engine) as opened:
        yield opened
    engine.dispose()


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "evidence")


def started(*fetches: str) -> events.RunStarted:
    shards = [events.PlannedShard("okta", "okta", fetch, "global") for fetch in fetches]
    return events.RunStarted(shards, {"config": "c" * 64}, "host", "0.1.0")


def collected(fetch: str, state: str = "complete") -> events.Collected:
    rows = [events.Rows("okta_user", "b" * 64, 3, {})] if state == "complete" else []
    now = "2026-09-01T00:00:00.000000Z"
    return events.Collected(
        "okta", "okta", fetch, "global", state, "", "", now, now, now, 2, 3, "e" * 64, "d" * 64, rows, "00u1", 0
    )


def assessed(blobs: BlobStore, check: str, verdicts: list[tuple[str, str]]) -> events.Assessed:
    lines = [
        json.dumps({"resource": name, "status": status, "reason": f"is {status}", "source": "okta", "scope": "global"})
        for name, status in sorted(verdicts)
    ]
    ref = blobs.put("".join(f"{line}\n" for line in lines).encode())
    counts = {status: sum(s == status for _, s in verdicts) for status in {s for _, s in verdicts}}
    status = "fail" if "fail" in counts else "pass"
    cites = [events.Cite(1, "okta_user", "b" * 64)]
    as_of = "2026-09-01T00:00:00.000000Z"
    return events.Assessed(
        check, "Title", "high", ["A.8.5"], "f" * 64, as_of, status, "", counts, ref.digest, cites, as_of
    )


def standing(session: Session) -> set[tuple[str, str]]:
    rows = session.scalars(select(models.VerdictRow).where(models.VerdictRow.closed_at.is_(None)))
    return {(row.resource, row.status) for row in rows}


class Story:
    """Events of consecutive days, one run."""

    def __init__(self, session: Session, blobs: BlobStore) -> None:
        self.session, self.blobs, self.ledger, self.day = session, blobs, Ledger(session), 0
        self.tell(started("users", "groups"))

    def tell(self, *happened: events.Event) -> None:
        self.day += 1
        time = START + timedelta(days=self.day)
        record(self.session, self.ledger, self.blobs, happened, time=time, run=RUN)


def test_an_event_is_an_entry_and_a_projection(session: Session, blobs: BlobStore) -> None:
    story = Story(session, blobs)
    story.tell(collected("users"), collected("groups", "denied"))
    shards = {shard.fetch: shard for shard in session.scalars(select(models.Shard))}
    assert (shards["users"].state, shards["groups"].state) == ("complete", "denied")
    assert [row.rows for row in session.scalars(select(models.Segment))] == [3]
    kinds = [entry.read().kind for entry in story.ledger.entries()]
    assert kinds == [Kind.RUN_START, Kind.COLLECTION, Kind.COLLECTION]
    assert shards["groups"].entry == 2


def test_the_same_verdicts_again_write_no_row(session: Session, blobs: BlobStore) -> None:
    story = Story(session, blobs)
    verdicts = [("ada", "fail"), ("grace", "pass"), ("old", "na")]
    story.tell(assessed(blobs, "mfa", verdicts))
    before = [(r.id, r.opened_at, r.closed_at) for r in session.scalars(select(models.VerdictRow))]
    story.tell(assessed(blobs, "mfa", verdicts))
    after = [(r.id, r.opened_at, r.closed_at) for r in session.scalars(select(models.VerdictRow))]
    assert before == after
    assert standing(session) == {("ada", "fail"), ("old", "na")}


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ([("ada", "pass")], set()),
        ([], set()),
        ([("*", "incomplete")], {("ada", "fail"), ("*", "incomplete")}),
        ([("ada", "stale"), ("*", "stale")], {("ada", "fail"), ("ada", "stale"), ("*", "stale")}),
        ([("ada", "na")], {("ada", "na")}),
        ([("*", "na")], {("ada", "fail"), ("*", "na")}),
        ([("ada", "fail"), ("bob", "fail")], {("ada", "fail"), ("bob", "fail")}),
    ],
)
def test_a_failure_stands_until_evidence_clears_it(
    session: Session, blobs: BlobStore, second: list[tuple[str, str]], expected: set[tuple[str, str]]
) -> None:
    story = Story(session, blobs)
    story.tell(assessed(blobs, "mfa", [("ada", "fail")]))
    story.tell(assessed(blobs, "mfa", second))
    assert standing(session) == expected


def test_a_later_event_on_an_unknown_record_is_tampering(session: Session, blobs: BlobStore) -> None:
    with pytest.raises(Tampered, match="NC-0001"):
        Story(session, blobs).tell(events.NonconformityResolved("NC-0001", "…"))


def test_effectiveness_keeps_its_history(session: Session, blobs: BlobStore) -> None:
    story = Story(session, blobs)
    story.tell(events.EffectivenessChanged("A.8.5", "effective", "3 of 3", 1.0))
    story.tell(events.EffectivenessChanged("A.8.5", "ineffective", "0 of 3", 0.0))
    rows = session.scalars(select(models.ControlState).order_by(models.ControlState.since)).all()
    assert [(row.effectiveness, row.current) for row in rows] == [("effective", False), ("ineffective", True)]


def snapshot(session: Session) -> dict[str, list[Any]]:
    """All projections, without surrogate keys."""
    found = {}
    for table in PROJECTIONS:
        columns = [c for c in table.__table__.columns if (table, c.name) != (models.VerdictRow, "id")]
        found[table.__tablename__] = sorted(
            json.dumps(list(row), sort_keys=True) for row in session.execute(select(*columns))
        )
    return found


statuses = st.sampled_from(["pass", "fail", "na", "stale", "incomplete"])
assessments = st.lists(st.dictionaries(st.sampled_from(["a", "b", "c", "*"]), statuses), max_size=6)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=assessments)
def test_replaying_the_ledger_gives_the_same_tables(
    tmp_path_factory: pytest.TempPathFactory, history: list[dict[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("replay")
    engine, blobs = open_writer(f"sqlite:///{folder}/annexa.db"), BlobStore(folder / "evidence")
    with writing(engine) as session:
        story = Story(session, blobs)
        story.tell(collected("users"))
        story.tell(*RECORDS)
        for verdicts in history:
            story.tell(assessed(blobs, "mfa", list(verdicts.items())))
        story.tell(events.RunEnded({"shards": {"complete": 1}}))
        before = snapshot(session)
        assert rebuild(session, story.ledger, blobs) == story.ledger.size
        assert snapshot(session) == before
    engine.dispose()


DUE = "2026-10-01T00:00:00.000000Z"
RECORDS: list[events.Event] = [
    events.StatementAdopted(
        "a" * 64, [events.StatementLine("A.8.5", True, ["risk"], "because", "implemented", "CISO", ["ISP-01"], None)]
    ),
    events.NonconformityRaised(
        "NC-0001",
        "9" * 64,
        "check",
        "A.8.5",
        ["A.8.5"],
        "mfa",
        "okta",
        "",
        "T",
        "S",
        "high",
        "major",
        "CISO",
        DUE,
        2,
        "5" * 64,
    ),
    events.NonconformityUpdated("NC-0001", 3, "6" * 64, "more"),
    events.NonconformityResolved("NC-0001", "clean"),
    events.NonconformityReopened("NC-0001", 1, "7" * 64, "again", DUE),
    events.KpiMeasured("mfa-coverage", 97.5, 39.0, 40.0, "percent", "warning", ""),
    events.EffectivenessChanged("A.8.5", "ineffective", "0 of 3", 0.0),
]


@pytest.mark.parametrize("event", [started("users"), collected("users"), *RECORDS])
def test_an_event_survives_the_ledger(event: events.Event) -> None:
    assert events.parse(json.loads(json.dumps(events.body(event)))) == event


def test_an_unknown_event_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown event"):
        events.parse({"event": "Nonsense"})
    with pytest.raises(ValueError, match="KpiMeasured"):
        events.parse({"event": "KpiMeasured", "kpi": 3})
