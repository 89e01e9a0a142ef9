"""What the shards of one run share: per source its HTTP connections, tokens and rate limit; the AWS clients; the
redactor, which knows every secret that was used; and the answers that two fetches of one scope both ask for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from threading import Lock
from typing import TYPE_CHECKING

from annexa.collect.redaction import Redactor
from annexa.collect.shards import Shard
from annexa.collect.shared_answers import SharedAnswers

if TYPE_CHECKING:
    from annexa.collect.aws_sessions import AwsClients
    from annexa.collect.tape import Answered
    from annexa.collect.wire import Wire

_Place = tuple[str, str]


class Connections:
    """For one run and any number of threads. Nothing is opened before it is used.

    Args:
        new_wire: Makes the HTTP side of one source, with its bounds and its patience.
    """

    def __init__(self, new_wire: Callable[[Redactor], Wire] | None = None) -> None:
        self.redactor = Redactor()
        self._new_wire = new_wire or _wire
        self._wires: dict[str, Wire] = {}
        self._aws: AwsClients | None = None
        self._answers: dict[_Place, SharedAnswers[Answered]] = {}
        self._waiting: Counter[_Place] = Counter()
        self._guard = Lock()

    def wire(self, source: str) -> Wire:
        """The network as one source is asked over it."""
        with self._guard:
            if source not in self._wires:
                self._wires[source] = self._new_wire(self.redactor)
            return self._wires[source]

    def aws(self) -> AwsClients:
        """The AWS clients of all sources."""
        with self._guard:
            if self._aws is None:
                from annexa.collect.aws_sessions import AwsClients

                self._aws = AwsClients()
            return self._aws

    def expect(self, shards: Iterable[Shard]) -> None:
        """Announce shards: those of one source and scope share answers, which are kept until the last one is done."""
        with self._guard:
            self._waiting.update(map(_place, shards))

    def answers(self, shard: Shard) -> SharedAnswers[Answered] | None:
        """The answers that a shard shares; None when there is nobody to share with."""
        place = _place(shard)
        with self._guard:
            if place not in self._answers and self._waiting[place] > 1:
                self._answers[place] = SharedAnswers()
            return self._answers.get(place)

    def done(self, shard: Shard) -> None:
        """The shard ended: what was kept for it alone is let go."""
        place = _place(shard)
        with self._guard:
            self._waiting[place] -= 1
            if self._waiting[place] <= 0:
                del self._waiting[place]
                self._answers.pop(place, None)

    def close(self) -> None:
        """Close the connections."""
        with self._guard:
            for wire in self._wires.values():
                wire.close()
            self._wires.clear()


def _place(shard: Shard) -> _Place:
    return shard.source, shard.scope.name


def _wire(redactor: Redactor) -> Wire:
    from annexa.collect.wire import Wire

    return Wire(learn=redactor.learn)
