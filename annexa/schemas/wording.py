"""What is wrong with a document, in words: where, what stands there, what is expected.

A value is echoed only when it is short and its schema does not say `writeOnly`; a mapping or a list never is.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from annexa.strict_yaml import Pointer

if TYPE_CHECKING:
    from jsonschema import ValidationError

BY_REFERENCE = "must be a reference (env:NAME, file:PATH or keyring:SERVICE/USER), not the secret itself"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where, and in which words."""

    pointer: Pointer
    message: str


def faults(errors: Iterable[ValidationError]) -> Iterator[Fault]:
    """The faults behind jsonschema's errors; those that only a person's words can say are reworded."""
    for error in errors:
        if _is_secret(error.schema) and error.validator != "required":
            yield Fault(_pointer(error), BY_REFERENCE)
        elif error.validator in ("anyOf", "oneOf"):
            yield from _alternatives(error)
        elif error.validator == "additionalProperties" and isinstance(error.instance, Mapping):
            yield from _unknown(error)
        elif error.validator == "required":
            yield from _missing(error)
        else:
            yield Fault(_pointer(error), _message(error))


def _pointer(error: ValidationError) -> Pointer:
    here: Pointer = tuple(error.absolute_path)
    return (*here, str(error.instance)) if "propertyNames" in error.absolute_schema_path else here


def _is_secret(schema: Any) -> bool:
    if not isinstance(schema, Mapping):
        return False
    options = schema.get("anyOf", ()) or schema.get("oneOf", ())
    return bool(schema.get("writeOnly")) or any(_is_secret(option) for option in options)


def _unknown(error: ValidationError) -> Iterator[Fault]:
    schema: Any = error.schema
    given: Any = error.instance
    known = sorted(schema.get("properties", ()))
    for name in given:
        if name in known:
            continue
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
        yield Fault((*_pointer(error), name), f"unknown field; {hint}")


def _missing(error: ValidationError) -> Iterator[Fault]:
    schema: Any = error.schema
    for name in _absent(error):
        wanted = schema.get("properties", {}).get(name, {}).get("description", "")
        yield Fault(_pointer(error), f"{name} is missing" + (f" ({wanted.rstrip('.')})" if wanted else ""))


def _absent(error: ValidationError) -> list[str]:
    """The fields that a `required` asks for in vain."""
    given: Any = error.instance
    required: Any = error.validator_value if error.validator == "required" else ()
    return [name for name in required if name not in given]


def _alternatives(error: ValidationError) -> Iterator[Fault]:
    """The faults of the one alternative that was meant; all alternatives in words when none can be told apart."""
    branches: dict[int, list[ValidationError]] = {}
    for sub in error.context or ():
        branches.setdefault(int(sub.schema_path[0]), []).append(sub)
    meant = [subs for subs in branches.values() if all(sub.relative_path or sub.validator != "type" for sub in subs)]
    absent = [str(name) for subs in branches.values() for sub in subs for name in _absent(sub)]
    if len(meant) == 1:
        yield from faults(meant[0])
    elif len(absent) == sum(len(subs) for subs in branches.values()):
        yield Fault(_pointer(error), f"{' or '.join(absent)} is missing")
    else:
        options: Any = error.validator_value
        wanted = " or ".join(dict.fromkeys(_wanted(option) for option in options))
        yield Fault(_pointer(error), f"{_shown(error.instance)}, expected {wanted}")


_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}


def _wanted(schema: Mapping[str, Any]) -> str:
    if "x-expected" in schema:
        return str(schema["x-expected"])
    if "enum" in schema:
        return "one of " + ", ".join(_plain(value) for value in schema["enum"])
    if "const" in schema:
        return _plain(schema["const"])
    return _type(schema.get("type", "something else"))


def _type(kind: str | list[str]) -> str:
    kinds = [kind] if isinstance(kind, str) else kind
    return " or ".join(_TYPES.get(name, name) for name in kinds)


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_plain(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "nothing" if value is None else str(value)


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "is a mapping"
    if isinstance(value, list):
        return "is a list"
    if value is None:
        return "is empty"
    text = repr(value) if isinstance(value, str) else _plain(value)
    return f"is {text}" if len(text) <= 60 else "is a long text"


def _message(error: ValidationError) -> str:
    word = _WORDS.get(str(error.validator))
    schema: Any = error.schema
    if word is None:
        return f"breaks the rule {error.validator} of the schema"
    return word(error.instance, error.validator_value, schema)


def _of_type(value: Any, wanted: Any, schema: Any) -> str:
    if "x-expected" in schema:
        return f"{_shown(value)}, expected {schema['x-expected']}"
    quotes = "; put it in quotes" if wanted == "string" and isinstance(value, int | float) else ""
    return f"{_shown(value)}, expected {_type(wanted)}{quotes}"


def _of_pattern(value: Any, wanted: Any, schema: Any) -> str:
    if "x-expected" in schema:
        return f"{_shown(value)}, expected {schema['x-expected']}"
    meaning = f" ({schema['description'].rstrip('.')})" if "description" in schema else ""
    return f"{_shown(value)}, expected text of the form {wanted}{meaning}"


_FORMATS = {
    "date-time": "a time with its zone, such as 2026-09-10T00:00:00Z",
    "date": "a date such as 2026-09-10",
}

_WORDS: dict[str, Callable[[Any, Any, Any], str]] = {
    "type": _of_type,
    "pattern": _of_pattern,
    "enum": lambda value, wanted, schema: f"{_shown(value)}, not one of {', '.join(map(_plain, wanted))}",
    "const": lambda value, wanted, schema: f"{_shown(value)}, expected {_plain(wanted)}",
    "format": lambda value, wanted, schema: f"{_shown(value)}, expected {_FORMATS.get(wanted, wanted)}",
    "minLength": lambda value, wanted, schema: "is empty" if wanted == 1 else f"is shorter than {wanted} characters",
    "maxLength": lambda value, wanted, schema: f"is longer than {wanted} characters",
    "minItems": lambda value, wanted, schema: f"has {len(value)} items, expected at least {wanted}",
    "maxItems": lambda value, wanted, schema: f"has {len(value)} items, expected at most {wanted}",
    "minProperties": lambda value, wanted, schema: f"has {len(value)} fields, expected at least {wanted}",
    "maxProperties": lambda value, wanted, schema: f"has {len(value)} fields, expected at most {wanted}",
    "uniqueItems": lambda value, wanted, schema: "names something twice",
    "minimum": lambda value, wanted, schema: f"{_shown(value)}, expected at least {wanted}",
    "maximum": lambda value, wanted, schema: f"{_shown(value)}, expected at most {wanted}",
    "exclusiveMinimum": lambda value, wanted, schema: f"{_shown(value)}, expected more than {wanted}",
    "exclusiveMaximum": lambda value, wanted, schema: f"{_shown(value)}, expected less than {wanted}",
    "not": lambda value, wanted, schema: f"{_shown(value)}, which is {wanted.get('x-expected', 'not allowed here')}",
}
