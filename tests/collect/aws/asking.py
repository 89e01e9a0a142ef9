"""An AWS transport on a tape in memory, in front of a scripted server."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from urllib.parse import parse_qs

from annexa.collect.aws import AwsTransport
from annexa.collect.aws_sessions import AwsAccess, AwsClients
from annexa.collect.exchange import Request, Response, Send
from annexa.errors import CollectError
from annexa.sdk import GLOBAL
from tests.simulators.scripted import xml

KEY, SECRET, TOKEN = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "FQoGZXIvYXdzEXAMPLETOKEN"
NOW = datetime(2026, 9, 10, 12, tzinfo=UTC)
CLIENTS: dict[int, AwsClients] = {}
"""By number of attempts. Every test has a server, and so an endpoint, of its own, and clients are made per endpoint."""


class MemoryTape:
    """Sends and keeps, or answers from what was kept."""

    def __init__(self, kept: list[tuple[Request, Response | CollectError]] | None = None):
        self.exchanges: list[tuple[Request, Response | CollectError]] = []
        self._kept = list(kept) if kept is not None else None

    @property
    def last(self) -> int:
        return len(self.exchanges)

    def play(self, request: Request, send: Send) -> Response:
        try:
            answer = send(request) if self._kept is None else self._recorded(request)
        except CollectError as error:
            self.exchanges.append((request, error))
            raise
        self.exchanges.append((request, answer))
        return answer

    def _recorded(self, request: Request) -> Response:
        asked, answer = self._kept.pop(0)
        assert asked == request
        if isinstance(answer, CollectError):
            raise answer
        return answer


def transport(url, *, tape=None, attempts=1, region="eu-west-1", pause=None, clients=None, **access):
    return AwsTransport(
        tape or MemoryTape(),
        clients or CLIENTS.setdefault(attempts, AwsClients(attempts=attempts)),
        AwsAccess(endpoint_url=url, **access),
        region=region,
        scope=GLOBAL,
        as_of=NOW,
        pause=pause or (lambda _: None),
    )


def users(*names, marker=None, truncated=None):
    members = "".join(f"<member><UserName>{name}</UserName></member>" for name in names)
    more = marker is not None if truncated is None else truncated
    tail = f"<Marker>{marker}</Marker>" if marker is not None else ""
    return xml("ListUsers", f"<Users>{members}</Users><IsTruncated>{str(more).lower()}</IsTruncated>{tail}")


def asked(body, name):
    return parse_qs(body.decode()).get(name, [None])[0]


def paged(pages):
    """A handler: from marker (None: the first) to answer."""
    return lambda method, path, headers, body: pages[asked(body, "Marker")]


def names(api):
    return [user["UserName"] for user in api.pages("iam", "list_users", "Users")]


def always(answer):
    return lambda *_: answer


class Raw(io.BytesIO):
    """A body as botocore reads one from the network."""

    def stream(self):
        yield self.read()
