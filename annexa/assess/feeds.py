"""Builds the table of an entity out of its feeds, inside the locked database."""

from __future__ import annotations

from typing import Any

import annexa.assess.columns as types
from annexa.assess import sql
from annexa.assess.gate import approve
from annexa.assess.loader import duplicate_keys
from annexa.assess.protocol import Build, FeedSpec, TableReport, TableSpec
from annexa.errors import CheckError
from annexa.sdk.tables import ColumnType


def build(con: Any, request: Build) -> TableReport:
    """Create the entity's table from its feeds and the rows collected under its own name.

    Raises:
        CheckError: A feed's SQL is refused, gives no source or scope, or a column that the entity does not have.
        duckdb.Error: A feed's SQL fails, or a value cannot be cast to its column's type.
    """
    table = request.table
    con.execute("begin transaction")
    try:
        _fill(con, request)
        con.execute("commit")
    except BaseException:
        con.execute("rollback")
        raise
    rows = con.execute(f"select count(*) from {sql.name(table.name)}").fetchone()[0]
    return TableReport(table.name, rows, duplicate_keys(con, table))


def _fill(con: Any, request: Build) -> None:
    table = request.table
    selects = [_feed(con, table, feed) for feed in request.feeds]
    if request.collected is not None:
        selects.append(_aligned(table, {name for name, _ in table.columns}, sql.name(request.collected)))
    con.execute(f"create table {sql.name(table.name)} ({types.declared(table)}, source varchar, scope varchar)")
    order = "order by " + ", ".join(["source", "scope", *map(sql.name, table.key)]) if table.key else ""
    con.execute("set threads = 1")
    con.execute(f"insert into {sql.name(table.name)} select * from ({' union all '.join(selects)}) {order}")
    nowhere = f"select count(*) from {sql.name(table.name)} where source is null or scope is null"
    if con.execute(nowhere).fetchone()[0]:
        raise CheckError(f"{table.name}: a feed gives rows without source or scope")


def _feed(con: Any, table: TableSpec, feed: FeedSpec) -> str:
    where = f"{table.name}, feed {feed.tables[0]}"
    try:
        approved = approve(con, feed.sql, tables=feed.tables, params=())
    except CheckError as problem:
        raise CheckError(f"{where}: {problem}", remedy=problem.remedy) from problem
    given = [column[0] for column in con.execute(f"select * from (\n{approved.sql}\n) limit 0").description]
    missing = [name for name in ("source", "scope") if name not in given]
    if missing:
        raise CheckError(f"{where}: its SELECT gives no {' and no '.join(missing)}")
    unknown = sorted(set(given) - {name for name, _ in table.columns} - {"source", "scope"})
    if unknown:
        raise CheckError(f"{where}: its SELECT gives the column {unknown[0]}, which the entity does not have")
    return _aligned(table, set(given), f"(\n{approved.sql}\n)")


def _aligned(table: TableSpec, given: set[str], rows: str) -> str:
    """A SELECT of all of the entity's columns, in order and typed; null where they are not given."""
    columns = [
        f"cast({sql.name(name) if name in given else 'null'} as {ColumnType(kind).sql}) as {sql.name(name)}"
        for name, kind in table.columns
    ]
    return f"select {', '.join(columns)}, source, scope from {rows}"
