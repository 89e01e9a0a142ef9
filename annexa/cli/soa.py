"""`annexa soa`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from annexa.cli.options import config_option, controls, json_option, opened, pack_option
from annexa.cli.output import age, clean, emit, say, table

if TYPE_CHECKING:
    from annexa.views.evidence import Item
    from annexa.views.isms import ControlView


@click.group()
def command() -> None:
    """The Statement of Applicability (6.1.3 d), with the derived effectiveness beside what people decided."""


@command.command("list")
@config_option
@pack_option
@json_option
@click.option("--theme", type=click.Choice(["organizational", "people", "physical", "technological"]))
@click.option("--effectiveness", help="Only controls that are so, such as 'ineffective'.")
def list_(
    config_file: Path, packs: tuple[Path, ...], as_json: bool, theme: str | None, effectiveness: str | None
) -> None:
    """All 93 controls, one line each.

    \b
    annexa soa list --effectiveness ineffective
    """
    from annexa.views import checks, isms

    with opened(config_file, packs) as store:
        rows = isms.statement(store.session, controls(store.packs), checks.results(store.session))
    rows = [r for r in rows if theme in (None, r.theme) and effectiveness in (None, r.effectiveness)]
    if as_json:
        emit(rows)
        return
    shown = ((r.control, r.title, _applicable(r.applicable), r.implementation, r.effectiveness, r.owner) for r in rows)
    table(("control", "title", "applicable", "implementation", "effectiveness", "owner"), shown)


@command.command()
@config_option
@pack_option
@json_option
@click.argument("control")
def show(config_file: Path, packs: tuple[Path, ...], as_json: bool, control: str) -> None:
    """One control: what was decided, what was derived, and from which checks and evidence.

    \b
    annexa soa show A.5.17
    """
    from annexa import clock
    from annexa.errors import UsageError
    from annexa.views import checks, evidence, isms

    with opened(config_file, packs) as store:
        rows = isms.statement(store.session, controls(store.packs), checks.results(store.session))
        found = next((row for row in rows if row.control == control), None)
        if found is None:
            raise UsageError(f"there is no control {control}", remedy="`annexa controls list` names them: A.5.1 …")
        items = {item.entry: item for item in evidence.latest(store.session)}
        if as_json:
            emit(found)
        else:
            _show(found, items, clock.now())


def _show(row: ControlView, items: Mapping[int | None, Item], now: datetime) -> None:
    say(f"{row.control} {row.title}")
    say(f"  {clean(row.intent)}\n")
    say(f"applicable      {_applicable(row.applicable)} ({', '.join(row.reasons)}) {clean(row.justification)}")
    say(f"implementation  {row.implementation}{f' by {clean(row.provider)}' if row.provider else ''}")
    say(f"owner           {clean(row.owner or '-')}")
    say(f"documents       {clean('; '.join(row.documents) or '-')}")
    say(f"effectiveness   {row.effectiveness}: {clean(row.effectiveness_reason)}")
    say(f"data can show   {clean(row.evidence)} ({row.automation})")
    say(f"people attest   {clean(row.attest)}")
    if not row.checks:
        say("\nno check has judged this control yet")
        return
    say("")
    counts = ((c.check, c.status, _counts(c.counts), c.title, age(c.oldest, now)) for c in row.checks)
    table(("check", "status", "verdicts", "title", "evidence age"), counts)
    say("")
    cited = {(cite["entry"], cite["table"]) for check in row.checks for cite in check.cites}
    shown = [(items[entry], name) for entry, name in sorted(cited) if entry in items]
    pieces = ((i.source, i.scope, name, i.state, age(i.as_of, now), i.entry) for i, name in shown)
    table(("source", "scope", "table", "state", "age", "ledger entry"), pieces)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {status}" for status, number in counts.items() if number)


def _applicable(applicable: bool | None) -> str:
    return {True: "yes", False: "no", None: "not decided"}[applicable]
