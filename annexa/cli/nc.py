"""`annexa nc`."""

from __future__ import annotations

from pathlib import Path

import click

from annexa.cli.options import config_option, json_option, opened
from annexa.cli.output import clean, day, emit, say, table


@click.group()
def command() -> None:
    """Nonconformities (10.2): raised, resolved and reopened by the evidence."""


@command.command("list")
@config_option
@json_option
@click.option("--state", type=click.Choice(["open", "resolved", "closed"]), help="Only records in this state.")
@click.option("--overdue", is_flag=True, help="Only open ones that are past their due date.")
def list_(config_file: Path, as_json: bool, state: str | None, overdue: bool) -> None:
    """All records, oldest first.

    \b
    annexa nc list --state open
    annexa nc list --overdue --json
    """
    from annexa import clock
    from annexa.views import isms

    with opened(config_file) as store:
        rows = isms.nonconformities(store.session, clock.text(clock.now()), state)
    rows = [row for row in rows if row.overdue or not overdue]
    if as_json:
        emit(rows)
        return
    shown = (
        (r.id, r.state, r.grade, r.control, r.title, r.source, r.resources, r.owner, day(r.due_at), _late(r.overdue))
        for r in rows
    )
    table(("id", "state", "grade", "control", "title", "source", "resources", "owner", "due", ""), shown)


def _late(overdue: bool) -> str:
    return "overdue" if overdue else ""


@command.command()
@config_option
@json_option
@click.argument("identifier", metavar="ID")
def show(config_file: Path, as_json: bool, identifier: str) -> None:
    """One record with the resources that show it.

    \b
    annexa nc show NC-0001
    """
    from annexa import clock
    from annexa.errors import UsageError
    from annexa.views import checks, isms

    with opened(config_file) as store:
        rows = isms.nonconformities(store.session, clock.text(clock.now()))
        found = next((row for row in rows if row.id == identifier), None)
        if found is None:
            raise UsageError(f"there is no nonconformity {identifier}", remedy="`annexa nc list` names them.")
        failing = [v for v in checks.open_verdicts(store.session, found.check) if v.source == found.source]
    failing = [v for v in failing if found.scope in ("", v.scope)]
    if as_json:
        emit({"nonconformity": found, "resources": failing})
        return
    say(f"{found.id} {clean(found.title)}: {found.state}, {found.grade}, {found.severity}")
    say(f"  {clean(found.statement)}\n")
    say(f"controls  {', '.join(found.controls)}")
    say(f"check     {found.check}")
    say(f"owner     {clean(found.owner or '-')}")
    say(f"raised    {found.raised_at}   due {found.due_at}{'   OVERDUE' if found.overdue else ''}")
    say(f"resolved  {found.resolved_at or '-'}   reopened {found.reopened} times")
    say("")
    table(("resource", "scope", "since", "reason"), ((v.resource, v.scope, day(v.since), v.reason) for v in failing))
