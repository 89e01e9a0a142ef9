"""The contract of a check, held against what its SQL gave, inside the database.

Rules:
- The query gives `resource`, `status`, `reason`, and may give `source`, `scope` and `evidence`; nothing else.
- One row per (source, scope, resource); where the query gives no source or scope, that is ''.
- Status is pass, fail, na or error; resource and reason are not empty; `*` is the engine's own resource.
- The resources judged are exactly those of the population, compared on the columns that both of them give (the
  population is a set: naming a resource twice there is no fault). The engine never fills in what a check left out.

One breach makes the whole check an error, with up to three examples: rows that are partly wrong are not half right.
"""

from __future__ import annotations

from typing import Any

from annexa.assess.gate import Approved
from annexa.errors import CheckError

STATUSES = ("pass", "fail", "na", "error")
ENGINE = "*"
VERDICTS = "annexa_verdict"

_REQUIRED = ("resource", "status", "reason")
_KEY = ("source", "scope", "resource")
_POPULATION = "annexa_population"
_EXAMPLES = 3


def evaluate(con: Any, query: Approved, population: Approved, params: dict[str, Any]) -> dict[str, int]:
    """Run a check's SQL and hold it against the contract.

    Leaves the verdicts in the temporary table `annexa_verdict`, sorted by source, scope and resource, with `evidence`
    as JSON text where the query gives it.

    Returns:
        Verdicts by status.

    Raises:
        CheckError: The contract is broken.
        duckdb.Error: The SQL fails.
    """
    given = _columns(con, query, params)
    _require("query", given, _REQUIRED, (*_KEY, *_REQUIRED, "evidence"))
    named = _columns(con, population, params)
    _require("population", named, ("resource",), _KEY)
    _run(con, _POPULATION, population, params, [_selected(column, named) for column in _KEY])
    evidence = ["cast(to_json(evidence) as varchar) as evidence"] if "evidence" in given else []
    _run(con, VERDICTS, query, params, [_selected(column, given) for column in (*_KEY, "status", "reason")] + evidence)
    con.execute("set threads = 1")
    counts = _judge_rows(con)
    _sort(con)
    _compare(con, sum(counts.values()), [column for column in _KEY if column in given and column in named])
    return counts


def _columns(con: Any, approved: Approved, params: dict[str, Any]) -> frozenset[str]:
    """The names of the columns that SQL gives; nothing is run."""
    found = con.execute(f"select * from (\n{approved.sql}\n) limit 0", _bound(approved, params)).description
    return frozenset(column[0].lower() for column in found)


def _bound(approved: Approved, params: dict[str, Any]) -> dict[str, Any]:
    return {name: params[name] for name in approved.params}


def _require(what: str, given: frozenset[str], required: tuple[str, ...], allowed: tuple[str, ...]) -> None:
    missing = [column for column in required if column not in given]
    if missing:
        raise CheckError(f"the {what} gives no column {' or '.join(missing)}; it must give {', '.join(required)}")
    unknown = sorted(given - frozenset(allowed))
    if unknown:
        raise CheckError(f"the {what} gives the column {unknown[0]}; allowed are {', '.join(dict.fromkeys(allowed))}")


def _selected(column: str, given: frozenset[str]) -> str:
    if column not in given:
        return f"'' as {column}"
    value = f"cast({column} as varchar)"
    return f"coalesce({value}, '') as {column}" if column in ("source", "scope") else f"{value} as {column}"


def _run(con: Any, table: str, approved: Approved, params: dict[str, Any], columns: list[str]) -> None:
    con.execute(
        f"create temp table {table} as select {', '.join(columns)} from (\n{approved.sql}\n)", _bound(approved, params)
    )


def _judge_rows(con: Any) -> dict[str, int]:
    """Look at each row by itself; gives the counts by status."""
    faults = {
        "resource is null or resource = ''": "a row has no resource",
        f"resource = '{ENGINE}'": f"the resource {ENGINE} is the engine's own",
        "status is null": "status is null",
        f"status not in {STATUSES}": f"status is none of {', '.join(STATUSES)}",
        "reason is null or reason = ''": "a row has no reason",
    }
    counted = [*(f"count_if(status = '{status}')" for status in STATUSES), *(f"count_if({fault})" for fault in faults)]
    found = con.execute(f"select {', '.join(counted)} from {VERDICTS}").fetchone()
    for (condition, words), count in zip(faults.items(), found[len(STATUSES) :], strict=True):
        if count:
            rows = con.execute(
                f"select resource, status from {VERDICTS} where {condition} order by all limit {_EXAMPLES}"
            ).fetchall()
            shown = ", ".join(f"{resource!r} with status {status!r}" for resource, status in rows)
            raise CheckError(f"the check breaks its contract: {words} ({count} of its rows: {shown})")
    return {status: count for status, count in zip(STATUSES, found, strict=False) if count}


def _sort(con: Any) -> None:
    """Bring the verdicts into order, unless they are; then a key that stands twice stands side by side."""
    previous = ", ".join(f"lag({column}, 1, '') over ()" for column in _KEY)
    falling = f"select ({', '.join(_KEY)}) <= ({previous}) as falling from {VERDICTS}"
    if con.execute(f"select count_if(falling) from ({falling})").fetchone()[0] == 0:
        return
    con.execute(f"create temp table annexa_sorted as select * from {VERDICTS} order by {', '.join(_KEY)}")
    con.execute(f"drop table {VERDICTS}")
    con.execute(f"alter table annexa_sorted rename to {VERDICTS}")
    again = f"select resource, count(*) from {VERDICTS} group by {', '.join(_KEY)} having count(*) > 1 order by all"
    twice = con.execute(f"{again} limit {_EXAMPLES}").fetchall()
    if twice:
        shown = ", ".join(f"{resource!r} {count} times" for resource, count in twice)
        raise CheckError(f"the check breaks its contract: a resource has more than one verdict ({shown})")


def _compare(con: Any, judged: int, common: list[str]) -> None:
    """See that the resources judged are those of the population: side by side first, as sets where that differs."""
    nameless = "count_if(resource is null or resource = '')"
    size, wrong = con.execute(f"select count(*), {nameless} from {_POPULATION}").fetchone()
    if wrong:
        raise CheckError(f"the check breaks its contract: {wrong} rows of its population have no resource")
    if size == judged and _side_by_side(con, common):
        return
    keys = ", ".join(common)
    for left, right, words in (
        (_POPULATION, VERDICTS, "in the population but not judged"),
        (VERDICTS, _POPULATION, "judged but not in the population"),
    ):
        alone = f"select distinct {keys} from {left} anti join {right} using ({keys})"
        count = con.execute(f"select count(*) from ({alone})").fetchone()[0]
        if count:
            rows = con.execute(f"select resource from ({alone}) order by all limit {_EXAMPLES}").fetchall()
            shown = ", ".join(repr(row[0]) for row in rows)
            raise CheckError(f"the check breaks its contract: {count} {words} ({shown})")


def _side_by_side(con: Any, common: list[str]) -> bool:
    """Whether both tables name the same keys in the same order, which is the usual case and cheap to see."""
    differs = " or ".join(f"v.{column} is distinct from p.{column}" for column in common)
    found = con.execute(f"select count(*) from {VERDICTS} v positional join {_POPULATION} p where {differs}").fetchone()
    return bool(found[0] == 0)
