"""The perfect subtrees of the ledger's tree as the database holds them."""

from __future__ import annotations

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from annexa.database.models import Base
from annexa.errors import Tampered
from annexa.evidence.merkle import Read

_NODE = Base.metadata.tables["tree_node"].c
_QUERY = select(_NODE.hash).where(_NODE.level == bindparam("at_level"), _NODE.position == bindparam("at_position"))


def reader(session: Session) -> Read:
    """Reads subtrees, one primary-key look-up each: SQLite scans the whole table for `(level, position) in (…)`.

    The function it gives raises `Tampered` for a subtree that is not there.
    """
    connection = session.connection()

    def read(level: int, position: int) -> bytes:
        found: bytes | None = connection.scalar(_QUERY, {"at_level": level, "at_position": position})
        if found is None:
            first, last = position << level, ((position + 1) << level) - 1
            raise Tampered(f"ledger: the tree node over entries {first} to {last} is missing")
        return found

    return read
