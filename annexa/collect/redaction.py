"""Secrets are cut out of what is recorded, before it is hashed and before the collector sees it.

Three things are cut, and nothing else, because every cut is evidence lost:

- from the address that was asked, the values of query parameters that carry credentials (`token`, `api_key` …);
- from bodies and headers, what stands in fields that hold secrets and in links that are keys (see `secret_fields`);
- every occurrence of a secret that this program itself has used, in whatever form (see `secret_forms`).

A cut puts `[redacted]` in the place of the bytes and reports where. JSON stays JSON: only the inside of strings, and
whole numbers, are replaced.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from threading import Lock

from annexa.collect.secret_fields import secret_fields
from annexa.collect.secret_forms import SecretForms

MARK = "[redacted]"

_QUERY_NAMES = (
    "token|access_?token|refresh_?token|id_token|wstoken|private_token|job_token|auth_?token|api[-_]?key|"
    "sig|signature|client_?secret|client_assertion|password|passwd|pwd|secret|"
    "x-amz-(?:signature|credential|security-token)|x-goog-(?:signature|credential)|awsaccesskeyid"
)
_QUERY = re.compile(
    rf"(?i)(?<=[?&;])(?:(?:{_QUERY_NAMES})=(?P<value>[^&;#\s<>\"]+)|key=(?P<key>[\w-]{{16,}}))".encode()
)


@dataclass(frozen=True, slots=True)
class Cut:
    """One cut: `offset` is where the mark stands in what was recorded, `length` how many bytes were taken out."""

    where: str
    offset: int
    length: int


Span = tuple[int, int, bytes]
"""First byte, byte after the last, and what takes their place."""


class Redactor:
    """Cuts secrets out.

    Args:
        secrets: The secrets that are known already; `learn` adds one when it is first used.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: tuple[SecretForms, ...] = ()
        self._learning = Lock()
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """Cut this value out from now on. Threads may call this; shorter than 4 characters is no secret."""
        forms = SecretForms.of(secret)
        with self._learning:
            if forms is not None and forms not in self._forms:
                self._forms = (*self._forms, forms)

    def body(self, body: bytes, where: str = "body") -> tuple[bytes, tuple[Cut, ...]]:
        """A body without its secrets. One that is not UTF-8 is searched for known secrets only."""
        spans = [*self._known(body)]
        if body and is_text(body):
            mark = MARK.encode()
            spans += ((start, end, mark) for start, end in secret_fields(body) if body[start:end] != mark)
        return _cut(body, spans, where) if spans else (body, ())

    def url(self, url: str, where: str = "url") -> tuple[str, tuple[Cut, ...]]:
        """The address that was asked, or a message about it, without the values of its secret parameters."""
        raw = url.encode("utf-8", "surrogatepass")
        spans = [*self._known(raw, json_too=False)]
        for found in _QUERY.finditer(raw):
            start, end = found.span("value" if found["value"] else "key")
            spans.append((start, end, MARK.encode()))
        cut, cuts = _cut(raw, spans, where)
        return cut.decode("utf-8", "surrogatepass"), cuts

    def header(self, value: str, where: str) -> tuple[str, tuple[Cut, ...]]:
        """A header's value, as a body: a next link keeps its parameters, which may be needed to go on."""
        cut, cuts = self.body(value.encode("utf-8", "surrogatepass"), where)
        return cut.decode("utf-8", "surrogatepass"), cuts

    def _known(self, body: bytes, *, json_too: bool = True) -> Iterator[Span]:
        forms = [form for form in self._forms if form.may_be_in(body)]
        if not forms:
            return
        within_json = json_too and _is_json(body)
        for form in forms:
            yield from form.in_json(body, MARK.encode()) if within_json else form.in_bytes(body, MARK.encode())


def _cut(body: bytes, spans: list[Span], where: str) -> tuple[bytes, tuple[Cut, ...]]:
    """Replace the spans; those that overlap become one."""
    pieces: list[bytes] = []
    cuts: list[Cut] = []
    done = written = 0
    for start, end, mark in _merged(spans):
        pieces += (body[done:start], mark)
        written += start - done
        cuts.append(Cut(where, written, end - start))
        written += len(mark)
        done = end
    pieces.append(body[done:])
    return b"".join(pieces), tuple(cuts)


def _merged(spans: list[Span]) -> Iterator[Span]:
    current: Span | None = None
    for span in sorted(spans):
        if current is not None and span[0] < current[1]:
            current = (current[0], max(current[1], span[1]), current[2])
            continue
        if current is not None:
            yield current
        current = span
    if current is not None:
        yield current


def is_text(body: bytes) -> bool:
    """Whether these bytes are UTF-8."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_json(body: bytes) -> bool:
    """Asked only when a known secret was seen, so its price does not matter."""
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True
