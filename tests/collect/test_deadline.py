from __future__ import annotations

from datetime import timedelta

import pytest

from annexa.collect.deadline import BoundedTape
from annexa.collect.exchange import Request, Response, Send
from annexa.errors import CollectError


class Echo:
    last = 7

    def play(self, request: Request, send: Send) -> Response:
        return send(request)


def test_nothing_is_asked_after_the_deadline() -> None:
    now = [0.0]
    asked: list[str] = []

    def send(request: Request) -> Response:
        asked.append(request.url)
        return Response(200, (), b"")

    tape = BoundedTape(Echo(), timedelta(seconds=10), lambda: now[0])
    tape.play(Request("GET", "a"), send)
    now[0] = 10.0
    tape.play(Request("GET", "b"), send)
    now[0] = 10.1
    with pytest.raises(CollectError, match="0:00:10") as caught:
        tape.play(Request("GET", "c"), send)
    assert asked == ["a", "b"]
    assert "scan.deadline" in caught.value.remedy
    assert tape.last == 7
