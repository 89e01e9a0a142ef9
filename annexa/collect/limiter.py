"""One rate limit for all threads that ask one source.

A limiter keeps a distance between requests when it is told to, and makes everybody wait when one answer says that
nothing is left until a reset: the others need not find out for themselves, one refusal each.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock


class Limiter:
    """Shared by the shards of one source.

    Args:
        interval: Seconds between the starts of two requests.
        sleep: Waits so many seconds.
        monotonic: A clock that never goes back, in seconds.
    """

    def __init__(
        self,
        interval: float = 0.0,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._interval = interval
        self._sleep = sleep
        self._monotonic = monotonic
        self._guard = Lock()
        self._next = 0.0
        self._paused_until = 0.0

    def pause(self, seconds: float) -> None:
        """Let nobody ask for so long; a longer pause that is on already stays."""
        with self._guard:
            self._paused_until = max(self._paused_until, self._monotonic() + seconds)

    def wait(self, longest: float) -> None:
        """Wait for one's turn.

        Args:
            longest: Seconds. A pause that is longer is not waited for: the system itself will say no.
        """
        with self._guard:
            now = self._monotonic()
            pause = self._paused_until if self._paused_until - now <= longest else now
            turn = max(now, self._next, pause)
            self._next = turn + self._interval
        if turn > now:
            self._sleep(turn - now)
