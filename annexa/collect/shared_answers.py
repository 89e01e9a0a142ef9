"""Answers that the shards of one source, scope and run share, so that a listing two fetches need is asked once.

Rules:
- While one shard asks, another that wants the same waits, and is given the answer; if the first fails, it asks itself.
- Errors are not kept. What is kept is bounded in bytes; the answer that was used longest ago goes first.
- A shard that asks the same thing again wants to know it anew (it waits for a job to end): the second question of one
  shard shares with the second of another, never with its own first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """Which request, and the how-manieth time that one shard asks it."""

    request: bytes
    nth: int


@dataclass(slots=True)
class _Turn:
    lock: Lock = field(default_factory=Lock)
    wanted: int = 0


class SharedAnswers(Generic[Answer]):
    """For one source, one scope and one run; any number of threads.

    Args:
        limit: The most bytes to keep.
    """

    def __init__(self, limit: int = 64 * 1024 * 1024) -> None:
        self._limit = limit
        self._kept: OrderedDict[AnswerKey, tuple[Answer, int]] = OrderedDict()
        self._bytes = 0
        self._turns: dict[AnswerKey, _Turn] = {}
        self._guard = Lock()

    def answer(
        self, key: AnswerKey, ask: Callable[[], Answer], size: Callable[[Answer], int | None]
    ) -> tuple[Answer, bool]:
        """The answer, and whether somebody else had asked for it.

        Args:
            key: What is asked.
            ask: Asks the system.
            size: What an answer takes in bytes; None for one that must not be kept.
        """
        with self._guard:
            turn = self._turns.setdefault(key, _Turn())
            turn.wanted += 1
        try:
            with turn.lock:
                kept = self._find(key)
                if kept is not None:
                    return kept, True
                fresh = ask()
                self._keep(key, fresh, size(fresh))
                return fresh, False
        finally:
            with self._guard:
                turn.wanted -= 1
                if not turn.wanted:
                    del self._turns[key]

    def _find(self, key: AnswerKey) -> Answer | None:
        with self._guard:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def _keep(self, key: AnswerKey, answer: Answer, size: int | None) -> None:
        if size is None or size > self._limit:
            return
        with self._guard:
            self._kept[key] = (answer, size)
            self._bytes += size
            while self._bytes > self._limit:
                _, (_, dropped) = self._kept.popitem(last=False)
                self._bytes -= dropped
