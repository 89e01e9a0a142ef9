"""A vendor's value becomes a value of a column's type, or is said not to be understood.

Rules:
- Nothing is guessed: a time without a zone, a `yes` for a boolean, an object for a text are `Unparsable`, never null.
- Null stays null. An instant becomes the ledger's text (`annexa.clock.text`); `0001-01-01`, which some systems write
  for "never", stays that instant.
- A date without a time is midnight UTC: systems that give only a date give no zone for it.
- A number is an instant in seconds since 1970 UTC, or in milliseconds when it is too large for seconds (from 1973 on).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from annexa.sdk.tables import ColumnType

_INTEGER = re.compile(r"[+-]?[0-9]{1,40}(\.0+)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?([0-9]{1,400}(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", re.ASCII)
_EPOCH = re.compile(r"[0-9]{9,13}(\.[0-9]{1,9})?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_INT64 = range(-(2**63), 2**63)
_MILLISECONDS_FROM = 1e11
_MILLISECONDS_TO = 1e14
_SEPARATORS = frozenset("Tt ")
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Unparsable:
    """A value that is not of its column's type; `why` completes "<value> is …"."""

    why: str


def convert(kind: ColumnType, raw: Any) -> Any:
    """The value of a column, ready for JSON; null stays null; `Unparsable` where it is not of that type."""
    return None if raw is None else CONVERTERS[kind](raw)


def _text(raw: Any) -> str | Unparsable:
    if isinstance(raw, str):
        return raw
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, int) or (isinstance(raw, float) and math.isfinite(raw)):
        return repr(raw)
    if isinstance(raw, date):
        return _time(raw)
    return Unparsable("not a text")


def _integer(raw: Any) -> int | Unparsable:
    value: Any = raw
    if isinstance(raw, str) and _INTEGER.fullmatch(raw):
        value = int(raw.partition(".")[0])
    elif isinstance(raw, float) and raw.is_integer():
        value = int(raw)
    if isinstance(value, bool) or not isinstance(value, int):
        return Unparsable("not a whole number")
    return value if value in _INT64 else Unparsable("a number beyond 64 bits")


def _number(raw: Any) -> float | Unparsable:
    if isinstance(raw, bool) or not (isinstance(raw, int | float) or (isinstance(raw, str) and _NUMBER.fullmatch(raw))):
        return Unparsable("not a number")
    try:
        value = float(raw)
    except OverflowError:
        return Unparsable("a number too large")
    return value if math.isfinite(value) else Unparsable("not a finite number")


def _boolean(raw: Any) -> bool | Unparsable:
    if isinstance(raw, bool):
        return raw
    value = _BOOLEANS.get(raw.lower()) if isinstance(raw, str) else None
    return Unparsable("neither true nor false") if value is None else value


def _time(raw: Any) -> str | Unparsable:
    try:
        moment = _moment(raw)
    except (ValueError, OverflowError, OSError):
        return Unparsable("not an ISO 8601 time")
    if isinstance(moment, Unparsable):
        return moment
    if moment.tzinfo is None:
        return Unparsable("a time without a zone")
    try:
        utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
        return utc.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    except OverflowError:
        return Unparsable("a time outside the years 1 to 9999")


def _moment(raw: Any) -> datetime | Unparsable:
    if isinstance(raw, str):
        return _written(raw)
    if isinstance(raw, datetime):
        return raw
    if isinstance(raw, date):
        return datetime(raw.year, raw.month, raw.day, tzinfo=UTC)
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return _epoch(raw)
    return Unparsable("not a time")


def _written(raw: str) -> datetime | Unparsable:
    if raw[4:5] == "-" and raw[10:11] in _SEPARATORS:
        return datetime.fromisoformat(raw[:-1] + "Z" if raw[-1] == "z" else raw)
    if _DATE.fullmatch(raw):
        return datetime.fromisoformat(raw).replace(tzinfo=UTC)
    if _EPOCH.fullmatch(raw):
        return _epoch(float(raw))
    return Unparsable("not an ISO 8601 time")


def _epoch(number: float) -> datetime | Unparsable:
    if not abs(number) < _MILLISECONDS_TO:
        return Unparsable("neither seconds nor milliseconds since 1970")
    return datetime.fromtimestamp(number / 1000 if abs(number) >= _MILLISECONDS_FROM else number, UTC)


def _json(raw: Any) -> Any:
    """The value as it is; times inside it as text. One part that is no JSON makes the whole unparsable."""
    if raw is None or isinstance(raw, str | bool | int):
        return raw
    if isinstance(raw, float):
        return raw if math.isfinite(raw) else Unparsable("a number that JSON does not have")
    if isinstance(raw, date):
        return _time(raw)
    if isinstance(raw, Mapping):
        if not all(isinstance(key, str) for key in raw):
            return Unparsable("an object with keys that are not texts")
        return _whole({key: _json(value) for key, value in raw.items()})
    if isinstance(raw, list | tuple):
        return _whole(dict(enumerate(map(_json, raw))), as_list=True)
    return Unparsable("not JSON")


def _whole(parts: dict[Any, Any], *, as_list: bool = False) -> Any:
    bad = next((part for part in parts.values() if isinstance(part, Unparsable)), None)
    return bad or (list(parts.values()) if as_list else parts)


def _texts(raw: Any) -> list[str] | Unparsable:
    items = raw if isinstance(raw, list | tuple) else [raw]
    texts: list[str] = []
    for item in items:
        text = _text(item)
        if isinstance(text, Unparsable):
            return Unparsable("not a list of texts")
        texts.append(text)
    return texts


CONVERTERS: dict[ColumnType, Callable[[Any], Any]] = {
    ColumnType.TEXT: _text,
    ColumnType.INTEGER: _integer,
    ColumnType.NUMBER: _number,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.TIMESTAMP: _time,
    ColumnType.JSON: _json,
    ColumnType.TEXTS: _texts,
}
"""By column type; none of them is asked about null."""
