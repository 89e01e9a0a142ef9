"""What an assessment means for the records: effectiveness, statement and nonconformities, decided and recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from annexa import events
from annexa.isms import effectiveness, nonconformities, statement
from annexa.isms.catalogue import Control
from annexa.record import state
from annexa.record.verdicts import BLIND, ENGINE, read
from annexa.record.writer import Writer


def adopt_statement(writer: Writer, decided: Mapping[str, events.StatementLine]) -> None:
    """Record the pack's statement where it is not the adopted one."""
    event = statement.adoption(state.adopted_statement(writer.session), decided)
    if event is not None:
        writer.record(event)


def derive_effectiveness(writer: Writer, controls: Mapping[str, Control]) -> None:
    """Record the effectiveness of every control whose checks now say something else."""
    summaries = state.check_summaries(writer.session)
    derived = {control.id: effectiveness.derive(control, summaries) for control in controls.values()}
    writer.record(*effectiveness.changes(state.effectiveness(writer.session), derived))


def raise_nonconformities(
    writer: Writer,
    assessed: Iterable[events.Assessed],
    policy: nonconformities.Policy,
    controls: Mapping[str, Control],
    sources: frozenset[str],
    as_of: datetime,
) -> list[nonconformities.Happening]:
    """Raise, update, resolve and reopen records as the verdicts say.

    A control that nobody has decided on yet counts as applicable.

    Args:
        sources: The names of the configured sources.

    Returns:
        What happened, for the summary of the run.
    """
    lines = state.adopted_statement(writer.session)
    context = nonconformities.Context(
        policy=policy,
        applicable=frozenset(controls) - {control for control, line in lines.items() if not line.applicable},
        owners={control: line.owner for control, line in lines.items()},
        sources=sources,
        as_of=as_of,
    )
    happenings = nonconformities.decide(
        (_judged(writer, check) for check in assessed),
        state.nonconformities(writer.session),
        context,
        next_number=state.next_number(writer.session),
    )
    writer.record(*happenings)
    return happenings


def _judged(writer: Writer, check: events.Assessed) -> nonconformities.Judged:
    failures = []
    clean = check.results is not None
    for verdict in read(writer.blobs, check.results) if check.results is not None else ():
        if verdict.status in BLIND or verdict.resource == ENGINE:
            clean = False  # an empty population too: an export with nothing in it is no proof of repair
        elif verdict.status == "fail":
            failures.append(nonconformities.Failure(verdict.source, verdict.scope, verdict.resource, verdict.reason))
    return nonconformities.Judged(
        check.check, check.title, check.severity, tuple(check.controls), clean, tuple(failures)
    )
