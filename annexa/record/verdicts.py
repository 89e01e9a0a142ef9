"""Projection of an assessment: the check's latest result, and its verdicts other than pass as intervals.

A verdict row is open from the assessment that first gave it until one that gives the resource something else. A `fail`
is stubborn: only a pass, an `na` or an exemption closes it, or the resource's absence from complete and fresh evidence;
an assessment that could not see, or had nothing to judge, leaves it open.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from annexa import events
from annexa.database.models import CheckResult, VerdictRow
from annexa.evidence.blobs import BlobStore
from annexa.record.place import Place

Key = tuple[str, str, str]
BLIND = frozenset({"error", "incomplete", "stale"})
ENGINE = "*"
"""The resource of the engine's own row: something was not seen, or there was nothing to judge."""


class Verdict(msgspec.Struct, frozen=True):
    """One line of a results blob."""

    resource: str
    status: str
    reason: str
    source: str = ""
    scope: str = ""
    evidence: Any = None

    @property
    def key(self) -> Key:
        """What identifies the resource within its check."""
        return (self.source, self.scope, self.resource)


def read(blobs: BlobStore, digest: str) -> Iterable[Verdict]:
    """The verdicts of a results blob, in order, streamed.

    Raises:
        Tampered: the blob is not what its digest says.
    """
    decoder = msgspec.json.Decoder(Verdict)
    with blobs.open(digest) as lines:
        for line in lines:
            yield decoder.decode(line)


def assessed(session: Session, event: events.Assessed, place: Place, blobs: BlobStore) -> None:
    """Replace the check's result; open and close verdict rows where they changed."""
    session.execute(delete(CheckResult).where(CheckResult.check == event.check))
    values = msgspec.to_builtins(event) | {"run": place.of_run}
    session.execute(insert(CheckResult).values(**values))
    if event.results is not None:
        _merge(session, event, place, blobs)


def _merge(session: Session, event: events.Assessed, place: Place, blobs: BlobStore) -> None:
    query = select(VerdictRow).where(VerdictRow.check == event.check, VerdictRow.closed_at.is_(None))
    standing = session.scalars(query).all()
    known = {(row.source, row.scope, row.resource) for row in standing}
    found = _relevant(blobs, event, known)
    complete = not any(verdict.resource == ENGINE for verdict in found.values())
    stays = [row for row in standing if _stands(row, found.get((row.source, row.scope, row.resource)), complete)]
    kept = {row.id for row in stays}
    _close(session, [row.id for row in standing if row.id not in kept], place)
    shown = {((row.source, row.scope, row.resource), row.status) for row in stays}
    fresh = [v for v in found.values() if v.status != "pass" and (v.key, v.status) not in shown]
    if fresh:
        session.execute(insert(VerdictRow), [_row(event.check, verdict, place) for verdict in fresh])


def _relevant(blobs: BlobStore, event: events.Assessed, known: set[Key]) -> dict[Key, Verdict]:
    """The verdicts that can open or close a row: all but passes that were passes before."""
    verdicts = read(blobs, event.results) if event.results is not None else ()
    return {verdict.key: verdict for verdict in verdicts if verdict.status != "pass" or verdict.key in known}


def _stands(row: VerdictRow, verdict: Verdict | None, complete: bool) -> bool:
    if verdict is None:
        return row.status == "fail" and not complete
    if row.status == "fail" and verdict.status in BLIND:
        return True
    return verdict.status == row.status and (verdict.reason == row.reason or verdict.status == "fail")


def _close(session: Session, ids: list[int], place: Place) -> None:
    for start in range(0, len(ids), 500):
        batch = ids[start : start + 500]
        session.execute(update(VerdictRow).where(VerdictRow.id.in_(batch)).values(closed_at=place.time))


def _row(check: str, verdict: Verdict, place: Place) -> dict[str, Any]:
    return {
        "check": check,
        "source": verdict.source,
        "scope": verdict.scope,
        "resource": verdict.resource,
        "status": verdict.status,
        "reason": verdict.reason,
        "opened_at": place.time,
        "closed_at": None,
    }
