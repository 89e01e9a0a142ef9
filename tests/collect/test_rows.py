"""From rows to a segment's lines."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annexa.collect.rows import SegmentWriter, printable
from annexa.errors import PackError
from annexa.sdk import Json, Strings, Table, Timestamp

USERS = Table.of(
    "okta_user",
    {
        "id": str,
        "created": Timestamp,
        "email": (str, "profile.email"),
        "boss": (str, "profile.manager.id"),
        "tags": Strings,
        "raw": (Json, "credentials"),
    },
    key="id",
)


class Memory:
    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.data.splitlines()]


def written(table: Table, *rows: Any) -> tuple[SegmentWriter, Memory]:
    sink = Memory()
    writer = SegmentWriter(table, sink)
    for number, row in enumerate(rows, 1):
        writer.add(row, number)
    return writer, sink


def test_a_row_has_its_columns_in_declared_order_then_its_exchange() -> None:
    row = {"created": "2026-09-10T00:00:00Z", "profile": {"email": "ada@example.com"}, "tags": "x", "id": "u1"}
    writer, sink = written(USERS, row)
    assert sink.data == (
        b'{"id":"u1","created":"2026-09-10T00:00:00.000000Z","email":"ada@example.com","boss":null,'
        b'"tags":["x"],"raw":null,"_exchange":1}\n'
    )
    assert (writer.rows, writer.doubts, writer.unknown) == (1, 0, {})


def test_a_key_with_a_dot_in_it_wins_over_the_path() -> None:
    table = Table.of("t_a", {"email": (str, "profile.email")})
    writer, sink = written(table, {"profile.email": "literal", "profile": {"email": "nested"}})
    assert sink.lines()[0]["email"] == "literal"
    assert writer.unknown == {}


def test_a_value_that_is_not_understood_is_null_and_counted_with_an_example() -> None:
    writer, sink = written(USERS, {"id": "u1", "created": "yester\x1bday"}, {"id": "u2", "created": "never"})
    assert [line["created"] for line in sink.lines()] == [None, None]
    assert writer.doubts == 2
    assert writer.example == "okta_user.created: 'yester\\x1bday' is not an ISO 8601 time"


def test_something_else_where_an_object_was_expected_is_counted() -> None:
    writer, sink = written(USERS, {"id": "u1", "profile": "ada@example.com"})
    assert sink.lines()[0]["email"] is None
    assert writer.doubts == 2  # email and boss
    assert "in place of an object" in writer.example


@pytest.mark.parametrize("row", [{"id": None}, {}, {"id": {"no": "text"}}])
def test_a_row_without_its_key_is_counted_and_not_written(row: dict[str, Any]) -> None:
    writer, sink = written(USERS, row)
    assert (sink.data, writer.rows) == (b"", 0)
    assert writer.doubts >= 1


@pytest.mark.parametrize("row", ["text", ["a"], None, 5])
def test_a_row_that_is_no_object_is_counted_and_not_written(row: Any) -> None:
    writer, sink = written(USERS, row)
    assert (sink.data, writer.rows, writer.doubts) == (b"", 0, 1)


def test_half_a_surrogate_pair_is_not_understood_and_the_rest_of_the_row_is_kept() -> None:
    writer, sink = written(USERS, {"id": "u1", "profile": {"email": "\ud800"}, "tags": ["a", "\udfff"]})
    assert sink.lines() == [
        {"id": "u1", "created": None, "email": None, "boss": None, "tags": None, "raw": None, "_exchange": 1}
    ]
    assert writer.doubts == 2


def test_what_no_column_declares_is_counted_by_key() -> None:
    rows = [{"id": "1", "type": "x", "profile": {"email": "e", "nickName": "n", "manager": {"id": "m", "on": 1}}}] * 3
    writer, _ = written(USERS, *rows, {"id": "2", "credentials": {"whole": "is declared"}})
    assert writer.unknown == {"type": 3, "profile.nickName": 3, "profile.manager.on": 3}


def test_unknown_keys_are_capped_and_the_rest_is_counted_together() -> None:
    writer, _ = written(USERS, {"id": "1", **{f"k{n}": 0 for n in range(250)}})
    assert len(writer.unknown) == 201
    assert sum(writer.unknown.values()) == 250
    assert writer.unknown["…"] == 50


@pytest.mark.parametrize("columns", [{"_exchange": str}])
def test_a_table_cannot_have_the_engines_own_column(columns: dict[str, type]) -> None:
    with pytest.raises(PackError):
        SegmentWriter(Table.of("t_a", columns), Memory())


def test_printable_cuts_and_cleans() -> None:
    assert printable("a\x00b\nc\u202e") == "a\ufffdb c\ufffd"
    assert printable("x" * 61) == "x" * 59 + "…"


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["id", "created", "profile", "tags", "credentials", "else"]), values)
        | st.fixed_dictionaries({"id": st.text(min_size=1), "profile": st.dictionaries(st.text(), values)})
        | values
    )
)
def test_every_row_is_a_line_or_a_doubt_and_the_bytes_are_always_the_same(rows: list[Any]) -> None:
    writer, sink = written(USERS, *rows)
    lines = sink.lines()
    assert len(lines) == writer.rows
    assert writer.rows + writer.doubts >= len(rows)
    assert all(list(line) == [*(c.name for c in USERS.columns), "_exchange"] for line in lines)
    assert all(line["id"] is not None for line in lines)
    assert written(USERS, *rows)[1].data == sink.data
