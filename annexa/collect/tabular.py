"""Files of records: CSV, JSON Lines, JSON and XLSX, read strictly, one record at a time.

Rules:
- A file without a header, or without a single byte, is unreadable: an export that failed looks like that, and is
  never an empty list. A header without records is an empty list.
- A record that cannot be read (a field too many, broken JSON) is given as the error it is, with its line, and the next
  one follows; what makes the whole file doubtful (its encoding, its header) is raised.
- Values are what the file has: text in CSV, JSON values in JSON, and in XLSX what the cell holds. Nothing is guessed.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from annexa.collect.strict_json import decode
from annexa.collect.text_lines import lines, whole
from annexa.errors import Unreadable

Record = dict[str, Any] | Unreadable

FORMATS = ("csv", "jsonl", "json", "xlsx")
LARGEST_DOCUMENT = 256 * 1024 * 1024
"""Bytes of a JSON document, which is parsed as a whole. JSON Lines has no such limit."""

_ENDINGS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
}
_DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is to be read. Empty `delimiter`: the one that the header has most; empty `sheet`: the first."""

    format: str
    sheet: str = ""
    delimiter: str = ""
    encoding: str = "utf-8-sig"


def format_of(path: Path, given: str = "") -> str:
    """The format of a file: as given, else from its ending.

    Raises:
        Unreadable: it is none of `FORMATS`.
    """
    found = given or _ENDINGS.get(path.suffix.lower(), "")
    if found not in FORMATS:
        known = ", ".join(FORMATS)
        what = f"unknown format {given!r}" if given else "its ending names no known format"
        raise Unreadable(f"{path.name}: {what}", remedy=f"Set `format` to one of {known}.")
    return found


def records(pieces: Iterator[bytes], layout: Layout, name: str) -> Iterator[Record]:
    """Every record of a file, or the error that it is.

    Args:
        pieces: The file's bytes, from the start.
        layout: How to read them.
        name: The file, for errors.

    Raises:
        Unreadable: the file as a whole cannot be read, or its rest cannot.
    """
    if layout.format == "xlsx":
        from annexa.collect.xlsx import sheet_records

        return sheet_records(pieces, layout.sheet, name)
    if layout.format == "json":
        return _document(pieces, layout.encoding, name)
    text = lines(pieces, layout.encoding, name)
    if layout.format == "jsonl":
        return _json_lines(text, name)
    return _csv(text, layout.delimiter, name)


def header(cells: list[str], place: str) -> list[str]:
    """The column names of a table: trimmed, none empty, none twice.

    Raises:
        Unreadable: they are not.
    """
    names = [cell.strip() for cell in cells]
    for number, name in enumerate(names, 1):
        if not name:
            raise Unreadable(f"{place}: column {number} has no name", remedy="Name every column in the first row.")
        if name in names[: number - 1]:
            raise Unreadable(f"{place}: two columns are named {name!r}", remedy="Give every column its own name.")
    return names


def _csv(text: Iterator[str], delimiter: str, name: str) -> Iterator[Record]:
    first = next((line for line in text if line.strip()), "")
    if not first:
        raise Unreadable(f"{name}: no header: the file is empty", remedy="Export it again, with a header row.")
    separator = delimiter or max(_DELIMITERS, key=first.count)
    reader = csv.reader(chain([first], text), delimiter=separator, strict=True)
    try:
        names = header(next(reader), f"{name}:1")
    except csv.Error as failure:
        raise Unreadable(f"{name}:1: the header cannot be read: {failure}") from failure
    while True:
        place = f"{name}:{reader.line_num + 1}"
        try:
            fields = next(reader, None)
        except csv.Error as failure:
            yield Unreadable(f"{place}: {failure}", remedy="Correct the quotation marks of this record.")
            continue
        if fields is None:
            return
        if any(fields):
            yield _record(names, fields, place)


def _record(names: list[str], fields: list[str], place: str) -> Record:
    if len(fields) != len(names):
        remedy = "Quote fields that hold the delimiter, or set `delimiter`."
        return Unreadable(f"{place}: {len(fields)} fields where the header has {len(names)}", remedy=remedy)
    return dict(zip(names, fields, strict=True))


def _json_lines(text: Iterator[str], name: str) -> Iterator[Record]:
    number = 0
    for number, line in enumerate(text, 1):
        if line.strip():
            yield _object(line, f"{name}:{number}")
    if not number:
        raise Unreadable(
            f"{name}: the file is empty", remedy="Export it again; JSON (`[]`) can say that there is none."
        )


def _object(line: str, place: str) -> Record:
    try:
        value = decode(line.encode(), place)
    except Unreadable as failure:
        return failure
    return value if isinstance(value, dict) else Unreadable(f"{place}: not an object")


def _document(pieces: Iterator[bytes], encoding: str, name: str) -> Iterator[Record]:
    value = decode(whole(pieces, encoding, name, LARGEST_DOCUMENT).encode(), name)
    if not isinstance(value, list):
        raise Unreadable(f"{name}: not a list of objects", remedy="Export a list, or JSON Lines.")
    for number, item in enumerate(value, 1):
        yield item if isinstance(item, dict) else Unreadable(f"{name}: item {number} is not an object")
