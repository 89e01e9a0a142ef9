"""Does the ledger's database agree with itself: entries, tree and checkpoints.

This finds damage and careless tampering. Whoever holds the key and the disk can make a ledger that agrees with
itself; that is found by comparing with what is kept elsewhere (a remembered checkpoint, anchors).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from annexa.database.models import Base
from annexa.errors import Tampered
from annexa.evidence import checkpoints, merkle, tree_store
from annexa.evidence.leaves import Leaf
from annexa.evidence.ledger import Ledger
from annexa.evidence.notes import parse_note

_PAGE = 1000
_ENTRY, _NODE, _CHECKPOINT = (Base.metadata.tables[name] for name in ("ledger_entry", "tree_node", "checkpoint"))


def quick_check(session: Session) -> int:
    """A few reads, whatever the size: the last entry, the tree's right edge, the latest checkpoint.

    Returns:
        Number of entries.

    Raises:
        Tampered: They do not agree.
    """
    ledger = Ledger(session)
    size, note = ledger.size, ledger.latest_checkpoint()
    for entry in ledger.entries(after=size - 2):
        if tree_store.reader(session)(0, entry.index) != entry.leaf_hash:
            raise Tampered(f"ledger: entry {entry.index} was changed: it does not have the hash that the tree holds")
    if note is not None:
        ledger.check_extends(note)
    return size


def verify_tree(session: Session) -> int:
    """Compute the tree anew from every leaf; compare it with the stored one and with every checkpoint.

    Memory stays flat. Reads everything once.

    Returns:
        Number of entries.

    Raises:
        Tampered: Names the first entry that is missing, changed or does not fit.
    """
    signed, tree = _signed_roots(session), merkle.Frontier()
    for page in _pages(session):
        stored = _stored_nodes(session, tree.size, tree.size + len(page))
        for row in page:
            _check_row(row, tree.size)
            completed = tree.completed_by(merkle.leaf_hash(row.leaf))
            _check_nodes(completed, stored)
            tree.grow(completed)
            _check_root(tree, signed)
    _check_nothing_is_missing(session, tree.size, signed)
    return tree.size


def _pages(session: Session) -> Iterator[list[Row[Any]]]:
    after = -1
    columns = (_ENTRY.c.index.label("number"), *(_ENTRY.c[name] for name in ("time", "kind", "run", "leaf")))
    query = select(*columns).order_by(_ENTRY.c.index).limit(_PAGE)
    while page := list(session.connection().execute(query.where(_ENTRY.c.index > after))):
        yield page
        after = page[-1].number


def _stored_nodes(session: Session, first: int, end: int) -> dict[tuple[int, int], bytes]:
    """The stored subtrees that are completed by the entries [first, end)."""
    stored: dict[tuple[int, int], bytes] = {}
    for level in range(end.bit_length()):
        positions = _NODE.c.position.between(first >> level, (end >> level) - 1)
        query = select(_NODE.c.position, _NODE.c.hash).where(_NODE.c.level == level, positions)
        stored |= {(level, position): value for position, value in session.connection().execute(query)}
    return stored


def _check_row(row: Row[Any], index: int) -> None:
    """The columns repeat what the leaf says; queries go by them, so a false one would hide an entry."""
    if row.number != index:
        raise Tampered(f"ledger: entry {index} is missing")
    try:
        leaf = Leaf.parse(row.leaf)
    except Tampered as error:
        raise Tampered(f"ledger: entry {index}: {error}") from error
    said = (leaf.index, leaf.time, leaf.kind, leaf.run)
    if said != (row.number, row.time, row.kind, row.run):
        raise Tampered(f"ledger: entry {index}: its columns say {tuple(row)[:4]}, its leaf says {said}")


def _check_nodes(completed: Iterable[tuple[int, int, bytes]], stored: Mapping[tuple[int, int], bytes]) -> None:
    for level, position, value in completed:
        if stored.get((level, position)) != value:
            raise Tampered(_misfit(level, position, (level, position) in stored))


def _misfit(level: int, position: int, there: bool) -> str:
    first, last = position << level, ((position + 1) << level) - 1
    what = "does not fit" if there else "is missing"
    if level == 0:
        return f"ledger: entry {first} was changed: its hash in the tree {what}"
    return f"ledger: the tree node over entries {first} to {last} {what}"


def _signed_roots(session: Session) -> dict[int, bytes]:
    """Root by size, from the notes; the columns beside them must say the same."""
    signed = {}
    for row in session.connection().execute(select(_CHECKPOINT).order_by(_CHECKPOINT.c.size)):
        head = checkpoints.parse(parse_note(row.note)[0])
        if (head.size, head.root) != (row.size, row.root):
            raise Tampered(f"ledger: the checkpoint of {row.size} entries has columns that its note does not say")
        signed[head.size] = head.root
    return signed


def _check_root(tree: merkle.Frontier, signed: dict[int, bytes]) -> None:
    root = signed.get(tree.size)
    if root is not None and root != tree.root():
        raise Tampered(f"ledger: entries 0 to {tree.size - 1} are not those that their checkpoint signed")


def _check_nothing_is_missing(session: Session, size: int, signed: dict[int, bytes]) -> None:
    """Entries cut off the end leave a checkpoint or tree nodes behind."""
    nodes = session.connection().scalar(select(func.count()).select_from(_NODE))
    if max(signed, default=0) > size or nodes != sum(size >> level for level in range(size.bit_length())):
        raise Tampered(f"ledger: entry {size} is missing: the tree or a checkpoint reaches beyond it")
