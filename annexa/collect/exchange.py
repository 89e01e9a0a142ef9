"""An exchange: one request and its answer, as they crossed the wire; and the tape they are recorded on.

Rules:
- A transport never talks to a system directly: it hands each request to its tape with the function that would send it.
  A recording tape sends it, cuts secrets out, writes the exchange down and returns what was written; a replaying tape
  answers from a recording. The transport, and so the collector, cannot tell which one it has.
- What the collector parses is what was recorded: the same bytes, after redaction. So replay gives the same rows.
- Retries happen inside `send`: the tape sees the answer that counted, and how many attempts it took.
- Authentication traffic (token exchanges, role assumption) does not go through the tape.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `operation` names it for people and for replay (`iam.ListUsers`); empty for plain HTTP."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""
    operation: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """One answer: the body after transfer and content decoding, complete (a body cut short is an error before this)."""

    status: int
    headers: Headers
    body: bytes
    attempts: int = 1

    def header(self, name: str) -> str:
        """The first header of that name, whatever its case; empty when there is none."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")


Send = Callable[[Request], Response]


class Tape(Protocol):
    """Where exchanges go to, or come from."""

    @property
    def last(self) -> int:
        """The number of the latest exchange, from 1; 0 before the first. A row names the exchange it came from."""
        ...

    def play(self, request: Request, send: Send) -> Response:
        """The answer to a request, recorded or replayed.

        Raises:
            CollectError: what `send` raised; it is recorded, and raised again on replay.
        """
        ...
