"""What a collector sees as `Http`: JSON answers and whole lists, over a tape.

Rules:
- Every address stays on the origin of the base address; paths stay below it.
- A list is read to its end or ends in an error. An address that comes round again, a total that is not met, a page
  that fails midway: the rows until then have been given, and the error makes the shard incomplete.
- The same code runs over a recording; what really happens on the network is `wire`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from annexa import __version__
from annexa.collect import answers
from annexa.collect.addresses import base, below, follow
from annexa.collect.exchange import Request, Response, Tape
from annexa.collect.paging import Page, Params, Rounds, Step, after, declared_total, first, items_of
from annexa.collect.parts import PartLog
from annexa.collect.wire import Wire
from annexa.errors import CollectError
from annexa.sdk import GLOBAL, Row, Scope
from annexa.sdk.transports import Auth, Paging


class HttpTransport(PartLog):
    """`annexa.sdk.Http` over a tape; one shard's.

    Args:
        base_url: The address below which everything is asked: https://host or https://host/path.
        tape: Where the exchanges are recorded, or come from.
        wire: The network, shared by the shards of a source; not used by a replaying tape.
        as_of: The run's time.
        scope: The scope that is being fetched.
        auth: How to authenticate.
        paging: How lists end, unless `pages` is told otherwise.
        headers: Sent with every request; never secrets.

    Attributes:
        declared_total: The totals that the system declared for the lists read so far, added up; None when it did not.
        seen_total: The items of those lists that were read.
    """

    def __init__(
        self,
        base_url: str,
        tape: Tape,
        *,
        wire: Wire,
        as_of: datetime,
        scope: Scope = GLOBAL,
        auth: Auth | None = None,
        paging: Paging | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.scope, self.as_of = scope, as_of
        self.declared_total: int | None = None
        self.seen_total = 0
        self._base, self._tape, self._wire, self._auth, self._paging = base(base_url), tape, wire, auth, paging
        own = {"Accept": "application/json", "User-Agent": f"annexa/{__version__}", **(headers or {})}
        self._headers = tuple(own.items())

    def get(self, path: str, **params: str | int | bool) -> Any:
        """The JSON answer of one GET.

        Raises:
            NotFound: 404 or 410.
            Denied: 401 or 403.
            Unreadable: no strict JSON, or no 200.
            CollectError: every other failure.
        """
        return self._ask(below(self._base, path, params))[1]

    def pages(
        self, path: str, *, items: str = "", paging: Paging | None = None, **params: str | int | bool
    ) -> Iterator[Row]:
        """Every item of a paged list, in order; a list of plain values gives those.

        Raises:
            CollectError: also after items have been given; the list is then not whole.
        """
        scheme = paging or self._paging
        asked = first(scheme, params)
        url = below(self._base, path, asked)
        rounds, read, total = Rounds(path), 0, None
        while url:
            rounds.asks(url)
            response, value = self._ask(url)
            rows = items_of(value, items, path)
            read += len(rows)
            page = Page(path, asked, response, value, len(rows), read)
            rounds.gives(scheme, page)
            declared = declared_total(scheme, page)
            total = total if declared is None else declared
            yield from rows
            url, asked = self._next(url, page, after(scheme, page))
        self._settle(path, read, total)

    def _next(self, url: str, page: Page, step: Step) -> tuple[str, Params]:
        """The address to ask next, empty at the end, and the parameters in it."""
        if step is None:
            return "", {}
        if isinstance(step, str):
            return follow(url, step), page.params
        return below(self._base, page.path, step), step

    def _settle(self, path: str, read: int, total: int | None) -> None:
        """Hold what was read against what was declared."""
        self.seen_total += read
        if total is None:
            return
        self.declared_total = (self.declared_total or 0) + total
        if total != read:
            raise CollectError(
                f"{path}: the system declared {total} items, and gave {read}",
                remedy="The list may have changed while it was read: run again.",
            )

    def _ask(self, url: str) -> tuple[Response, Any]:
        request = Request("GET", url, self._headers)
        response = self._tape.play(request, self._send)
        return response, answers.value(request, response)

    def _send(self, request: Request) -> Response:
        return self._wire.send(request, self._auth)
