"""From JSON to typed columns: the SQL that types each value, and flags the values that do not fit.

DuckDB's own casts are too kind for evidence: BOOLEAN takes "yes", a timestamp "epoch", BIGINT rounds 1.5. A value that
is not what its column declares becomes null and is flagged, so that it can be counted.
"""

from __future__ import annotations

from collections.abc import Mapping

from annexa.assess import sql
from annexa.assess.protocol import TableSpec
from annexa.sdk.tables import ColumnType

_READ_AS = {ColumnType.JSON: "JSON", ColumnType.TEXTS: "JSON"}
_TYPED = {
    ColumnType.TEXT: "{0}",
    ColumnType.JSON: "{0}",
    ColumnType.INTEGER: "case when regexp_full_match({0}, '-?[0-9]+') then try_cast({0} as bigint) end",
    ColumnType.NUMBER: "case when isfinite(try_cast({0} as double)) then try_cast({0} as double) end",
    ColumnType.BOOLEAN: "case {0} when 'true' then true when 'false' then false end",
    ColumnType.TIMESTAMP: "case when ascii({0}) between 48 and 57 then try_cast({0} as timestamptz) end",
    ColumnType.TEXTS: "case when json_type({0}) = 'ARRAY' then try_cast({0} as varchar[]) end",
}
_WORDS = {
    ColumnType.INTEGER: "not whole numbers",
    ColumnType.NUMBER: "not numbers",
    ColumnType.BOOLEAN: "neither true nor false",
    ColumnType.TIMESTAMP: "not times",
    ColumnType.TEXTS: "not lists of texts",
}
_BITS = 60


def declared(table: TableSpec) -> str:
    """The declared columns with their types, for CREATE TABLE."""
    return ", ".join(f"{sql.name(name)} {ColumnType(kind).sql}" for name, kind in table.columns)


def as_read(table: TableSpec) -> str:
    """What `read_json` reads each column as: mostly text, so that one odd value does not fail the whole file."""
    named = [(name, _READ_AS.get(ColumnType(kind), "VARCHAR")) for name, kind in table.columns]
    return "{" + ", ".join(f"{sql.text(name)}: '{kind}'" for name, kind in [*named, ("_exchange", "BIGINT")]) + "}"


def typed(table: TableSpec, own: Mapping[str, str], rows: str) -> str:
    """A SELECT of the typed columns, then the loader's own (name to SQL), then the misfit flags, out of `rows`."""
    names = [sql.name(name) for name, _ in table.columns]
    raw = [f"{name} as _raw{n}" for n, name in enumerate(names)]
    mine = [f"{expression} as {name}" for name, expression in own.items()]
    values = [
        f"{_TYPED[ColumnType(kind)].format(f'_raw{n}')} as {names[n]}" for n, (_, kind) in enumerate(table.columns)
    ]
    flags = [f"{_flags(table, group)} as {flag}" for flag, group in misfit_flags(table).items()]
    return (
        f"select {', '.join([*names, *own, *flags])} from "
        f"(select *, {', '.join(values)} from (select {', '.join([*raw, *mine])} from {rows}))"
    )


def misfit_flags(table: TableSpec) -> dict[str, list[int]]:
    """The flag columns that `typed` adds: each has a bit for every risky column of the list (by position)."""
    risky = [n for n, (_, kind) in enumerate(table.columns) if ColumnType(kind) in _WORDS]
    return {f"_misfit{n}": risky[n : n + _BITS] for n in range(0, len(risky), _BITS)}


def misfit_counts(table: TableSpec) -> list[tuple[str, str]]:
    """For every risky column: SQL that counts its misfits, and what to say of them."""
    return [
        (
            f"count_if({flag} & {1 << bit} <> 0)",
            f"of column {table.columns[n][0]} {_WORDS[ColumnType(table.columns[n][1])]}",
        )
        for flag, group in misfit_flags(table).items()
        for bit, n in enumerate(group)
    ]


def _flags(table: TableSpec, group: list[int]) -> str:
    bits = [
        f"case when _raw{n} is not null and {sql.name(table.columns[n][0])} is null then {1 << bit} else 0 end"
        for bit, n in enumerate(group)
    ]
    return f"cast({' | '.join(bits)} as bigint)"
