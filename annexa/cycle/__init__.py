"""The one place that strings a run together: collect → seal → assess → decide → record.

Rules:
- The plan is in the ledger before anything is collected; each shard is recorded when it ends; assessments, decisions,
  measurements and the end of the run are recorded together. Killed at any moment, a run leaves a ledger that says how
  far it came, and no verdict without the decisions that follow from it.
- One run at a time: the writer's lock is held from the first entry to the last.
- A check that is not judged any more (no source, excluded, gone from its pack) is recorded as `unsourced`: an old pass
  does not go on counting.
"""

from __future__ import annotations

import secrets
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path

from annexa import __version__, clock, events
from annexa.assess.evidence import Evidence
from annexa.collect.shards import Outcome
from annexa.config import Config
from annexa.cycle import summary as conclusions
from annexa.cycle.assessing import assess_all
from annexa.cycle.collecting import Planned, collect_all, collected, plan_all
from annexa.cycle.content import Content
from annexa.cycle.decisions import adopt_statement, derive_effectiveness, raise_nonconformities
from annexa.cycle.evidence import gather
from annexa.cycle.listener import Listener, Silent
from annexa.cycle.measuring import measure_kpis
from annexa.cycle.summary import Summary
from annexa.database.session import open_writer, reading
from annexa.evidence.blobs import BlobStore
from annexa.evidence.keys import load_or_create
from annexa.evidence.publish import publish
from annexa.evidence.writer_lock import writer_lock
from annexa.packs import Packs, code_digest
from annexa.record import state
from annexa.record.writer import Writer, recording

__all__ = ["Content", "Planned", "Summary", "plan_all", "scan"]

EXAMPLE = "the built-in statement is Example Ltd's and was not adopted: write soa/statement.yaml in your own pack"


def scan(
    config: Config,
    packs: Packs,
    *,
    only: frozenset[str] = frozenset(),
    wait: float = 0.0,
    listener: Listener | None = None,
) -> Summary:
    """One run.

    Args:
        config: What to collect and where to keep it.
        packs: The mounted content.
        only: Sources to collect; all by default. Every check is assessed, with the latest evidence of the others.
        wait: Seconds to wait for another run to end.
        listener: Hears what happens.

    Raises:
        ConfigError, PackError: nothing was written.
        StoreBusy: another run holds the store, and `wait` is over.
        StoreError: the store cannot be written; what was recorded until then stays.
    """
    content = Content.of(config, packs)
    signer = load_or_create(config.ledger.key, config.ledger.origin)
    engine = open_writer(config.database_url())
    run = _Run(config, content, listener or Silent())
    record: _Record = partial(recording, engine, run.blobs, run.id)
    with writer_lock(engine, wait), tempfile.TemporaryDirectory(prefix="annexa-") as folder:
        run.started = clock.now()
        run.blobs.sweep(0)
        with reading(engine) as session:
            run.notes += [f"run {name} is incomplete: it has no end" for name in state.unfinished_runs(session)]
        outcomes = _collect(run, plan_all(config, content, only, run.started, run.blobs), record)
        with reading(engine) as session:
            evidence, entries = gather(session, run.blobs, content.sources, content.tables)
        assessed = list(_assess(run, evidence, entries, Path(folder)))
        with record() as writer:
            result = _conclude(run, writer, outcomes, assessed, evidence, Path(folder))
            note = writer.ledger.checkpoint(signer, config.ledger.origin, writer.now())
        publish(config.evidence, note)
    engine.dispose()
    return result


_Record = Callable[[], AbstractContextManager[Writer]]


@dataclass(slots=True)
class _Run:
    """What the steps of a run share."""

    config: Config
    content: Content
    listener: Listener
    started: datetime = field(default_factory=clock.now)
    notes: list[str] = field(default_factory=list)
    id: str = field(init=False)
    blobs: BlobStore = field(init=False)

    def __post_init__(self) -> None:
        self.id = f"{self.started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
        self.blobs = BlobStore(self.config.evidence)


def _collect(run: _Run, planned: Planned, record: _Record) -> list[Outcome]:
    """Record the plan, then each shard as it ends."""
    digests = {"config": run.config.digest, "code": code_digest(), **run.content.digests}
    every = planned.all()
    with record() as writer:
        writer.record(events.RunStarted(every, digests, socket.gethostname(), __version__))
    run.listener.planned(len(every))
    outcomes = []
    for outcome in chain(planned.ended, collect_all(run.config, run.content, planned)):
        with record() as writer:
            writer.record(collected(outcome))
        run.listener.collected(outcome)
        outcomes.append(outcome)
    return outcomes


def _assess(run: _Run, evidence: Evidence, entries: dict[str, int], folder: Path) -> Iterator[events.Assessed]:
    run.listener.assessing(len(run.content.checks))
    for check in assess_all(run.content, evidence, entries, run.blobs, run.started, run.config.scan, folder):
        run.listener.assessed(check)
        yield check


def _conclude(
    run: _Run,
    writer: Writer,
    outcomes: list[Outcome],
    assessed: list[events.Assessed],
    evidence: Evidence,
    folder: Path,
) -> Summary:
    """Record what was assessed and all that follows from it, to the end of the run."""
    content = run.content
    if content.statement:
        adopt_statement(writer, content.statement)
    else:
        run.notes.append(EXAMPLE)
    judged = [check for check in assessed if check.status != "unsourced"]
    writer.record(*judged, *state.retired(writer.session, {check.check for check in judged}))
    derive_effectiveness(writer, content.controls)
    sources = frozenset(source.name for source in content.sources)
    happenings = raise_nonconformities(writer, judged, content.policy, content.controls, sources, run.started)
    kpis = measure_kpis(writer, content.kpis, evidence, content.entities, content.controls, run.started, folder)
    states = [outcome.state.value for outcome in outcomes]
    counts = {
        "shards": conclusions.tally(states),
        "checks": conclusions.tally(check.status for check in assessed),
    }
    writer.record(events.RunEnded(counts))
    return Summary(
        run=run.id,
        started_at=clock.text(run.started),
        ended_at=clock.text(writer.now()),
        shards=counts["shards"],
        unseen=conclusions.unseen(outcomes),
        checks=counts["checks"],
        failing=conclusions.failing(judged),
        controls=conclusions.tally(value for value, _ in state.effectiveness(writer.session).values()),
        nonconformities=conclusions.happened(happenings),
        kpis=kpis,
        notes=run.notes,
        exit_code=conclusions.exit_code(states, judged, run.config.scan.fail_on),
    )
