"""`annexa controls`."""

from __future__ import annotations

from pathlib import Path

import click

from annexa.cli.options import config_option, controls, json_option, mounted, pack_option
from annexa.cli.output import clean, emit, say, table


@click.group()
def command() -> None:
    """The controls of Annex A and what judges them. Needs no scan."""


@command.command("list")
@config_option
@pack_option
@json_option
@click.option("--automation", type=click.Choice(["strong", "partial", "manual"]), help="How much data can show.")
def list_(config_file: Path, packs: tuple[Path, ...], as_json: bool, automation: str | None) -> None:
    """The 93 controls, how much of each data can show, and how many checks judge it.

    \b
    annexa controls list --automation strong
    """
    content = mounted(config_file, packs)
    checks = [document.data["controls"] for document in content.checks().values()]
    rows = [c for c in controls(content).values() if automation in (None, c.automation)]
    if as_json:
        emit(rows)
        return
    counted = ((c.id, c.title, c.theme, c.automation, sum(c.id in mapped for mapped in checks)) for c in rows)
    table(("control", "title", "theme", "automation", "checks"), counted)


@command.command()
@config_option
@pack_option
@json_option
@click.argument("control")
def show(config_file: Path, packs: tuple[Path, ...], as_json: bool, control: str) -> None:
    """One control: intent, attributes, what data can show, and its checks.

    \b
    annexa controls show A.8.5
    """
    from annexa.errors import UsageError

    content = mounted(config_file, packs)
    found = controls(content).get(control)
    if found is None:
        raise UsageError(f"there is no control {control}", remedy="`annexa controls list` names them: A.5.1 …")
    mapped = {name: d.data for name, d in content.checks().items() if control in d.data["controls"]}
    if as_json:
        emit({"control": found, "checks": sorted(mapped)})
        return
    say(f"{found.id} {found.title} ({found.theme})\n  {clean(found.intent)}\n")
    for name, values in found.attributes.items():
        say(f"{name.replace('_', ' '):15} {', '.join(values)}")
    say(f"{'data can show':15} {clean(found.evidence)} ({found.automation})")
    say(f"{'people attest':15} {clean(found.attest)}\n")
    table(("check", "severity", "title"), ((name, data["severity"], data["title"]) for name, data in mapped.items()))
