"""A shard again, from its recording: the same exchanges must give the same rows.

Nothing is sent and nothing is stored; the digests of what the fetch gives are compared by whoever asked.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from annexa.collect.connections import Connections
from annexa.collect.replay import ReplayTape
from annexa.collect.rows import SegmentWriter
from annexa.collect.runner import Segments, ended, fill
from annexa.collect.shards import Shard, State, TableRows
from annexa.collect.transports import RecordedTransports
from annexa.evidence.blobs import BlobStore
from annexa.sdk import Collector


class Recording(Protocol):
    """Where a shard's recording lies: an `Outcome`, or the ledger's `Collected`."""

    @property
    def exchanges(self) -> str | None:
        """Digest of the exchange log, None when nothing was asked."""
        ...

    @property
    def bodies(self) -> str | None:
        """Digest of the answers' bytes, None when there were none."""
        ...


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay gave.

    Args:
        state: How the shard ends now.
        reason: Why it is not complete.
        tables: Its tables, with the digests that their segments have now.
        unused: Recorded exchanges that nobody asked for.
    """

    state: State
    reason: str
    tables: tuple[TableRows, ...]
    unused: int


class _Digest:
    """A segment of which only the digest is wanted."""

    def __init__(self) -> None:
        self._hash = sha256()

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        return len(data)

    def digest(self) -> str:
        return self._hash.hexdigest()


def replay_shard(
    recording: Recording,
    shard: Shard,
    collector: Collector,
    settings: Any,
    blobs: BlobStore,
    *,
    as_of: datetime,
    base: Path = Path(),
) -> Replayed:
    """Run a shard's fetch over its recording.

    Args:
        recording: Where its exchanges and bodies are.
        shard: As it was planned.
        collector: The collector, of the version that made the recording.
        settings: Its configuration at the time; secrets are not resolved.
        blobs: Where the evidence is sealed.
        as_of: The time of the run that made the recording.
        base: The configuration's folder, as then.

    Raises:
        StoreError: a blob is missing or damaged.
        Unreadable: the exchange log is not one.
    """
    with ExitStack() as stack:
        log = stack.enter_context(blobs.open(recording.exchanges)) if recording.exchanges else ()
        bodies = stack.enter_context(blobs.open(recording.bodies)) if recording.bodies else b""
        tape = ReplayTape(log, bodies)
        digests = {table.name: _Digest() for table in shard.tables}
        writers = {table.name: SegmentWriter(table, digests[table.name]) for table in shard.tables}
        connections = Connections()
        transports = RecordedTransports(shard, tape, connections, as_of=as_of, base=base, recording=False)
        segments = Segments(shard, writers)
        end = ended(
            shard,
            partial(fill, shard, collector, settings, tape, transports, segments),
            lambda: segments.seen(transports),
            lambda text: connections.redactor.url(text)[0],
        )
        tables = tuple(
            TableRows(name, digests[name].digest(), writer.rows, dict(sorted(writer.unknown.items())))
            for name, writer in writers.items()
        )
        return Replayed(end.state, end.reason, tables, len(tape.unused()))
