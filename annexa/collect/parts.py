"""One item among many: its failure makes the shard incomplete, and the loop goes on.

`part` swallows a `CollectError` and notes it as a flaw; a shard with a flaw is never complete. Anything else that is
raised inside leaves it: only what a system refused or failed to answer may cost one item alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from annexa.errors import CollectError


@dataclass(frozen=True, slots=True)
class Flaw:
    """What was lost: the part's name, what happened, and what to do about it."""

    part: str
    message: str
    remedy: str


class PartLog:
    """The flaws of one shard; a transport inherits it."""

    def __init__(self) -> None:
        self.flaws: list[Flaw] = []

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Do one item; a `CollectError` inside is noted in `flaws` and goes no further."""
        try:
            yield
        except CollectError as failure:
            self.flaws.append(Flaw(name, str(failure), failure.remedy))
