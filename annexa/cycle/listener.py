"""What a run tells while it runs: to a terminal, to a log, to nobody."""

from __future__ import annotations

from typing import Protocol

from annexa import events
from annexa.collect.shards import Outcome


class Listener(Protocol):
    """Hears what happens, as it happens."""

    def note(self, text: str) -> None:
        """Something a person should know that is no shard and no check."""

    def planned(self, shards: int) -> None:
        """Collecting begins."""

    def collected(self, outcome: Outcome) -> None:
        """A shard ended and is sealed."""

    def assessing(self, checks: int) -> None:
        """Assessing begins."""

    def assessed(self, check: events.Assessed) -> None:
        """A check was evaluated."""


class Silent:
    """Tells nobody."""

    def note(self, text: str) -> None:
        """Nothing."""

    def planned(self, shards: int) -> None:
        """Nothing."""

    def collected(self, outcome: Outcome) -> None:
        """Nothing."""

    def assessing(self, checks: int) -> None:
        """Nothing."""

    def assessed(self, check: events.Assessed) -> None:
        """Nothing."""
