"""The ledger: what it appends, proves and signs."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.orm import Session

from annexa.database.models import Base
from annexa.errors import StoreBusy, StoreError, Tampered
from annexa.evidence import checkpoints, merkle
from annexa.evidence.ledger import Kind, Ledger
from annexa.evidence.notes import Signer, open_note
from annexa.evidence.tree_check import quick_check, verify_tree

NOON = datetime(2026, 9, 10, 12, tzinfo=UTC)
ORIGIN = "log.example.com/annexa"
SIGNER = Signer.generate(ORIGIN)


def fill(ledger: Ledger, count: int, run: str | None = None) -> None:
    for number in range(count):
        ledger.append(Kind.COLLECTION, {"number": number}, time=NOON, run=run)


def mth(hashes: list[bytes]) -> bytes:
    """RFC 6962, 2.1, over leaf hashes."""
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256().digest()
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def test_a_time_without_a_zone_is_refused(session: Session) -> None:
    with pytest.raises(ValueError, match="without a zone"):
        Ledger(session).append(Kind.KPI, {}, time=datetime(2026, 9, 10))
    assert Ledger(session).size == 0


def test_a_clock_set_back_is_recorded_as_it_was(session: Session) -> None:
    ledger = Ledger(session)
    times = [NOON, NOON - timedelta(hours=1), NOON]
    for moment in times:
        ledger.append(Kind.KPI, {}, time=moment)
    hours = [datetime.fromisoformat(entry.read().time).hour for entry in ledger.entries()]
    assert hours == [12, 11, 12]
    assert verify_tree(session) == 3


def test_every_proof_of_every_size_holds(session: Session) -> None:
    ledger, hashes = Ledger(session), []
    for size in range(1, 41):
        hashes.append(ledger.append(Kind.COLLECTION, {"n": size}, time=NOON).leaf_hash)
        assert ledger.root() == mth(hashes)
    for size in range(1, 41):
        root = ledger.root(size)
        assert root == mth(hashes[:size])
        merkle.verify_consistency(size, 40, ledger.consistency(size), root, mth(hashes))
        for index in range(size):
            merkle.verify_inclusion(hashes[index], index, size, ledger.inclusion(index, size), root)


def test_no_question_reads_the_whole_tree(engine: Engine) -> None:
    """By SQLite's own plan for every statement: each table is searched by an index, none is scanned."""
    with Session(engine) as session:
        fill(Ledger(session), 300, run="r1")
        Ledger(session).checkpoint(SIGNER, ORIGIN, NOON)
        session.commit()
    asked: list[tuple[str, Any]] = []
    event.listen(engine, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))
    with Session(engine) as session:
        ledger = Ledger(session)
        fill(ledger, 1)
        ledger.inclusion(123)
        ledger.consistency(77, 200)
        ledger.root(99)
        for wanted in ({}, {"kind": Kind.KPI}, {"run": "r1"}, {"kind": Kind.COLLECTION, "run": "r1"}):
            list(ledger.entries(after=290, **wanted))
        quick_check(session)
    reads = [call for call in asked if call[0].startswith("SELECT")]
    assert len(reads) > 30
    with engine.connect() as connection:
        for statement, parameters in reads:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            steps = [step[-1] for step in plan]
            assert not [step for step in steps if step.startswith("SCAN") and "checkpoint" not in step], statement


@pytest.mark.parametrize(
    "ask",
    [
        lambda x: x.root(6),
        lambda x: x.inclusion(5),
        lambda x: x.inclusion(2, 2),
        lambda x: x.inclusion(0, 6),
        lambda x: x.consistency(6),
        lambda x: x.consistency(0),
    ],
)
def test_nothing_is_proven_beyond_the_end(session: Session, ask: Callable[[Ledger], object]) -> None:
    ledger = Ledger(session)
    fill(ledger, 5)
    with pytest.raises(ValueError, match=r"leaf|entries|consistency"):
        ask(ledger)


def test_the_ledger_goes_on_where_it_was(engine: Engine) -> None:
    for number in range(20):
        with Session(engine) as session:
            ledger = Ledger(session)
            assert ledger.size == number
            fill(ledger, 1)
            session.commit()
    with Session(engine) as session:
        assert verify_tree(session) == quick_check(session) == 20


def test_a_rollback_takes_its_entries_back(session: Session) -> None:
    ledger = Ledger(session)
    fill(ledger, 5)
    session.commit()
    root = ledger.root()
    fill(ledger, 3)
    assert ledger.size == 8
    session.rollback()
    assert (ledger.size, ledger.root()) == (5, root)
    fill(ledger, 2)
    session.commit()
    assert verify_tree(session) == 7


def test_a_savepoint_takes_its_entries_back(session: Session) -> None:
    ledger = Ledger(session)
    fill(ledger, 3)
    savepoint = session.begin_nested()
    fill(ledger, 4)
    savepoint.rollback()
    fill(ledger, 2)
    session.commit()
    assert verify_tree(session) == 5


def test_two_ledgers_over_one_session_are_one(session: Session) -> None:
    first, second = Ledger(session), Ledger(session)
    fill(first, 3)
    fill(second, 3)
    fill(first, 1)
    assert first.size == second.size == 7
    assert verify_tree(session) == 7


def test_nothing_is_committed_by_the_ledger(engine: Engine) -> None:
    with Session(engine) as session:
        ledger = Ledger(session)
        fill(ledger, 3)
        ledger.checkpoint(SIGNER, ORIGIN, NOON)
    with Session(engine) as session:
        assert (Ledger(session).size, Ledger(session).latest_checkpoint()) == (0, None)


