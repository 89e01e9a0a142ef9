"""The ledger: an append-only list of leaves in the database, and the RFC 6962 tree over them.

Rules:
- `append` adds to the caller's transaction and never commits: the entry and what follows from it are one.
- The tree's right edge is kept in memory for the length of a transaction and forgotten when it (or a savepoint)
  ends, so neither a rollback nor another writer is overlooked. One writer at a time is the caller's duty; a
  second one fails on the primary key.
- The time of an entry is what the caller's clock said, even where that is earlier than the entry before: a clock
  that was set back is a fact for `annexa verify` to report, not one to smooth over. The index is the order.
- Nothing is appended to a ledger shorter than its latest checkpoint: entries were removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import event, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session, SessionTransaction

from annexa import clock
from annexa.database.models import Base
from annexa.errors import StoreBusy, StoreError, Tampered
from annexa.evidence import checkpoints, merkle, tree_store
from annexa.evidence.leaves import Kind, Leaf
from annexa.evidence.notes import Signer, open_note, parse_note, sign

__all__ = ["Entry", "Kind", "Ledger"]

_PAGE = 1000
_EDGE = "annexa.evidence.ledger.edge"
_ENTRY, _NODE, _CHECKPOINT = (Base.metadata.tables[name] for name in ("ledger_entry", "tree_node", "checkpoint"))
_ADD_ENTRY, _ADD_NODE, _ADD_CHECKPOINT = _ENTRY.insert(), _NODE.insert(), _CHECKPOINT.insert()


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as stored.

    Attributes:
        index: Its number, from 0.
        leaf_hash: Its hash in the tree.
        leaf: Its bytes.
    """

    index: int
    leaf_hash: bytes
    leaf: bytes

    def read(self) -> Leaf:
        """What the entry says.

        Raises:
            Tampered: The bytes are not a leaf.
        """
        return Leaf.parse(self.leaf)


