"""Recordings made by others, as replay tapes: HAR 1.2 files, and exchanges one to a line.

HAR: http://www.softwareishard.com/blog/har-12-spec/. One to a line:
`{"scenario", "request": {method, url}, "response": {status, headers: [[name, value]], encoding, body}}`.

What is read goes through a recording tape, so that it is redacted, its headers are picked and its digests made like
those of our own. An answer that cannot be decoded (brotli, broken base64) does not spoil the rest: it is an error of
that exchange, raised when somebody asks for it.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from annexa.collect import strict_json
from annexa.collect.content_coding import decoded
from annexa.collect.exchange import Headers, Request, Response, Send
from annexa.collect.redaction import Redactor, is_text
from annexa.collect.replay import ReplayTape
from annexa.collect.tape import RecordingTape
from annexa.errors import CollectError, Unreadable

_LARGEST = 256 * 1024 * 1024


def har_tape(har: bytes) -> ReplayTape:
    """A tape that answers from a HAR file.

    Raises:
        Unreadable: it is not one.
    """
    log = strict_json.decode(har, "the HAR file")
    try:
        return _tape(_har_exchange(entry) for entry in log["log"]["entries"])
    except (KeyError, TypeError) as failure:
        raise Unreadable(f"the HAR file does not have the form of HAR 1.2: {failure!r}") from failure


def lines_tape(lines: Iterable[bytes], scenario: str = "") -> ReplayTape:
    """A tape that answers from exchanges one to a line; of one scenario only, if it is named.

    Raises:
        Unreadable: a line is not an exchange, or no line belongs to the scenario.
    """
    entries = [strict_json.decode(line, "a line of the recording") for line in lines if line.strip()]
    chosen = [entry for entry in entries if not scenario or entry.get("scenario") == scenario]
    if not chosen:
        raise Unreadable(f"the recording has no scenario {scenario!r}")
    try:
        return _tape(_line_exchange(entry) for entry in chosen)
    except (KeyError, TypeError) as failure:
        raise Unreadable(f"a line of the recording is not an exchange: {failure!r}") from failure


_Exchange = tuple[Request, Callable[[], Response]]


def _tape(exchanges: Iterable[_Exchange]) -> ReplayTape:
    log, bodies = io.BytesIO(), io.BytesIO()
    tape = RecordingTape(log, bodies, Redactor())
    for request, answer in exchanges:
        with suppress(CollectError):
            tape.play(request, _giving(answer))
    return ReplayTape(log.getvalue().splitlines(), bodies.getvalue())


def _giving(answer: Callable[[], Response]) -> Send:
    return lambda request: answer()


def _har_exchange(entry: dict[str, Any]) -> _Exchange:
    asked, answered = entry["request"], entry["response"]
    posted = asked.get("postData", {}).get("text", "").encode()
    request = Request(asked["method"], asked["url"], tuple(_named(asked.get("headers", []))), posted)
    headers = tuple(_named(answered["headers"]))
    content = answered.get("content", {})
    body, encoding = content.get("text", ""), content.get("encoding", "")
    return request, lambda: _response(answered["status"], headers, body, encoding)


def _line_exchange(entry: dict[str, Any]) -> _Exchange:
    asked, answered = entry["request"], entry["response"]
    headers = tuple((str(name), str(value)) for name, value in answered["headers"])
    request = Request(asked["method"], asked["url"])
    return request, lambda: _response(answered["status"], headers, answered["body"] or "", answered["encoding"] or "")


def _named(headers: list[dict[str, str]]) -> Iterator[tuple[str, str]]:
    return ((header["name"], header["value"]) for header in headers)


def _response(status: int, headers: Headers, text: str, encoding: str) -> Response:
    """The answer; HAR's texts are decoded already, but what stands in base64 or hex often is not."""
    if status == 0:
        raise CollectError("the recording has no answer here: the request was broken off")
    if encoding not in ("base64", "hex"):
        return Response(status, headers, text.encode("utf-8", "replace"))
    raw = _bytes(text, encoding)
    coding = Response(status, headers, b"").header("content-encoding")
    if raw is None or not coding or is_text(raw):
        return Response(status, headers, text.encode() if raw is None else raw)
    if coding.lower() in ("br", "zstd"):
        raise Unreadable(f"the recorded body is coded as {coding}", remedy="Record again with Accept-Encoding: gzip.")
    return Response(status, headers, decoded([raw], coding, _LARGEST))


def _bytes(text: str, encoding: str) -> bytes | None:
    """The bytes; Polly writes a JSON list of pieces. None when it is a text after all, edited by somebody."""
    pieces = [text]
    if text.startswith("["):
        pieces = strict_json.decode(text.encode(), "a body in pieces")
    try:
        if encoding == "hex":
            return b"".join(bytes.fromhex(piece) for piece in pieces)
        return b"".join(base64.b64decode(piece, validate=True) for piece in pieces)
    except (ValueError, binascii.Error):
        return None
