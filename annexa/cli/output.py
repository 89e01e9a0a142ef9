"""How the command line shows values: tables for people, JSON for machines.

Evidence is hostile input: control characters of what is shown are made visible, so that a user name cannot move the
cursor or colour the terminal, and markup in it is not interpreted.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import click

COLOURS = {
    "pass": "green",
    "effective": "green",
    "complete": "green",
    "on target": "green",
    "resolved": "green",
    "fail": "red",
    "ineffective": "red",
    "off target": "red",
    "error": "red",
    "failed": "red",
    "denied": "red",
    "open": "red",
    "critical": "red",
    "incomplete": "yellow",
    "stale": "yellow",
    "partially effective": "yellow",
    "warning": "yellow",
    "planned": "yellow",
}


def clean(text: object) -> str:
    """Text that is safe on a terminal: control and format characters are shown as escapes."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in str(text))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table; columns of coloured words by their value. Plain and unwrapped when the output is not a terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else 10_000, highlight=False, markup=False)
    shown = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        shown.add_column(column, overflow="fold" if terminal else "ignore", no_wrap=not terminal)
    for row in rows:
        shown.add_row(*(Text(clean(cell), style=COLOURS.get(str(cell), "")) for cell in row))
    with console.capture() as captured:
        console.print(shown)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def say(text: str, *, colour: str | None = None) -> None:
    """One line for people."""
    click.secho(text, fg=colour)


def emit(value: Any) -> None:
    """A value as JSON, indented."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value, order="deterministic"), indent=2).decode())


def emit_line(value: Any) -> None:
    """A value as one line of JSON."""
    import msgspec

    click.echo(msgspec.json.encode(value).decode())


def age(then: str | None, now: datetime) -> str:
    """How long ago, in the largest fitting unit: `3 h`, `12 d`."""
    if then is None:
        return "-"
    from annexa import clock

    seconds = (now - clock.moment(then)).total_seconds()
    for size, unit in ((86_400 * 2, "d"), (3_600 * 2, "h"), (60 * 2, "min")):
        if seconds >= size:
            return f"{seconds / (size / 2):.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def day(then: str | None) -> str:
    """The date of a recorded time."""
    return "-" if then is None else then[:10]
