"""Files on this host as a recorded source: what is parsed is what was recorded.

A file is asked for in pieces, as HTTP would: `GET file:exports/people.csv` with a `Range`, answered `206` with
`Content-Range`, `Last-Modified` and an `ETag`. So one of any size needs the memory of one piece, and a recording is
replayed like any other. Pieces end with a line where there are lines, so that redaction sees whole ones.

Rules:
- A file that changes while it is read is an error: its halves were never one file.
- The data speak for the time at which the file was last written. Copying a file without its time (`cp` without `-p`)
  makes it look newer than its data are.
- The recorded name is relative to the configuration's folder, or the file's name alone: no home folders in evidence.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote

from annexa.collect.exchange import Request, Response, Tape
from annexa.collect.parts import PartLog
from annexa.collect.tabular import LARGEST_DOCUMENT, Layout, format_of, records
from annexa.errors import CollectError, Denied, Unreadable
from annexa.sdk import Row, Scope

PIECE = 4 * 1024 * 1024
MOST_BAD_RECORDS = 100


class FilesTransport(PartLog):
    """What a collector sees as `Files`.

    Args:
        tape: Where the pieces are recorded, or come from.
        scope: The scope that is being fetched.
        as_of: The run's time.
        base: The configuration's folder; relative paths start there.

    Attributes:
        as_of_data: When the oldest of the files that were read was last written; None before any.
    """

    def __init__(self, tape: Tape, *, scope: Scope, as_of: datetime, base: Path = Path()) -> None:
        super().__init__()
        self.scope, self.as_of = scope, as_of
        self.as_of_data: datetime | None = None
        self._tape, self._base = tape, base

    def rows(
        self, path: Path, *, format: str = "", sheet: str = "", delimiter: str = "", encoding: str = "utf-8-sig"
    ) -> Iterator[Row]:
        """Every record of a file. One that cannot be read is noted and left out; too many of them end the reading.

        Raises:
            Unreadable: the file is missing, changes, is empty or is not what its format says.
            Denied: the file may not be read.
        """
        layout = Layout(format_of(path, format), sheet, delimiter, encoding)
        piece = LARGEST_DOCUMENT + 1 if layout.format == "json" else PIECE
        bad = 0
        for record in records(self._pieces(path, piece), layout, path.name):
            if not isinstance(record, Unreadable):
                yield record
                continue
            bad += 1
            self._note(path.name, record)
            if bad >= MOST_BAD_RECORDS:
                raise Unreadable(f"{path.name}: {bad} records cannot be read; the rest was not tried")

    def _note(self, name: str, problem: Unreadable) -> None:
        with self.part(name):
            raise problem

    def _pieces(self, path: Path, size: int) -> Iterator[bytes]:
        """The file's bytes as recorded, piece by piece."""
        file, shown = self._base / path, self._shown(path)
        url = f"file:{quote(shown)}"
        start, total, version = 0, -1, ""
        while start != total:
            asked = Request("GET", url, (("Range", f"bytes={start}-{start + size - 1}"),))
            answer = self._tape.play(asked, lambda request: _send(request, file, shown))
            end, found = _content_range(answer)
            if version and (answer.header("ETag"), found) != (version, total):
                raise CollectError(f"{shown}: it changed while it was read", remedy="Run again when it is written.")
            total, version = found, answer.header("ETag")
            self._date(answer)
            yield answer.body
            if total and end <= start:
                raise CollectError(f"{shown}: it was cut while it was read", remedy="Run again when it is written.")
            start = end

    def _date(self, answer: Response) -> None:
        written = parsedate_to_datetime(answer.header("Last-Modified"))
        self.as_of_data = min(written, self.as_of_data or written)

    def _shown(self, path: Path) -> str:
        if not path.is_absolute():
            return path.as_posix()
        base = self._base.resolve()
        return path.relative_to(base).as_posix() if path.is_relative_to(base) else path.name


def _content_range(answer: Response) -> tuple[int, int]:
    """Where the piece ends and the file does (RFC 9110, 14.4); lengths before redaction."""
    place, _, total = answer.header("Content-Range").removeprefix("bytes ").partition("/")
    return (0 if place == "*" else int(place.partition("-")[2]) + 1), int(total)


def _send(request: Request, file: Path, shown: str) -> Response:
    """Read one piece. `shown` is how people may see the file named."""
    first, _, last = dict(request.headers)["Range"].removeprefix("bytes=").partition("-")
    start, size = int(first), int(last) - int(first) + 1
    try:
        found = file.stat()
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable(f"{shown} is not a file", remedy=f"Make `path` name one exported file; {shown} is none.")
        with file.open("rb") as stream:
            stream.seek(start)
            data = stream.read(size)
    except FileNotFoundError as failure:
        raise Unreadable(f"{shown} does not exist", remedy=f"Export it to {shown}, or correct `path`.") from failure
    except PermissionError as failure:
        remedy = f"Give the user that runs annexa the right to read {shown}."
        raise Denied(f"{shown} may not be read", remedy=remedy) from failure
    except OSError as failure:
        raise CollectError(f"{shown} cannot be read: {failure.strerror}") from failure
    if start + len(data) < found.st_size:
        data = data[: data.rfind(b"\n") + 1] or data
    place = f"{start}-{start + len(data) - 1}" if data else "*"
    written = datetime.fromtimestamp(int(found.st_mtime), UTC)
    headers = (
        ("Content-Range", f"bytes {place}/{found.st_size}"),
        ("ETag", f'"{found.st_mtime_ns:x}-{found.st_size:x}"'),
        ("Last-Modified", format_datetime(written, usegmt=True)),
    )
    return Response(206 if data else 200, headers, data)
