"""What an answer means: the value of a success, or the error that says why there is none.

| status | meaning |
|---|---|
| 200 with strict JSON | the value |
| any other success, HTML, no JSON | `Unreadable`: 202 and 204 mean "not now" and "nothing", and neither is a list |
| 401, 403 | `Denied`; but not the 403 that means "too often" |
| 404, 410 | `NotFound` |
| everything else | `CollectError` |
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from annexa.collect import strict_json
from annexa.collect.exchange import Request, Response
from annexa.collect.rate_limits import refused_for_rate
from annexa.errors import CollectError, Denied, NotFound, Unreadable

_LONGEST = 200
_READ = 64 * 1024
_WORDS = ("error_description", "errorSummary", "message", "detail", "errorMessages", "errors", "error", "title")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_MARKUP = re.compile(rb"\s*<")
_PHRASES = {code.value: code.phrase for code in HTTPStatus}


def value(request: Request, response: Response) -> Any:
    """The JSON value of a 200.

    Raises:
        CollectError: there is none, for the reason in the table above.
    """
    if response.status != 200:
        raise _error(request, response)
    kind = response.header("content-type").partition(";")[0].strip().lower()
    if "html" in kind or _MARKUP.match(response.body):
        raise Unreadable(
            f"{_what(request, response)}: an HTML page instead of JSON",
            remedy="Check the source's address: this is what a login page or a proxy answers.",
        )
    return strict_json.decode(response.body, _what(request, response))


def said(response: Response) -> str:
    """What the system itself says about an error: one line, at most 200 characters."""
    start = response.body[:_READ]
    try:
        words = _words(json.loads(start))
    except (ValueError, RecursionError):
        words = "" if _MARKUP.match(start) else start.decode("utf-8", "replace")
    line = _BLANK.sub(" ", words).strip()
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _error(request: Request, response: Response) -> CollectError:
    words = said(response)
    text = f"{_what(request, response)}{': ' + words if words else ''}"
    if refused_for_rate(response):
        tries = f"asked {response.attempts} times" if response.attempts > 1 else "asked once"
        return CollectError(
            f"{text} (too many requests, {tries})",
            remedy="Run again later, at another hour, or ask the vendor for a higher rate limit.",
        )
    if response.status in (401, 403):
        return Denied(text)
    if response.status in (404, 410):
        return NotFound(text)
    if response.status < 400:
        return Unreadable(f"{text}: no answer that could be read")
    return CollectError(text)


def _what(request: Request, response: Response) -> str:
    phrase = _PHRASES.get(response.status, "")
    return f"{request.method} {urlsplit(request.url).path or '/'}: {response.status} {phrase}".rstrip()


def _words(found: Any) -> str:
    if isinstance(found, str):
        return found
    if isinstance(found, list):
        return next((words for words in map(_words, found) if words), "")
    if isinstance(found, dict):
        return next((words for words in (_words(found.get(name)) for name in _WORDS) if words), "")
    return ""
