"""Exported files: people, training completions, incidents, anything with a mapping.

Many systems, validated ones in regulated companies above all, give their records only as a file that a person or a job
exports. One source reads one file into one table: a common entity (`person`, `training`, `incident` …) or a table of
the user's own.

Rules:
- `columns` says which header fills which column. A header that is named there and is not in the file is an error, and
  so is one that the table's key needs. Other columns are filled from headers of their own name, else they are null.
- Text is trimmed, and empty is null. A list is split at `;`. A time without a zone is one of `timezone`, a date without
  a time its midnight there; `date_format` reads times that are not ISO 8601 (`%d/%m/%Y`). What fits no type is
  counted, and the table is incomplete.
- The data are as old as the file: its modification time decides freshness.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from annexa.sdk import (
    CollectError,
    Collector,
    Column,
    ColumnType,
    Entities,
    Files,
    Help,
    Row,
    Table,
    TableRow,
    Transports,
    Unreadable,
)

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_HEADED = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")


@dataclass(frozen=True)
class FilesConfig:
    """One exported file."""

    table: Annotated[str, Help("The entity that it fills (person, training, incident …), or a table of your own")]
    path: Annotated[Path, Help("The file: .csv, .tsv, .jsonl, .json or .xlsx")]
    columns: Annotated[dict[str, str], Help("Column: header in the file. Only where the two differ")] = field(
        default_factory=dict
    )
    types: Annotated[dict[str, ColumnType], Help("Column: type, for a table of your own; else text")] = field(
        default_factory=dict
    )
    key: Annotated[list[str], Help("Columns that tell one row from another; an entity has its own")] = field(
        default_factory=list
    )
    format: Annotated[
        Literal["csv", "jsonl", "json", "xlsx"] | None, Help("Where the ending of the path does not say it")
    ] = None
    sheet: Annotated[str, Help("Sheet of a workbook; the first one by default")] = ""
    delimiter: Annotated[str, Help("Of a CSV file; by default the one that its header has most: , ; | or tab")] = ""
    encoding: Annotated[str, Help("Of a text file, as Python names it: cp1252, utf-16 …")] = "utf-8-sig"
    timezone: Annotated[str, Help("IANA name of the zone of times that have none: Europe/Berlin")] = "UTC"
    date_format: Annotated[str, Help("How times are written if not in ISO 8601: %d/%m/%Y (as strptime)")] = ""


@dataclass(frozen=True)
class Export:
    """A file, how to read it, and the table that it fills."""

    files: Files
    config: FilesConfig
    table: Table | None


def connect(config: FilesConfig, open: Transports) -> Export:
    """The file as a source; it is opened by the fetch."""
    return Export(open.files(), config, open.tables[0] if open.tables else None)


def tables(config: FilesConfig, entities: Entities) -> tuple[Table, ...]:
    """The table that a file fills: the entity's columns or the user's own, each with its header as path.

    Raises:
        CollectError: the configuration names columns, keys, a delimiter or a zone that do not exist.
    """
    _zone(config.timezone)
    entity = entities.get(config.table)
    table = _own_table(config) if entity is None else entity
    names = [column.name for column in table.columns]
    for name in (*config.columns, *config.key):
        if name not in names:
            raise CollectError(f"table {config.table} has no column {name!r}{_near(name, names)}")
    if entity is not None and config.types:
        raise CollectError(f"{config.table} is an entity: its columns have their types", remedy="Remove `types`.")
    if len(config.delimiter) > 1:
        raise CollectError(f"delimiter {config.delimiter!r} is more than one character")
    columns = tuple(replace(column, path=config.columns.get(column.name, column.name)) for column in table.columns)
    return (replace(table, columns=columns, key=tuple(config.key) or table.key),)


files = Collector("files", config=FilesConfig, connect=connect, docs="docs/collectors.md")


@files.fetch(dynamic=tables)
def records(api: Export) -> Iterator[TableRow]:
    """One record of the file."""
    if api.table is None:
        raise CollectError("no table is being filled")
    table, config = api.table, api.config
    zone, missing = _zone(config.timezone), _required(table, config)
    headed = config.format in ("csv", "xlsx") if config.format else config.path.suffix.lower() in _HEADED
    found = False
    rows = api.files.rows(
        config.path,
        format=config.format or "",
        sheet=config.sheet,
        delimiter=config.delimiter,
        encoding=config.encoding,
    )
    for row in rows:
        found = True
        if missing:
            missing -= {path for path in missing if path in row or path.partition(".")[0] in row}
            if missing and headed:
                raise _absent(missing, row, config)
        yield table.row(_prepared(row, table.columns, zone, config.date_format))
    if found and missing:
        raise _absent(missing, {}, config)


def _required(table: Table, config: FilesConfig) -> set[str]:
    return {*config.columns.values(), *(column.path for column in table.columns if column.name in table.key)}


def _absent(missing: set[str], row: Row, config: FilesConfig) -> Unreadable:
    header = min(missing)
    where = f"not in the header{_near(header, list(row))}" if row else "in no record"
    remedy = "Correct `columns` of this source, or export the file with that column."
    return Unreadable(f"{config.path.name}: column {header!r} is {where}", remedy=remedy)


def _near(name: str, names: list[str]) -> str:
    lowered = {other.lower(): other for other in names}
    close = get_close_matches(name.lower(), lowered, n=1, cutoff=0.5)
    return f"; did you mean {lowered[close[0]]!r}?" if close else f": {', '.join(names[:20])}"


def _own_table(config: FilesConfig) -> Table:
    names = list(dict.fromkeys((*config.columns, *config.types)))
    if not names:
        raise CollectError(f"{config.table} is no entity", remedy="Correct `table`, or give `columns` and `types`.")
    for name in (config.table, *names):
        if not _NAME.fullmatch(name):
            raise CollectError(f"{name!r} is no name: lower-case letters, digits and _")
    columns = tuple(Column(name, config.types.get(name, ColumnType.TEXT), name) for name in names)
    return Table(config.table, columns, tuple(config.key), "One record of the file.")


def _prepared(row: Row, columns: tuple[Column, ...], zone: tzinfo, date_format: str) -> Row:
    """The row with what its columns need in place of what a file can say."""
    values = dict(row)
    for column in columns:
        value = _value(row, column.path)
        if isinstance(value, str):
            values[column.path] = _text(value.strip(), column.type, zone, date_format)
        elif isinstance(value, datetime) and value.tzinfo is None:
            values[column.path] = value.replace(tzinfo=zone)
    return values


def _value(row: Row, path: str) -> Any:
    if path in row or "." not in path:
        return row.get(path)
    value: Any = row
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _text(text: str, kind: ColumnType, zone: tzinfo, date_format: str) -> Any:
    if not text:
        return None
    if kind is ColumnType.TEXTS:
        return [part.strip() for part in text.split(";") if part.strip()]
    return _time(text, zone, date_format) if kind is ColumnType.TIMESTAMP else text


def _time(text: str, zone: tzinfo, date_format: str) -> datetime | str:
    """The time that the text is; the text where it is none, for the engine to count."""
    if date_format:
        try:
            moment = datetime.strptime(text, date_format)  # with %z it has its own zone
        except ValueError:
            return text
    elif text[4:5] == "-":
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return text
    else:
        return text
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as failure:
        remedy = "Give the IANA name of a zone, such as Europe/Berlin; a slim host needs `pip install tzdata`."
        raise CollectError(f"no time zone is named {name!r}", remedy=remedy) from failure
