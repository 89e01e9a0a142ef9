"""Records of an XLSX sheet: the first row that is not blank names the columns.

Rules:
- Blank rows are no records. A value beyond the named columns, an error value (`#N/A`) and a formula that was saved
  without its result make their row an error: what the sheet would show is not known.
- A workbook is a ZIP archive: what it unpacks to is limited, and its sheet is read as a stream.
- Times have no zone in XLSX: they are given as they stand, naive.
"""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from annexa.errors import Unreadable

if TYPE_CHECKING:
    from annexa.collect.tabular import Record

LARGEST_PACKED = 512 * 1024 * 1024
LARGEST_UNPACKED = 2 * 1024 * 1024 * 1024
LARGEST_STRINGS = 256 * 1024 * 1024
_IN_MEMORY = 16 * 1024 * 1024
_ROWS = 1_048_576
_STRINGS = "xl/sharedStrings.xml"
_EXPORT_AGAIN = "Open it in the program that made it, save it as XLSX again, or export CSV."

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    SyntaxError,
    KeyError,
    IndexError,
    AttributeError,
    TypeError,
    ValueError,
    EOFError,
    NotImplementedError,
    RuntimeError,
)
"""What zipfile, expat (ParseError is a SyntaxError) and openpyxl raise on files that are not what they should be."""


class _Cell(Protocol):
    @property
    def value(self) -> Any: ...

    @property
    def data_type(self) -> str: ...


_Row = tuple[_Cell, ...]


def sheet_records(pieces: Iterator[bytes], sheet: str, name: str) -> Iterator[Record]:
    """Every record of one sheet, or the error that it is.

    Raises:
        Unreadable: no workbook, one that unpacks to too much, no such sheet, no header.
    """
    from annexa.collect.tabular import header

    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        _copy(pieces, file, name)
        names: list[str] = []
        for number, shown, written in _rows(file, sheet, name):
            cells = [cell.value for cell in shown]
            if all(cell is None for cell in cells) and not _formulas(shown, written):
                continue
            if not names:
                names = header(["" if cell is None else str(cell) for cell in _trimmed(cells)], f"{name}:{number}")
                continue
            yield _record(names, cells, _doubt(shown, written), f"{name}:{number}")
        if not names:
            raise Unreadable(f"{name}: no header: the sheet is empty", remedy="Export it again, with a header row.")


def _copy(pieces: Iterator[bytes], file: Any, name: str) -> None:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > LARGEST_PACKED:
            raise Unreadable(f"{name}: more than {LARGEST_PACKED} bytes", remedy="Export it as CSV.")
        file.write(piece)
    file.seek(0)
    with _reading(name), zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        unpacked = sum(entry.file_size for entry in entries)
        strings = sum(entry.file_size for entry in entries if entry.filename == _STRINGS)
    if unpacked > LARGEST_UNPACKED or strings > LARGEST_STRINGS:
        raise Unreadable(f"{name}: unpacks to {unpacked} bytes, which is too much", remedy="Export it as CSV.")


def _rows(file: Any, sheet: str, name: str) -> Iterator[tuple[int, _Row, _Row]]:
    """Each row twice: with the values that the sheet shows, and with its formulas."""
    with _reading(name):
        shown, written = (_sheet(file, sheet, name, data_only=shows) for shows in (True, False))
        for number, (row, formulas) in enumerate(zip(shown, written, strict=True), 1):
            if number > _ROWS:
                raise Unreadable(f"{name}: more than {_ROWS} rows", remedy=_EXPORT_AGAIN)
            yield number, row, formulas


def _sheet(file: BinaryIO, sheet: str, name: str, *, data_only: bool) -> Iterator[_Row]:
    from openpyxl import load_workbook

    book = load_workbook(file, read_only=True, data_only=data_only, keep_links=False)
    if sheet and sheet not in book.sheetnames:
        there = ", ".join(book.sheetnames)
        raise Unreadable(f"{name}: no sheet is named {sheet!r}", remedy=f"Set `sheet` to one of: {there}.")
    found = book[sheet] if sheet else book.worksheets[0]
    found.reset_dimensions()
    rows: Iterator[_Row] = found.iter_rows()
    return rows


@contextmanager
def _reading(name: str) -> Iterator[None]:
    try:
        yield
    except _BROKEN as failure:
        what = f"{type(failure).__name__}: {failure}"
        raise Unreadable(f"{name}: not a sound XLSX workbook: {what}", remedy=_EXPORT_AGAIN) from failure


def _trimmed(cells: list[Any]) -> list[Any]:
    while cells and cells[-1] is None:
        cells = cells[:-1]
    return cells


def _formulas(shown: _Row, written: _Row) -> bool:
    """Whether a cell has a formula but no result of it."""
    return any(cell.value is None and formula.data_type == "f" for cell, formula in zip(shown, written, strict=True))


def _doubt(shown: _Row, written: _Row) -> str:
    wrong = next((cell.value for cell in shown if cell.data_type == "e"), None)
    if wrong is not None:
        return f"the error value {wrong}"
    return "a formula that was saved without its result" if _formulas(shown, written) else ""


def _record(names: list[str], cells: list[Any], doubt: str, place: str) -> Record:
    if doubt:
        return Unreadable(f"{place}: {doubt}", remedy=_EXPORT_AGAIN)
    if any(cell is not None for cell in cells[len(names) :]):
        return Unreadable(f"{place}: a value beyond the last named column", remedy="Name every column.")
    padded = cells + [None] * (len(names) - len(cells))
    return dict(zip(names, padded, strict=False))
