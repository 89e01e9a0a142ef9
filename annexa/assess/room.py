"""What the worker does with a request: one database, opened, loaded, locked, and asked.

Everything a pack wrote is gated here, in the worker, so that a text that breaks even the parser breaks only the worker.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from annexa.assess import contract, database, feeds, results
from annexa.assess.gate import approve
from annexa.assess.loader import load
from annexa.assess.protocol import Answered, Ask, Build, Judge, Judged, Load, Loaded, Refused, Reply, Request, RowSpec
from annexa.errors import CheckError

_LONGEST_REASON = 500


class Room:
    """Answers requests; holds the database of the latest `Load`."""

    def __init__(self) -> None:
        self._con: Any = None
        self._limits = Load([], 1, 0, 0)

    def answer(self, request: Request) -> Reply:
        """The reply; what went wrong with a pack's SQL is a reply too."""
        import duckdb

        try:
            return self._done(request)
        except CheckError as problem:
            return Refused(_short(str(problem)))
        except duckdb.InterruptException:
            return Refused(f"stopped after {self._limits.seconds:g} s")
        except duckdb.OutOfMemoryException:
            return Refused(f"stopped: it needs more than {self._limits.memory / 2**30:.1f} GiB of memory")
        except (duckdb.InternalException, duckdb.FatalException) as problem:
            return Refused(_short(f"DuckDB failed: {problem}"), fatal=True)
        except duckdb.Error as problem:
            return Refused(_short(str(problem)))

    def _done(self, request: Request) -> Reply:
        if isinstance(request, Load):
            return self._load(request)
        if self._con is None:
            raise CheckError("nothing is loaded: the worker was started anew")
        repeats = isinstance(request, Build)
        database.allow(self._con, self._limits.memory, self._limits.threads, repeats=repeats)
        if isinstance(request, Build):
            return Loaded([feeds.build(self._con, request)])
        self._con.execute("begin transaction read only")
        try:
            return self._judge(request) if isinstance(request, Judge) else self._ask(request)
        finally:
            self._con.execute("rollback")

    def _load(self, request: Load) -> Loaded:
        if self._con is not None:
            self._con.close()
        self._limits, self._con = request, database.connect(request.threads)
        reports = [load(self._con, raw) for raw in request.tables]
        database.lock(self._con, request.seconds)
        return Loaded(reports)

    def _judge(self, request: Judge) -> Judged:
        names = {*request.params, "as_of"}
        query = approve(self._con, request.query, tables=request.tables, params=names, verdicts=True)
        population = approve(self._con, request.population, tables=request.tables, params=names)
        if not (query.parallel and population.parallel):
            self._con.execute("set threads = 1")
        counts = contract.evaluate(self._con, query, population, _params(request))
        row = request.row if counts or request.row is not None else request.empty
        results.write(self._con, Path(request.results), request.rewrite, request.suffix, row)
        return Judged(_rewritten(counts, request.rewrite, row), sorted(query.tables | population.tables), not counts)

    def _ask(self, request: Ask) -> Answered:
        approved = approve(self._con, request.sql, tables=request.tables, params={*request.params, "as_of"})
        self._con.execute("set threads = 1")
        params = {name: value for name, value in _params(request).items() if name in approved.params}
        rows = self._con.execute(
            f"select cast(to_json(answer) as varchar) from (\n{approved.sql}\n) answer limit {request.limit}", params
        ).fetchall()
        return Answered([_decoded(row[0]) for row in rows], sorted(approved.tables))


def _params(request: Judge | Ask) -> dict[str, Any]:
    return {**request.params, "as_of": datetime.fromisoformat(request.as_of)}


def _rewritten(counts: dict[str, int], rewrite: dict[str, str], row: RowSpec | None) -> dict[str, int]:
    total: dict[str, int] = {}
    for status, count in counts.items():
        new = rewrite.get(status, status)
        total[new] = total.get(new, 0) + count
    if row is not None:
        total[row.status] = total.get(row.status, 0) + 1
    return total


def _decoded(text: str) -> dict[str, Any]:
    import msgspec

    row: dict[str, Any] = msgspec.json.decode(text)
    return row


def _short(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 1] + "…"
