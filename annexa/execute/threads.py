"""Shards on threads of this host: each outcome as soon as it is there.

Rules:
- The next shard comes from the source that has the fewest running, in turn: a source that answers slowly holds back
  itself alone.
- A worker that raises (a full disk; a shard's own failure is an outcome) stops the giving out of shards. What is
  running is finished and yielded, then the error is raised.
- Ctrl-C and a consumer that stops wait for nobody: the threads are daemons, and what they had not sealed does not
  exist.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from queue import SimpleQueue

from annexa.collect.attempts import Failure, attempt
from annexa.collect.shards import Outcome, Shard

CollectOne = Callable[[Shard], Outcome]
_Ended = SimpleQueue[Outcome | Failure | None]


def run(shards: Iterable[Shard], collect_one: CollectOne, workers: int) -> Iterator[Outcome]:
    """Collect every shard; outcomes come in the order in which shards end.

    Args:
        shards: The plan; the shards of one source are begun in this order.
        collect_one: Collects one shard; called on several threads at once.
        workers: How many shards at the same time, at least one.

    Raises:
        Exception: what `collect_one` raised first, once the shards that were running have been yielded.
    """
    turns, ended = Turns(shards), _Ended()
    for number in range(workers):
        threading.Thread(target=_work, args=(turns, collect_one, ended), name=f"collect-{number}", daemon=True).start()
    failure: Failure | None = None
    try:
        while workers:
            result = ended.get()
            if result is None:
                workers -= 1
            elif isinstance(result, Failure):
                failure = failure or result
            else:
                yield result
    finally:
        turns.close()
    if failure is not None:
        raise failure.error


class Turns:
    """Whose shard is next. For several threads."""

    def __init__(self, shards: Iterable[Shard]) -> None:
        self._waiting: dict[str, deque[Shard]] = {}
        for shard in shards:
            self._waiting.setdefault(shard.source, deque()).append(shard)
        self._running = dict.fromkeys(self._waiting, 0)
        self._guard = threading.Lock()

    def take(self) -> Shard | None:
        """The next shard; None when there is none left."""
        with self._guard:
            if not self._waiting:
                return None
            source = min(self._waiting, key=self._running.__getitem__)
            queue = self._waiting.pop(source)
            shard = queue.popleft()
            if queue:
                self._waiting[source] = queue  # behind the others
            self._running[source] += 1
            return shard

    def done(self, shard: Shard) -> None:
        """The shard ended."""
        with self._guard:
            self._running[shard.source] -= 1

    def close(self) -> None:
        """Give out no more."""
        with self._guard:
            self._waiting.clear()


def _work(turns: Turns, collect_one: CollectOne, ended: _Ended) -> None:
    """What a thread does: shard after shard, and None at its end."""
    try:
        while (shard := turns.take()) is not None:
            result = attempt(partial(collect_one, shard))
            turns.done(shard)
            if isinstance(result, Failure):
                turns.close()
            ended.put(result)
    finally:
        ended.put(None)
