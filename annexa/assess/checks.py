"""A check: one YAML file that says how to judge resources, and proves with its own cases that it does.

The shape is that of check.schema.json. What the schema cannot say is checked here: ages, times, parameter names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from annexa.ages import age
from annexa.errors import PackError

SEVERITIES = ("low", "medium", "high", "critical")
AS_OF = "as_of"

Rows = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A check's own test: rows in, verdicts out.

    Args:
        name: What it shows.
        as_of: The moment that `$as_of` is bound to.
        given: Rows by table; a required table that is not named is empty. A row may name its `source` and `scope`.
        incomplete: Tables whose collection is to look incomplete.
        expect: Exactly the verdicts: `resource` and `status`, and `reason`, `source`, `scope` where they are to be
            compared. The engine's own row `*` is compared where one is expected.
        params: Parameters in place of the check's own.
    """

    name: str
    as_of: datetime
    given: Mapping[str, Rows]
    incomplete: tuple[str, ...]
    expect: Rows
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """A check file, parsed. `digest` is the SHA-256 of the file, `path` where it is."""

    id: str
    title: str
    severity: str
    controls: tuple[str, ...]
    requires: Mapping[str, timedelta]
    params: Mapping[str, Any]
    population: str
    query: str
    remediation: str
    false_positives: tuple[str, ...]
    also_known_as: tuple[str, ...]
    description: str
    tests: tuple[Case, ...]
    digest: str
    path: str

    @classmethod
    def of(cls, mapping: Mapping[str, Any], path: str, digest: str) -> Check:
        """A check from a document that check.schema.json accepts.

        Raises:
            PackError: An age, a time or a parameter cannot be used; it names the file and the field.
        """
        if AS_OF in mapping.get("params", {}):
            raise PackError("as_of is bound by the engine", path=path, field="params.as_of")
        return cls(
            id=mapping["id"],
            title=mapping["title"],
            severity=mapping["severity"],
            controls=tuple(mapping["controls"]),
            requires={table: _age(text, path, f"requires.{table}") for table, text in mapping["requires"].items()},
            params=dict(mapping.get("params", {})),
            population=mapping["population"],
            query=mapping["query"],
            remediation=mapping["remediation"],
            false_positives=tuple(mapping.get("false_positives", ())),
            also_known_as=tuple(mapping.get("also_known_as", ())),
            description=mapping.get("description", ""),
            tests=tuple(_case(case, path, f"tests.{n}") for n, case in enumerate(mapping["tests"])),
            digest=digest,
            path=path,
        )


def _case(mapping: Mapping[str, Any], path: str, place: str) -> Case:
    return Case(
        name=mapping["name"],
        as_of=_moment(mapping["as_of"], path, f"{place}.as_of"),
        given={table: _rows(rows) for table, rows in mapping["given"].items()},
        incomplete=tuple(mapping.get("incomplete", ())),
        expect=_rows(mapping["expect"]),
        params=dict(mapping.get("params", {})),
    )


def _rows(rows: Sequence[Mapping[str, Any]]) -> Rows:
    return tuple(dict(row) for row in rows)


def _age(text: Any, path: str, place: str) -> timedelta:
    try:
        return age(str(text))
    except ValueError as problem:
        raise PackError(str(problem), path=path, field=place) from problem


def _moment(text: Any, path: str, place: str) -> datetime:
    """A time of the document; without a zone it is UTC."""
    try:
        parsed = datetime.fromisoformat(str(text))
    except ValueError as problem:
        raise PackError(
            f"{text!r} is not a time: expected ISO 8601, such as 2026-09-10T00:00:00Z", path=path, field=place
        ) from problem
    return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)
