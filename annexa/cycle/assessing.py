"""Evaluate every check and seal its results: what the ledger says of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from annexa import clock, events
from annexa.assess.assess import assess
from annexa.assess.checks import Check
from annexa.assess.evidence import Evidence
from annexa.assess.outcomes import CheckOutcome
from annexa.assess.sandbox import Limits
from annexa.config import Scan
from annexa.cycle.content import Content
from annexa.evidence.blobs import BlobStore


def assess_all(
    content: Content,
    evidence: Evidence,
    entries: Mapping[str, int],
    blobs: BlobStore,
    as_of: datetime,
    scan: Scan,
    folder: Path,
) -> Iterator[events.Assessed]:
    """Every check, as it is evaluated.

    Args:
        entries: By the shard's name, the ledger entry that seals it.
        folder: A private folder for results that are not sealed yet.
    """
    limits = Limits(seconds=scan.check_timeout.total_seconds(), memory=scan.check_memory)
    checks = list(content.checks.values())
    for outcome in assess(checks, evidence, content.entities, as_of, workdir=folder, limits=limits):
        yield _assessed(content.checks[outcome.check], outcome, entries, _sealed(blobs, outcome.results), as_of)


def _assessed(
    check: Check, outcome: CheckOutcome, entries: Mapping[str, int], results: str | None, as_of: datetime
) -> events.Assessed:
    return events.Assessed(
        check=check.id,
        title=check.title,
        severity=check.severity,
        controls=list(check.controls),
        digest=check.digest,
        as_of=clock.text(as_of),
        status=outcome.status,
        reason=outcome.reason,
        counts=dict(outcome.counts),
        results=results,
        cites=[events.Cite(entries[c.segment.shard], c.table, c.segment.digest) for c in outcome.cites],
        oldest=clock.text(outcome.oldest) if outcome.oldest else None,
    )


def _sealed(blobs: BlobStore, results: Path | None) -> str | None:
    if results is None:
        return None
    with results.open("rb") as file, blobs.writer() as writer:
        while piece := file.read(1 << 20):
            writer.write(piece)
        digest = writer.seal().digest
    results.unlink()
    return digest
