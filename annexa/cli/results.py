"""`annexa results`."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

import click

from annexa.cli.options import config_option, opened, pack_option
from annexa.cli.output import clean, emit_line, table

COLUMNS = ("check", "resource", "status", "reason", "source", "scope", "controls", "also_known_as", "evidence")


@click.command()
@config_option
@pack_option
@click.option("--format", "form", type=click.Choice(["table", "jsonl", "csv"]), default="table", show_default=True)
@click.option("--check", "chosen", multiple=True, help="Only this check; may be repeated.")
@click.option("--status", "statuses", multiple=True, help="Only verdicts with this status; may be repeated.")
@click.option("--control", "control", help="Only checks mapped to this control, such as A.8.5.")
def command(
    config_file: Path,
    packs: tuple[Path, ...],
    form: str,
    chosen: tuple[str, ...],
    statuses: tuple[str, ...],
    control: str | None,
) -> None:
    """The verdicts of the latest assessment, from the sealed evidence.

    The table shows what is not a pass, unless --status says otherwise; jsonl and csv give every verdict.

    \b
    annexa results
    annexa results --format jsonl > verdicts.jsonl
    annexa results --control A.5.17 --status fail
    """
    from annexa.errors import UsageError
    from annexa.views import checks

    with opened(config_file, packs) as store:
        found = checks.results(store.session)
        unknown = set(chosen) - {result.check for result in found}
        if unknown:
            raise UsageError(f"no result of {', '.join(sorted(unknown))}", remedy="`annexa checks list` names them.")
        wanted = [r for r in found if (not chosen or r.check in chosen) and (not control or control in r.controls)]
        known_as = {name: document.data.get("also_known_as", []) for name, document in store.packs.checks().items()}
        lines = checks.verdicts(store.session, store.blobs, known_as, wanted)
        keep = (line for line in lines if _shown(line.status, statuses, form))
        if form == "jsonl":
            for line in keep:
                emit_line(line)
        elif form == "csv":
            _csv(asdict(line) for line in keep)
        else:
            table(("status", "check", "resource", "reason"), ((v.status, v.check, v.resource, v.reason) for v in keep))


def _shown(status: str, statuses: tuple[str, ...], form: str) -> bool:
    if statuses:
        return status in statuses
    return form != "table" or status not in ("pass", "na")


def _csv(lines: Iterable[Mapping[str, object]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in lines:
        writer.writerow([_cell(line[column]) for column in COLUMNS])


def _cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula and no terminal for an order: evidence is hostile input."""
    import msgspec

    text = clean(value if isinstance(value, str) else msgspec.json.encode(value).decode())
    return "'" + text if text.startswith(("=", "+", "-", "@")) else text
