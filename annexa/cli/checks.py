"""`annexa checks`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from annexa.cli.options import config_option, json_option, mounted, pack_option
from annexa.cli.output import clean, emit, say, table

if TYPE_CHECKING:
    from annexa.assess.checks import Check
    from annexa.packs import Packs
    from annexa.sdk import Table


@click.group()
def command() -> None:
    """The checks: list, show, test. Needs no scan."""


@command.command("list")
@config_option
@pack_option
@json_option
@click.option("--control", help="Only checks mapped to this control.")
def list_(config_file: Path, packs: tuple[Path, ...], as_json: bool, control: str | None) -> None:
    """All checks of the mounted packs.

    \b
    annexa checks list --control A.8.5
    """
    from annexa.cycle.content import checks

    found = [c for c in checks(mounted(config_file, packs)).values() if control is None or control in c.controls]
    if as_json:
        emit([{"id": c.id, "title": c.title, "severity": c.severity, "controls": c.controls} for c in found])
        return
    rows = ((c.id, c.severity, ", ".join(c.controls), ", ".join(c.requires), c.title) for c in found)
    table(("check", "severity", "controls", "needs", "title"), rows)


@command.command()
@config_option
@pack_option
@click.argument("check")
def show(config_file: Path, packs: tuple[Path, ...], check: str) -> None:
    """One check: what it judges, from what, and its SQL.

    \b
    annexa checks show leaver-access
    """
    found = _chosen(mounted(config_file, packs), (check,))[0]
    say(f"{found.id}: {found.title}\n")
    if found.description:
        say(f"{clean(found.description.strip())}\n")
    from annexa.ages import age_text

    say(f"severity    {found.severity}")
    say(f"controls    {', '.join(found.controls)}")
    say(f"needs       {', '.join(f'{name} within {age_text(age)}' for name, age in found.requires.items())}")
    say(f"parameters  {', '.join(f'{name}={value}' for name, value in found.params.items()) or '-'}")
    say(f"known as    {', '.join(found.also_known_as) or '-'}")
    say(f"remediation {clean(found.remediation.strip())}")
    for situation in found.false_positives:
        say(f"mind        {clean(situation)}")
    say(f"\npopulation:\n{found.population.strip()}\n\nquery:\n{found.query.strip()}")


@command.command()
@config_option
@pack_option
@json_option
@click.argument("names", nargs=-1, metavar="[CHECK]...")
def test(config_file: Path, packs: tuple[Path, ...], as_json: bool, names: tuple[str, ...]) -> None:
    """Run the cases of all checks, or of some, through the loader and the sandbox. Exit 1 if one fails.

    \b
    annexa checks test
    annexa checks test leaver-access --pack .
    """
    from annexa.assess.selftest import run_all
    from annexa.cycle.content import entities

    content = mounted(config_file, packs)
    results = run_all(_chosen(content, names), tables(content), entities(content))
    failed = 0
    lines = []
    for result in results:
        failed += not result.passed
        if as_json:
            lines.append(result)
        else:
            mark = click.style("pass", fg="green") if result.passed else click.style("FAIL", fg="red")
            say(f"{mark}  {result.check}: {clean(result.case)}")
            if not result.passed:
                say(f"      {clean(result.detail)}")
    if as_json:
        emit(lines)
    elif failed:
        say(f"{failed} cases fail", colour="red")
    sys.exit(1 if failed else 0)


def tables(packs: Packs) -> dict[str, Table]:
    """Every table that a collector of the mounted packs declares."""
    fetches = [fetch for name in packs.collectors() for fetch in packs.collector(name).fetches.values()]
    return {table.name: table for fetch in fetches if not callable(fetch.tables) for table in fetch.tables}


def _chosen(packs: Packs, names: tuple[str, ...]) -> list[Check]:
    from difflib import get_close_matches

    from annexa.cycle.content import checks
    from annexa.errors import UsageError

    found = checks(packs)
    for name in names:
        if name not in found:
            close = get_close_matches(name, found, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise UsageError(f"there is no check {name}{hint}", remedy="`annexa checks list` names them.")
    return [found[name] for name in names] if names else list(found.values())
