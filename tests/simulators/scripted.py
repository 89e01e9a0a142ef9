"""A loopback server that answers from a function, and AWS's answers in the query protocol, for what moto cannot do:
pages, cut bodies, nonsense.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

Answer = tuple[int, Mapping[str, str], bytes]
Handler = Callable[[str, str, Message, bytes], Answer]


class Scripted:
    """Answers with what `handler(method, path, headers, body)` gives: status, headers, body."""

    def __init__(self, handler: Handler) -> None:
        self.requests: list[tuple[str, str, Message, bytes]] = []
        server = self

        class Handling(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = (self.command, self.path, self.headers, body)
                server.requests.append(request)
                status, headers, content = handler(*request)
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(content)), "Connection": "close"} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
                self.close_connection = True

            do_GET = do_POST = do_HEAD = answer

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handling)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def xml(operation: str, inner: str, status: int = 200) -> Answer:
    """An answer of the query protocol."""
    body = f'<{operation}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><{operation}Result>{inner}'
    return status, {"Content-Type": "text/xml"}, f"{body}</{operation}Result></{operation}Response>".encode()


def error(code: str, message: str = "no", status: int = 400) -> Answer:
    """An error of the query protocol."""
    body = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return status, {"Content-Type": "text/xml"}, f"{body}</ErrorResponse>".encode()
