"""Check results and single verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from annexa.database.models import CheckResult, VerdictRow
from annexa.evidence.blobs import BlobStore
from annexa.record.verdicts import read


@dataclass(frozen=True, slots=True)
class Result:
    """A check's latest result. `oldest` is the age bound of the evidence it read."""

    check: str
    title: str
    severity: str
    controls: list[str]
    status: str
    reason: str
    counts: dict[str, int]
    as_of: str
    run: str
    results: str | None
    cites: list[dict[str, Any]]
    oldest: str | None


def results(session: Session) -> list[Result]:
    """The latest result of each check, by check."""
    rows = session.scalars(select(CheckResult).order_by(CheckResult.check))
    return [
        Result(
            check=row.check,
            title=row.title,
            severity=row.severity,
            controls=row.controls,
            status=row.status,
            reason=row.reason,
            counts=row.counts,
            as_of=row.as_of,
            run=row.run,
            results=row.results,
            cites=row.cites,
            oldest=row.oldest,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """One verdict, as `annexa results` prints it.

    `evidence` names what it rests on: ledger entry, table and blob of each piece the check read, and rows where given.
    """

    check: str
    resource: str
    status: str
    reason: str
    source: str
    scope: str
    controls: list[str]
    also_known_as: list[str]
    evidence: list[dict[str, Any]]


def verdicts(
    session: Session, blobs: BlobStore, also_known_as: Mapping[str, list[str]], chosen: Iterable[Result] | None = None
) -> Iterator[VerdictLine]:
    """Every verdict of the latest results, streamed from the sealed blobs.

    Args:
        also_known_as: By check, the names that other tools give the same judgement.
        chosen: Only these results; all by default.
    """
    for result in results(session) if chosen is None else chosen:
        if result.results is None:
            continue
        for verdict in read(blobs, result.results):
            rows = [{"rows": verdict.evidence}] if verdict.evidence is not None else []
            yield VerdictLine(
                check=result.check,
                resource=verdict.resource,
                status=verdict.status,
                reason=verdict.reason,
                source=verdict.source,
                scope=verdict.scope,
                controls=result.controls,
                also_known_as=list(also_known_as.get(result.check, [])),
                evidence=[*result.cites, *rows],
            )


@dataclass(frozen=True, slots=True)
class OpenVerdict:
    """A verdict other than pass that stands, and since when."""

    check: str
    source: str
    scope: str
    resource: str
    status: str
    reason: str
    since: str


def open_verdicts(session: Session, check: str | None = None, status: str = "fail") -> list[OpenVerdict]:
    """The standing verdicts of a status, oldest first."""
    query = select(VerdictRow).where(VerdictRow.closed_at.is_(None), VerdictRow.status == status)
    if check is not None:
        query = query.where(VerdictRow.check == check)
    rows = session.scalars(query.order_by(VerdictRow.opened_at, VerdictRow.id))
    return [OpenVerdict(r.check, r.source, r.scope, r.resource, r.status, r.reason, r.opened_at) for r in rows]
