"""The recording tape: what a shard asked and was answered, written down as it happens.

Two streams make a recording:

- `exchanges`: JSON Lines, one exchange a line, with the fields of an entry of HAR 1.2 (times in milliseconds, sizes in
  bytes, -1 for "not known"), and under `_annexa` what HAR has no place for: the exchange's number from 1, the
  operation, where its body stands in the other stream with its SHA-256, the number of attempts, what was cut out, and
  the error when there was no answer;
- `bodies`: the answers' bytes, after redaction, one after the other.

Rules:
- What `play` returns is what was written: the redacted body, the headers of the allow-list.
- A `CollectError` out of `send` is an exchange too, without an answer, and is raised again as it was recorded.
- Memory does not grow with the number of exchanges. One tape belongs to one shard; it is not for several threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Protocol

from msgspec import json

from annexa import clock
from annexa.collect.exchange import Headers, Request, Response, Send
from annexa.collect.recorded_errors import RecordedError
from annexa.collect.recorded_headers import recorded
from annexa.collect.redaction import Cut, Redactor
from annexa.collect.shared_answers import AnswerKey, SharedAnswers
from annexa.errors import CollectError

_PHRASES = {code.value: code.phrase for code in HTTPStatus}


class BinarySink(Protocol):
    """Where bytes go: a blob's writer, a file."""

    def write(self, data: bytes, /) -> object:
        """Take these bytes, after those before."""
        ...


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as it is written down, with what was cut out of it; what shards share."""

    response: Response
    cuts: tuple[Cut, ...]


class RecordingTape:
    """Sends, redacts, writes down.

    Args:
        exchanges: Takes the exchange log.
        bodies: Takes the answers' bytes.
        redactor: Cuts secrets out.
        clock: The time, UTC.
        shared: Answers that this shard may share with others of the same source and scope.
    """

    def __init__(
        self,
        exchanges: BinarySink,
        bodies: BinarySink,
        redactor: Redactor,
        *,
        clock: Callable[[], datetime] = clock.now,
        shared: SharedAnswers[Answered] | None = None,
    ) -> None:
        self._exchanges = exchanges
        self._bodies = bodies
        self._redactor = redactor
        self._clock = clock
        self._shared = shared
        self._asked: dict[bytes, int] = {}
        self._offset = 0
        self.last = 0
        self.redaction_count = 0
        self.first_server_date: datetime | None = None
        self.last_server_date: datetime | None = None

    @property
    def exchanges_count(self) -> int:
        """How many exchanges are on the tape, failed ones included."""
        return self.last

    def play(self, request: Request, send: Send) -> Response:
        """Send the request, or share the answer that another shard was given, and write the exchange down.

        Raises:
            CollectError: what `send` raised, with the words that were recorded.
        """
        started = self._clock()
        try:
            answer, shared = self._answer(request, send)
        except CollectError as failure:
            error = RecordedError.of(failure, self._redactor)
            self._write(request, None, started, {"error": error.as_json()})
            raise error.again() from failure
        extra = {"shared": True} if shared else {}
        self._write(request, answer, started, extra)
        self._note_date(answer.response)
        return answer.response

    def _answer(self, request: Request, send: Send) -> tuple[Answered, bool]:
        if self._shared is None or not (request.method == "GET" or request.operation):
            return self._redacted(send(request)), False
        digest = _identity(request)
        nth = self._asked[digest] = self._asked.get(digest, 0) + 1
        return self._shared.answer(AnswerKey(digest, nth), lambda: self._redacted(send(request)), _size)

    def _redacted(self, response: Response) -> Answered:
        body, cuts = self._redactor.body(response.body)
        headers, header_cuts = self._headers(response.headers, "response")
        return Answered(replace(response, body=body, headers=headers), (*cuts, *header_cuts))

    def _headers(self, headers: Headers, side: str) -> tuple[Headers, tuple[Cut, ...]]:
        cut = [(name, *self._redactor.header(value, f"{side}.{name.lower()}")) for name, value in recorded(headers)]
        return tuple((name, value) for name, value, _ in cut), tuple(c for _, _, cuts in cut for c in cuts)

    def _write(self, request: Request, answer: Answered | None, started: datetime, extra: dict[str, Any]) -> None:
        asked, cuts = self._request(request)
        if answer is not None:
            cuts = (*cuts, *answer.cuts)
        body = answer.response.body if answer is not None else b""
        milliseconds = max(0.0, round((self._clock() - started).total_seconds() * 1000, 3))
        line = {
            "startedDateTime": clock.text(started),
            "time": milliseconds,
            "request": asked,
            "response": _response(answer.response if answer is not None else None),
            "cache": {},
            "timings": {"send": -1, "wait": milliseconds, "receive": -1},
            "_annexa": {
                "number": self.last + 1,
                "operation": request.operation,
                "offset": self._offset,
                "length": len(body),
                "sha256": sha256(body).hexdigest(),
                "attempts": answer.response.attempts if answer is not None else 0,
                "redactions": [{"where": cut.where, "offset": cut.offset, "length": cut.length} for cut in cuts],
                **extra,
            },
        }
        self._bodies.write(body)
        self._exchanges.write(json.encode(line) + b"\n")
        self._offset += len(body)
        self.last += 1
        self.redaction_count += len(cuts)

    def _request(self, request: Request) -> tuple[dict[str, Any], tuple[Cut, ...]]:
        url, url_cuts = self._redactor.url(request.url, "request.url")
        headers, header_cuts = self._headers(request.headers, "request")
        body, body_cuts = self._redactor.body(request.body, "request.body")
        asked: dict[str, Any] = {
            "method": request.method,
            "url": url,
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _pairs(headers),
            "queryString": [],
            "headersSize": -1,
            "bodySize": len(body),
        }
        if body:
            asked["postData"] = {"mimeType": _header(headers, "content-type"), "text": body.decode("utf-8", "replace")}
            asked["_sha256"] = sha256(body).hexdigest()
        return asked, (*url_cuts, *header_cuts, *body_cuts)

    def _note_date(self, response: Response) -> None:
        try:
            date = parsedate_to_datetime(response.header("date"))
        except ValueError:
            return
        date = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
        self.first_server_date = self.first_server_date or date
        self.last_server_date = date


def _response(response: Response | None) -> dict[str, Any]:
    """The HAR response; status 0 stands for "no answer", as browsers write it."""
    headers = response.headers if response is not None else ()
    status = response.status if response is not None else 0
    size = len(response.body) if response is not None else 0
    return {
        "status": status,
        "statusText": _PHRASES.get(status, ""),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(headers),
        "content": {"size": size, "mimeType": _header(headers, "content-type")},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
    }


def _pairs(headers: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _header(headers: Iterable[tuple[str, str]], name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")


def _identity(request: Request) -> bytes:
    """What makes two requests the same, as one digest; in memory only, for it comes from the uncut address."""
    parts = (request.method, request.url, request.operation, repr(request.headers), request.body)
    digest = sha256()
    for part in parts:
        raw = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.digest()


def _size(answer: Answered) -> int | None:
    """What keeping this answer would cost; None for one that is an error, which is not kept."""
    return len(answer.response.body) + 1024 if 200 <= answer.response.status < 300 else None
