"""From sealed segments to typed tables: what is not as it was sealed is not loaded, what does not fit is counted."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from annexa.assess import database
from annexa.assess.columns import misfit_flags
from annexa.assess.loader import load
from annexa.assess.protocol import RawSpec, SegmentSpec, TableReport, TableSpec

TYPED = TableSpec(
    "typed",
    [
        ("t", "text"),
        ("i", "integer"),
        ("n", "number"),
        ("b", "boolean"),
        ("seen", "timestamp"),
        ("j", "json"),
        ("l", "texts"),
    ],
    [],
)
SHARED = database.connect(1)
KEYED = TableSpec("keyed", [("id", "text"), ("n", "integer")], ["id"])


@pytest.fixture
def con() -> Any:
    with database.connect(2) as connection:
        yield connection


def spec(segment: Any) -> SegmentSpec:
    return SegmentSpec(str(segment.path), segment.digest, segment.rows, segment.source, segment.scope)


def loaded(con: Any, table: TableSpec, *segments: Any) -> TableReport:
    return load(con, RawSpec(table, [spec(segment) for segment in segments]))


def exists(con: Any, name: str) -> bool:
    return bool(con.execute("select count(*) from duckdb_tables() where table_name = $n", {"n": name}).fetchone()[0])


def rows(con: Any, sql: str) -> list[Any]:
    return con.execute(sql).fetchall()


def test_types_every_column(con: Any, bench: Any) -> None:
    row = {
        "t": "ü'\"",
        "i": -7,
        "n": 1.5,
        "b": False,
        "seen": "2026-09-01T02:00:00+02:00",
        "j": {"a": [1]},
        "l": ["x", "y"],
    }
    report = loaded(con, TYPED, bench.seal([row, {}]))
    assert (report.rows, report.gaps, report.broken) == (2, [], "")
    found = rows(
        con, "select t, i, n, b, seen = timestamptz '2026-09-01T00:00:00Z', j, l, source, scope from typed order by i"
    )
    assert found[0] == ("ü'\"", -7, 1.5, False, True, '{"a":[1]}', ["x", "y"], "hr", "global")
    assert found[1] == (None, None, None, None, None, None, None, "hr", "global")


@pytest.mark.parametrize(
    ("column", "bad"),
    [
        ("i", [1.5, "x", True, 2**70, "1e3", {}]),
        ("n", ["NaN", "inf", "x", True, [1]]),
        ("b", ["yes", 1, 0, "t", "TRUE", []]),
        ("seen", ["epoch", "infinity", "now", "yesterday", "2026-13-01", "01.09.2026", "", True]),
        ("l", [{"a": 1}, 7, True, "scalar"]),
    ],
)
def test_values_that_do_not_fit_are_null_and_counted(con: Any, bench: Any, column: str, bad: list[Any]) -> None:
    good = {"i": 1, "n": 1, "b": True, "seen": "2026-09-01T00:00:00Z", "l": []}[column]
    report = loaded(con, TYPED, bench.seal([{column: value} for value in [*bad, None, good]]))
    assert len(report.gaps) == 1
    assert report.gaps[0].startswith(f"{len(bad)} values of column {column} ")
    assert rows(con, f"select count({column}) from typed") == [(1,)]
    assert not [name for name, *_ in rows(con, "describe typed") if name.startswith("_misfit")]


def test_many_risky_columns_share_flags() -> None:
    wide = TableSpec("wide", [(f"c{n}", "boolean") for n in range(130)], [])
    assert [len(group) for group in misfit_flags(wide).values()] == [60, 60, 10]


def test_one_misfit_among_many_columns_is_found(con: Any, bench: Any) -> None:
    wide = TableSpec("wide", [(f"c{n}", "boolean") for n in range(130)], [])
    report = loaded(con, wide, bench.seal([{"c61": "maybe", "c129": True}]))
    assert report.gaps == ["1 value of column c61 neither true nor false"]


def test_a_stream_that_is_cut_short_is_not_a_short_table(con: Any, bench: Any) -> None:
    segment = bench.seal([{"id": str(n), "n": n} for n in range(50_000)])
    whole = segment.path.read_bytes()
    for size in (len(whole) - 1, len(whole) // 2, 100, 0):
        segment.path.write_bytes(whole[:size])
        report = loaded(con, KEYED, segment)
        assert segment.digest in report.broken, size
        assert not exists(con, "keyed")


def test_other_bytes_than_were_sealed(con: Any, bench: Any) -> None:
    segment, other = bench.seal([{"id": "1"}]), bench.seal([{"id": "2"}])
    segment.path.write_bytes(other.path.read_bytes())
    assert "digest" in loaded(con, KEYED, segment).broken
    assert not exists(con, "keyed")


def test_a_blob_that_is_gone(con: Any, bench: Any) -> None:
    segment = bench.seal([{"id": "1"}])
    segment.path.unlink()
    assert "cannot read" in loaded(con, KEYED, segment).broken


@pytest.mark.parametrize("count", [0, 1, 3])
def test_another_number_of_rows_than_were_sealed(con: Any, bench: Any, count: int) -> None:
    segment = replace(bench.seal([{"id": "1"}, {"id": "2"}]), rows=count)
    assert f"has 2 rows where {count} were sealed" in loaded(con, KEYED, segment).broken


@pytest.mark.parametrize(
    "data",
    [
        b"null\n",
        b"7\n",
        b'[{"id":"1","_exchange":0}]\n',
        b'{"id":"1"}\n',
        b"\n",
        b'{"id":"1","_exchange":0}{"id":"2","_exchange":0}\n',
        b'{"id":"1","_exchange":0\n',
        b'{"id":"\xff","_exchange":0}\n',
        b'{"id":"1","id":"2","_exchange":0}\n',
        b"\x00\n",
    ],
)
def test_a_line_that_is_not_a_row_makes_the_table_unusable(con: Any, bench: Any, data: bytes) -> None:
    assert loaded(con, KEYED, bench.bytes(data, 1)).broken
    assert not exists(con, "keyed")


def test_bytes_behind_the_frame_are_seen(con: Any, bench: Any) -> None:
    segment = bench.seal([{"id": "1"}])
    with segment.path.open("ab") as file:
        file.write(zstandard.ZstdCompressor().compress(b'{"id":"2","_exchange":0}\n'))
    assert "behind" in loaded(con, KEYED, segment).broken


def test_a_key_twice_within_a_scope_is_a_gap(con: Any, bench: Any) -> None:
    one, other = [{"id": "1"}, {"id": "2"}], [{"id": "2"}, {"id": "3"}]
    report = loaded(con, KEYED, bench.seal(one), bench.seal(other))
    assert report.gaps == ["1 key more than once (id)"]


def test_the_same_key_in_two_scopes_is_no_gap_even_from_one_blob(con: Any, bench: Any) -> None:
    same = [{"id": "1", "n": 1}, {"id": "2", "n": 2}]
    here, there = bench.seal(same, scope="eu"), bench.seal(same, scope="us")
    assert here.path == there.path
    report = loaded(con, KEYED, here, there, bench.seal([], scope="ap"))
    assert (report.rows, report.gaps) == (4, [])
    assert rows(con, "select scope, sum(n) from keyed group by 1 order by 1") == [("eu", 3), ("us", 3)]


def test_nothing_collected_is_an_empty_table(con: Any, bench: Any) -> None:
    report = loaded(con, TYPED, bench.seal([]))
    assert report == TableReport("typed")
    assert [name for name, *_ in rows(con, "describe typed")][-4:] == ["source", "scope", "_segment", "_exchange"]


def test_a_path_that_looks_like_a_pattern(con: Any, bench: Any, tmp_path: Path) -> None:
    odd, segment = tmp_path / "a[1]*?'", bench.seal([{"id": "1"}])
    odd.mkdir()
    moved = segment.path.rename(odd / segment.path.name)
    (tmp_path / "a1xy'").mkdir()
    (tmp_path / "a1xy'" / moved.name).write_bytes(bench.seal([{"id": "2"}]).path.read_bytes())
    assert loaded(con, KEYED, replace(segment, path=moved)) == TableReport("keyed", 1)
    assert rows(con, "select id from keyed") == [("1",)]


def test_the_order_of_arrival_does_not_show(con: Any, bench: Any) -> None:
    first = [bench.seal([{"id": str(n)} for n in range(9, 4, -1)], scope=scope) for scope in ("b", "a")]
    loaded(con, KEYED, *first)
    once = rows(con, "select id, scope from keyed")
    con.execute("drop table keyed")
    loaded(con, KEYED, *reversed([bench.seal([{"id": str(n)} for n in range(5, 10)], scope=s) for s in ("a", "b")]))
    assert rows(con, "select id, scope from keyed") == once == [(str(n), s) for s in "ab" for n in range(5, 10)]


def test_a_thousand_small_segments_are_read_together(con: Any, bench: Any) -> None:
    segments = [bench.seal([{"id": str(n), "n": n}], scope=str(n)) for n in range(1000)]
    assert loaded(con, KEYED, *segments).rows == 1000
    assert rows(con, "select count(*), sum(n), count(distinct scope) from keyed") == [(1000, 499500, 1000)]


def sealed(folder: Path, given_rows: list[dict[str, Any]]) -> SegmentSpec:
    data = b"".join(json.dumps({"_exchange": 0, **row}).encode() + b"\n" for row in given_rows)
    path = folder / "segment.zst"
    path.write_bytes(zstandard.ZstdCompressor(level=1).compress(data))
    return SegmentSpec(str(path), hashlib.sha256(data).hexdigest(), len(given_rows), "hr", "global")


values = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**80), 2**80), st.floats(allow_nan=False, allow_infinity=False)
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
anything = st.recursive(
    values | texts, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.fixed_dictionaries({name: anything for name, _ in TYPED.columns}), max_size=5))
def test_no_value_ever_fails_the_load_or_gets_lost(rows_given: list[dict[str, Any]]) -> None:
    """Any JSON in any column: every row arrives, and a value is either there or counted."""
    con = SHARED
    con.execute("drop table if exists typed")
    with tempfile.TemporaryDirectory() as folder:
        report = load(con, RawSpec(TYPED, [sealed(Path(folder), rows_given)]))
        assert report.broken == ""
        assert con.execute("select count(*) from typed").fetchone()[0] == len(rows_given)
        missing = sum(
            con.execute(f"select count(*) - count({name}) from typed").fetchone()[0]
            for name in ("i", "n", "b", "seen", "l")
        )
        nulls = sum(row[name] is None for row in rows_given for name in ("i", "n", "b", "seen", "l"))
        counted = sum(int(gap.split()[0]) for gap in report.gaps)
        assert missing == nulls + counted


def test_a_table_may_have_columns_of_any_name(con: Any, bench: Any) -> None:
    names = ["path", "segment", "number", "file", "id", "order", "select", 'a"b', "c'd", "e.f", "r", "s", "Total"]
    table = TableSpec("odd", [(name, "integer") for name in names], ["path"])
    report = loaded(con, table, bench.seal([{name: n for n, name in enumerate(names)}]))
    assert report == TableReport("odd", 1)
    assert rows(con, "select * from odd")[0][: len(names)] == tuple(range(len(names)))


def test_a_number_in_a_text_column_is_text(con: Any, bench: Any) -> None:
    loaded(con, TYPED, bench.bytes(json.dumps({"t": 17, "_exchange": 0}).encode() + b"\n", 1))
    assert rows(con, "select t from typed") == [("17",)]
