"""A check's own cases: rows in, verdicts out, through the same loader, gate, sandbox and contract as evidence.

Rules:
- A check has at least one case with a verdict that passes and one with a verdict that fails.
- A case names all verdicts that it expects, in any order; what it gives beside resource and status (reason, source,
  scope) is compared too. The engine's own row `*` is compared where the case expects one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from annexa.assess.assess import evaluate
from annexa.assess.checks import Case, Check
from annexa.assess.contract import ENGINE
from annexa.assess.entities import Entity
from annexa.assess.evidence import Gap, TableEvidence
from annexa.assess.fixtures import SCOPE, SOURCE, evidence_of
from annexa.assess.outcomes import CheckOutcome
from annexa.assess.sandbox import Limits, Sandbox
from annexa.assess.session import Session
from annexa.errors import CheckError
from annexa.sdk.tables import Table

_COMPARED = ("reason", "source", "scope")


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of a case; `detail` says what differs, for a person."""

    check: str
    case: str
    passed: bool
    detail: str


def run_cases(check: Check, tables: Mapping[str, Table], entities: Mapping[str, Entity]) -> list[CaseResult]:
    """Run all cases of one check."""
    return list(run_all([check], tables, entities))


def run_all(
    checks: Iterable[Check],
    tables: Mapping[str, Table],
    entities: Mapping[str, Entity],
    *,
    limits: Limits | None = None,
) -> Iterator[CaseResult]:
    """Run all cases of many checks in one worker.

    Args:
        checks: The checks.
        tables: The collectors' tables by name.
        entities: The common entities by name.
        limits: What one case may use.
    """
    with (
        tempfile.TemporaryDirectory(prefix="annexa-") as name,
        Sandbox(limits or Limits(seconds=20, threads=1), Path(name)) as sandbox,
    ):
        for check in checks:
            yield from _coverage(check)
            for case in check.tests:
                yield _run(sandbox, check, case, tables, entities, Path(name))


def _coverage(check: Check) -> Iterator[CaseResult]:
    """A check that never passes, or never fails, in its own cases is not tested."""
    expected = {row["status"] for case in check.tests for row in case.expect}
    for status in ("pass", "fail"):
        if status not in expected:
            yield CaseResult(check.id, f"a case that shows {status}", False, f"no case expects a verdict {status}")


def _run(
    sandbox: Sandbox,
    check: Check,
    case: Case,
    tables: Mapping[str, Table],
    entities: Mapping[str, Entity],
    folder: Path,
) -> CaseResult:
    varied = replace(check, params={**check.params, **case.params})
    results = folder / "case.jsonl"
    try:
        evidence = _evidence(check, case, tables, entities, folder)
        outcome = evaluate(Session(sandbox, evidence, entities), varied, case.as_of, results)
    except CheckError as problem:
        return CaseResult(check.id, case.name, False, f"{problem}. {problem.remedy}")
    detail = "; ".join(_differences(case, outcome))
    return CaseResult(check.id, case.name, not detail, detail)


def _evidence(
    check: Check, case: Case, tables: Mapping[str, Table], entities: Mapping[str, Entity], folder: Path
) -> dict[str, TableEvidence]:
    """The given rows, and no rows for tables that are required but not given."""
    known = {**tables, **{name: entity.table for name, entity in entities.items()}}
    names = dict.fromkeys([*case.given, *case.incomplete])
    fed = {name for name in check.requires if name in entities and entities[name].feeds.keys() & names.keys()}
    names |= dict.fromkeys(name for name in check.requires if name not in fed)
    evidence = {}
    for name in names:
        if name not in known:
            raise CheckError(f"there is no table {name}", remedy="Name a collector's table or an entity.")
        found = evidence_of(known[name], case.given.get(name, ()), case.as_of, folder)
        gap = Gap(SOURCE, SCOPE, f"{SOURCE}/{SCOPE}/{name}", "incomplete", "the case says so")
        evidence[name] = replace(found, gaps=(gap,)) if name in case.incomplete else found
    return evidence


def _differences(case: Case, outcome: CheckOutcome) -> Iterator[str]:
    verdicts = _verdicts(outcome)
    if not any(str(row["resource"]) == ENGINE for row in case.expect):
        broken = [v for v in verdicts if v["resource"] == ENGINE and v["status"] == "error"]
        verdicts = broken or [v for v in verdicts if v["resource"] != ENGINE]
    for row in case.expect:
        match = next((verdict for verdict in verdicts if _fits(row, verdict)), None)
        if match is None:
            yield f"expected {_shown(row)}"
        else:
            verdicts.remove(match)
    yield from (f"got {_shown(verdict)}" for verdict in verdicts)


def _verdicts(outcome: CheckOutcome) -> list[dict[str, Any]]:
    import msgspec

    if outcome.results is None:
        raise CheckError(outcome.reason)
    return [msgspec.json.decode(line) for line in outcome.results.read_bytes().splitlines()]


def _fits(row: Mapping[str, Any], verdict: Mapping[str, Any]) -> bool:
    same = str(row["resource"]) == verdict["resource"] and row["status"] == verdict["status"]
    return same and all(row[name] == verdict[name] for name in _COMPARED if name in row)


def _shown(row: Mapping[str, Any]) -> str:
    reason = f" ({row['reason']})" if row.get("reason") else ""
    return f"{row['resource']} {row['status']}{reason}"
