"""JSON Schema validation of documents, with the file, the line and the field of every fault.

Draft 2020-12. Up to ten faults of a document are named at once, in the order of its lines. A schema may say what a
`pattern` means to a person in `x-expected`, and marks what must not be echoed with `writeOnly`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annexa.errors import DocumentError, PackError
from annexa.strict_yaml import Document, Pointer

if TYPE_CHECKING:
    from jsonschema import FormatChecker

SHOWN = 10
ENGINE = Path(__file__).parents[1]

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@cache
def schema(name: str) -> dict[str, Any]:
    """A schema that annexa carries, by its path below the package: `schemas/kpi.schema.json`.

    Treat it as read-only: it is read once.
    """
    content: dict[str, Any] = json.loads((ENGINE / name).read_text(encoding="utf-8"))
    return content


def validate(
    document: Document,
    schema: Mapping[str, Any],
    *,
    error: type[DocumentError] = PackError,
    at: Pointer = (),
) -> None:
    """Nothing, if the value at `at` keeps to the schema.

    Raises:
        DocumentError: the class given as `error`, with the first fault's line and field; the others follow in its text.
    """
    from jsonschema import Draft202012Validator

    from annexa.schemas.wording import faults

    validator = Draft202012Validator(schema, format_checker=_formats())
    broken = list(validator.iter_errors(document.at(at)))
    if not broken:
        return
    found = sorted({(document.line_of(at + f.pointer), _dotted(at + f.pointer), f.message) for f in faults(broken)})
    line, field, message = found[0]
    more = [f"{document.path}:{other}: {name}: {text}" for other, name, text in found[1:SHOWN]]
    if len(found) > SHOWN:
        more.append(f"and {len(found) - SHOWN} more")
    raise error("\n".join([message, *more]), path=document.path, line=line, field=field)


def _dotted(pointer: Pointer) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in pointer)
    return "".join(steps).lstrip(".") or "the file"


@cache
def _formats() -> FormatChecker:
    """The formats that are checked; jsonschema's own need packages that may be absent, and then pass in silence."""
    from jsonschema import FormatChecker

    checker = FormatChecker(formats=())
    checker.checks("date-time", raises=ValueError)(_is_moment)
    checker.checks("date", raises=ValueError)(_is_date)
    return checker


def _is_moment(value: object) -> bool:
    if not isinstance(value, str):
        return True
    return bool(_RFC3339.fullmatch(value)) and datetime.fromisoformat(value).tzinfo is not None


def _is_date(value: object) -> bool:
    if not isinstance(value, str):
        return True
    return len(value) == 10 and bool(date.fromisoformat(value))
