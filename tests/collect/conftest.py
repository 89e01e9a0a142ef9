"""A real HTTP server on loopback, a clock that only moves when somebody sleeps, and what is built from them."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from annexa.collect.http import HttpTransport
from annexa.collect.limiter import Limiter
from annexa.collect.redaction import Redactor
from annexa.collect.retry import Patience
from annexa.collect.tape import RecordingTape
from annexa.collect.wire import Limits, Wire

START = datetime(2026, 9, 10, tzinfo=UTC)

Handler = Callable[["Asked"], None]


@dataclass
class Clock:
    """Time that passes only in `sleep`."""

    passed: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds

    def monotonic(self) -> float:
        return self.passed

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed)


class Asked(BaseHTTPRequestHandler):
    """One request at the server, with short ways to answer it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def answer(self, status: int, body: bytes | str = b"", **headers: str) -> None:
        raw = body.encode() if isinstance(body, str) else body
        given = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        self.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(len(raw)), **given}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def raw(self, data: bytes) -> None:
        """These bytes and nothing else, then the end of the connection."""
        self.wfile.write(data)
        self.wfile.flush()
        self.close_connection = True

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length", 0))
        self.body = self.rfile.read(length)
        self.server.asked.append(self)
        route = self.server.routes.get(self.path.partition("?")[0])
        if route is None:
            self.answer(404, '{"message": "no such thing"}')
            return
        route(self)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        return


class Server(ThreadingHTTPServer):
    """Routes by path; what was asked is kept in order."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.routes: dict[str, Handler] = {}
        self.asked: list[Asked] = []
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        return

    def replies(self, path: str, *answers: tuple[int, str, dict[str, str]] | Handler) -> None:
        """Answer a path with these, one after the other; the last one again and again."""
        left = list(answers)

        def route(asked: Asked) -> None:
            answer = left.pop(0) if len(left) > 1 else left[0]
            if callable(answer):
                answer(asked)
            else:
                status, body, headers = answer
                asked.answer(status, body, **headers)

        self.routes[path] = route


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    running = Server()
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield running
    running.stopping.set()
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture
def still() -> Clock:
    return Clock()


@dataclass
class Shard:
    """A transport that records into memory."""

    api: HttpTransport
    tape: RecordingTape
    log: io.BytesIO
    bodies: io.BytesIO
    redactor: Redactor


@pytest.fixture
def make_wire(still: Clock) -> Iterator[Callable[..., Wire]]:
    made: list[Wire] = []

    def make(limits: Limits | None = None, attempts: int = 4, seconds: float = 900, **more: object) -> Wire:
        patience = Patience(attempts, seconds, still.sleep, still.monotonic, still.now)
        limiter = Limiter(sleep=still.sleep, monotonic=still.monotonic)
        wire = Wire(limits=limits or Limits(deadline=5), patience=patience, limiter=limiter, **more)
        made.append(wire)
        return wire

    yield make
    for wire in made:
        wire.close()


@pytest.fixture
def make_shard(make_wire: Callable[..., Wire], still: Clock) -> Callable[..., Shard]:
    def make(url: str, *, wire: Wire | None = None, shared: object = None, **more: object) -> Shard:
        redactor, log, bodies = Redactor(), io.BytesIO(), io.BytesIO()
        tape = RecordingTape(log, bodies, redactor, clock=still.now, shared=shared)
        used = wire or make_wire(learn=redactor.learn)
        api = HttpTransport(url, tape, wire=used, as_of=START, **more)
        return Shard(api, tape, log, bodies, redactor)

    return make
