"""The loader: sealed segments to a typed table in memory. It is trusted; what reads the tables afterwards is not.

Rules:
- A blob's bytes are compared with its digest and its lines are counted before DuckDB reads it: a stream that is
  cut short reads like a short file. Any difference, and any line that is not a row, makes the table unusable.
- Columns are explicit. A value that does not fit its column's type becomes null and is counted: then the table is
  incomplete, and nothing that rests on it passes. So is it with a key that occurs twice.
- All segments of a table are read in one go, and rows with a key are sorted by it: the same evidence gives the same
  table, in whatever order it arrived.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from annexa.assess import columns, sql
from annexa.assess.protocol import RawSpec, SegmentSpec, TableReport, TableSpec
from annexa.errors import StoreError, Unreadable
from annexa.evidence.blob_reader import BlobReader

_BUFFER = 1024 * 1024
_LONGEST_ROW = 16 * 1024 * 1024
_OWN = {"source": "_source", "scope": "_scope", "_segment": "_number", "_exchange": "_exchange"}


def load(con: Any, raw: RawSpec) -> TableReport:
    """Create the table and fill it.

    Returns:
        The report; where `broken` says why, there is no such table.
    """
    import duckdb

    table, segments = raw.table, sorted(raw.segments, key=lambda s: (s.source, s.scope, s.path))
    try:
        for segment in {segment.path: segment for segment in segments}.values():
            _verify(segment)
        gaps = _fill(con, table, segments)
        return TableReport(table.name, sum(segment.rows for segment in segments), gaps)
    except (StoreError, Unreadable) as problem:
        reason = str(problem)
    except duckdb.Error as problem:
        reason = f"its rows cannot be read: {str(problem).partition(chr(10))[0]}"
    con.execute(f"drop table if exists {sql.name(table.name)}")
    return TableReport(table.name, broken=reason)


def duplicate_keys(con: Any, table: TableSpec) -> list[str]:
    """The gap that keys are which occur twice within one scope of one source, if there are any.

    As with UNIQUE in SQL, rows whose key is null are not the same row.
    """
    if not table.key:
        return []
    key = ", ".join(sql.name(column) for column in ("source", "scope", *table.key))
    named = " and ".join(f"{sql.name(column)} is not null" for column in table.key)
    again = f"select 1 from {sql.name(table.name)} where {named} group by {key} having count(*) > 1"
    count = con.execute(f"select count(*) from ({again})").fetchone()[0]
    return [f"{count} {'key' if count == 1 else 'keys'} more than once ({', '.join(table.key)})"] if count else []


def _verify(segment: SegmentSpec) -> None:
    """See that a blob holds the bytes and the lines that were sealed.

    Raises:
        StoreError: The blob is missing, damaged, or has another digest.
        Unreadable: It has another number of lines.
    """
    lines, last, buffer = 0, b"\n", bytearray(_BUFFER)
    with BlobReader(Path(segment.path), segment.digest) as blob:
        while count := blob.readinto(buffer):
            lines += buffer.count(b"\n", 0, count)
            last = bytes(buffer[count - 1 : count])
    _compare(segment, lines + (last != b"\n"))


def _compare(segment: SegmentSpec, lines: int) -> None:
    if lines != segment.rows:
        raise Unreadable(f"blob {segment.digest} has {lines} rows where {segment.rows} were sealed")


def _fill(con: Any, table: TableSpec, segments: list[SegmentSpec]) -> list[str]:
    """Read all segments into the table; gives its gaps."""
    filled = [(n, segment) for n, segment in enumerate(segments) if segment.rows]
    if not filled:
        con.execute(
            f"create table {sql.name(table.name)} ({columns.declared(table)}, "
            "source varchar, scope varchar, _segment integer, _exchange bigint)"
        )
        return []
    _list_segments(con, filled)
    order = "order by " + ", ".join(["source", "scope", *map(sql.name, table.key)]) if table.key else ""
    rows = f"{_read(table)} r join annexa_segment s on s._file = r._path"
    con.execute(
        f"create table {sql.name(table.name)} as {columns.typed(table, _OWN, rows)} {order}",
        {"files": sorted({_escaped(segment.path) for _, segment in filled})},
    )
    con.execute("drop table annexa_segment")
    _compare_counts(con, table, dict(filled))
    return [*_misfits(con, table), *duplicate_keys(con, table)]


def _list_segments(con: Any, filled: list[tuple[int, SegmentSpec]]) -> None:
    """One blob can be the segment of several scopes: the join gives each of them its rows.

    The names start with `_`, which no column of a table does: a table may well have a column `path`.
    """
    con.execute(
        "create or replace temp table annexa_segment as select unnest($path) as _file, unnest($source) as _source, "
        "unnest($scope) as _scope, unnest($segment) as _number",
        {
            "path": [segment.path for _, segment in filled],
            "source": [segment.source for _, segment in filled],
            "scope": [segment.scope for _, segment in filled],
            "segment": [n for n, _ in filled],
        },
    )


def _read(table: TableSpec) -> str:
    return (
        f"read_json($files, columns = {columns.as_read(table)}, format = 'newline_delimited', records = 'true', "
        f"compression = 'zstd', filename = '_path', maximum_object_size = {_LONGEST_ROW})"
    )


def _escaped(path: str) -> str:
    """A path as DuckDB's glob for itself."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in path)


def _compare_counts(con: Any, table: TableSpec, segments: dict[int, SegmentSpec]) -> None:
    """See that DuckDB read as many rows from each segment as it has lines, each an object with `_exchange`."""
    counts = con.execute(f"select _segment, count(_exchange) from {sql.name(table.name)} group by _segment").fetchall()
    found = dict(counts)
    for n, segment in segments.items():
        _compare(segment, found.get(n, 0))


def _misfits(con: Any, table: TableSpec) -> list[str]:
    """Count the values that did not fit, then forget their flags."""
    counted = columns.misfit_counts(table)
    if not counted:
        return []
    name = sql.name(table.name)
    found = con.execute(f"select {', '.join(count for count, _ in counted)} from {name}").fetchone()
    for flag in columns.misfit_flags(table):
        con.execute(f"alter table {name} drop column {flag}")
    return [f"{n} {'value' if n == 1 else 'values'} {what}" for n, (_, what) in zip(found, counted, strict=True) if n]
