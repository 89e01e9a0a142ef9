"""A shard's time is bounded: past its deadline nothing more is asked, and what was read so far stands as incomplete."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from annexa.collect.exchange import Request, Response, Send, Tape
from annexa.errors import CollectError


class BoundedTape:
    """A tape that asks nothing after a deadline; each exchange has a deadline of its own besides.

    Args:
        tape: The tape behind it.
        allowed: How long the shard may take.
        monotonic: A clock that never goes back, in seconds.
    """

    def __init__(self, tape: Tape, allowed: timedelta, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._tape, self._allowed, self._monotonic = tape, allowed, monotonic
        self._until = monotonic() + allowed.total_seconds()

    @property
    def last(self) -> int:
        """The number of the latest exchange."""
        return self._tape.last

    def play(self, request: Request, send: Send) -> Response:
        """The answer to a request.

        Raises:
            CollectError: the deadline has passed.
        """
        if self._monotonic() > self._until:
            raise CollectError(
                f"stopped after {self._allowed}, the deadline for one shard",
                remedy="Raise scan.deadline in config.yaml, or narrow the source.",
            )
        return self._tape.play(request, send)
