"""The leaves of the ledger: their exact bytes, and what cannot be one."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from annexa.errors import StoreError, Tampered
from annexa.evidence.leaves import Leaf
from annexa.evidence.ledger import Kind, Ledger
from annexa.evidence.tree_check import verify_tree

NOON = datetime(2026, 9, 10, 12, tzinfo=UTC)


def fill(ledger: Ledger, count: int, run: str | None = None) -> None:
    for number in range(count):
        ledger.append(Kind.COLLECTION, {"number": number}, time=NOON, run=run)


def test_a_leaf_is_exact_rfc_8785_json(session: Session) -> None:
    ledger, time = Ledger(session), NOON.astimezone() + timedelta(microseconds=7)
    body = {"z": 1.0, "a": ["é", None, True], "ﬀ": 0.1, "𐀀": 1e30}
    ledger.append(Kind.RUN_START, {}, time=time, run="r1")
    entry = ledger.append(Kind.KPI, body, time=time)
    assert entry.index == 1
    assert entry.leaf.decode() == (
        '{"body":{"a":["é",null,true],"z":1,"𐀀":1e+30,"ﬀ":0.1},"index":1,"kind":"kpi","run":null,'
        '"time":"2026-09-10T12:00:00.000007Z","v":1}'
    )
    assert entry.leaf_hash == sha256(b"\x00" + entry.leaf).digest()
    assert entry.read() == Leaf(1, "2026-09-10T12:00:00.000007Z", Kind.KPI, None, body)
    assert [entry.leaf for entry in ledger.entries()][1] == entry.leaf


SCALARS = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text()
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(), SCALARS | NUMBERS | st.lists(SCALARS | st.dictionaries(st.text(), NUMBERS))))
def test_what_is_written_is_read(body: dict[str, Any]) -> None:
    leaf = Leaf(3, "2026-09-10T12:00:00.000000Z", Kind.STATEMENT, "r1", body)
    assert Leaf.parse(leaf.encode()) == leaf


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"rows": [{"count": 2**53}]}, "body.rows[0].count: the integer 9007199254740992"),
        ({"a": {"b": -(2**53)}}, "body.a.b: the integer"),
        ({"a": [1, math.nan]}, "body.a[1]: nan"),
        ({"a": math.inf}, "body.a: inf"),
        ({"a": "\ud800"}, "body.a: the text has a lone surrogate"),
        ({"\ud800": 1}, "body: the key"),
        ({"a": {1: 2}}, "body.a: the key 1"),
        ({"a": b"bytes"}, "body.a: bytes is not JSON"),
        ({"a": {"b": NOON}}, "body.a.b: datetime is not JSON"),
        ({"a": {1, 2}}, "body.a: set is not JSON"),
    ],
)
def test_a_body_that_json_cannot_hold_is_refused_by_its_place(session: Session, body: Any, place: str) -> None:
    ledger = Ledger(session)
    fill(ledger, 3)
    with pytest.raises(StoreError) as caught:
        ledger.append(Kind.COLLECTION, body, time=NOON)
    assert place in str(caught.value)
    fill(ledger, 1)
    session.commit()
    assert verify_tree(session) == 4


def test_a_body_nested_too_deeply_is_refused(session: Session) -> None:
    body: dict[str, Any] = {}
    for _ in range(3000):
        body = {"a": body}
    with pytest.raises(StoreError, match="nested too deeply"):
        Ledger(session).append(Kind.COLLECTION, body, time=NOON)


@pytest.mark.parametrize(
    "leaf",
    [
        b"",
        b"[]",
        b'{"v":1}',
        b"\xff",
        b'{"body":{"a":1,"a":2},"index":0,"kind":"kpi","run":null,"time":"t","v":1}',
        b'{"body":{"a":NaN},"index":0,"kind":"kpi","run":null,"time":"t","v":1}',
        b'{"body":[],"index":0,"kind":"kpi","run":null,"time":"t","v":1}',
        b'{"body":{},"index":"0","kind":"kpi","run":null,"time":"t","v":1}',
        b'{"body":{},"index":0,"kind":["kpi"],"run":null,"time":"t","v":1}',
        b'{"body":{},"index":0,"kind":"kpi","run":7,"time":"t","v":1}',
    ],
)
def test_what_is_not_a_leaf(leaf: bytes) -> None:
    with pytest.raises(Tampered, match="not a ledger leaf"):
        Leaf.parse(leaf)
