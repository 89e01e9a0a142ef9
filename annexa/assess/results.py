"""Writes the verdicts of a check as JSON Lines: the full result set, which becomes a sealed blob.

Rules:
- Each line is `{"resource", "status", "reason", "source", "scope"}`, and `evidence` where the query gives it.
- The engine's own row comes first, then the verdicts sorted by source, scope and resource (bytes of UTF-8): equal
  verdicts give equal bytes.
- The text is made inside DuckDB and fetched many lines at a time, some megabytes; one thread, so that lines keep
  their order. This is most of what a check costs, so texts that are the same in all lines are quoted once.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from annexa.assess import sql
from annexa.assess.contract import ENGINE, VERDICTS
from annexa.assess.protocol import RowSpec

_TOGETHER = 8_000_000
_FEWEST, _MOST = 256, 40_960
_FRAME = 150


def write(con: Any, path: Path, rewrite: Mapping[str, str], suffix: str, row: RowSpec | None) -> None:
    """Write the file.

    Args:
        con: The database; `annexa_verdict` holds the verdicts in order.
        path: The file to create.
        rewrite: Status to the status to be written in its place.
        suffix: Added to the reason of each verdict that is rewritten.
        row: The engine's own row, if there is one.
    """
    columns = [found[0] for found in con.execute(f"select * from {VERDICTS} limit 0").description]
    lowest, highest = con.execute(f"select min(rowid), max(rowid) from {VERDICTS}").fetchone()
    with path.open("wb") as file:
        if row is not None:
            file.write(engine_line(row))
        if lowest is None:
            return
        line = _line(rewrite, *_places(con, lowest, highest), "evidence" in columns)
        chunk = (
            "select encode(string_agg(line, chr(10))) from "
            f"(select rowid as id, {line} as line from {VERDICTS}) where id between $first and $last"
        )
        step = _step(con, lowest, "evidence" in columns)
        for first in range(lowest, highest + 1, step):
            bound = {"first": first, "last": first + step - 1, **({"suffix": suffix} if rewrite else {})}
            file.write(con.execute(chunk, bound).fetchone()[0])
            file.write(b"\n")


def engine_line(row: RowSpec) -> bytes:
    """The engine's own row as a line of the file."""
    import msgspec

    fields = {"resource": ENGINE, "status": row.status, "reason": row.reason, "source": "", "scope": ""}
    return msgspec.json.encode(fields) + b"\n"


def _places(con: Any, lowest: int, highest: int) -> tuple[str, str]:
    """SQL of source and scope in JSON: constants where the first and the last row (they are sorted) have the same."""
    quoted = f"select source, scope, json_quote(source), json_quote(scope) from {VERDICTS} where rowid = $row"
    one, other = (con.execute(quoted, {"row": row}).fetchone() for row in (lowest, highest))
    source = sql.text(one[2]) if one[0] == other[0] else "json_quote(source)"
    scope = sql.text(one[3]) if one[:2] == other[:2] else "json_quote(scope)"
    return source, scope


def _step(con: Any, lowest: int, evidence: bool) -> int:
    """How many lines to fetch at a time, by the length of the first ones."""
    length = "strlen(reason) + coalesce(strlen(evidence), 0)" if evidence else "strlen(reason)"
    some = f"select avg({length}) from {VERDICTS} where rowid < {lowest + _FEWEST}"
    mean = con.execute(some).fetchone()[0]
    return max(_FEWEST, min(_MOST, int(_TOGETHER / (mean + _FRAME))))


def _line(rewrite: Mapping[str, str], source: str, scope: str, evidence: bool) -> str:
    """SQL: the JSON of a line. Concatenation takes half the time of `to_json` of a struct."""
    status, reason = "status", "reason"
    if rewrite:
        cases = " ".join(f"when {sql.text(old)} then {sql.text(new)}" for old, new in rewrite.items())
        status = f"case status {cases} else status end"
        reason = f"case when status in ({', '.join(map(sql.text, rewrite))}) then reason || $suffix else reason end"
    fields = [
        ('{"resource":', "json_quote(resource)"),
        (',"status":"', status),
        ('","reason":', f"json_quote({reason})"),
        (',"source":', source),
        (',"scope":', scope),
        *([(',"evidence":', "coalesce(evidence, 'null')")] if evidence else []),
    ]
    return f"concat({', '.join(f'{sql.text(label)}, {value}' for label, value in fields)}, '}}')"
