"""Measurements over evidence and records: SELECTs in the same sandbox, behind the same gate. KPIs are made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from annexa import clock
from annexa.assess import verdicts
from annexa.assess.entities import Entity
from annexa.assess.evidence import Cite, Evidence
from annexa.assess.fixtures import evidence_of
from annexa.assess.protocol import Answered, Ask
from annexa.assess.sandbox import Limits, Sandbox
from annexa.assess.session import Session
from annexa.errors import CheckError
from annexa.sdk.tables import Row, Table


@dataclass(frozen=True, slots=True)
class Query:
    """One measurement.

    Args:
        sql: One SELECT over the tables of `requires` and `records`; `$as_of` is bound.
        requires: Evidence tables and entities, with the age that they may have.
        records: Tables of records.
        params: Further values that the SQL names as `$name`.
    """

    sql: str
    requires: Mapping[str, timedelta]
    records: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a measurement gave.

    Args:
        rows: Its first rows, with values of JSON; empty when it could not be evaluated.
        blind: Why the evidence cannot carry a value (incomplete, too old, not collected, an error); empty when it can.
        cites: The segments that it rests on.
    """

    rows: tuple[Mapping[str, Any], ...]
    blind: str
    cites: tuple[Cite, ...] = ()


def measure(
    queries: Mapping[str, Query],
    evidence: Evidence,
    entities: Mapping[str, Entity],
    records: Mapping[Table, Iterable[Row]],
    as_of: datetime,
    *,
    workdir: Path,
    limits: Limits | None = None,
    rows: int = 100,
) -> dict[str, Measured]:
    """Evaluate measurements.

    Args:
        queries: By name.
        evidence: By table name, as in `assess`.
        entities: The common entities by name.
        records: Rows of records, by their table.
        as_of: The moment of the measurement.
        workdir: A private folder for records and the worker's log.
        limits: What one measurement may use.
        rows: How many rows of an answer are given at most.

    Raises:
        PackError: Tables' declarations contradict each other.
        CheckError: A record does not fit its table.
    """
    kept = {table.name: evidence_of(table, given, as_of, workdir) for table, given in records.items()}
    with Sandbox(limits or Limits(), workdir) as sandbox:
        session = Session(sandbox, {**evidence, **kept}, entities)
        every = [name for query in queries.values() for name in (*query.requires, *query.records)]
        return {name: _measured(session, query, every, as_of, rows) for name, query in queries.items()}


def _measured(session: Session, query: Query, every: list[str], as_of: datetime, rows: int) -> Measured:
    supply = session.supply
    absent = [name for name in (*query.requires, *query.records) if not supply.sourced(name)]
    if absent:
        return Measured((), f"no configured source feeds {', '.join(absent)}")
    session.prepare([name for name in every if supply.sourced(name)])
    ages = {**dict.fromkeys(query.records, timedelta.max), **query.requires}
    conditions = supply.conditions(ages, as_of, session.found)
    row = verdicts.preventing(conditions)
    if row is not None:
        return Measured((), row.reason, supply.cites(query.requires))
    row = verdicts.modifier(conditions).row
    request = Ask(query.sql, list(ages), dict(query.params), clock.text(as_of), rows)
    try:
        reply = session.ask(request)
    except CheckError as problem:
        return Measured((), str(problem), supply.cites(query.requires))
    assert isinstance(reply, Answered)
    cited = [name for name in reply.tables if name in query.requires]
    return Measured(tuple(reply.rows), row.reason if row else "", supply.cites(cited))
