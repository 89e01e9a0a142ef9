"""Writes the verdicts of a check as JSON Lines: the full result set, which becomes a sealed blob.

Rules:
- Each line is `{"resource", "status", "reason", "source", "scope"}`, and `evidence` where the query gives it.
- The engine's own row comes first, then the verdicts sorted by source, scope and resource (bytes of UTF-8): equal
  verdicts give equal bytes.
- The text is made inside DuckDB and fetched many lines at a time; one thread, so that lines keep their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from annexa.assess import sql
from annexa.assess.contract import ENGINE, VERDICTS
from annexa.assess.protocol import RowSpec

_TOGETHER = 20_480


def write(con: Any, path: Path, rewrite: Mapping[str, str], suffix: str, row: RowSpec | None) -> None:
    """Write the file.

    Args:
        con: The database; `annexa_verdict` holds the verdicts in order.
        path: The file to create.
        rewrite: Status to the status to be written in its place.
        suffix: Added to the reason of each verdict that is rewritten.
        row: The engine's own row, if there is one.
    """
    with path.open("wb") as file:
        if row is not None:
            file.write(engine_line(row))
        lowest, highest = con.execute(f"select min(rowid), max(rowid) from {VERDICTS}").fetchone()
        if lowest is None:
            return
        chunk = (
            f"select encode(string_agg(line, chr(10))) from ({_lines(con, rewrite)}) where id between $first and $last"
        )
        for first in range(lowest, highest + 1, _TOGETHER):
            bound = {"first": first, "last": first + _TOGETHER - 1, **({"suffix": suffix} if rewrite else {})}
            file.write(con.execute(chunk, bound).fetchone()[0])
            file.write(b"\n")


def engine_line(row: RowSpec) -> bytes:
    """The engine's own row as a line of the file."""
    import msgspec

    fields = {"resource": ENGINE, "status": row.status, "reason": row.reason, "source": "", "scope": ""}
    return msgspec.json.encode(fields) + b"\n"


def _lines(con: Any, rewrite: Mapping[str, str]) -> str:
    """SQL: the number and the JSON of each line. Concatenation takes half the time of `to_json` of a struct."""
    status, reason = "status", "reason"
    if rewrite:
        cases = " ".join(f"when {sql.text(old)} then {sql.text(new)}" for old, new in rewrite.items())
        status = f"case status {cases} else status end"
        reason = f"case when status in ({', '.join(map(sql.text, rewrite))}) then reason || $suffix else reason end"
    fields = [
        ('{"resource":', "json_quote(resource)"),
        (',"status":', f"json_quote({status})"),
        (',"reason":', f"json_quote({reason})"),
        (',"source":', "json_quote(source)"),
        (',"scope":', "json_quote(scope)"),
    ]
    columns = {found[0] for found in con.execute(f"select * from {VERDICTS} limit 0").description}
    if "evidence" in columns:
        fields.append((',"evidence":', "coalesce(evidence, 'null')"))
    parts = ", ".join(f"{sql.text(label)}, {value}" for label, value in fields)
    return f"select rowid as id, concat({parts}, '}}') as line from {VERDICTS}"
