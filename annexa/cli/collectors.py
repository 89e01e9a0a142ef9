"""`annexa collectors`."""

from __future__ import annotations

from pathlib import Path

import click

from annexa.cli.options import chosen, config_option, json_option, mounted, pack_option
from annexa.cli.output import emit, say, table


@click.group()
def command() -> None:
    """The collectors and the tables they fill. Needs no scan."""


@command.command("list")
@config_option
@pack_option
@json_option
def list_(config_file: Path, packs: tuple[Path, ...], as_json: bool) -> None:
    """The collectors of all mounted packs.

    \b
    annexa collectors list
    """
    content = mounted(config_file, packs)
    found = [content.collector(name) for name in content.collectors()]
    rows = [{"collector": c.name, "fetches": list(c.fetches), "docs": c.docs} for c in found]
    if as_json:
        emit(rows)
        return
    table(("collector", "fetches", "docs"), ((r["collector"], len(r["fetches"]), r["docs"]) for r in rows))


@command.command()
@config_option
@pack_option
@json_option
@click.argument("name")
def show(config_file: Path, packs: tuple[Path, ...], as_json: bool, name: str) -> None:
    """One collector: its settings, and the tables that it fills with their columns.

    \b
    annexa collectors show okta
    """
    from annexa.config import settings_schema

    collector = chosen(mounted(config_file, packs), name)
    schema = settings_schema(collector)
    settings = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    tables = [table for fetch in collector.fetches.values() if not callable(fetch.tables) for table in fetch.tables]
    if as_json:
        emit({"collector": name, "docs": collector.docs, "settings": settings, "tables": tables})
        return
    say(f"{name}: {collector.docs}\n\nsettings:")
    required = settings.get("required", [])
    rows = (
        (field, "required" if field in required else "", about.get("description", ""))
        for field, about in settings["properties"].items()
    )
    table(("setting", "", "meaning"), rows)
    for filled in tables:
        say(f"\n{filled.name}: {filled.doc.splitlines()[0]}")
        table(("column", "type", "from"), ((c.name, c.type.value, c.path) for c in filled.columns))
