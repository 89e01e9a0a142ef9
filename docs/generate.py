"""Writes the reference pages from the code: `make docs`. A test compares them, so they cannot lag behind."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from annexa.cli import COMMANDS, annexa
from annexa.config import config_schema
from annexa.cycle.content import checks, entities
from annexa.isms.catalogue import catalogue
from annexa.packs import Packs, mount
from annexa.schemas import schema
from annexa.sdk import Table

FOLDER = Path(__file__).parent / "reference"
NOTE = "<!-- Written by `make docs`; do not edit. -->\n"
SCHEMAS = {
    "check": "assess/check.schema.json",
    "entity": "assess/entity.schema.json",
    "catalogue": "schemas/catalogue.schema.json",
    "kpi": "schemas/kpi.schema.json",
    "nonconformities": "schemas/nonconformities.schema.json",
    "statement": "schemas/statement.schema.json",
}


def pages() -> dict[str, str]:
    """Every reference page by its file name."""
    packs = mount()
    built_in = [packs.collector(name) for name in packs.collectors()]
    return {
        "cli.md": _cli(),
        "tables.md": _tables(packs),
        "entities.md": _entities(packs),
        "checks.md": _checks(packs),
        "controls.md": _controls(packs),
        "config.schema.json": _json(config_schema(built_in)),
        **{f"{name}.schema.json": _json(schema(place)) for name, place in SCHEMAS.items()},
    }


def main() -> None:
    """Write them all; take away what is no page any more."""
    written = pages()
    FOLDER.mkdir(exist_ok=True)
    for file in FOLDER.iterdir():
        if file.name not in written:
            file.unlink()
    for name, text in written.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(FOLDER / name)


def _cli() -> str:
    context = click.Context(annexa, info_name="annexa", terminal_width=100, **annexa.context_settings)
    parts = ["# Commands\n", NOTE, _help(annexa, context)]
    for name in COMMANDS:
        command = annexa.get_command(context, name)
        if command is not None:
            parts += _command(name, command, context)
    return "\n".join(parts)


def _command(name: str, command: click.Command, parent: click.Context) -> list[str]:
    context = click.Context(command, info_name=name, parent=parent, terminal_width=100)
    path = context.command_path
    parts = [f"## {path}\n" if path.count(" ") == 1 else f"### {path}\n", _help(command, context)]
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found is not None:
                parts += _command(below, found, context)
    return parts


def _help(command: click.Command, context: click.Context) -> str:
    return f"```text\n{command.get_help(context)}\n```\n"


def _tables(packs: Packs) -> str:
    parts = ["# Tables\n", NOTE, "What collectors fill. `source` and `scope` are added to every table.\n"]
    for name in packs.collectors():
        collector = packs.collector(name)
        parts.append(f"## {name}\n\n{collector.docs}\n")
        for fetch in collector.fetches.values():
            if not callable(fetch.tables):
                parts += [_table(table, fetch.permissions) for table in fetch.tables]
    return "\n".join(parts)


def _table(table: Table, permissions: Sequence[str]) -> str:
    needs = ", ".join(f"`{permission}`" for permission in permissions) or "nothing"
    key = ", ".join(f"`{name}`" for name in table.key) or "none"
    rows = _rows(("column", "type", "from"), ((f"`{c.name}`", c.type.value, f"`{c.path}`") for c in table.columns))
    return f"### {table.name}\n\n{table.doc}\n\nKey: {key}. Needs: {needs}.\n\n{rows}"


def _entities(packs: Packs) -> str:
    parts = ["# Common entities\n", NOTE]
    for name, entity in entities(packs).items():
        about = packs.entities()[name].data["columns"]
        rows = ((f"`{c.name}`", c.type.value, about[c.name]["description"]) for c in entity.table.columns)
        feeds = ", ".join(f"`{feed}`" for feed in entity.feeds) or "exported files only"
        parts.append(f"## {name}\n\n{entity.table.doc}\n\nFed by: {feeds}.\n")
        parts.append(_rows(("column", "type", "meaning"), rows))
    return "\n".join(parts)


def _checks(packs: Packs) -> str:
    found = checks(packs).values()
    rows = (
        (f"`{c.id}`", c.title, c.severity, ", ".join(c.controls), ", ".join(c.requires), ", ".join(c.also_known_as))
        for c in found
    )
    columns = ("check", "what is true where it passes", "severity", "controls", "needs", "also known as")
    return "\n".join(["# Checks\n", NOTE, f"{len(checks(packs))} checks.\n", _rows(columns, rows)])


def _controls(packs: Packs) -> str:
    mapped = [check.controls for check in checks(packs).values()]
    rows = (
        (c.id, c.title, c.theme, c.automation, str(sum(c.id in controls for controls in mapped)), c.evidence)
        for c in catalogue(packs.catalogue()).values()
    )
    columns = ("control", "title", "theme", "automation", "checks", "what data can show")
    return "\n".join(["# Controls of Annex A\n", NOTE, _rows(columns, rows)])


def _rows(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |\n" for line in lines)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
