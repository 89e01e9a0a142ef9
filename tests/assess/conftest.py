"""Sealed segments and checks in a few words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import zstandard

from annexa.assess.checks import Check
from annexa.assess.evidence import SegmentRef, TableEvidence
from annexa.assess.sandbox import Limits, Sandbox
from annexa.sdk import Table, Timestamp

AS_OF = datetime(2026, 9, 10, tzinfo=UTC)
PERSON = Table.of("person", {"id": str, "email": str, "left_at": Timestamp}, key="id")
ACCOUNT = Table.of("account", {"id": str, "person_id": str, "active": bool}, key="id")

Rows = list[dict[str, Any]]


class Bench:
    """Makes evidence in a folder, and checks over it."""

    as_of = AS_OF
    person = PERSON
    account = ACCOUNT

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def bytes(self, data: bytes, rows: int, **fields: Any) -> SegmentRef:
        digest = hashlib.sha256(data).hexdigest()
        path = self.folder / f"{digest}.zst"
        path.write_bytes(zstandard.ZstdCompressor(level=1, write_checksum=True).compress(data))
        given = {"source": "hr", "scope": "global", "as_of": AS_OF, "shard": "hr/global/people", **fields}
        return SegmentRef(path=path, digest=digest, rows=rows, **given)

    def seal(self, rows: Rows, **fields: Any) -> SegmentRef:
        lines = [json.dumps({"_exchange": 0, **row}, ensure_ascii=False).encode() + b"\n" for row in rows]
        return self.bytes(b"".join(lines), len(rows), **fields)

    def table(self, table: Table, rows: Rows, **fields: Any) -> TableEvidence:
        return TableEvidence(table, (self.seal(rows, **fields),))

    def check(self, query: str, population: str = "select id as resource from person", **fields: Any) -> Check:
        document = {
            "id": "leavers",
            "title": "Leavers hold no access",
            "severity": "high",
            "controls": ["A.5.18"],
            "requires": {"person": "24h"},
            "population": population,
            "query": query,
            "remediation": "Deactivate the account.",
            "tests": [],
            **fields,
        }
        return Check.of(document, "checks/leavers.yaml", "0" * 64)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture(scope="session")
def limits() -> Limits:
    """Tight, so that a test of a limit is quick."""
    return Limits(seconds=1, memory=256 * 2**20, load_seconds=60, threads=2)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One worker for all tests that only look at verdicts."""
    with Sandbox(Limits(seconds=30, threads=2), tmp_path_factory.mktemp("worker")) as shared:
        yield shared


@pytest.fixture
def judge(sandbox: Sandbox, tmp_path: Path) -> Callable[..., Any]:
    """Evaluates one check over evidence; gives the outcome and its verdicts."""
    from annexa.assess.assess import evaluate
    from annexa.assess.session import Session

    def judged(check: Check, evidence: Any, entities: Any = None, as_of: datetime = AS_OF) -> Any:
        session = Session(sandbox, evidence, entities or {})
        outcome = evaluate(session, check, as_of, tmp_path / "results.jsonl")
        lines = outcome.results.read_bytes().splitlines() if outcome.results else []
        return outcome, [json.loads(line) for line in lines]

    return judged