def test_a_second_writer_fails_and_writes_nothing(engine: Engine) -> None:
    with Session(engine) as late, Session(engine) as early:
        ledger = Ledger(late)
        assert ledger.size == 0
        late.info["keep"] = late.connection()
        fill(Ledger(early), 1)
        early.commit()
        with pytest.raises(StoreBusy, match="entry 0 is already there"):
            fill(ledger, 1)
        late.rollback()
        fill(ledger, 1)
        late.commit()
        assert verify_tree(late) == 2


def test_a_database_that_refuses_is_a_store_error(session: Session) -> None:
    ledger = Ledger(session)
    fill(ledger, 1)
    session.commit()
    session.execute(text("pragma query_only = on"))
    with pytest.raises(StoreError, match="entry 1 cannot be written: attempt to write a readonly database"):
        ledger.append(Kind.KPI, {"secret": "never shown"}, time=NOON)
    session.rollback()


def test_entries_are_found_by_kind_run_and_place(session: Session) -> None:
    ledger = Ledger(session)
    for number in range(2500):
        kind = Kind.KPI if number % 2 else Kind.COLLECTION
        ledger.append(kind, {"n": number}, time=NOON, run="a" if number < 2000 else "b")
    session.commit()

    def found(**wanted: Any) -> list[int]:
        return [entry.index for entry in ledger.entries(**wanted)]

    assert found() == list(range(2500))
    assert found(kind=Kind.KPI) == list(range(1, 2500, 2))
    assert found(run="b") == list(range(2000, 2500))
    assert found(kind=Kind.COLLECTION, run="a", after=1990) == [1992, 1994, 1996, 1998]
    assert found(kind=Kind.ERASURE) == found(after=2499) == found(run="c") == []


def test_entries_may_be_appended_while_they_are_read(session: Session) -> None:
    ledger = Ledger(session)
    fill(ledger, 1500)
    session.commit()
    for entry in ledger.entries(kind=Kind.COLLECTION):
        if entry.index % 500 == 0:
            ledger.append(Kind.KPI, {}, time=NOON)
            session.commit()
    assert ledger.size == 1503


def test_a_checkpoint_is_a_signed_note_of_the_tree(session: Session) -> None:
    ledger = Ledger(session)
    empty = ledger.checkpoint(SIGNER, ORIGIN, NOON)
    fill(ledger, 5)
    note = ledger.checkpoint(SIGNER, ORIGIN, NOON)
    hashes = [entry.leaf_hash for entry in ledger.entries()]
    assert checkpoints.parse(open_note(empty, [SIGNER.verifier]).text).size == 0
    head = checkpoints.parse(open_note(note, [SIGNER.verifier]).text)
    assert (head.origin, head.size, head.root, head.extensions) == (ORIGIN, 5, mth(hashes), ())
    assert ledger.latest_checkpoint() == note
    row = session.execute(text("select size, time, root from checkpoint order by size desc")).first()
    assert row == (5, "2026-09-10T12:00:00.000000Z", mth(hashes))


def test_one_size_has_one_note(session: Session) -> None:
    ledger = Ledger(session)
    fill(ledger, 5)
    note = ledger.checkpoint(SIGNER, ORIGIN, NOON)
    assert ledger.checkpoint(SIGNER, ORIGIN, NOON + timedelta(hours=1)) == note
    with pytest.raises(Tampered, match="not signed by"):
        ledger.checkpoint(Signer.generate(ORIGIN), ORIGIN, NOON)
    with pytest.raises(Tampered, match="another head"):
        ledger.checkpoint(SIGNER, "log.example.org", NOON)


def test_a_remembered_checkpoint_shows_another_history(engine: Engine, tmp_path: Path) -> None:
    with Session(engine) as session:
        ledger = Ledger(session)
        fill(ledger, 5)
        remembered = ledger.checkpoint(SIGNER, ORIGIN, NOON)
        fill(ledger, 5)
        assert ledger.check_extends(remembered) == 5
    other = create_engine("sqlite://")
    Base.metadata.create_all(other)
    with Session(other) as session:
        ledger = Ledger(session)
        fill(ledger, 4)
        with pytest.raises(Tampered, match="first 5 entries"):
            ledger.check_extends(remembered)
        ledger.append(Kind.ERASURE, {}, time=NOON)
        fill(ledger, 5)
        assert verify_tree(session) == 10
        with pytest.raises(Tampered, match="first 5 entries"):
            ledger.check_extends(remembered)
    other.dispose()


APPENDER = """
import sys
from datetime import UTC, datetime
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from annexa.evidence.ledger import Kind, Ledger
with Session(create_engine(sys.argv[1])) as session:
    ledger = Ledger(session)
    while True:
        for number in range(7):
            ledger.append(Kind.COLLECTION, {"number": number}, time=datetime.now(UTC))
        session.commit()
        print(ledger.size, flush=True)
"""


def test_killing_a_writer_at_any_moment_leaves_whole_transactions(engine: Engine) -> None:
    size = 0
    for round_number in range(3):
        command = [sys.executable, "-c", APPENDER, str(engine.url)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            for _ in range(3 + round_number):
                acknowledged = int(child.stdout.readline())
            child.send_signal(signal.SIGKILL)
        with Session(engine) as session:
            assert verify_tree(session) == Ledger(session).size >= acknowledged > size
            size = Ledger(session).size
            assert size % 7 == 0


def test_an_append_costs_little(session: Session) -> None:
    """0.5 ms of CPU is the bound; a shared machine gets the best of several tries."""
    ledger = Ledger(session)
    body = {"source": "aws", "scope": "123456789012/eu-west-1", "state": "complete", "blob": "a" * 64, "rows": 1200}
    costs = []
    for _ in range(5):
        started = time.process_time()
        for _ in range(200):
            ledger.append(Kind.COLLECTION, body, time=NOON, run="r1")
        costs.append((time.process_time() - started) / 200)
    assert min(costs) <= 0.0005
