"""How lists go on and how they end: decisions only, nothing is asked here.

| scheme | goes on with | ends |
|---|---|---|
| `LinkHeader` | the link `rel="next"` | without one; with `ends_on_empty` at an empty page |
| `NextLink` | the address in the answer | when it is absent, null or empty |
| `Cursor` | the cursor in the answer | when it is absent, null or empty |
| `Offset` | the number of rows read | at `more: false`, at the declared total, or at an empty page |
| `PageNumber` | the next number | at the declared total, or at an empty page |

A page that is shorter than was asked for ends nothing: the vendor may give less than that at a time (Redmine clamps
500 to 100), and a list that stopped there would be short without anybody knowing. So `Offset` and `PageNumber` ask once
more, until nothing comes, unless the answer itself says that it was the last. It costs one call and never loses a row.

A list that cannot be found in an answer is an error, never an empty list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from annexa.collect.addresses import normal
from annexa.collect.exchange import Response
from annexa.collect.link_header import next_link
from annexa.errors import CollectError, Unreadable
from annexa.sdk.transports import Cursor, LinkHeader, NextLink, Offset, PageNumber, Paging

Params = Mapping[str, str | int | bool]
Step = Params | str | None
"""Parameters to ask the same path with, or an address to ask, or the end."""

MISSING = object()
MOST_PAGES = 100_000
"""A list with more pages than this (by number or offset: half as many) has no end."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    Args:
        path: What was asked.
        params: What it was asked with.
        response: The answer.
        value: The answer's JSON value.
        count: Items on this page.
        read: Items so far, with this page's.
    """

    path: str
    params: Params
    response: Response
    value: Any
    count: int
    read: int


def first(paging: Paging | None, params: Params) -> Params:
    """What to ask for the first page; what the collector asks for itself is left as it is."""
    match paging:
        case Offset():
            return {paging.limit_param: paging.limit, paging.offset_param: 0, **params}
        case PageNumber():
            return {paging.page_param: 1, paging.size_param: paging.size, **params}
        case _:
            return params


def after(paging: Paging | None, page: Page) -> Step:
    """What to ask after this page; None when it was the last.

    Raises:
        Unreadable: what should say how the list goes on is of the wrong kind.
        CollectError: the answer says that there is more, and the list cannot go on.
    """
    match paging:
        case LinkHeader():
            return None if paging.ends_on_empty and not page.count else next_link(page.response) or None
        case NextLink():
            return _mark(page, paging.field) or None
        case Cursor():
            cursor = _mark(page, paging.field)
            return {**page.params, paging.param: cursor} if cursor else None
        case Offset():
            return _after_offset(paging, page)
        case PageNumber():
            last = page.count == 0 or _reached(paging, page)
            return None if last else {**page.params, paging.page_param: _int(page, paging.page_param) + 1}
        case None:
            return _after_the_only_page(page)


def declared_total(paging: Paging | None, page: Page) -> int | None:
    """The total that the answer declares; None when it declares none.

    `LinkHeader.total` names a header, or else a field; the others name a field.

    Raises:
        Unreadable: what is declared is not a number of items.
    """
    if paging is None or not paging.total:
        return None
    header = page.response.header(paging.total) if isinstance(paging, LinkHeader) else ""
    total = header.strip() or find(page.value, paging.total)
    if total is MISSING or total is None:
        return None
    if isinstance(total, str) and total.isascii() and total.isdigit():
        return int(total)
    if isinstance(total, bool) or not isinstance(total, int) or total < 0:
        raise Unreadable(f"{page.path}: the declared total {paging.total} is not a number of items")
    return total


def items_of(value: Any, path: str, what: str) -> list[Any]:
    """The list at a dotted path within an answer; the answer itself when the path is empty.

    Args:
        value: The answer's JSON value.
        path: Where the list stands.
        what: What was asked, for the error's text.

    Raises:
        Unreadable: it is not there, is not a list, or holds null.
    """
    found = find(value, path) if path else value
    where = f"at {path!r} in the answer" if path else "as the answer"
    if found is MISSING:
        raise Unreadable(f"{what}: no list {where}", remedy="The vendor's answer has changed: report it.")
    if not isinstance(found, list):
        raise Unreadable(f"{what}: {_kind(found)} {where}, where a list was expected")
    if None in found:
        raise Unreadable(f"{what}: the list {where} holds null in the place of an item")
    return found


def find(value: Any, path: str) -> Any:
    """What stands at a dotted path, `MISSING` if nothing does. A key may hold dots itself (`@odata.nextLink`)."""
    if not isinstance(value, Mapping):
        return MISSING
    if path in value:
        return value[path]
    cut = path.find(".")
    while cut >= 0:
        if path[:cut] in value:
            found = find(value[path[:cut]], path[cut + 1 :])
            if found is not MISSING:
                return found
        cut = path.find(".", cut + 1)
    return MISSING


class Rounds:
    """Notices that a list comes round instead of to its end.

    Args:
        path: What is asked, for the error's text.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen: set[bytes] = set()

    def asks(self, url: str) -> None:
        """An address is about to be asked.

        Raises:
            CollectError: it was asked before in this list, or the list has `MOST_PAGES`.
        """
        self._note(normal(url).encode("utf-8", "replace"), "a page token came round again")
        if len(self._seen) > MOST_PAGES:
            raise CollectError(f"{self._path}: no end after {MOST_PAGES} pages")

    def gives(self, paging: Paging | None, page: Page) -> None:
        """A page has come. Some systems answer a page after the last with the last one.

        Raises:
            CollectError: the same bytes came before, to another number or offset.
        """
        if page.count and isinstance(paging, Offset | PageNumber):
            self._note(b"body " + page.response.body, "a page came again, word for word")

    def _note(self, what: bytes, problem: str) -> None:
        digest = sha256(what).digest()
        if digest in self._seen:
            raise CollectError(f"{self._path}: {problem}; the list cannot be read to its end")
        self._seen.add(digest)