class Ledger:
    """The ledger in the database of `session`. Cheap to make; several over one session see the same.

    Args:
        session: A session of one thread, whose transaction the caller ends.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        if not event.contains(session, "after_transaction_end", _forget_edge):
            event.listen(session, "after_transaction_end", _forget_edge)

    @property
    def size(self) -> int:
        """Number of entries, those of the open transaction included."""
        return self._edge().size

    def append(self, kind: Kind, body: Mapping[str, Any], *, time: datetime, run: str | None = None) -> Entry:
        """Add an entry in the caller's transaction.

        Args:
            kind: What it records.
            body: JSON; integers beyond 2**53 - 1 as strings.
            time: When, with its zone.
            run: The run it belongs to.

        Raises:
            StoreError: The body cannot be written as RFC 8785 JSON (nothing was added), or the database refused.
            StoreBusy: Another process appended at the same time; roll back.
            Tampered: The ledger is damaged.
            ValueError: `time` has no zone.
        """
        edge = self._edge()
        leaf = Leaf(edge.size, clock.text(time), kind, run, dict(body))
        data = leaf.encode()
        added = edge.completed_by(merkle.leaf_hash(data))
        self._insert(leaf, data, added)
        edge.grow(added)
        return Entry(leaf.index, added[0][2], data)

    def root(self, size: int | None = None) -> bytes:
        """The root of the tree, or of its first `size` entries.

        Raises:
            ValueError: There are fewer entries.
        """
        edge = self._edge()
        if size is None or size == edge.size:
            return edge.root()
        self._check_size(size)
        return merkle.root(size, tree_store.reader(self._session))

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """The proof that entry `index` is in the tree, or in the tree of the first `size` entries.

        Raises:
            ValueError: There is no such entry.
        """
        return merkle.inclusion_proof(index, self._check_size(size), tree_store.reader(self._session))

    def consistency(self, first: int, size: int | None = None) -> list[bytes]:
        """The proof that the tree of `first` entries is a beginning of this one, or of that of `size` entries.

        Raises:
            ValueError: Not 0 < first <= size.
        """
        return merkle.consistency_proof(first, self._check_size(size), tree_store.reader(self._session))

    def checkpoint(self, signer: Signer, origin: str, time: datetime) -> str:
        """Sign the tree's head and keep it; gives the signed note.

        A head that was signed already is given again, so that one size has one note.

        Raises:
            Tampered: The tree does not begin with what the latest checkpoint signed; nothing is signed.
        """
        head = checkpoints.Checkpoint(origin, self.size, self.root())
        latest = self.latest_checkpoint()
        if latest is not None and self.check_extends(latest) == head.size:
            if open_note(latest, [signer.verifier]).text != head.text():
                raise Tampered(f"ledger: another head of {head.size} entries was signed before")
            return latest
        note = sign(head.text(), [signer])
        row = {"size": head.size, "time": clock.text(time), "root": head.root, "note": note}
        self._session.connection().execute(_ADD_CHECKPOINT, row)
        return note

    def latest_checkpoint(self) -> str | None:
        """The signed note of the latest checkpoint, as stored."""
        query = select(_CHECKPOINT.c.note).order_by(_CHECKPOINT.c.size.desc()).limit(1)
        return self._session.connection().scalar(query)

    def check_extends(self, note: str) -> int:
        """See that the tree begins with what a checkpoint says; gives its size. Signatures are not looked at.

        Raises:
            Tampered: The note is not a checkpoint, or the tree does not begin so.
        """
        signed = checkpoints.parse(parse_note(note)[0])
        if signed.size > self.size or self.root(signed.size) != signed.root:
            raise Tampered(f"ledger: its first {signed.size} entries are not those that a checkpoint signed")
        return signed.size

    def entries(self, kind: Kind | None = None, run: str | None = None, after: int = -1) -> Iterator[Entry]:
        """The entries in order, in bounded memory; the session may commit in between.

        Args:
            kind: Only of this kind.
            run: Only of this run.
            after: Only behind this index.
        """
        query = select(_ENTRY.c.index, _ENTRY.c.leaf).order_by(_ENTRY.c.index).limit(_PAGE)
        if kind is not None:
            query = query.where(_ENTRY.c.kind == str(kind))
        if run is not None:
            query = query.where(_ENTRY.c.run == run)
        while page := self._session.connection().execute(query.where(_ENTRY.c.index > after)).all():
            for index, leaf in page:
                yield Entry(index, merkle.leaf_hash(leaf), leaf)
            after = page[-1][0]

    def _insert(self, leaf: Leaf, data: bytes, added: list[tuple[int, int, bytes]]) -> None:
        """Two statements on the connection: a quarter of what the ORM would cost."""
        row = {"index": leaf.index, "time": leaf.time, "kind": str(leaf.kind), "run": leaf.run, "leaf": data}
        rows = [{"level": level, "position": position, "hash": value} for level, position, value in added]
        connection = self._session.connection()
        try:
            connection.execute(_ADD_ENTRY, row)
            connection.execute(_ADD_NODE, rows)
        except IntegrityError as error:
            raise StoreBusy(
                f"ledger: entry {leaf.index} is already there: another process appended at the same time",
                remedy="Run again. If it happens with one process only, run `annexa verify`.",
            ) from error
        except DBAPIError as error:
            raise StoreError(f"ledger: entry {leaf.index} cannot be written: {error.orig}") from error

    def _check_size(self, size: int | None) -> int:
        total = self.size
        if size is not None and not 0 <= size <= total:
            raise ValueError(f"the ledger has {total} entries, not {size}")
        return total if size is None else size

    def _edge(self) -> merkle.Frontier:
        edge: merkle.Frontier | None = self._session.info.get(_EDGE)
        if edge is None:
            edge = self._load_edge()
            self._session.info[_EDGE] = edge
        return edge

    def _load_edge(self) -> merkle.Frontier:
        connection = self._session.connection()
        last = connection.scalar(select(func.max(_ENTRY.c.index)))
        size = 0 if last is None else last + 1
        signed = connection.scalar(select(func.max(_CHECKPOINT.c.size))) or 0
        if size < signed:
            raise Tampered(f"ledger: entries {size} to {signed - 1} are missing: a checkpoint of {signed} was signed")
        read = tree_store.reader(self._session)
        return merkle.Frontier(size, {place: read(*place) for place in merkle.edge(size)})


def _forget_edge(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested or transaction.parent is None:
        session.info.pop(_EDGE, None)
