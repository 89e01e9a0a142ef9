"""A list of which a page shows the beginning: never without saying how much there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Capped(Generic[T]):
    """The first items of `total`."""

    items: tuple[T, ...] = ()
    total: int = 0

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.total - len(self.items)


def first(items: Sequence[T], limit: int) -> Capped[T]:
    """The first `limit` items."""
    return Capped(tuple(items[:limit]), len(items))
