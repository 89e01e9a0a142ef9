"""What every simulated vendor shares: a real HTTP server on loopback, routing, a log of what was asked, and faults.

A simulator answers from a plain dict of state, which may be replaced while it runs. Its subclass says how its vendor
checks credentials, words errors and pages lists. Faults are set from outside, by path and page:

    with GithubSimulator(start(now), page_size=2).start() as github:
        github.fail("/orgs/example/members", page=2, status=500)
        github.deny("/orgs/example/repos")
        github.truncate("/orgs/example")
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: `path` as it was sent, percent-encoding and all."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")

    def with_query(self, **changes: str | int) -> str:
        """The path with this query, some parameters changed."""
        return f"{self.path}?{urlencode({**self.query, **changes})}"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `truncated` promises its whole length and sends half."""

    status: int
    body: Any
    headers: tuple[tuple[str, str], ...] = ()
    truncated: bool = False


@dataclass(slots=True)
class Fault:
    """What goes wrong at a path: on which page (None: on all), how often (None: always)."""

    path: str
    page: int | None
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    left: int | None = None
    truncate: bool = False

    def hits(self, asked: Asked, page: int) -> bool:
        if self.path != unquote(asked.path) or self.page not in (None, page) or self.left == 0:
            return False
        if self.left is not None:
            self.left -= 1
        return True


@dataclass(slots=True)
class Simulator:
    """A vendor on loopback. `page_size` is the most it gives in one page, below the vendor's own maximum."""

    state: dict[str, Any]
    page_size: int | None = None
    requests: list[Asked] = field(init=False, default_factory=list)
    _faults: list[Fault] = field(init=False, default_factory=list)
    _server: ThreadingHTTPServer | None = field(init=False, default=None)
    _thread: Thread | None = field(init=False, default=None)
    _lock: Lock = field(init=False, default_factory=Lock)

    routes: ClassVar[Mapping[str, str]] = {}
    """From a path with `{names}` to the method that answers it."""

    def start(self, port: int = 0) -> Self:
        """Serves on 127.0.0.1, at a free port unless one is named, until `stop` or the end of a `with`."""
        handler = type("Handler", (_Handler,), {"simulator": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        assert self._server is not None, "the simulator is not started"
        return f"http://127.0.0.1:{self._server.server_port}"

    def fail(
        self, path: str, *, page: int | None = None, status: int = 500, times: int | None = None, retry_after: int = -1
    ) -> None:
        """Answer this path with an error, on one page or all, `times` times or always."""
        headers = (("Retry-After", str(retry_after)),) if retry_after >= 0 else ()
        self._faults.append(Fault(path, page, status, headers, times))

    def deny(self, path: str) -> None:
        """Refuse this path, as for a credential without the permission."""
        self.fail(path, status=403)

    def truncate(self, path: str, *, page: int | None = None) -> None:
        """Cut the body of this path short."""
        self._faults.append(Fault(path, page, 200, truncate=True))

    def count(self, path: str) -> int:
        """How often this path was asked for."""
        return sum(unquote(asked.path) == path for asked in self.requests)

    def answer(self, asked: Asked) -> Answer:
        """The vendor's answer, or the fault that was set for it."""
        with self._lock:
            self.requests.append(asked)
            fault = next((f for f in self._faults if f.hits(asked, self.page_of(asked))), None)
        if fault is not None and not fault.truncate:
            answer = self.error(fault.status, "simulated fault")
            return Answer(answer.status, answer.body, (*answer.headers, *fault.headers))
        answer = self.refusal(asked) or self._route(asked)
        return Answer(answer.status, answer.body, answer.headers, truncated=True) if fault else answer

    def _route(self, asked: Asked) -> Answer:
        for pattern, method in self.routes.items():
            found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern), asked.path)
            if found:
                parts = {name: unquote(value) for name, value in found.groupdict().items()}
                return getattr(self, method)(asked, **parts)
        return self.error(404, "Not Found")

    def page_of(self, asked: Asked) -> int:
        """Which page of a list is asked for, from 1."""
        raise NotImplementedError

    def refusal(self, asked: Asked) -> Answer | None:
        """The answer to a credential that is missing or wrong; None for one that is good."""
        raise NotImplementedError

    def error(self, status: int, message: str) -> Answer:
        """An error in the vendor's shape."""
        raise NotImplementedError

    def size(self, asked: Asked, param: str, *, default: int, most: int) -> int:
        """How many items the page has: what was asked for, or the default, clamped."""
        return min(int(asked.query.get(param, default)), most, self.page_size or most)


class _Handler(BaseHTTPRequestHandler):
    simulator: ClassVar[Simulator]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self._send(self.simulator.answer(Asked("GET", parts.path, query, dict(self.headers.items()))))

    def _read_only(self) -> None:
        """A collector changes nothing: anything but GET is an error of ours."""
        parts = urlsplit(self.path)
        self.simulator.requests.append(Asked(self.command, parts.path, {}, dict(self.headers.items())))
        self._send(Answer(405, {"message": "this simulator is read only"}))

    do_POST = do_PUT = do_PATCH = do_DELETE = _read_only

    def _send(self, answer: Answer) -> None:
        body = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if answer.truncated else body)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on standard error: the log is in `requests`."""
