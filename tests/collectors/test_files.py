"""Exported files: mappings, types, zones, and a file that does not fit its mapping."""

from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from annexa.collect.plan import plan
from annexa.collect.replay_run import replay_shard
from annexa.collect.runner import Run, collect
from annexa.collect.shards import Outcome, State
from annexa.errors import ConfigError
from annexa.evidence.blobs import BlobStore
from annexa.sdk import Strings, Table, Timestamp
from collectors.files import FilesConfig, files

AS_OF = datetime(2026, 9, 10, tzinfo=UTC)
PERSON = Table.of(
    "person",
    {"id": str, "email": str, "name": str, "groups": Strings, "left_at": Timestamp, "active": bool, "level": int},
    key="id",
)
ENTITIES = {"person": PERSON}
MAPPED = {"id": "Employee No", "email": "Mail"}


class Exports:
    """A folder of exports and a store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = Run(BlobStore(folder / "evidence"), AS_OF, folder)

    def collect(self, name: str, data: str | bytes, **config: Any) -> tuple[Outcome, list[dict[str, Any]]]:
        (self.folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
        settings = FilesConfig(**{"table": "person", "path": self.folder / name, **config})
        (shard,) = self.plan(settings)
        outcome = collect(shard, files, settings, self.run)
        (segment,) = outcome.tables
        rows = [json.loads(line) for line in self.run.blobs.read(segment.blob).splitlines()]
        replayed = replay_shard(
            outcome, shard, files, settings, self.run.blobs, as_of=AS_OF, base=self.folder
        )  # fmt: skip
        assert (replayed.tables, replayed.state) == (outcome.tables, outcome.state)
        return outcome, rows

    def plan(self, settings: FilesConfig) -> Any:
        return plan("people", files, settings, ENTITIES, lambda *_: pytest.fail("nothing to discover")).shards


@pytest.fixture
def exports(tmp_path: Path) -> Exports:
    return Exports(tmp_path)


def test_headers_fill_the_columns_that_they_are_mapped_to_or_named_like(exports: Exports) -> None:
    data = "Employee No,Mail,name,Salary\n 7 ,ada@example.com,Ada,12\n8,,Bob,13\n"
    outcome, rows = exports.collect("people.csv", data, columns=MAPPED)
    assert outcome.state is State.COMPLETE
    assert [(row["id"], row["email"], row["name"]) for row in rows] == [
        ("7", "ada@example.com", "Ada"),
        ("8", None, "Bob"),
    ]
    assert outcome.tables[0].table == "person"
    assert outcome.tables[0].unknown == {"Salary": 2}


def test_values_become_what_their_columns_are(exports: Exports) -> None:
    data = "id,groups,left_at,active,level\n1,admin; ops ;,2026-09-01 10:00,TRUE,3\n2,,2026-09-01,,\n"
    outcome, rows = exports.collect("people.csv", data, timezone="Europe/Berlin")
    assert outcome.state is State.COMPLETE
    picked = [[row[name] for name in ("groups", "left_at", "active", "level")] for row in rows]
    assert picked == [
        [["admin", "ops"], "2026-09-01T08:00:00.000000Z", True, 3],
        [None, "2026-08-31T22:00:00.000000Z", None, None],
    ]


def test_a_date_format_reads_what_is_not_iso(exports: Exports) -> None:
    data = "id;left_at\n1;01.02.2026\n2;31/02/2026\n"
    outcome, rows = exports.collect("people.csv", data, date_format="%d.%m.%Y")
    assert [row["left_at"] for row in rows] == ["2026-02-01T00:00:00.000000Z", None]
    assert outcome.state is State.INCOMPLETE
    assert "person.left_at: '31/02/2026' is not an ISO 8601 time" in outcome.reason


@pytest.mark.parametrize("value", ["01/02/2026", "45292", "soon"])
def test_a_date_that_could_be_another_is_never_guessed(exports: Exports, value: str) -> None:
    outcome, rows = exports.collect("people.csv", f"id,left_at\n1,{value}\n")
    assert (outcome.state, rows[0]["left_at"]) == (State.INCOMPLETE, None)


def test_times_in_a_workbook_are_of_the_zone_that_is_set(exports: Exports) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["id", "left_at", "level"])
    book.active.append([7, datetime(2026, 9, 1, 10), 3])
    out = io.BytesIO()
    book.save(out)
    outcome, rows = exports.collect("people.xlsx", out.getvalue(), timezone="America/New_York")
    assert outcome.state is State.COMPLETE
    assert (rows[0]["id"], rows[0]["left_at"], rows[0]["level"]) == ("7", "2026-09-01T14:00:00.000000Z", 3)


def test_json_lines_with_objects_inside(exports: Exports) -> None:
    data = '{"id": 1, "profile": {"mail": " ada@example.com ", "end": "2026-09-01 00:00"}}\n{"id": 2}\n'
    columns = {"email": "profile.mail", "left_at": "profile.end"}
    outcome, rows = exports.collect("people.jsonl", data, columns=columns)
    assert outcome.state is State.COMPLETE
    assert (rows[0]["email"], rows[0]["left_at"]) == ("ada@example.com", "2026-09-01T00:00:00.000000Z")
    assert rows[1]["email"] is None


def test_a_mapped_header_that_is_not_there_is_an_error_with_the_nearest_one(exports: Exports) -> None:
    outcome, rows = exports.collect("people.csv", "Employee No,E-Mail\n7,ada@example.com\n", columns=MAPPED)
    assert (outcome.state, rows) == (State.FAILED, [])
    assert outcome.reason == "people.csv: column 'Mail' is not in the header; did you mean 'E-Mail'?"


def test_a_key_that_is_not_there_is_an_error(exports: Exports) -> None:
    outcome, _ = exports.collect("people.csv", "Mail\nada@example.com\n", columns={"email": "Mail"})
    assert outcome.state is State.FAILED
    assert "column 'id' is not in the header" in outcome.reason


def test_a_mapped_key_that_no_json_record_has_makes_it_incomplete(exports: Exports) -> None:
    """A misspelt `left_at` would make everybody look employed."""
    data = '{"id": 1, "terminated": "2026-09-01T00:00:00Z"}\n'
    outcome, rows = exports.collect("people.jsonl", data, columns={"left_at": "terminatedOn"})
    assert (outcome.state, len(rows)) == (State.INCOMPLETE, 1)
    assert "column 'terminatedOn' is in no record" in outcome.reason


def test_a_record_without_its_key_makes_it_incomplete(exports: Exports) -> None:
    outcome, rows = exports.collect("people.csv", "id,email\n,ada@example.com\n2,bob@example.com\n")
    assert (outcome.state, [row["id"] for row in rows]) == (State.INCOMPLETE, ["2"])


@pytest.mark.parametrize(("data", "state"), [("", State.FAILED), ("id,email\n", State.COMPLETE)])
def test_an_empty_file_is_no_empty_list(exports: Exports, data: str, state: State) -> None:
    outcome, rows = exports.collect("people.csv", data)
    assert (outcome.state, rows) == (state, [])


def test_a_missing_file_fails_and_says_where_it_should_be(exports: Exports) -> None:
    settings = FilesConfig(table="person", path=exports.folder / "exports" / "people.csv")
    (shard,) = exports.plan(settings)
    outcome = collect(shard, files, settings, exports.run)
    assert outcome.state is State.FAILED
    assert outcome.reason == "exports/people.csv does not exist"
    assert "exports/people.csv" in outcome.remedy
    assert outcome.exchanges is not None


def test_the_data_are_as_old_as_the_file(exports: Exports) -> None:
    path = exports.folder / "people.csv"
    path.write_text("id\n1\n")
    os.utime(path, (1_780_000_000, 1_780_000_000))
    settings = FilesConfig(table="person", path=path)
    (shard,) = exports.plan(settings)
    assert collect(shard, files, settings, exports.run).as_of == datetime.fromtimestamp(1_780_000_000, UTC)


def test_a_table_of_ones_own(exports: Exports) -> None:
    outcome, rows = exports.collect(
        "audits.csv",
        "Nr,Closed,Findings\nA-1,2026-09-01T00:00:00Z,3\n",
        table="supplier_audit",
        columns={"number": "Nr", "closed_at": "Closed", "findings": "Findings"},
        types={"closed_at": "timestamp", "findings": "integer"},
        key=["number"],
    )
    assert outcome.state is State.COMPLETE
    assert rows == [{"number": "A-1", "closed_at": "2026-09-01T00:00:00.000000Z", "findings": 3, "_exchange": 1}]


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"table": "persons"}, "persons is no entity"),
        ({"table": "Audit", "columns": {"a": "A"}}, "'Audit' is no name"),
        ({"table": "audit", "columns": {"a b": "A"}}, "'a b' is no name"),
        ({"columns": {"emial": "Mail"}}, "no column 'emial'; did you mean 'email'"),
        ({"key": ["number"]}, "no column 'number'"),
        ({"types": {"email": "text"}}, "person is an entity"),
        ({"timezone": "Europe/Atlantis"}, "no time zone is named 'Europe/Atlantis'"),
        ({"delimiter": ";;"}, "more than one character"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_before_anything_is_read(
    exports: Exports, config: dict[str, Any], says: str
) -> None:
    settings = replace(FilesConfig(table="person", path=Path("people.csv")), **config)
    with pytest.raises(ConfigError, match=says):
        exports.plan(settings)
