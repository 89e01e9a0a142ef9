"""`annexa scan`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from annexa.cli.options import config_option, json_option, pack_option
from annexa.cli.output import clean, emit, say, table

if TYPE_CHECKING:
    from annexa.config import Config
    from annexa.cycle import Summary
    from annexa.cycle.listener import Listener
    from annexa.packs import Packs


@click.command()
@config_option
@pack_option
@json_option
@click.option("--source", "sources", multiple=True, help="Collect only this source; may be repeated.")
@click.option(
    "--fail-on", type=click.Choice(["low", "medium", "high", "critical", "never"]), help="The bar for exit 1."
)
@click.option("--wait", type=click.FloatRange(min=0), default=0, help="Seconds to wait for another scan to end.")
@click.option("--dry-run", is_flag=True, help="Show what would be collected; discover scopes, record nothing.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing unless something is wrong.")
def command(
    config_file: Path,
    packs: tuple[Path, ...],
    as_json: bool,
    sources: tuple[str, ...],
    fail_on: str | None,
    wait: float,
    dry_run: bool,
    quiet: bool,
) -> None:
    """Collect, seal, assess, decide and record.

    Exit codes: 0 fine; 1 a check at or above the bar fails; 2 something failed or was denied, or a check could not be
    evaluated; 3 something is incomplete or stale; 64 and above usage and configuration.

    \b
    annexa scan
    annexa scan --source okta --json | jq .failing
    annexa scan --quiet --fail-on high        # in cron or CI
    """
    import os
    from dataclasses import replace

    from annexa.config import load
    from annexa.cycle import scan
    from annexa.packs import mount

    os.umask(0o077)  # evidence names people: it is for this user, unless the files' owner says otherwise
    config = load(config_file)
    if fail_on is not None:
        config = replace(config, scan=replace(config.scan, fail_on=fail_on))
    content = mount([*config.packs, *packs])
    if dry_run:
        _dry_run(config, content, frozenset(sources), as_json)
        return
    listener = _listener(as_json or quiet)
    summary = scan(config, content, only=frozenset(sources), wait=wait, listener=listener)
    if as_json:
        emit(summary)
    elif not quiet or summary.exit_code:
        show(summary)
    sys.exit(summary.exit_code)


def _listener(silent: bool) -> Listener:
    from annexa.cycle.listener import Silent

    if silent:
        return Silent()
    if sys.stderr.isatty():
        from annexa.cli.progress import Progress

        return Progress()
    return Silent()


def _dry_run(config: Config, packs: Packs, only: frozenset[str], as_json: bool) -> None:
    import tempfile

    from annexa import clock
    from annexa.cycle import Content, plan_all
    from annexa.evidence.blobs import BlobStore

    with tempfile.TemporaryDirectory(prefix="annexa-") as folder:
        planned = plan_all(config, Content.of(config, packs), only, clock.now(), BlobStore(Path(folder)))
    lost = [(outcome.shard.name, outcome.state.value, outcome.reason) for outcome in planned.ended if outcome.reason]
    shards = [(s.name, ", ".join(t.name for t in s.tables), ", ".join(s.fetch.permissions)) for s in planned.shards]
    if as_json:
        emit({"shards": [s[0] for s in shards], "lost": lost})
        return
    table(("shard", "tables", "permissions"), shards)
    if lost:
        say("\ncannot be collected:", colour="yellow")
        table(("shard", "state", "reason"), lost)
    say(f"\n{len(shards)} shards would be collected; nothing was recorded")


def show(summary: Summary) -> None:
    """The summary for a person: what was not seen first, then what fails, then the numbers."""
    for note in summary.notes:
        say(f"note: {clean(note)}", colour="yellow")
    if summary.unseen:
        say("not seen:", colour="yellow")
        table(("state", "shard", "reason", "remedy"), ((u.state, u.shard, u.reason, u.remedy) for u in summary.unseen))
        say("")
    if summary.failing:
        rows = ((f.status, f.severity, f.check, _bad(f.counts), f.title) for f in summary.failing)
        table(("status", "severity", "check", "resources", "title"), rows)
        say("")
    say(f"run {summary.run}: {_counts(summary.shards)} shards; {_counts(summary.checks)} checks")
    say(f"controls: {_counts(summary.controls)}")
    changes = {name: len(ids) for name, ids in summary.nonconformities.items() if ids}
    say(f"nonconformities: {_counts(changes) or 'no change'}")
    off = [kpi.kpi for kpi in summary.kpis if kpi.status == "off target"]
    say(f"KPIs: {len(summary.kpis)} measured{', off target: ' + ', '.join(off) if off else ''}")


def _bad(counts: dict[str, int]) -> str:
    bad = {status: number for status, number in counts.items() if status not in ("pass", "na")}
    return f"{_counts(bad)} of {sum(counts.values())}"


def _counts(numbers: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in numbers.items())
