"""Validation in words: every fault with its line and field, in the order of the lines, and no secret echoed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import annexa
from annexa.errors import ConfigError, DocumentError, PackError
from annexa.schemas import schema, validate
from annexa.strict_yaml import loads

ENGINE = Path(annexa.__file__).parent
SCHEMAS = sorted(path.relative_to(ENGINE).as_posix() for path in ENGINE.glob("*/*.schema.json"))

PERSON: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "age"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 5, "description": "The person's name."},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "severity": {"enum": ["low", "medium", "high", "critical"]},
        "kind": {"const": "person"},
        "since": {"type": "string", "format": "date-time"},
        "born": {"type": "string", "format": "date"},
        "every": {"type": "string", "pattern": "^[0-9]+h$", "x-expected": "hours such as 24h"},
        "code": {"type": "string", "pattern": "^[A-Z]+$"},
        "share": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        "tags": {"type": "array", "minItems": 1, "maxItems": 2, "uniqueItems": True, "items": {"type": "string"}},
        "params": {"type": "object", "minProperties": 1, "maxProperties": 2, "propertyNames": {"pattern": "^[a-z]+$"}},
        "query": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        "token": {"type": "string", "pattern": "^env:", "writeOnly": True},
        "key": {"anyOf": [{"type": "string", "pattern": "^env:", "writeOnly": True}, {"type": "null"}]},
        "left": {"type": ["string", "null"]},
        "either": {"anyOf": [{"enum": ["all", "none"]}, {"pattern": "^[0-9]+$", "x-expected": "digits"}]},
        "place": {"anyOf": [{"required": ["city"]}, {"required": ["country"]}]},
    },
}

FAULTS = {
    "severity: hgih": "severity: is 'hgih', not one of low, medium, high, critical",
    "severtiy: high": "severtiy: unknown field; did you mean severity?",
    "xyzzy: 1": "xyzzy: unknown field; known are age, born, code, either, every, key, kind, left, name, params, place,"
    " query, severity, share, since, tags, token",
    "name: 5": "name: is 5, expected text; put it in quotes",
    "name: ''": "name: is empty",
    "name: toolong": "name: is longer than 5 characters",
    "name: [a]": "name: is a list, expected text",
    "name: {a: b}": "name: is a mapping, expected text",
    "name:": "name: is empty, expected text",
    "age: old": "age: is 'old', expected a whole number",
    "age: true": "age: is true, expected a whole number",
    "age: -1": "age: is -1, expected at least 0",
    "age: 151": "age: is 151, expected at most 150",
    "kind: robot": "kind: is 'robot', expected person",
    "since: 2026-09-10": "since: is '2026-09-10', expected a time with its zone, such as 2026-09-10T00:00:00Z",
    "since: 2026-09-10T00:00:00": "since: is '2026-09-10T00:00:00', expected a time with its zone, such as"
    " 2026-09-10T00:00:00Z",
    "since: 2026-02-30T00:00:00Z": "since: is '2026-02-30T00:00:00Z', expected a time with its zone, such as"
    " 2026-09-10T00:00:00Z",
    "born: 2026-02-30": "born: is '2026-02-30', expected a date such as 2026-09-10",
    "born: 20260910": "born: is 20260910, expected text; put it in quotes",
    "born: '20260910'": "born: is '20260910', expected a date such as 2026-09-10",
    "every: 24": "every: is 24, expected hours such as 24h",
    "every: 24d": "every: is '24d', expected hours such as 24h",
    "code: abc": "code: is 'abc', expected text of the form ^[A-Z]+$",
    "share: 1": "share: is 1, expected less than 1",
    "share: 0.0": "share: is 0.0, expected more than 0",
    "tags: []": "tags: has 0 items, expected at least 1",
    "tags: [a, b, c]": "tags: has 3 items, expected at most 2",
    "tags: [a, a]": "tags: names something twice",
    "tags: [a, 7]": "tags[1]: is 7, expected text; put it in quotes",
    "params: {}": "params: has 0 fields, expected at least 1",
    "params: {A: 1}": "params.A: is 'A', expected text of the form ^[a-z]+$",
    "query: 5": "query: is 5, expected text or a list",
    "query: [5]": "query[0]: is 5, expected text; put it in quotes",
    "either: some": "either: is 'some', expected one of all, none or digits",
    "place: {town: x}": "place: city or country is missing",
    "left: 5": "left: is 5, expected text or nothing",
    "code: " + "x" * 100: "code: is a long text, expected text of the form ^[A-Z]+$",
}  # fmt: skip

GOOD = """\
name: Ada
age: 36
since: 2026-09-10T00:00:00.5+02:00
born: 1990-12-10
left: null
query: [a]
token: env:X
key: null
"""


def fault(text: str, error: type[DocumentError] = PackError) -> DocumentError:
    with pytest.raises(error) as refusal:
        validate(loads(text, "x.yaml"), PERSON, error=error)
    return refusal.value


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schemas_are_valid_and_refuse_unknown_fields(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))
    assert schema(name)["additionalProperties"] is False


def test_what_keeps_to_the_schema_passes() -> None:
    validate(loads(GOOD), PERSON)


@pytest.mark.parametrize(("line", "message"), FAULTS.items())
def test_a_fault_is_said_in_words(line: str, message: str) -> None:
    name = line.partition(":")[0]
    others = [given for given in ("name: Ada", "age: 36") if not given.startswith(f"{name}:")]
    refusal = fault("\n".join([*others, line]))
    assert str(refusal) == f"x.yaml:{len(others) + 1}: {message}"
    assert (refusal.path, refusal.line) == ("x.yaml", len(others) + 1)


def test_a_missing_field_is_named_with_its_meaning() -> None:
    refusal = fault("# first line\nage: 36\n")
    assert str(refusal) == "x.yaml:2: the file: name is missing (The person's name)"


def test_something_else_than_a_mapping_is_refused() -> None:
    assert "is a list, expected a mapping" in str(fault("[1]"))
    assert "is empty, expected a mapping" in str(fault(""))


def test_all_faults_are_named_in_the_order_of_their_lines() -> None:
    refusal = fault("severity: hgih\ntags: [1, x,\n  2]\nage: -1\n")
    assert str(refusal).splitlines() == [
        "x.yaml:1: severity: is 'hgih', not one of low, medium, high, critical",
        "x.yaml:1: the file: name is missing (The person's name)",
        "x.yaml:2: tags: has 3 items, expected at most 2",
        "x.yaml:2: tags[0]: is 1, expected text; put it in quotes",
        "x.yaml:3: tags[2]: is 2, expected text; put it in quotes",
        "x.yaml:4: age: is -1, expected at least 0",
    ]
    assert refusal.field == "severity"


def test_no_more_than_ten_faults_are_shown() -> None:
    text = "name: Ada\nage: 1\n" + "".join(f"x{n}: 1\n" for n in range(25))
    lines = str(fault(text)).splitlines()
    assert len(lines) == 11
    assert lines[-1] == "and 15 more"


@pytest.mark.parametrize("value", ["ghp_hunter2", "[ghp_hunter2]", "{ghp_hunter2: x}", "hunter2: x"])
@pytest.mark.parametrize("field", ["token", "key"])
def test_a_literal_secret_is_not_echoed(field: str, value: str) -> None:
    text = (
        f"name: Ada\nage: 1\n{field}: {value}\n"
        if not value.endswith(": x")
        else f"name: A\nage: 1\n{field}:\n  {value}\n"
    )
    refusal = fault(text, ConfigError)
    assert str(refusal).endswith(
        f"{field}: must be a reference (env:NAME, file:PATH or keyring:SERVICE/USER), not the secret itself"
    )
    assert "hunter2" not in str(refusal) + refusal.remedy


def test_part_of_a_document_is_validated_with_the_lines_of_the_whole() -> None:
    document = loads("people:\n  one:\n    name: Ada\n    age: -1\n", "x.yaml")
    with pytest.raises(PackError) as refusal:
        validate(document, PERSON, at=("people", "one"))
    assert str(refusal.value) == "x.yaml:4: people.one.age: is -1, expected at least 0"
