"""Files as a source: every format, what cannot be read, pieces, changes, and memory."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annexa.collect import files as files_module
from annexa.collect import xlsx
from annexa.collect.files import FilesTransport
from annexa.collect.redaction import Redactor
from annexa.collect.replay import ReplayTape
from annexa.collect.tabular import Layout, records
from annexa.collect.tape import RecordingTape
from annexa.errors import CollectError, Denied, Unreadable
from annexa.sdk import GLOBAL

AS_OF = datetime(2026, 9, 10, tzinfo=UTC)


class Recording:
    def __init__(self, base: Path) -> None:
        self.exchanges, self.bodies = io.BytesIO(), io.BytesIO()
        self.tape = RecordingTape(self.exchanges, self.bodies, Redactor())
        self.files = FilesTransport(self.tape, scope=GLOBAL, as_of=AS_OF, base=base)

    def replayed(self, base: Path) -> FilesTransport:
        lines = self.exchanges.getvalue().splitlines()
        tape = ReplayTape(lines, self.bodies.getvalue())
        return FilesTransport(tape, scope=GLOBAL, as_of=AS_OF, base=base)


def read(tmp_path: Path, name: str, data: bytes, **layout: str) -> tuple[list[Any], FilesTransport]:
    (tmp_path / name).write_bytes(data)
    files = Recording(tmp_path).files
    return list(files.rows(Path(name), **layout)), files


ADA = [{"id": "1", "name": "Ada"}, {"id": "2", "name": "Łucja, née Nowak"}]
CSV = 'id,name\n1,Ada\n2,"Łucja, née Nowak"\n'


@pytest.mark.parametrize(
    ("name", "data", "layout"),
    [
        ("a.csv", CSV.encode(), {}),
        ("a.csv", b"\xef\xbb\xbf" + CSV.encode(), {}),
        ("a.csv", CSV.replace("\n", "\r\n").encode(), {}),
        ("a.csv", CSV.replace("\n", "\r").encode(), {}),
        ("a.csv", ("\n\n" + CSV + ",\n\n").encode(), {}),
        ("a.csv", CSV.encode("utf-16"), {"encoding": "utf-16"}),
        ("a.csv", CSV.encode("cp1250"), {"encoding": "cp1250"}),
        ("a.csv", 'id;name\n1;Ada\n2;"Łucja, née Nowak"\n'.encode(), {}),
        ("a.tsv", 'id\tname\n1\tAda\n2\t"Łucja, née Nowak"\n'.encode(), {}),
        ("a.dat", "id|name\n1|Ada\n2|Łucja, née Nowak\n".encode(), {"format": "csv", "delimiter": "|"}),
        ("a.jsonl", "\n".join(json.dumps(row) for row in ADA).encode(), {}),
        ("a.ndjson", "\n\n".join(json.dumps(row) for row in ADA).encode(), {}),
        ("a.json", json.dumps(ADA, indent=1).encode(), {}),
    ],
)  # fmt: skip
def test_the_same_records_in_every_format(tmp_path: Path, name: str, data: bytes, layout: dict[str, str]) -> None:
    rows, files = read(tmp_path, name, data, **layout)
    assert rows == ADA
    assert files.flaws == []


def workbook(rows: list[list[Any]], title: str = "People") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    book.create_sheet("Empty")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_xlsx_gives_what_the_cells_hold_and_no_blank_rows(tmp_path: Path) -> None:
    hired = datetime(2026, 9, 1)
    data = workbook([["id", "name", "on"], [1, "Ada", hired], [None], [2, None, None], [None, None], [""]])
    rows, files = read(tmp_path, "a.xlsx", data, sheet="People")
    assert rows[:2] == [{"id": 1, "name": "Ada", "on": hired}, {"id": 2, "name": None, "on": None}]
    assert files.flaws == []


def test_xlsx_formula_without_its_result_and_value_without_a_header_are_said(tmp_path: Path) -> None:
    rows, files = read(tmp_path, "a.xlsx", workbook([["id"], ["=1+1"], [2], [3, "beyond"], ["#N/A"]]))
    assert rows == [{"id": 2}]
    messages = [flaw.message for flaw in files.flaws]
    assert messages == [
        "a.xlsx:2: a formula that was saved without its result",
        "a.xlsx:4: a value beyond the last named column",
        "a.xlsx:5: the error value #N/A",
    ]


@pytest.mark.parametrize(
    ("name", "data", "layout", "says"),
    [
        ("a.csv", b"", {}, "empty"),
        ("a.csv", b"\n\n \n", {}, "empty"),
        ("a.jsonl", b"", {}, "empty"),
        ("a.json", b"", {}, "a.json"),
        ("a.json", b'{"rows": []}', {}, "not a list"),
        ("a.json", b"[1,", {}, "line 1"),
        ("a.xlsx", b"", {}, "not a sound XLSX"),
        ("a.xlsx", b"PK\x03\x04nonsense", {}, "not a sound XLSX"),
        ("a.csv", b"id,id\n1,2\n", {}, "two columns are named 'id'"),
        ("a.csv", b"id,,name\n1,2,3\n", {}, "column 2 has no name"),
        ("a.csv", b"id,name\n1,Ada\n2,\xff\n", {}, "byte 16"),
        ("a.csv", CSV.encode("utf-16"), {}, "byte 0"),
        ("a.csv", b"i\0d,name\n", {}, "a.csv:1: a NUL"),
        ("a.csv", b"id\n1\n", {"encoding": "klingon"}, "unknown encoding"),
        ("a.dat", b"id\n1\n", {}, "its ending"),
        ("a.csv", b"id\n1\n", {"format": "dbf"}, "unknown format"),
        ("a.xlsx", workbook([["id"], [1]]), {"sheet": "Staff"}, "no sheet is named 'Staff'"),
        ("a.xlsx", workbook([]), {}, "the sheet is empty"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_never_an_empty_list(
    tmp_path: Path, name: str, data: bytes, layout: dict[str, str], says: str
) -> None:
    with pytest.raises(Unreadable, match=says) as raised:
        read(tmp_path, name, data, **layout)
    assert name in str(raised.value)


@pytest.mark.parametrize(
    ("name", "data"), [("a.csv", b"id,name\n"), ("a.json", b"[]"), ("a.xlsx", workbook([["id", "name"]]))]
)
def test_a_header_without_records_is_an_empty_list(tmp_path: Path, name: str, data: bytes) -> None:
    rows, files = read(tmp_path, name, data)
    assert (rows, files.flaws) == ([], [])


@pytest.mark.parametrize(
    ("name", "data", "place"),
    [
        ("a.csv", b"id,name\n1,Ada\n2\n3,Eve\n", "a.csv:3: 1 fields where the header has 2"),
        ("a.csv", b"id,name\n1,Ada\n2,b,c\n3,Eve\n", "a.csv:3: 3 fields where the header has 2"),
        ("a.csv", b'id,name\n1,Ada\n2,"b"c\n3,Eve\n', "a.csv:3: "),
        ("a.jsonl", b'{"id":"1","name":"Ada"}\n{"id":\n{"id":"3","name":"Eve"}', "a.jsonl:2 "),
        ("a.jsonl", b'{"id":"1","name":"Ada"}\n{"id":"2","id":"3"}\n{"id":"3","name":"Eve"}', "a.jsonl:2 "),
        ("a.jsonl", b'{"id":"1","name":"Ada"}\n[2]\n{"id":"3","name":"Eve"}', "a.jsonl:2: not an object"),
        ("a.json", b'[{"id":"1","name":"Ada"},2,{"id":"3","name":"Eve"}]', "a.json: item 2 "),
    ],
)
def test_a_record_that_cannot_be_read_is_said_with_its_place_and_the_next_one_follows(
    tmp_path: Path, name: str, data: bytes, place: str
) -> None:
    rows, files = read(tmp_path, name, data)
    assert rows == [{"id": "1", "name": "Ada"}, {"id": "3", "name": "Eve"}]
    assert [flaw.message.startswith(place) for flaw in files.flaws] == [True]


def test_a_quotation_that_never_ends_is_said(tmp_path: Path) -> None:
    rows, files = read(tmp_path, "a.csv", b'id,name\n1,Ada\n2,"Eve\n3,Bob\n')
    assert rows == [{"id": "1", "name": "Ada"}]
    assert len(files.flaws) == 1


def test_a_file_of_nothing_but_bad_records_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="100 records cannot be read"):
        read(tmp_path, "a.csv", b"id,name\n" + b"1\n" * 1_000_000)


def test_a_missing_file_says_where_it_should_be(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"exports/people\.csv does not exist") as raised:
        list(Recording(tmp_path).files.rows(Path("exports/people.csv")))
    assert "exports/people.csv" in raised.value.remedy


def test_a_folder_and_a_pipe_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    for name in ("pipe.csv", "folder.csv"):
        with pytest.raises(Unreadable, match="is not a file"):
            list(Recording(tmp_path).files.rows(Path(name)))


def test_a_file_that_may_not_be_read_is_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so the refusal is injected where the file is opened."""
    (tmp_path / "a.csv").write_bytes(b"id\n1\n")

    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(Denied, match="may not be read"):
        list(Recording(tmp_path).files.rows(Path("a.csv")))


