"""Evidence by source: how much of it was seen, how old it is, and where each piece is sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from annexa.reports.capped import Capped, first
from annexa.reports.text import clipped
from annexa.reports.unseen import SEEN
from annexa.views.evidence import Item

FIRST = 200
"""Pieces shown for each source; those that were not seen in full come first."""


@dataclass(frozen=True, slots=True)
class Source:
    """The latest evidence of one source.

    Args:
        principals: As whom the source was asked.
        fetches: Fetches planned. seen: Those complete, or unavailable by the vendor's word.
        oldest: The time for which the oldest piece speaks.
    """

    name: str
    run: str
    principals: tuple[str, ...]
    fetches: int
    seen: int
    rows: int
    oldest: str | None
    pieces: Capped[Item]


def sources(items: Sequence[Item]) -> tuple[Source, ...]:
    """The sources by name."""
    grouped: dict[str, list[Item]] = {}
    for item in items:
        grouped.setdefault(item.source, []).append(item)
    return tuple(_source(name, found) for name, found in sorted(grouped.items()))


def _source(name: str, items: list[Item]) -> Source:
    states = {(item.scope, item.fetch): item.state for item in items}
    shown = first(sorted(items, key=lambda item: item.state in SEEN), FIRST)
    return Source(
        name=name,
        run=items[0].run,
        principals=tuple(sorted({clipped(item.principal, 200) for item in items if item.principal})),
        fetches=len(states),
        seen=sum(state in SEEN for state in states.values()),
        rows=sum(item.rows for item in items),
        oldest=min((item.as_of for item in items if item.as_of), default=None),
        pieces=Capped(tuple(replace(item, reason=clipped(item.reason)) for item in shown.items), shown.total),
    )
