"""The leaves of the ledger: what an entry says, as exact RFC 8785 JSON bytes.

    {"body":{…},"index":12,"kind":"collection","run":"…" or null,"time":"2026-09-10T00:00:00.000000Z","v":1}

The bytes are made once, stored and hashed; nobody makes them again. A body holds JSON only: numbers that JSON
readers may round (integers beyond 2**53 - 1) are written as strings by whoever makes the body.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import rfc8785

from annexa.errors import StoreError, Tampered

VERSION = 1
_SAFE = 2**53 - 1
_MEMBERS = 6


class Kind(StrEnum):
    """What an entry records."""

    RUN_START = "run_start"
    COLLECTION = "collection"
    ASSESSMENT = "assessment"
    RUN_END = "run_end"
    EFFECTIVENESS = "effectiveness"
    STATEMENT = "statement"
    NONCONFORMITY = "nonconformity"
    KPI = "kpi"
    SIGNATURE = "signature"
    EXCEPTION = "exception"
    ERASURE = "erasure"
    KEY_ROTATION = "key_rotation"


@dataclass(frozen=True, slots=True)
class Leaf:
    """What one entry says.

    Attributes:
        index: Its number in the ledger, from 0.
        time: When it was recorded, as `annexa.clock.text` writes it.
        kind: What it records.
        run: The run it belongs to, if any.
        body: The rest: JSON, by the rules of its kind.
    """

    index: int
    time: str
    kind: Kind
    run: str | None
    body: Mapping[str, Any]

    def encode(self) -> bytes:
        """The leaf's bytes.

        Raises:
            StoreError: The body holds something that RFC 8785 has no form for; the message names where.
        """
        content: dict[str, Any] = {
            "v": VERSION,
            "index": self.index,
            "time": self.time,
            "kind": str(self.kind),
            "run": self.run,
            "body": self.body,
        }
        try:
            return rfc8785.dumps(content)
        except (ValueError, RecursionError) as error:
            raise StoreError(
                f"a {self.kind} entry cannot be written as RFC 8785 JSON: {_first_unwritable(self.body, error)}",
                remedy="Write large or exact numbers, times and bytes as strings.",
            ) from None

    @classmethod
    def parse(cls, data: bytes) -> Leaf:
        """What the bytes of a leaf say.

        Raises:
            Tampered: They are not a leaf, or one that a newer annexa wrote.
        """
        try:
            content = json.loads(
                data.decode(), object_pairs_hook=_unique_members, parse_int=_integer, parse_constant=_refuse_constant
            )
        except (ValueError, RecursionError) as error:
            raise Tampered(f"not a ledger leaf: {error}") from error
        match content:
            case {
                "v": 1,
                "index": int(index),
                "time": str(time),
                "kind": str(kind),
                "run": str(run) | (None as run),
                "body": dict(body),
            } if len(content) == _MEMBERS and kind in tuple(Kind):
                return cls(index, time, Kind(kind), run, body)
        raise Tampered(f"not a ledger leaf of version {VERSION} and a known kind: {data[:80]!r}")


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Readers differ in which of two equal keys they believe."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return members


def _integer(digits: str) -> int | float:
    """A number of RFC 8785 is a double: a large one is written like an integer, whose last digits say nothing."""
    value = int(digits)
    return value if abs(value) <= _SAFE else float(digits)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _first_unwritable(body: object, error: Exception) -> str:
    """Where a body breaks RFC 8785; rfc8785 says only what."""
    try:
        return next(_unwritable(body, "body"), f"body: {error}")
    except RecursionError:
        return "body: nested too deeply"


def _unwritable(value: object, place: str) -> Iterator[str]:
    match value:
        case list() | tuple():
            for number, item in enumerate(value):
                yield from _unwritable(item, f"{place}[{number}]")
        case dict():
            for key, item in value.items():
                if isinstance(key, str) and _is_unicode(key):
                    yield from _unwritable(item, f"{place}.{key}")
                else:
                    yield f"{place}: the key {key!r} is not Unicode text"
        case _:
            reason = _scalar_fault(value)
            if reason:
                yield f"{place}: {reason}"


def _scalar_fault(value: object) -> str | None:
    match value:
        case None | bool():
            return None
        case int():
            return f"the integer {value} is beyond 2**53 - 1" if abs(value) > _SAFE else None
        case float():
            return None if math.isfinite(value) else f"{value} is not a JSON number"
        case str():
            return None if _is_unicode(value) else "the text has a lone surrogate"
        case _:
            return f"{type(value).__name__} is not JSON"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
