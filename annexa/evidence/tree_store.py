"""The perfect subtrees of the ledger's tree as the database holds them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from annexa.database.models import Base
from annexa.errors import Tampered
from annexa.evidence.merkle import EMPTY_ROOT, Read

_T = TypeVar("_T")
_NODE = Base.metadata.tables["tree_node"].c


def nodes(session: Session, wanted: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """The hashes of some subtrees, in one query.

    Args:
        session: The database.
        wanted: `(level, position)`; up to a few thousand.

    Raises:
        Tampered: One of them is not there.
    """
    places = list(wanted)
    if not places:
        return {}
    query = select(_NODE.level, _NODE.position, _NODE.hash).where(tuple_(_NODE.level, _NODE.position).in_(places))
    found = {(level, position): value for level, position, value in session.connection().execute(query)}
    for level, position in places:
        if (level, position) not in found:
            first, last = position << level, ((position + 1) << level) - 1
            raise Tampered(f"ledger: the tree node over entries {first} to {last} is missing")
    return found


def computed(session: Session, compute: Callable[[Read], _T]) -> _T:
    """The result of a Merkle function, its reads answered by one query.

    Which subtrees such a function reads depends on sizes only, never on hashes: so it is run once to learn
    which, and again with the hashes.
    """
    wanted: list[tuple[int, int]] = []

    def note_down(level: int, position: int) -> bytes:
        wanted.append((level, position))
        return EMPTY_ROOT

    compute(note_down)
    found = nodes(session, wanted)
    return compute(lambda level, position: found[level, position])
