"""Example Ltd's AWS account on loopback: moto's server, in this process or its own, with faults that can be set.

    with AwsCompany().start() as aws:
        estate.seed(aws.url, now)
        aws.deny("GetAccountSummary")
        aws.fail("ListUsers", status=500)

`python -m tests.simulators.aws PORT` serves it in a process of its own, empty, until it is ended; `seed`, `drift` and
`repair` of `aws_estate` fill it over HTTP. An operation is known by its botocore name, for S3 by its query (`?policy`).
"""

from __future__ import annotations

import base64
import io
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any, Self

from werkzeug.wrappers import Response

ACCOUNT = "123456789012"
_DENY = "/simulator/deny/"
_CONTENT = re.compile(rb"<Content>([^<]*)<")
_GENERATED = re.compile(rb"<GeneratedTime>[^<]*<")
_PAGE = b"<html><body>Sign in to the network</body></html>"
_ACTION = re.compile(rb"(?:^|&)Action=(\w+)")


@dataclass(slots=True)
class Fault:
    """What goes wrong with an operation (`*`: with all); `left` counts down (None: always)."""

    operation: str
    status: int
    code: str
    left: int | None = None

    def hits(self, operation: str) -> bool:
        if self.operation not in (operation, "*") or self.left == 0:
            return False
        if self.left is not None:
            self.left -= 1
        return True


@dataclass(slots=True)
class AwsCompany:
    """The account's server."""

    asked: list[str] = field(default_factory=list)
    _faults: list[Fault] = field(default_factory=list)
    _server: Any = None
    _thread: Thread | None = None

    def start(self, port: int = 0) -> Self:
        """Serves on 127.0.0.1, at a free port unless one is named."""
        os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
        os.environ["MOTO_ACCOUNT_ID"] = ACCOUNT
        from moto.server import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import WSGIRequestHandler, make_server

        quiet = type("Quiet", (WSGIRequestHandler,), {"log": lambda *_: None})
        app = _Faulty(DomainDispatcherApplication(create_backend_app), self)
        self._server = make_server("127.0.0.1", port, app, threaded=True, request_handler=quiet)
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
        assert self._server is not None, "the server is not started"
        return f"http://127.0.0.1:{self._server.server_port}"

    def fail(
        self, operation: str, *, status: int = 500, code: str = "InternalFailure", times: int | None = None
    ) -> None:
        """Answer an operation with an error, `times` times or always. Status 200: with a page that is no answer."""
        self._faults.append(Fault(operation, status, code, times))

    def deny(self, operation: str) -> None:
        """Refuse an operation, as for a credential without the permission."""
        self.fail(operation, status=403, code="AccessDenied")

    def heal(self) -> None:
        """No more faults."""
        self._faults.clear()

    def fault(self, operation: str) -> Fault | None:
        """Note the operation; the fault that was set for it."""
        self.asked.append(operation)
        return next((fault for fault in self._faults if fault.hits(operation)), None)


class AwsProcess:
    """The account's server in a process of its own: moto's state is one to a process."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.simulators.aws", "0"]
        self._process = subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate()

    def deny(self, operation: str) -> None:
        """Refuse an operation from now on."""
        urllib.request.urlopen(f"{self.url}{_DENY}{operation}").close()


class _Faulty:
    """WSGI: the fault that was set, or moto's own answer."""

    def __init__(self, app: Callable[..., Iterable[bytes]], company: AwsCompany) -> None:
        self._app, self._company = app, company

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        if environ["PATH_INFO"].startswith(_DENY):
            self._company.deny(environ["PATH_INFO"].removeprefix(_DENY))
            start("204 No Content", [])
            return []
        operation = _operation(environ, body)
        fault = self._company.fault(operation)
        if fault is None:
            return self._report(environ, start) if operation == "GetCredentialReport" else self._app(environ, start)
        kind, text = ("text/html", _PAGE) if fault.status == 200 else _error(fault.code, environ, body)
        start(f"{fault.status} Fault", [("Content-Type", kind), ("Content-Length", str(len(text)))])
        return [text]

    def _report(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """moto's credential report has no line for the root user, and is always of February 2015."""
        answer = Response.from_app(self._app, environ)
        if answer.status_code == 200:
            now = datetime.now(UTC)
            text = _CONTENT.sub(lambda found: b"<Content>%s<" % _with_root(found.group(1), now), answer.get_data())
            stamp = f"<GeneratedTime>{now:%Y-%m-%dT%H:%M:%SZ}<".encode()
            answer.set_data(_GENERATED.sub(stamp, text))
        return answer(environ, start)


def _with_root(content: bytes, now: datetime) -> bytes:
    """The report with the root user's line first, as AWS has it: signed in 20 hours ago, without MFA."""
    header, _, rest = base64.b64decode(content).decode().partition("\n")
    known = {
        "user": "<root_account>",
        "arn": f"arn:aws:iam::{ACCOUNT}:root",
        "user_creation_time": f"{now - timedelta(days=900):%Y-%m-%dT%H:%M:%S+00:00}",
        "password_enabled": "not_supported",
        "password_last_used": f"{now - timedelta(hours=20):%Y-%m-%dT%H:%M:%S+00:00}",
        "password_last_changed": "not_supported",
        "password_next_rotation": "not_supported",
        **dict.fromkeys(("mfa_active", "access_key_1_active", "access_key_2_active"), "false"),
        **dict.fromkeys(("cert_1_active", "cert_2_active"), "false"),
    }
    root = ",".join(known.get(column, "N/A") for column in header.split(","))
    return base64.b64encode(f"{header}\n{root}\n{rest}".encode())


def _operation(environ: dict[str, Any], body: bytes) -> str:
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return str(target).rpartition(".")[2]
    if action := _ACTION.search(body):
        return action.group(1).decode()
    query = environ.get("QUERY_STRING", "")
    return f"?{query.split('&')[0]}" if query else str(environ["PATH_INFO"])


def _error(code: str, environ: dict[str, Any], body: bytes) -> tuple[str, bytes]:
    """An error in the form of the protocol that asked."""
    if "HTTP_X_AMZ_TARGET" in environ:
        return "application/x-amz-json-1.1", b'{"__type":"%s","message":"simulated"}' % code.encode()
    inner = b"<Code>%s</Code><Message>simulated</Message>" % code.encode()
    if not _ACTION.search(body):
        return "application/xml", b"<Error>%s</Error>" % inner
    if b"Version=2016-11-15" in body:
        return "text/xml", b"<Response><Errors><Error>%s</Error></Errors></Response>" % inner
    return "text/xml", b"<ErrorResponse><Error><Type>Sender</Type>%s</Error></ErrorResponse>" % inner


if __name__ == "__main__":
    company = AwsCompany().start(int(sys.argv[1]))
    print(company.url, flush=True)
    assert company._thread is not None
    company._thread.join()
