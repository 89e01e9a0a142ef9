"""Lines of text from pieces of bytes, in bounded memory, strictly decoded: an error names its byte.

Lines end with LF, CR LF or CR, and keep their ends. A NUL is refused: it is what UTF-16 looks like to a reader of
UTF-8 or Latin-1, and no export means it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from annexa.errors import Unreadable

LONGEST_LINE = 4 * 1024 * 1024
"""Characters. A longer line is a broken quotation or no text at all."""

_REMEDY = "Export the file as UTF-8, or set `encoding` to what it is written in (`cp1252`, `utf-16` …)."


def lines(pieces: Iterator[bytes], encoding: str, name: str) -> Iterator[str]:
    """Every line of the text that `pieces` are, one after the other.

    Args:
        pieces: The bytes, from the start; asked for only as far as lines are.
        encoding: As Python names it; `utf-8-sig` takes UTF-8 with and without a byte order mark.
        name: The file, for errors.

    Raises:
        Unreadable: unknown encoding, bytes that are not in it (with their offset), a NUL, a line without an end.
    """
    source = _Pieces(pieces)
    try:
        text = io.TextIOWrapper(source, encoding=encoding, newline="")
    except LookupError as failure:
        raise Unreadable(f"{name}: unknown encoding {encoding!r}", remedy=_REMEDY) from failure
    number = 0
    try:
        while line := text.readline(LONGEST_LINE + 1):
            number += 1
            _check(line, f"{name}:{number}")
            yield line
    except UnicodeDecodeError as failure:
        offset = source.given - len(failure.object) + failure.start
        raise Unreadable(f"{name}: byte {offset} is not {encoding}: {failure.reason}", remedy=_REMEDY) from failure
    except UnicodeError as failure:
        raise Unreadable(f"{name}: not {encoding}: {failure}", remedy=_REMEDY) from failure


def whole(pieces: Iterator[bytes], encoding: str, name: str, limit: int) -> str:
    """All of the text, where it must be parsed as a whole.

    Raises:
        Unreadable: unknown encoding, bytes that are not in it, more than `limit` bytes.
    """
    data = bytearray()
    for piece in pieces:
        data += piece
        if len(data) > limit:
            raise Unreadable(f"{name}: more than {limit} bytes", remedy="Export it as JSON Lines, which has no limit.")
    try:
        return data.decode(encoding)
    except LookupError as failure:
        raise Unreadable(f"{name}: unknown encoding {encoding!r}", remedy=_REMEDY) from failure
    except UnicodeDecodeError as failure:
        why = f"byte {failure.start} is not {encoding}: {failure.reason}"
        raise Unreadable(f"{name}: {why}", remedy=_REMEDY) from failure


def _check(line: str, place: str) -> None:
    if "\0" in line:
        raise Unreadable(f"{place}: a NUL character", remedy=_REMEDY)
    if len(line) > LONGEST_LINE:
        raise Unreadable(f"{place}: a line of more than {LONGEST_LINE} characters", remedy="Check how it was exported.")


class _Pieces(io.BufferedIOBase):
    """The pieces as a stream that counts what it has given."""

    name = ""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.given = 0
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def read1(self, size: int = -1, /) -> bytes:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = memoryview(piece)
        wanted = len(self._rest) if size < 0 else size
        data, self._rest = bytes(self._rest[:wanted]), self._rest[wanted:]
        self.given += len(data)
        return data
