"""`annexa doctor`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from annexa.cli.options import config_option, json_option, pack_option
from annexa.cli.output import clean, emit, say

if TYPE_CHECKING:
    from annexa.collect.shards import Outcome, Shard
    from annexa.config import Config
    from annexa.cycle import Content

Finding = dict[str, str]


@click.command()
@config_option
@pack_option
@json_option
@click.option("--offline", is_flag=True, help="Check files only; ask no source.")
def command(config_file: Path, packs: tuple[Path, ...], as_json: bool, offline: bool) -> None:
    """Check configuration, packs and every source, read-only, and say what is missing before a scan does.

    Each fetch of each source is tried once, up to its first row, in one scope. Nothing is recorded. Exit 2 if
    something is missing.

    \b
    annexa doctor
    annexa doctor --offline --pack .
    """
    from annexa.config import load
    from annexa.cycle import Content
    from annexa.packs import mount

    config = load(config_file)
    mounted = mount([*config.packs, *packs])
    content = Content.of(config, mounted)
    findings: list[Finding] = []
    for finding in _findings(config, content, offline):
        findings.append(finding)
        if not as_json:
            _say(finding)
    if as_json:
        emit(findings)
    bad = [finding for finding in findings if finding["state"] not in ("ok", "unavailable", "note")]
    if not as_json:
        say(f"{len(bad)} to put right" if bad else "all is well")
    sys.exit(2 if bad else 0)


def _findings(config: Config, content: Content, offline: bool) -> Iterator[Finding]:
    yield _finding("config", "ok", f"{config.path}: {len(config.sources)} sources")
    yield _finding("packs", "ok", f"{len(content.checks)} checks, {len(content.controls)} controls")
    if not content.statement:
        why = "the statement is only the built-in example: write soa/statement.yaml in your own pack"
        yield _finding("statement", "note", why)
    unsourced = _unsourced(content)
    if unsourced:
        yield _finding("checks", "note", f"no source for {len(unsourced)}: {', '.join(unsourced)}")
    if not offline:
        for outcome in _tried(config, content):
            state = {"complete": "ok"}.get(outcome.state.value, outcome.state.value)
            yield _finding(outcome.shard.name, state, outcome.reason, outcome.remedy)


def _finding(what: str, state: str, reason: str, remedy: str = "") -> Finding:
    return {"what": what, "state": state, "reason": reason, "remedy": remedy}


def _unsourced(content: Content) -> list[str]:
    filled = {
        table.name
        for source in content.sources
        for tables in source.tables(content.tables).values()
        for table in tables
    }
    fed = {name for name, entity in content.entities.items() if name in filled or filled & entity.feeds.keys()}
    return [name for name, check in content.checks.items() if not check.requires.keys() <= filled | fed]


def _tried(config: Config, content: Content) -> Iterator[Outcome]:
    """Every fetch of every source, up to its first row, in the first scope of its level; nothing is kept."""
    from dataclasses import replace

    from annexa import clock
    from annexa.cycle.collecting import collect_all, plan_all
    from annexa.evidence.blobs import BlobStore

    with tempfile.TemporaryDirectory(prefix="annexa-") as folder:
        planned = plan_all(config, content, frozenset(), clock.now(), BlobStore(Path(folder)))
        yield from planned.ended
        tried: dict[tuple[str, str], Shard] = {}
        for shard in planned.shards:
            tried.setdefault((shard.source, shard.fetch.name), _first_row(shard))
        yield from collect_all(config, content, replace(planned, shards=tuple(tried.values())))


def _first_row(shard: Shard) -> Shard:
    """The shard with a fetch that stops after its first row."""
    from dataclasses import replace
    from itertools import islice

    run = shard.fetch.run
    return replace(shard, fetch=replace(shard.fetch, run=lambda api: islice(run(api), 1)))


def _say(finding: Finding) -> None:
    colour = {"ok": "green", "note": "yellow", "unavailable": "yellow"}.get(finding["state"], "red")
    reason = f": {clean(finding['reason'])}" if finding["reason"] else ""
    click.echo(f"{click.style(finding['state'], fg=colour)}  {clean(finding['what'])}{reason}")
    if finding["remedy"] and finding["state"] not in ("ok",):
        say(f"      {clean(finding['remedy'])}")
