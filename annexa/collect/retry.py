"""Asking again: when, how often and after how long. All that is asked here reads, so asking twice changes nothing.

- Again: no connection, no complete answer, 408, 425, 429, 500, 502, 503, 504, and the 403 that means "too often".
- After: what the system asks for (`rate_limits.wait_asked`) and up to a second more, so that not all come back at once;
  when it asks for nothing, a random time below half a second that doubles with every try, at most 30 s.
- Until: so many attempts, or so many seconds in all. A wait that would end later is not begun.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from annexa import clock
from annexa.collect.exchange import Response
from annexa.collect.rate_limits import refused_for_rate, wait_asked
from annexa.errors import CollectError

if TYPE_CHECKING:
    from tenacity import RetryCallState

_PASSING = frozenset((408, 425, 500, 502, 503, 504))


class Interrupted(Exception):
    """An attempt that brought no complete answer; `error` is what to raise if it was the last one."""

    def __init__(self, error: CollectError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on.

    Args:
        attempts: At most so many.
        seconds: In all, waits included.
        sleep: Waits so many seconds.
        monotonic: A clock that never goes back, in seconds.
        now: The time, UTC.
    """

    attempts: int = 6
    seconds: float = 900.0
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = clock.now

    def asks(self, attempt: Callable[[float], Response]) -> Response:
        """The answer that counts: the first that is not worth another try, else the last one.

        Args:
            attempt: Asks once; takes how many seconds are left for it and all that may follow.

        Raises:
            CollectError: the last attempt brought no answer.
        """
        from tenacity import Retrying, retry_if_exception_type, retry_if_result

        until = self.monotonic() + self.seconds
        retrying = Retrying(
            retry=retry_if_exception_type(Interrupted) | retry_if_result(worth_another_try),
            wait=self._wait,
            stop=lambda state: (
                state.attempt_number >= self.attempts or self.monotonic() + state.upcoming_sleep >= until
            ),
            sleep=self.sleep,
            retry_error_callback=_last,
        )
        made = 0

        def once() -> Response:
            nonlocal made
            made += 1
            return attempt(until - self.monotonic())

        answer: Response = retrying(once)
        return replace(answer, attempts=made)

    def _wait(self, state: RetryCallState) -> float:
        from tenacity import wait_random, wait_random_exponential

        asked = None
        if state.outcome is not None and not state.outcome.failed:
            asked = wait_asked(state.outcome.result(), self.now())
        if asked is None:
            return wait_random_exponential(multiplier=0.5, max=30)(state)
        return asked + wait_random(0, 1)(state)


def worth_another_try(answer: Response) -> bool:
    """Whether the same question may get a better answer later."""
    return answer.status in _PASSING or refused_for_rate(answer)


def _last(state: RetryCallState) -> Response:
    """What the last attempt gave."""
    outcome = state.outcome
    if outcome is None:
        raise CollectError("nothing was asked")
    failure = outcome.exception()
    if isinstance(failure, Interrupted):
        raise failure.error from failure
    answer: Response = outcome.result()
    return answer
