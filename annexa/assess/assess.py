"""The assess room's one door: checks and evidence in, outcomes out.

    for outcome in assess(checks, evidence, entities, as_of, workdir=folder):
        ...

Each check runs in the sandbox by itself. One that is refused, breaks its contract, fails, or is stopped is an `error`
with its reason, and the next one gives its verdict all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from annexa import clock
from annexa.assess import results, verdicts
from annexa.assess.checks import Check
from annexa.assess.entities import Entity
from annexa.assess.evidence import Evidence
from annexa.assess.outcomes import CheckOutcome
from annexa.assess.protocol import Judge, Judged, RowSpec
from annexa.assess.sandbox import Limits, Sandbox
from annexa.assess.session import Session
from annexa.assess.verdicts import EngineRow
from annexa.errors import CheckError


def assess(
    checks: Sequence[Check],
    evidence: Evidence,
    entities: Mapping[str, Entity],
    as_of: datetime,
    *,
    workdir: Path,
    limits: Limits | None = None,
) -> Iterator[CheckOutcome]:
    """Evaluate checks, in order; lazily, so that results can be sealed and removed one by one.

    Args:
        checks: What to evaluate; ids are unique.
        evidence: By table name; a table that no configured source feeds is absent.
        entities: The common entities by name.
        as_of: The moment of the assessment: `$as_of`, and what ages are counted from.
        workdir: A private folder for the results and the worker's log.
        limits: What one check may use.

    Raises:
        PackError: The tables' or entities' declarations contradict each other.
    """
    with Sandbox(limits or Limits(), workdir) as sandbox:
        session = Session(sandbox, evidence, entities)
        for n, check in enumerate(checks):
            remaining = [name for later in checks[n:] if _sourced(session, later) for name in later.requires]
            yield evaluate(session, check, as_of, workdir / f"{check.id}.jsonl", remaining)


def evaluate(
    session: Session, check: Check, as_of: datetime, path: Path, remaining: Sequence[str] = ()
) -> CheckOutcome:
    """Evaluate one check in a session.

    Args:
        session: The evidence.
        check: The check.
        as_of: The moment of the assessment.
        path: Where its results go.
        remaining: Tables that this and later checks need: what is loaded, if it is not.
    """
    absent = [name for name in check.requires if not session.supply.sourced(name)]
    if absent:
        reason = f"no configured source feeds {', '.join(absent)}"
        return CheckOutcome(check.id, verdicts.UNSOURCED, reason, {}, None, 0, (), None)
    session.prepare([*check.requires, *remaining])
    conditions = session.supply.conditions(check.requires, as_of, session.found)
    row = verdicts.preventing(conditions)
    if row is not None:
        return _alone(session, check, row, path)
    modifier = verdicts.modifier(conditions)
    try:
        reply = session.ask(_request(check, as_of, modifier, path))
    except CheckError as problem:
        return _alone(session, check, EngineRow("error", str(problem)), path)
    assert isinstance(reply, Judged)
    row = modifier.row or (verdicts.EMPTY if reply.empty else None)
    return CheckOutcome(
        check=check.id,
        status=verdicts.worst(reply.counts),
        reason=verdicts.summary(reply.counts, row),
        counts=reply.counts,
        results=path,
        rows=sum(reply.counts.values()),
        cites=session.supply.cites(reply.tables),
        oldest=session.supply.oldest(check.requires),
    )


def _sourced(session: Session, check: Check) -> bool:
    return all(session.supply.sourced(name) for name in check.requires)


def _request(check: Check, as_of: datetime, modifier: verdicts.Modifier, path: Path) -> Judge:
    return Judge(
        population=check.population,
        query=check.query,
        tables=list(check.requires),
        params=dict(check.params),
        as_of=clock.text(as_of),
        rewrite=dict(modifier.rewrite),
        suffix=modifier.suffix,
        row=_spec(modifier.row) if modifier.row else None,
        empty=_spec(verdicts.EMPTY),
        results=str(path),
    )


def _alone(session: Session, check: Check, row: EngineRow, path: Path) -> CheckOutcome:
    """The outcome of a check that has no verdicts: the engine's own row is all of its results."""
    path.write_bytes(results.engine_line(_spec(row)))
    return CheckOutcome(
        check=check.id,
        status=row.status,
        reason=row.reason,
        counts={row.status: 1},
        results=path,
        rows=1,
        cites=session.supply.cites(check.requires),
        oldest=session.supply.oldest(check.requires),
    )


def _spec(row: EngineRow) -> RowSpec:
    return RowSpec(row.status, row.reason)
