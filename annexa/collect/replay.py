"""The replaying tape: answers from a recording, in the order in which it was made.

Rules:
- A request is answered by the next recorded exchange with the same method, address and body. Addresses are compared
  after redaction, and normalised (`addresses.normal`), so that a recording made by another client answers too.
- Nothing is ever sent. A request that was not recorded is `Unreadable`: the collector has changed, or the recording
  is of something else.
- A recorded error is raised again as what it was.
- Body bytes are compared with their recorded digest before they are handed out.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO

from annexa.collect import strict_json
from annexa.collect.addresses import normal
from annexa.collect.exchange import Headers, Request, Response, Send
from annexa.collect.recorded_errors import RecordedError
from annexa.collect.redaction import Redactor
from annexa.errors import Tampered, Unreadable

_NO_BODY = sha256(b"").hexdigest()
_REMEDY = "Replay with the version of the collector and the configuration that the run was made with."

_Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One exchange of a recording; its body is in the other stream."""

    number: int
    method: str
    url: str
    operation: str
    request_sha256: str
    status: int
    headers: Headers
    offset: int
    length: int
    sha256: str
    attempts: int
    error: RecordedError | None

    def __str__(self) -> str:
        return f"#{self.number} {self.method} {self.url}"

    @property
    def key(self) -> _Key:
        """What a request must be to get this answer."""
        return _key(self.method, self.url, self.operation, self.request_sha256)


class ReplayTape:
    """Answers from what a `RecordingTape` wrote.

    Args:
        exchanges: The lines of the exchange log.
        bodies: The answers' bytes. They are read forwards only; what is passed over on the way to a later answer is
            kept in memory, which is nothing when the collector asks in the order in which it asked before.
        redactor: Cuts requests as the recording's did; without the secrets themselves it knows their names.

    Raises:
        Unreadable: the exchange log is not one.
    """

    def __init__(self, exchanges: Iterable[bytes], bodies: bytes | BinaryIO, redactor: Redactor | None = None) -> None:
        self._redactor = redactor or Redactor()
        self._bodies = io.BytesIO(bodies) if isinstance(bodies, bytes) else bodies
        self._coming = deque(read_exchange(line) for line in exchanges if line.strip())
        self._read_ahead: dict[int, bytes] = {}
        self._waiting: dict[_Key, deque[Recorded]] = {}
        for exchange in self._coming:
            self._waiting.setdefault(exchange.key, deque()).append(exchange)
        self.last = 0

    def play(self, request: Request, send: Send) -> Response:
        """The recorded answer; `send` is never called.

        Raises:
            CollectError: the recorded error.
            Unreadable: the request is not in the recording, or not so often.
            Tampered: the body's bytes are not those that were recorded.
        """
        url, _ = self._redactor.url(request.url)
        body, _ = self._redactor.body(request.body)
        waiting = self._waiting.get(_key(request.method, url, request.operation, sha256(body).hexdigest()))
        if not waiting:
            raise Unreadable(f"{request.method} {url} is not in the recording, or not so often", remedy=_REMEDY)
        exchange = waiting.popleft()
        self.last = exchange.number
        if exchange.error is not None:
            raise exchange.error.again()
        return Response(exchange.status, exchange.headers, self._body(exchange), exchange.attempts)

    def unused(self) -> list[Recorded]:
        """The exchanges that nobody has asked for, in their order: a replay should leave none."""
        left = [exchange for waiting in self._waiting.values() for exchange in waiting]
        return sorted(left, key=lambda exchange: exchange.number)

    def _body(self, exchange: Recorded) -> bytes:
        while exchange.number not in self._read_ahead:
            coming = self._coming.popleft()
            self._read_ahead[coming.number] = self._bodies.read(coming.length)
        body = self._read_ahead.pop(exchange.number)
        if sha256(body).hexdigest() != exchange.sha256:
            raise Tampered(f"the body of exchange {exchange} is not the one that was recorded")
        return body


def read_exchange(line: bytes) -> Recorded:
    """One line of an exchange log.

    Raises:
        Unreadable: it is not one.
    """
    entry = strict_json.decode(line, "a line of the exchange log")
    try:
        asked, answered, own = entry["request"], entry["response"], entry["_annexa"]
        return Recorded(
            number=own["number"],
            method=asked["method"],
            url=asked["url"],
            operation=own["operation"],
            request_sha256=asked.get("_sha256", _NO_BODY),
            status=answered["status"],
            headers=tuple((header["name"], header["value"]) for header in answered["headers"]),
            offset=own["offset"],
            length=own["length"],
            sha256=own["sha256"],
            attempts=own["attempts"],
            error=RecordedError.from_json(own["error"]) if "error" in own else None,
        )
    except (KeyError, TypeError) as failure:
        raise Unreadable(f"a line of the exchange log is not an exchange: {failure!r}") from failure


def _key(method: str, url: str, operation: str, body: str) -> _Key:
    return method, normal(url), operation, body
