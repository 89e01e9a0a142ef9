"""What the ledger notices of damage to its database, and which entry it names."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import rfc8785
from sqlalchemy import text
from sqlalchemy.orm import Session

from annexa.errors import Tampered
from annexa.evidence import checkpoints
from annexa.evidence.ledger import Kind, Ledger
from annexa.evidence.notes import Signer
from annexa.evidence.tree_check import quick_check, verify_tree

NOON = datetime(2026, 9, 10, 12, tzinfo=UTC)
ORIGIN = "log.example.com/annexa"
SIGNER = Signer.generate(ORIGIN)


def fill(ledger: Ledger, count: int, run: str | None = None) -> None:
    for number in range(count):
        ledger.append(Kind.COLLECTION, {"number": number}, time=NOON, run=run)


SIZE = 21


def forge_leaf(session: Session, number: int, /, **changes: Any) -> None:
    leaf = session.execute(text('select leaf from ledger_entry where "index" = :i'), {"i": number}).scalar_one()
    parameters = {"i": number, "leaf": rfc8785.dumps(json.loads(leaf) | changes)}
    session.execute(text('update ledger_entry set leaf = :leaf where "index" = :i'), parameters)


def run(*statements: str) -> Callable[[Session], None]:
    def execute(session: Session) -> None:
        for statement in statements:
            session.execute(text(statement.replace("[i]", '"index"')))

    return execute


def forge(number: int, /, **changes: Any) -> Callable[[Session], None]:
    return lambda session: forge_leaf(session, number, **changes)


def swap_checkpoint(session: Session) -> None:
    head = checkpoints.Checkpoint(ORIGIN, 10, b"\x01" * 32)
    session.execute(
        text("update checkpoint set root = :root, note = :note where size = 10"),
        {"root": head.root, "note": f"{head.text()}\n— {ORIGIN} AAAAAAA=\n"},
    )


ZEROS = "update tree_node set hash = zeroblob(32) where"
CUT = ("delete from ledger_entry where [i] >= 17", "delete from tree_node where (position + 1) << level > 17")
COPY = "insert into ledger_entry select 21, time, kind, run, leaf from ledger_entry where [i] = 20"
DAMAGE: dict[str, tuple[Callable[[Session], None], str]] = {
    "a leaf changed": (forge(7, body={}), "entry 7 was changed"),
    "the last leaf changed": (forge(20, body={}), "entry 20 was changed"),
    "two leaves changed": (lambda session: [forge_leaf(session, i, body={}) for i in (9, 8)], "entry 8 was changed"),
    "a leaf of another index": (forge(7, index=8), "entry 7: its columns"),
    "a leaf of no known kind": (forge(7, kind="x"), "entry 7: not a ledger leaf"),
    "a leaf of another version": (forge(7, v=2), "entry 7: not a ledger leaf"),
    "a leaf with more in it": (forge(7, w=2), "entry 7: not a ledger leaf"),
    "no leaf": (run("update ledger_entry set leaf = x'00' where [i] = 7"), "entry 7: not a ledger leaf"),
    "a column hides the kind": (run("update ledger_entry set kind = 'kpi' where [i] = 7"), "entry 7: its columns"),
    "a column hides the run": (run("update ledger_entry set run = null where [i] = 7"), "entry 7: its columns"),
    "a column shifts the time": (run("update ledger_entry set time = '2026' where [i] = 7"), "entry 7: its columns"),
    "an entry removed": (run("delete from ledger_entry where [i] = 7"), "entry 7 is missing"),
    "the first removed": (run("delete from ledger_entry where [i] = 0"), "entry 0 is missing"),
    "the last removed": (run("delete from ledger_entry where [i] = 20"), "entry 20 is missing"),
    "the tail and its nodes removed": (run(*CUT), "entry 17 is missing"),
    "everything but checkpoints removed": (run("delete from ledger_entry", "delete from tree_node"), "entry 0 is"),
    "an entry added": (run(COPY), "entry 21: its columns"),
    "a leaf hash changed": (run(f"{ZEROS} level = 0 and position = 7"), "entry 7 was changed"),
    "a node changed": (run(f"{ZEROS} level = 2 and position = 1"), "entries 4 to 7 does not fit"),
    "a node of the edge changed": (run(f"{ZEROS} level = 4 and position = 0"), "entries 0 to 15 does not fit"),
    "a node removed": (run("delete from tree_node where level = 3 and position = 1"), "entries 8 to 15 is missing"),
    "a node added": (run("insert into tree_node values (0, 21, zeroblob(32))"), "entry 21 is missing"),
    "a leaf changed, and a later one removed": (
        lambda session: [forge_leaf(session, 7, body={}), run("delete from ledger_entry where [i] = 9")(session)],
        "entry 7 was changed",
    ),
    "a checkpoint's root": (run("update checkpoint set root = x'00' where size = 10"), "checkpoint of 10 entries"),
    "a checkpoint of another tree": (swap_checkpoint, "entries 0 to 9 are not those"),
}


@pytest.fixture
def full(session: Session) -> Session:
    ledger = Ledger(session)
    for size in (10, SIZE):
        fill(ledger, size - ledger.size, run="r1")
        ledger.checkpoint(SIGNER, ORIGIN, NOON)
    session.commit()
    assert verify_tree(session) == quick_check(session) == SIZE
    return session


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_found_and_named(full: Session, what: str) -> None:
    damage, expected = DAMAGE[what]
    damage(full)
    full.commit()
    with pytest.raises(Tampered) as caught:
        verify_tree(full)
    assert expected in str(caught.value)


AT_THE_END = [
    "the last leaf changed",
    "the last removed",
    "the tail and its nodes removed",
    "an entry added",
    "a node of the edge changed",
]


@pytest.mark.parametrize("what", AT_THE_END)
def test_the_quick_check_sees_what_happened_at_the_end(full: Session, what: str) -> None:
    DAMAGE[what][0](full)
    full.commit()
    with pytest.raises(Tampered, match=r"entry|entries"):
        quick_check(full)


def test_nothing_is_appended_to_a_shortened_ledger(full: Session) -> None:
    DAMAGE["the tail and its nodes removed"][0](full)
    full.commit()
    with pytest.raises(Tampered, match="entries 17 to 20 are missing"):
        Ledger(full).append(Kind.KPI, {}, time=NOON)


def test_nothing_is_signed_that_contradicts_an_earlier_checkpoint(full: Session) -> None:
    full.execute(text("update tree_node set hash = zeroblob(32) where level = 4 and position = 0"))
    full.commit()
    ledger = Ledger(full)
    fill(ledger, 1)
    with pytest.raises(Tampered, match="first 21 entries"):
        ledger.checkpoint(SIGNER, ORIGIN, NOON)
