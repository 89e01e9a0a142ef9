"""Tables and their columns, as collectors and entities declare them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from annexa.errors import PackError

Row = Mapping[str, Any]


class ColumnType(StrEnum):
    """The types a column can have, with the DuckDB type the loader gives it."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"
    JSON = "json"
    TEXTS = "texts"

    @property
    def sql(self) -> str:
        """The DuckDB type. Times are TIMESTAMPTZ: a plain TIMESTAMP would drop the offset."""
        return _SQL[self]


_SQL = {
    ColumnType.TEXT: "VARCHAR",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.NUMBER: "DOUBLE",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.TIMESTAMP: "TIMESTAMPTZ",
    ColumnType.JSON: "JSON",
    ColumnType.TEXTS: "VARCHAR[]",
}


class Timestamp:
    """Column type: an instant. ISO 8601 with a zone, or a number of seconds (or milliseconds) since 1970 UTC."""


class Json:
    """Column type: any JSON value, kept as it is."""


class Strings:
    """Column type: a list of strings; a single string where the vendor gives a scalar becomes a list of one."""


_PYTHON = {
    str: ColumnType.TEXT,
    int: ColumnType.INTEGER,
    float: ColumnType.NUMBER,
    bool: ColumnType.BOOLEAN,
    Timestamp: ColumnType.TIMESTAMP,
    Json: ColumnType.JSON,
    Strings: ColumnType.TEXTS,
}

ColumnSpec = type | tuple[type, str]


@dataclass(frozen=True, slots=True)
class Column:
    """One typed column: `path` says where in the vendor's row its value stands (dots go into objects)."""

    name: str
    type: ColumnType
    path: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table that a fetch fills.

    Args:
        name: Unique over all collectors; starts with the collector's name (`okta_user`).
        columns: In the order in which the reference shows them.
        key: Columns that identify a row within one scope of one source; empty for event logs. A duplicate key makes
            the table incomplete: a page was read twice or moved.
        doc: What one row is.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    doc: str = ""

    @classmethod
    def of(cls, name: str, columns: Mapping[str, ColumnSpec], *, key: str | Iterable[str] = (), doc: str = "") -> Table:
        """A table from Python types: `{"id": str, "email": (str, "profile.email")}`."""
        keys = (key,) if isinstance(key, str) else tuple(key)
        built = tuple(_column(column, spec) for column, spec in columns.items())
        missing = [k for k in keys if k not in columns]
        if missing:
            raise PackError(f"table {name}: key {missing} is not among the columns")
        return cls(name, built, keys, doc)

    def row(self, values: Row) -> TableRow:
        """A row of this table, for a fetch that fills several."""
        return TableRow(self, values)


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row together with the table it belongs to."""

    table: Table
    values: Row


def _column(name: str, spec: ColumnSpec) -> Column:
    kind, path = spec if isinstance(spec, tuple) else (spec, name)
    return Column(name, _PYTHON[kind], path)


Entities = Mapping[str, Table]
"""The common entities by name (`person`, `account` …), as mappings/entities/ declares them."""