def _after_offset(paging: Offset, page: Page) -> Step:
    more = find(page.value, paging.more) if paging.more else MISSING
    if more not in (True, False, None, MISSING):
        raise Unreadable(f"{page.path}: {paging.more!r} should be true or false, and is {_kind(more)}")
    if more is True and not page.count:
        raise CollectError(f"{page.path}: an empty page says that there is more: the list cannot be read to its end")
    if more is False or (more is not True and (not page.count or _reached(paging, page))):
        return None
    return {**page.params, paging.offset_param: _int(page, paging.offset_param) + page.count}


def _reached(paging: Offset | PageNumber, page: Page) -> bool:
    total = declared_total(paging, page)
    return total is not None and page.read >= total


def _after_the_only_page(page: Page) -> Step:
    if next_link(page.response):
        raise CollectError(
            f"{page.path}: there is a next page, and the collector does not say how to ask for it",
            remedy="Give the collector's transport, or this list, a paging.",
        )
    return None


def _mark(page: Page, field: str) -> str:
    """A cursor or an address; empty when the list ends."""
    found = find(page.value, field)
    if found is MISSING or found is None:
        return ""
    if isinstance(found, bool) or not isinstance(found, str | int):
        raise Unreadable(f"{page.path}: {field!r} should say how the list goes on, and is {_kind(found)}")
    return str(found)


def _int(page: Page, param: str) -> int:
    number = page.params[param]
    if isinstance(number, bool) or not str(number).isdigit():
        raise CollectError(f"{page.path}: the parameter {param} is not a number, so the list cannot go on from it")
    return int(number)


def _kind(value: Any) -> str:
    names = {bool: "true or false", dict: "an object", list: "a list", str: "a string", int: "a number"}
    return "null" if value is None else names.get(type(value), "a number")
