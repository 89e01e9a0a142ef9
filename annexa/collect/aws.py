"""The AWS transport: operations by their botocore names, recorded as the HTTP exchanges they are.

Rules:
- A list is read to its end or is an error: a page token that comes round, an answer that says it is not all without
  saying how to go on, a list that botocore cannot page but that has a next token.
- An item path that the operation's model does not have is an error, never an empty list.
- Times come as ISO 8601, policies that AWS percent-encodes as what they encode; else values are as AWS gave them.
- Who asks is the business of `AwsAccess`; the transport and the fetch never see a credential.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from annexa.collect import aws_errors, aws_lists
from annexa.collect.aws_bodies import plain
from annexa.collect.aws_exchanges import ASKING, Asking
from annexa.collect.aws_sessions import AwsAccess, AwsClients
from annexa.collect.aws_wire import AwsWire
from annexa.collect.exchange import Tape
from annexa.collect.parts import PartLog
from annexa.errors import Unreadable
from annexa.sdk import Row, Scope

_CHUNK = 1 << 18


class AwsTransport(PartLog):
    """`annexa.sdk.Aws` over a tape.

    Args:
        clients: Shared by the shards of a run.
        region: Where the questions go; global services find their own place.
        as_of: The run's time, the only clock that a fetch may read.
        pause: Waits that many seconds.
    """

    def __init__(
        self,
        tape: Tape,
        clients: AwsClients,
        access: AwsAccess,
        *,
        region: str,
        scope: Scope,
        as_of: datetime,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__()
        self._tape, self._clients, self._access, self._pause = tape, clients, access, pause
        self._region, self._scope, self._as_of = region, scope, as_of

    @property
    def scope(self) -> Scope:
        """The scope that is being fetched."""
        return self._scope

    @property
    def as_of(self) -> datetime:
        """The run's time, UTC."""
        return self._as_of

    def call(self, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """The parsed answer of one operation, without botocore's own metadata.

        Raises:
            CollectError: what AWS or the network said, as `annexa.collect.aws_errors` names it; or the answer is one
                page of a longer list, which `pages` would have read.
        """
        with self._asking(service, None):
            answer = _answer(getattr(self._player(service), operation)(**params))
        aws_lists.require_whole(operation, answer)
        return answer

    def pages(self, service: str, operation: str, items: str, **params: Any) -> Iterator[Row]:
        """Every item at the dotted path `items` over all pages; every page itself when `items` is empty.

        Raises:
            CollectError: also in the middle of the list; what came before is not the whole.
        """
        asked: set[tuple[str, bytes]] = set()
        with self._asking(service, asked):
            listing = aws_lists.Listing(self._player(service), operation, items)
            answers = listing.answers(params)
        while True:
            with self._asking(service, asked):
                page = next(answers, None)
            if page is None:
                break
            yield from listing.items(_answer(page))
        listing.require_end()

    def body(self, service: str, operation: str, field: str, **params: Any) -> Iterator[bytes]:
        """The streamed body of an operation such as `s3.get_object`, in chunks, decompressed if it is gzip.

        Raises:
            Unreadable: the gzip stream is damaged, cut short, or larger than 2 GiB when decompressed.
        """
        stream = self.call(service, operation, **params)[field]
        chunks = iter(lambda: bytes(stream.read(_CHUNK)), b"")
        yield from plain(chunks, f"{service}.{operation} {params.get('Key', '')}".strip())

    def _player(self, service: str) -> Any:
        return self._clients.player(service, self._region, self._access.endpoint_url)

    @contextmanager
    def _asking(self, service: str, asked: set[tuple[str, bytes]] | None) -> Iterator[None]:
        """The call in progress, for botocore's events; its errors become annexa's."""
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        wire = AwsWire(self._clients, self._access, service, self._region, self._pause)
        token = ASKING.set(Asking(self._tape, service, wire.sender, asked))
        try:
            yield
        except ClientError as error:
            prefix = self._player(service).meta.service_model.signing_name
            raise aws_errors.answered(error, service, prefix) from error
        except ResponseParserError as error:
            raise Unreadable(f"{service}: {error}") from error
        except BotoCoreError as error:
            raise aws_errors.unanswered(error, service, self._region, absent=False) from error
        finally:
            ASKING.reset(token)


def _answer(parsed: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parsed.items() if name != "ResponseMetadata"}
