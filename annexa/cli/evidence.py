"""`annexa evidence`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from annexa.cli.options import config_option, json_option, opened
from annexa.cli.output import age, clean, emit, say, table


@click.group()
def command() -> None:
    """What was collected, when, how completely, and its bytes."""


@command.command("list")
@config_option
@json_option
@click.option("--source", help="Only this source.")
@click.option("--table", "name", help="Only this table.")
@click.option("--run", help="The evidence of this run; the latest of each source by default.")
def list_(config_file: Path, as_json: bool, source: str | None, name: str | None, run: str | None) -> None:
    """Evidence items: one line per table and scope.

    \b
    annexa evidence list --source okta
    """
    from annexa import clock
    from annexa.views import evidence

    with opened(config_file) as store:
        items = (
            evidence.latest(store.session, source, name) if run is None else evidence.of_run(store.session, run, source)
        )
    items = [item for item in items if name in (None, item.table)]
    if as_json:
        emit(items)
        return
    now = clock.now()
    rows = ((i.source, i.scope, i.table, i.rows, i.state, age(i.as_of, now), i.entry, i.reason) for i in items)
    table(("source", "scope", "table", "rows", "state", "age", "entry", "reason"), rows)


@command.command()
@config_option
@click.argument("digest")
def cat(config_file: Path, digest: str) -> None:
    """The bytes of a blob, verified while they are printed.

    \b
    annexa evidence cat 0f1e…  | head
    """
    from annexa.errors import UsageError

    if sys.stdout.isatty():
        raise UsageError("evidence is not printed on a terminal: it may hold control codes", remedy="Pipe it: | less")
    with opened(config_file) as store, store.blobs.open(digest) as blob:
        while piece := blob.read(1 << 16):
            sys.stdout.buffer.write(piece)


@command.command()
@config_option
@json_option
@click.argument("entry", type=int)
def show(config_file: Path, as_json: bool, entry: int) -> None:
    """One ledger entry: what it says, its hash, and the checkpoint over it.

    \b
    annexa evidence show 12
    """
    from annexa.errors import UsageError
    from annexa.evidence.ledger import Ledger

    with opened(config_file) as store:
        ledger = Ledger(store.session)
        found = next(ledger.entries(after=entry - 1), None) if 0 <= entry < ledger.size else None
        if found is None:
            raise UsageError(f"the ledger has no entry {entry}: it has {ledger.size}")
        note = ledger.latest_checkpoint()
    leaf = found.read()
    content = {"index": leaf.index, "time": leaf.time, "kind": leaf.kind, "run": leaf.run, "body": leaf.body}
    if as_json:
        emit({**content, "leaf_hash": found.leaf_hash.hex(), "checkpoint": note})
        return
    say(f"entry {leaf.index}, {leaf.kind}, {leaf.time}, run {leaf.run}\nleaf hash {found.leaf_hash.hex()}\n")
    table(("field", "value"), ((name, clean(value)) for name, value in leaf.body.items()))
    say(f"\nlatest checkpoint:\n{note}" if note else "\nno checkpoint yet")
