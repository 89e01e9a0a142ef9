"""`annexa status`."""

from __future__ import annotations

from pathlib import Path

import click

from annexa.cli.options import config_option, json_option, opened
from annexa.cli.output import age, emit, say, table


@click.command()
@config_option
@json_option
def command(config_file: Path, as_json: bool) -> None:
    """The latest run, what it could not see, and what is open.

    \b
    annexa status
    annexa status --json
    """
    from annexa import clock
    from annexa.views import checks, evidence, isms

    now = clock.now()
    with opened(config_file) as store:
        runs = isms.runs(store.session, last=1)
        unfinished = isms.unfinished(store.session)
        results = checks.results(store.session)
        unseen = [item for item in evidence.latest(store.session) if item.state not in ("complete", "unavailable")]
        nonconformities = isms.nonconformities(store.session, clock.text(now), state="open")
    by_status = {status: sum(r.status == status for r in results) for status in sorted({r.status for r in results})}
    overdue = sum(record.overdue for record in nonconformities)
    if as_json:
        emit(
            {
                "run": runs[0] if runs else None,
                "unfinished_runs": unfinished,
                "checks": by_status,
                "unseen": unseen,
                "nonconformities": {"open": len(nonconformities), "overdue": overdue},
            }
        )
        return
    for run in runs:
        ended = "ended" if run.ended_at else "did not end"
        say(f"run {run.id}, {age(run.started_at, now)} ago, {ended}; shards: {_counts(run.shards)}")
    for run in unfinished:
        say(f"run {run.id} is incomplete: it began {run.started_at} and has no end", colour="yellow")
    say(f"checks: {_counts(by_status) or 'none yet'}")
    say(f"nonconformities: {len(nonconformities)} open, {overdue} overdue")
    if unseen:
        say("\nnot seen:", colour="yellow")
        table(
            ("source", "scope", "fetch", "state", "reason"),
            sorted({(i.source, i.scope, i.fetch, i.state, i.reason or "it never ran") for i in unseen}),
        )


def _counts(numbers: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in numbers.items())
