"""Rows that are given by hand (a check's cases, ISMS records) as sealed segments, so that they go the way of evidence.

A row may name its `source` and `scope`; rows without them are of source `test` and scope `global`. A key is compared
only where every row has one: a case need not invent what it does not show.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from annexa.assess.evidence import RESERVED, SegmentRef, TableEvidence
from annexa.collect.rows import SegmentWriter
from annexa.errors import CheckError
from annexa.sdk.tables import Row, Table

SOURCE, SCOPE = "test", "global"


def evidence_of(table: Table, rows: Iterable[Row], as_of: datetime, folder: Path) -> TableEvidence:
    """Evidence that holds exactly these rows.

    Args:
        table: What the rows must be; its columns' own names are the keys, whatever their paths.
        rows: The rows.
        as_of: The time for which they speak.
        folder: Where the segments are written.

    Raises:
        CheckError: A row has a column that the table does not have, or a value that is not of its column's type.
    """
    given = [dict(row) for row in rows]
    plain = replace(
        table,
        columns=tuple(replace(column, path=column.name) for column in table.columns),
        key=table.key if all(row.get(key) is not None for row in given for key in table.key) else (),
    )
    parts: dict[tuple[str, str], list[dict[str, Any]]] = {} if given else {(SOURCE, SCOPE): []}
    for row in given:
        place = (str(row.pop("source", SOURCE)), str(row.pop("scope", SCOPE)))
        parts.setdefault(place, []).append(row)
    segments = (_segment(plain, *place, part, as_of, folder) for place, part in parts.items())
    return TableEvidence(plain, tuple(segments))


class _Bytes:
    """Collects what a segment writer writes."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)


def _segment(
    table: Table, source: str, scope: str, rows: list[dict[str, Any]], as_of: datetime, folder: Path
) -> SegmentRef:
    import zstandard

    sink = _Bytes()
    writer = SegmentWriter(table, sink)
    for row in rows:
        _refuse_unknown(table, row)
        writer.add(row, 0)
    if writer.doubts:
        raise CheckError(
            f"{writer.example}", remedy="Correct the row; the table's columns and their types are in the reference."
        )
    data = bytes(sink.data)
    digest = hashlib.sha256(data).hexdigest()
    path = folder / f"{digest}.zst"
    path.write_bytes(zstandard.ZstdCompressor(level=1).compress(data))
    return SegmentRef(source, scope, path, digest, writer.rows, as_of, f"{source}/{scope}/{table.name}")


def _refuse_unknown(table: Table, row: Mapping[str, Any]) -> None:
    columns = [column.name for column in table.columns]
    unknown = [name for name in row if name not in columns]
    if unknown:
        raise CheckError(
            f"table {table.name} has no column {unknown[0]}",
            remedy=f"Its columns are {', '.join([*columns, *RESERVED])}.",
        )
