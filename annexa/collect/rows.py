"""From a vendor's rows to a segment: JSON Lines, one row a line, its columns in declared order, then `_exchange`.

Rules:
- A column's path is a key of the vendor's row as it stands, dots and all; else its dots go into objects. What is not
  there is null. A list is not gone into.
- A value that is not understood is null in the segment and counted, with the first one as example: the shard is
  incomplete. A row whose key is null, or that is no object, names nothing that could be judged: counted, not written.
- What the vendor gives and no column declares is counted by key, two hundred keys at most.
- The same rows give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from annexa.collect.values import CONVERTERS, Unparsable
from annexa.errors import PackError
from annexa.sdk.tables import Column, ColumnType, Table

EXCHANGE = "_exchange"
_NAMES = 200
_OTHERS = "…"
_PLAIN = {ColumnType.TEXT: str, ColumnType.BOOLEAN: bool}
_Known = dict[str, Any]


class Sink(Protocol):
    """Where a segment's bytes go to: a blob being written."""

    def write(self, data: bytes) -> int:
        """Takes bytes."""
        ...


class SegmentWriter:
    """Writes one table of one shard.

    Args:
        table: What the rows must be.
        sink: Where the lines go to.

    Attributes:
        rows: Lines written.
        unknown: Keys that no column declares, with how often they came.
        doubts: Values and rows that were not understood.
        example: The first of them, for a person: `okta_user.created: 'yesterday' is not an ISO 8601 time`.

    Raises:
        PackError: The table has two columns of one name, or one named `_exchange`.
    """

    def __init__(self, table: Table, sink: Sink) -> None:
        names = [column.name for column in table.columns]
        if EXCHANGE in names or len(set(names)) < len(names):
            raise PackError(f"table {table.name}: column names must be unique, and none may be {EXCHANGE}")
        self.rows = 0
        self.unknown: dict[str, int] = {}
        self.doubts = 0
        self.example = ""
        self._table, self._sink = table, sink
        self._columns = [(c, _pick(c.path), _PLAIN.get(c.type), CONVERTERS[c.type]) for c in table.columns]
        self._known = _tree(table.columns)
        self._encode = msgspec.json.Encoder().encode

    def add(self, raw: Any, exchange: int) -> None:
        """Write one row that came with the exchange of that number."""
        if raw.__class__ is not dict and not isinstance(raw, Mapping):
            self._doubt("", raw, Unparsable("not an object"))
            return
        line: dict[str, Any] = {}
        for column, pick, plain, understand in self._columns:
            value = pick(raw)
            if value is not None and value.__class__ is not plain:
                value = self._understood(column, value, understand)
            line[column.name] = value
        self._count_unknown(raw, self._known, "")
        self._write(line, exchange)

    def _understood(self, column: Column, raw: Any, understand: Callable[[Any], Any]) -> Any:
        value = understand(raw)
        if isinstance(value, Unparsable):
            self._doubt(column.name, raw, value)
            return None
        return value

    def _write(self, line: dict[str, Any], exchange: int) -> None:
        for name in self._table.key:
            if line[name] is None:
                self._doubt(name, None, Unparsable("no key for a row"))
                return
        line[EXCHANGE] = exchange
        try:
            data = self._encode(line)
        except UnicodeEncodeError:
            self._without_surrogates(line, exchange)
            return
        self._sink.write(data + b"\n")
        self.rows += 1

    def _without_surrogates(self, line: dict[str, Any], exchange: int) -> None:
        """Half a surrogate pair is legal in JSON's escapes and is no text (RFC 8259, 8.2)."""
        for name, value in line.items():
            try:
                self._encode(value)
            except UnicodeEncodeError:
                self._doubt(name, value, Unparsable("not Unicode text"))
                line[name] = None
        self._write(line, exchange)

    def _doubt(self, column: str, raw: object, what: Unparsable) -> None:
        self.doubts += 1
        if not self.example:
            place = f"{self._table.name}.{column}" if column else self._table.name
            self.example = f"{place}: {printable(repr(raw))} is {what.why}"

    def _count_unknown(self, raw: Mapping[str, Any], known: _Known, above: str) -> None:
        for key in raw:
            if key not in known:
                self._count(f"{above}{key}")
            elif known[key] and isinstance(raw[key], Mapping):
                self._count_unknown(raw[key], known[key], f"{above}{key}.")

    def _count(self, name: str) -> None:
        if name not in self.unknown:
            name = printable(name)
            if name not in self.unknown and len(self.unknown) >= _NAMES:
                name = _OTHERS
            self.unknown.setdefault(name, 0)
        self.unknown[name] += 1


def printable(text: str, limit: int = 60) -> str:
    """A system's text for a person's eyes: no control characters, at most `limit` long."""
    clean = "".join(map(_shown, text[: limit + 1]))
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def _shown(char: str) -> str:
    if char.isprintable():
        return char
    return " " if char.isspace() else "\N{REPLACEMENT CHARACTER}"


class _NoObject:
    """What stands where a path goes on into an object; no converter understands it."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __repr__(self) -> str:
        return f"{self._value!r} in place of an object"


def _pick(path: str) -> Callable[[Mapping[str, Any]], Any]:
    first, *rest = path.split(".")

    def plain(row: Mapping[str, Any]) -> Any:
        return row.get(path)

    def nested(row: Mapping[str, Any]) -> Any:
        return row[path] if path in row else _descend(row.get(first), rest)

    return nested if rest else plain


def _descend(value: Any, rest: list[str]) -> Any:
    for key in rest:
        if value is None:
            return None
        if value.__class__ is not dict and not isinstance(value, Mapping):
            return _NoObject(value)
        value = value.get(key)
    return value


def _tree(columns: tuple[Column, ...]) -> _Known:
    """The declared keys: an empty entry is declared whole, another one only in what it holds."""
    whole = {column.path for column in columns}
    known: _Known = {path: {} for path in whole}
    for path in sorted(whole):
        level = known
        parts = path.split(".")
        for depth, key in enumerate(parts, 1):
            if ".".join(parts[:depth]) in whole and depth < len(parts):
                break
            level = level.setdefault(key, {})
    return known