def test_pieces_end_with_a_line_and_are_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files_module, "PIECE", 20)
    data = b"id,name\n" + b"".join(b"%d,Ada\n" % n for n in range(50))
    (tmp_path / "a.csv").write_bytes(data)
    recording = Recording(tmp_path)
    rows = list(recording.files.rows(Path("a.csv")))
    assert rows == [{"id": str(n), "name": "Ada"} for n in range(50)]
    assert recording.bodies.getvalue() == data
    exchanges = [json.loads(line) for line in recording.exchanges.getvalue().splitlines()]
    ends = [e["_annexa"]["offset"] + e["_annexa"]["length"] for e in exchanges]
    assert len(ends) > 10
    assert all(data[:end].endswith(b"\n") for end in ends)


def test_a_replay_needs_no_file_and_gives_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files_module, "PIECE", 20)
    (tmp_path / "a.csv").write_bytes(b"id,name\n" + b"1,Ada\n2\n" * 20)
    os.utime(tmp_path / "a.csv", (1_700_000_000, 1_700_000_000))
    recording = Recording(tmp_path)
    rows = list(recording.files.rows(Path("a.csv")))
    (tmp_path / "a.csv").unlink()
    again = recording.replayed(tmp_path)
    assert list(again.rows(Path("a.csv"))) == rows
    assert again.flaws == recording.files.flaws
    assert again.as_of_data == recording.files.as_of_data == datetime.fromtimestamp(1_700_000_000, UTC)


