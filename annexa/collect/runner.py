"""Collects one shard: lets its fetch ask, writes down what was asked, answered and given, and says how it ended.

Rules:
- Whatever a collector raises ends its shard and no other. Only what hits everybody is raised: a store that cannot be
  written to, and Ctrl-C.
- What was recorded until then is sealed, however the shard ended: failures that were seen still count, and an auditor
  can see what a failed shard was answered.
- Each table has a segment, also an empty one: collected, none.
- The data are never younger than the run, whatever a file's time says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from annexa import clock
from annexa.collect.attempts import Failure, attempt
from annexa.collect.connections import Connections
from annexa.collect.deadline import BoundedTape
from annexa.collect.endings import Ending, Seen, ending
from annexa.collect.exchange import Tape
from annexa.collect.rows import SegmentWriter
from annexa.collect.shards import Outcome, Shard, TableRows
from annexa.collect.tape import RecordingTape
from annexa.collect.transports import RecordedTransports
from annexa.errors import PackError, StoreError
from annexa.evidence.blobs import BlobStore, BlobWriter
from annexa.sdk import Collector, TableRow


@dataclass(frozen=True, slots=True)
class Run:
    """What the shards of one run are collected with.

    Args:
        blobs: Where evidence is sealed.
        as_of: The run's time, the only clock that a fetch may read.
        base: The configuration's folder.
        connections: What the shards share.
        now: The time, UTC.
        deadline: How long one shard may take.
    """

    blobs: BlobStore
    as_of: datetime
    base: Path = Path()
    connections: Connections = field(default_factory=Connections)
    now: Callable[[], datetime] = clock.now
    deadline: timedelta = timedelta(minutes=30)


class Segments:
    """The segments of a shard while they are being written.

    Attributes:
        given: Rows that the fetch gave.
    """

    def __init__(self, shard: Shard, writers: Mapping[str, SegmentWriter]) -> None:
        self.given = 0
        self._shard, self._writers = shard, writers
        self._only = next(iter(writers.values())) if len(writers) == 1 else None

    def add(self, row: Any, exchange: int) -> None:
        """Write one row into its table.

        Raises:
            PackError: it belongs to none of the shard's tables, or does not say to which.
        """
        self.given += 1
        if isinstance(row, TableRow):
            writer, values = self._writers.get(row.table.name), row.values
        else:
            writer, values = self._only, row
        if writer is None:
            what = f"a row of {row.table.name}" if isinstance(row, TableRow) else "a row without its table"
            raise PackError(
                f"collector {self._shard.collector}: fetch {self._shard.fetch.name} gave {what}",
                remedy="A fetch that fills several tables gives TABLE.row(values) of the tables that it declares.",
            )
        writer.add(values, exchange)

    def seen(self, transports: RecordedTransports) -> Seen:
        """What the fetch left behind."""
        doubts = sum(writer.doubts for writer in self._writers.values())
        example = next((writer.example for writer in self._writers.values() if writer.example), "")
        return Seen(self.given, doubts, example, transports.flaws)


def collect(shard: Shard, collector: Collector, settings: Any, run: Run) -> Outcome:
    """Collect one shard.

    Args:
        shard: What to collect.
        collector: The collector that the shard's fetch belongs to.
        settings: An instance of the collector's configuration.
        run: What it is collected with.

    Raises:
        StoreError: the evidence cannot be written; no further shard could be.
    """
    started = run.now()
    try:
        with ExitStack() as stack:
            return _collect(shard, collector, settings, run, started, stack)
    finally:
        run.connections.done(shard)


def fill(shard: Shard, collector: Collector, settings: Any, tape: Tape, open: RecordedTransports, to: Segments) -> None:
    """Let the fetch run, and write each row with the exchange that it came with."""
    api = collector.connect(settings, open)
    for row in shard.fetch.run(api):
        to.add(row, tape.last)


def ended(shard: Shard, work: Callable[[], None], seen: Callable[[], Seen], clean: Callable[[str], str]) -> Ending:
    """How the work on a shard ended.

    Args:
        shard: Which.
        work: `fill`, bound.
        seen: What it left behind; asked afterwards.
        clean: Cuts secrets out of a message.

    Raises:
        StoreError: what hits every shard alike.
    """
    result = attempt(work)
    error = result.error if isinstance(result, Failure) else None
    if isinstance(error, StoreError):
        raise error
    found = ending(shard, error, seen())
    return Ending(found.state, clean(found.reason), clean(found.remedy))


def _collect(
    shard: Shard, collector: Collector, settings: Any, run: Run, started: datetime, stack: ExitStack
) -> Outcome:
    def blob() -> BlobWriter:
        return stack.enter_context(run.blobs.writer())

    shared, redactor = run.connections.answers(shard), run.connections.redactor
    exchanges, bodies = blob(), blob()
    tape = RecordingTape(exchanges, bodies, redactor, clock=run.now, shared=shared)
    blobs = {table.name: blob() for table in shard.tables}
    writers = {table.name: SegmentWriter(table, blobs[table.name]) for table in shard.tables}
    bounded = BoundedTape(tape, run.deadline)
    transports = RecordedTransports(shard, bounded, run.connections, as_of=run.as_of, base=run.base)
    segments = Segments(shard, writers)
    end = ended(
        shard,
        partial(fill, shard, collector, settings, bounded, transports, segments),
        lambda: segments.seen(transports),
        lambda text: redactor.url(text)[0],
    )
    return Outcome(
        shard=shard,
        state=end.state,
        reason=end.reason,
        remedy=end.remedy,
        started_at=started,
        ended_at=run.now(),
        as_of=min(run.as_of, transports.as_of_data or run.as_of),
        pages=tape.last,
        declared_total=transports.declared_total,
        exchanges=exchanges.seal().digest if tape.last else None,
        bodies=bodies.seal().digest if bodies.size else None,
        tables=tuple(
            TableRows(name, blobs[name].seal().digest, writer.rows, dict(sorted(writer.unknown.items())))
            for name, writer in writers.items()
        ),
        principal=shard.scope.values.get("principal", ""),
        redactions=tape.redaction_count,
    )
