"""AWS through the tape: botocore's client events, on the player's side and on the wire's.

The player's `before-send` hands the unsigned request to the tape and gives botocore the answer that the tape returns,
so botocore parses exactly the bytes that were recorded. The function that the tape may call to send asks the wire
client the same question; the wire's `before-parse` hands over status, headers and body as they arrived. Signatures,
session tokens and role assumption exist only on the wire's side.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from annexa.collect.aws_shapes import require_recognised
from annexa.collect.exchange import Request, Response, Send, Tape
from annexa.errors import CollectError

_KEPT = {"accept", "content-type", "range", "x-amz-account-id", "x-amz-expected-bucket-owner", "x-amz-target"}
_OF_THE_WIRE = {"connection", "content-length", "content-encoding", "transfer-encoding"}
_CHUNK = 1 << 16
_FIRST_OF_ALL = "before-parse.*.*"
"""botocore calls handlers of wildcards before those of a service's name, and S3's own would change the status."""


@dataclass(slots=True)
class Asking:
    """One call in progress.

    Args:
        tape: Whose exchanges these are.
        service: botocore's name of the service.
        send: Makes the function that really asks, given the parameters that the player was called with.
        asked: Within a listing, the requests already made: one that comes again is a page token that came round.
    """

    tape: Tape
    service: str
    send: Callable[[dict[str, Any]], Send]
    asked: set[tuple[str, bytes]] | None = None
    parameters: dict[str, Any] = field(default_factory=dict)

    def answer(self, request: Request) -> Response:
        """What the tape says to a request.

        Raises:
            CollectError: the tape's, or a listing asks for the same page twice.
        """
        if self.asked is not None:
            question = (request.url, request.body)
            if question in self.asked:
                raise CollectError(f"{request.operation}: the list came round to a page that was read before")
            self.asked.add(question)
        return self.tape.play(request, self.send(self.parameters))


@dataclass(slots=True)
class Hearing:
    """What the wire heard last, and until when (monotonic seconds) it may go on asking."""

    until: float
    response: Response | None = None


ASKING: ContextVar[Asking | None] = ContextVar("asking", default=None)
HEARING: ContextVar[Hearing | None] = ContextVar("hearing", default=None)


def play(client: Any) -> None:
    """Make a player of a client: it asks the tape of the call in progress, and never the network."""
    client.meta.events.register_first("provide-client-params", _remember)
    client.meta.events.register_first("before-send", _answer)
    client.meta.events.register_first(_FIRST_OF_ALL, require_recognised)


def listen(client: Any) -> None:
    """Make a wire of a client: what it hears goes to the call in progress, before botocore has touched it."""
    client.meta.events.register_first("before-send", _in_time)
    client.meta.events.register_first(_FIRST_OF_ALL, _hear)
    client.meta.events.register_last("before-parse", require_recognised)


def instant(raw: Any) -> str:
    """A time of an answer as ISO 8601; botocore's own way would take this host's time zone into it."""
    if isinstance(raw, str) and raw[4:5] == "-":
        return raw
    if isinstance(raw, int | float):
        return datetime.fromtimestamp(raw, UTC).isoformat()
    from botocore.utils import parse_timestamp

    moment: datetime = parse_timestamp(raw)
    return moment.astimezone(UTC).isoformat()


def _remember(params: dict[str, Any], **_: Any) -> None:
    asking = ASKING.get()
    if asking:
        asking.parameters = deepcopy(params)


def _answer(request: Any, event_name: str, **_: Any) -> Any:
    from botocore.awsrequest import AWSResponse

    asking = ASKING.get()
    if asking is None:
        raise CollectError("an AWS client was asked outside of a call", remedy="This is an error in annexa; report it.")
    operation = f"{asking.service}.{event_name.rpartition('.')[2]}"
    answer = asking.answer(Request(request.method, request.url, _kept(request), _bytes(request.body), operation))
    return AWSResponse(request.url, answer.status, _parsable(answer), _Body(answer.body))


def _kept(request: Any) -> tuple[tuple[str, str], ...]:
    pairs = ((name, _bytes(value).decode("latin-1")) for name, value in request.headers.items())
    return tuple(sorted((name, value) for name, value in pairs if name.lower() in _KEPT))


def _parsable(answer: Response) -> dict[str, str]:
    """The headers for botocore, without those that speak of the bytes on the wire: a redacted body differs."""
    return {
        name: value
        for name, value in answer.headers
        if name.lower() not in _OF_THE_WIRE and not name.lower().startswith("x-amz-checksum-")
    }


def _bytes(value: Any) -> bytes:
    if hasattr(value, "read"):
        value = value.read()
    return value.encode() if isinstance(value, str) else bytes(value or b"")


class _Body(io.BytesIO):
    """A recorded body in the place of urllib3's response."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        while chunk := self.read(_CHUNK):
            yield chunk


def _in_time(**_: Any) -> None:
    hearing = HEARING.get()
    if hearing and time.monotonic() > hearing.until:
        raise CollectError("AWS did not answer in time", remedy="Check the network and run again.")


def _hear(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    """Keep an answer as it arrived. Reading a streamed body to its end checks its length and checksum."""
    from botocore.exceptions import IncompleteReadError

    body = response_dict["body"]
    whole = body.read() if hasattr(body, "read") else body
    promised = response_dict["headers"].get("content-length", "")
    if promised.isdecimal() and int(promised) != len(whole) and operation_model.http.get("method") != "HEAD":
        raise IncompleteReadError(actual_bytes=len(whole), expected_bytes=int(promised))
    hearing = HEARING.get()
    if hearing:
        headers = tuple((str(name), str(value)) for name, value in response_dict["headers"].items())
        hearing.response = Response(response_dict["status_code"], headers, whole)