def test_a_secret_in_a_file_is_cut_before_it_is_parsed_and_the_rest_still_is(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, "a.jsonl", b'{"id":"1","client_secret":"hunter2hunter2"}\n{"id":"2"}\n')
    assert "hunter2" not in str(rows)
    assert [row["id"] for row in rows] == ["1", "2"]


@pytest.mark.parametrize("change", [b"id,name\n9,Eve\n" * 9, b"id,name\n", b"id,name\n" + b"2,Eve\n" * 20])
def test_a_file_that_changes_while_it_is_read_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: bytes
) -> None:
    monkeypatch.setattr(files_module, "PIECE", 20)
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,name\n" + b"1,Ada\n" * 20)
    rows: Iterator[Any] = iter(Recording(tmp_path).files.rows(Path("a.csv")))
    next(rows)
    path.write_bytes(change)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    with pytest.raises(CollectError, match="while it was read"):
        list(rows)


@pytest.mark.parametrize(
    ("base", "path", "url"),
    [
        ("/srv/isms", Path("exports/people 1.csv"), "file:exports/people%201.csv"),
        ("/srv/isms", Path("/srv/isms/exports/people.csv"), "file:exports/people.csv"),
        ("/srv/isms", Path("/home/ada/people.csv"), "file:people.csv"),
    ],
)
def test_the_recorded_name_tells_no_folder_of_this_host(base: str, path: Path, url: str) -> None:
    recording = Recording(Path(base))
    with pytest.raises(Unreadable):
        list(recording.files.rows(path))
    line = json.loads(recording.exchanges.getvalue())
    assert line["request"]["url"] == url
    assert "/srv" not in json.dumps(line)
    assert "/home" not in json.dumps(line)


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "LARGEST_UNPACKED", 1024 * 1024)
    bomb = io.BytesIO(workbook([["id"], [1]]))
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros.bin", bytes(2 * 1024 * 1024))
    with pytest.raises(Unreadable, match="unpacks to"):
        read(tmp_path, "a.xlsx", bomb.getvalue())


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12)


@given(st.lists(st.tuples(cells.filter(str.strip), cells), max_size=8), st.integers(1, 40), st.sampled_from(",;\t|"))
def test_what_csv_writers_write_is_read_back_whatever_the_pieces(
    pairs: list[tuple[str, str]], size: int, delimiter: str
) -> None:
    import csv

    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("id", "name"), *pairs])
    data = out.getvalue().encode()
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    found = list(records(pieces, Layout("csv"), "a.csv"))
    assert found == [{"id": a, "name": b} for a, b in pairs]


MEASURE = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from annexa.collect.files import FilesTransport
from annexa.collect.redaction import Redactor
from annexa.collect.rows import SegmentWriter
from annexa.collect.tape import RecordingTape
from annexa.sdk import GLOBAL, Table

class Nowhere:
    def write(self, data):
        return len(data)

tape = RecordingTape(Nowhere(), Nowhere(), Redactor())
files = FilesTransport(tape, scope=GLOBAL, as_of=datetime(2026, 9, 10, tzinfo=UTC), base=Path(sys.argv[1]))
segment = SegmentWriter(Table.of("person", {"id": str, "email": str, "name": str}, key="id"), Nowhere())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for row in files.rows(Path("people.csv")):
    segment.add(row, tape.last)
print(segment.rows, segment.doubts, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    filler = "x" * 60
    with (tmp_path / "people.csv").open("w") as out:
        out.write("id,email,name\n")
        out.writelines(f"{n},person{n}@example.com,{filler}\n" for n in range(300_000))
    assert (tmp_path / "people.csv").stat().st_size > 25_000_000
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MEASURE), str(tmp_path)], capture_output=True, text=True, check=True
    )
    rows, doubts, grown = map(int, done.stdout.split())
    assert (rows, doubts) == (300_000, 0)
    assert grown < 60
