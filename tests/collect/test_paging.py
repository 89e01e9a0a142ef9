from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annexa.collect.exchange import Request, Response
from annexa.collect.http import HttpTransport
from annexa.collect.link_header import next_link
from annexa.collect.paging import MISSING, find
from annexa.collect.wire import Wire
from annexa.errors import CollectError, Unreadable
from annexa.sdk import Cursor, LinkHeader, NextLink, Offset, PageNumber, Paging

Answer = Callable[[dict[str, str]], Response]


class Vendor:
    """A tape that answers from a function of the query, and counts."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[dict[str, str]] = []
        self.last = 0

    def play(self, request: Request, send: object) -> Response:
        query = dict(parse_qsl(urlsplit(request.url).query))
        self.asked.append(query)
        self.last += 1
        assert self.last < 500, "the list does not end"
        return self.answer(query)

    def read(self, paging: Paging | None, items: str = "items", **params: str | int) -> list:
        api = HttpTransport("https://example.com/api", self, wire=Wire(), as_of=None, paging=paging)
        self.api = api
        return list(api.pages("/list", items=items, **params))


def says(value: object, *headers: tuple[str, str]) -> Response:
    return Response(200, (("Content-Type", "application/json"), *headers), json.dumps(value).encode())


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(1, 20), st.integers(1, 20), st.sampled_from(["nothing", "total", "more"]))
def test_offset_reads_every_row_once_however_small_the_vendor_makes_its_pages(
    rows: int, limit: int, clamp: int, declares: str
) -> None:
    def answer(query: dict[str, str]) -> Response:
        start, size = int(query["offset"]), min(int(query["limit"]), clamp)
        page = list(range(rows))[start : start + size]
        extra = {"total": {"total": rows}, "more": {"more": start + size < rows}, "nothing": {}}[declares]
        return says({"items": page, **extra})

    scheme = Offset(limit=limit, total="total", more="more")
    vendor = Vendor(answer)
    assert vendor.read(scheme) == list(range(rows))
    pages = -(-rows // min(limit, clamp))
    assert len(vendor.asked) == max(1, pages + (declares == "nothing" and rows > 0))


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(1, 20), st.integers(1, 20), st.booleans())
def test_page_numbers_read_every_row_once(rows: int, size: int, clamp: int, declares: bool) -> None:
    def answer(query: dict[str, str]) -> Response:
        step = min(int(query["per_page"]), clamp)
        start = (int(query["page"]) - 1) * step
        page = [{"n": n} for n in range(rows)[start : start + step]]
        return says({"items": page, **({"total": rows} if declares else {})})

    vendor = Vendor(answer)
    assert [row["n"] for row in vendor.read(PageNumber(size=size, total="total"))] == list(range(rows))


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=8))
def test_cursors_read_every_page_also_those_that_are_empty_in_the_middle(sizes: list[int]) -> None:
    def answer(query: dict[str, str]) -> Response:
        page = int(query.get("cursor", "0").removeprefix("c"))
        assert query["limit"] == "9"
        more = {"next": f"c{page + 1}" if page + 1 < len(sizes) else ""}
        return says({"meta": more, "items": [f"{page}.{n}" for n in range(sizes[page])]})

    vendor = Vendor(answer)
    expected = [f"{page}.{n}" for page, size in enumerate(sizes) for n in range(size)]
    assert vendor.read(Cursor("cursor", "meta.next"), limit=9) == expected
    assert len(vendor.asked) == len(sizes)


@pytest.mark.parametrize("end", [{}, {"next": None}, {"next": ""}])
def test_a_cursor_ends_when_it_is_absent_null_or_empty(end: dict[str, object]) -> None:
    vendor = Vendor(lambda query: says({"items": [1], **end}))
    assert vendor.read(Cursor("cursor", "next")) == [1]


def test_next_links_are_opaque_and_their_field_may_hold_a_dot() -> None:
    def answer(query: dict[str, str]) -> Response:
        if "$skiptoken" in query:
            return says({"value": [2]})
        return says({"value": [1], "@odata.nextLink": "https://example.com/other?$skiptoken=a%2Fb&x=1"})

    vendor = Vendor(answer)
    assert vendor.read(NextLink("@odata.nextLink"), items="value") == [1, 2]
    assert vendor.asked == [{}, {"$skiptoken": "a/b", "x": "1"}]


def test_link_headers_are_followed_and_the_end_is_the_page_without_one() -> None:
    def answer(query: dict[str, str]) -> Response:
        page = int(query.get("page", 1))
        link = ("Link", f'<https://example.com/api/list?page={page + 1}>; rel="next"')
        return says([page], *([link] if page < 3 else []))

    vendor = Vendor(answer)
    assert vendor.read(LinkHeader(), items="") == [1, 2, 3]


def test_a_list_that_always_has_a_next_link_ends_on_an_empty_page_when_the_collector_says_so() -> None:
    def answer(query: dict[str, str]) -> Response:
        page = int(query.get("page", 1))
        link = ("Link", f'<https://example.com/api/list?page={page + 1}>; rel="next"')
        return says([page] if page < 3 else [], link)

    vendor = Vendor(answer)
    assert vendor.read(LinkHeader(ends_on_empty=True), items="") == [1, 2]
    assert len(vendor.asked) == 3


def test_without_ends_on_empty_an_empty_page_with_a_next_link_is_not_the_end() -> None:
    answers = {"1": [], "2": [7]}

    def answer(query: dict[str, str]) -> Response:
        page = query.get("page", "1")
        return says(answers[page], *([("Link", "<?page=2>; rel=next")] if page == "1" else []))

    assert Vendor(answer).read(LinkHeader(), items="") == [7]


@pytest.mark.parametrize(
    ("scheme", "answer"),
    [
        (Cursor("cursor", "next"), lambda query: says({"items": [1], "next": "same"})),
        (Cursor("c", "next"), lambda asked: says({"items": [1], "next": {"a": "b"}.get(asked.get("c"), "a")})),
        (NextLink("next"), lambda query: says({"items": [1], "next": "https://example.com/api/list"})),
        (LinkHeader(), lambda query: says({"items": [1]}, ("Link", "<?b=1&a=1>; rel=next"))),
        (PageNumber(size=1), lambda query: says({"items": [1]})),
        (Offset(limit=1), lambda query: says({"items": [1]})),
        (Offset(limit=1, more="more"), lambda query: says({"items": [], "more": True})),
    ],
)  # fmt: skip
def test_a_list_that_comes_round_gives_its_rows_and_then_an_error(scheme: Paging, answer: Answer) -> None:
    vendor = Vendor(answer)
    with pytest.raises(CollectError, match="cannot be read to its end"):
        vendor.read(scheme)
    assert len(vendor.asked) <= 3


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"other": []}, "no list at 'items'"),
        ({"items": None}, "null at 'items'"),
        ({"items": {"a": 1}}, "an object at 'items'"),
        ({"items": [{"id": 1}, None]}, "null in the place of an item"),
        ([], "no list at 'items'"),
        ({}, "no list at 'items'"),
    ],
)
def test_a_list_that_is_not_there_is_never_an_empty_list(value: object, problem: str) -> None:
    vendor = Vendor(lambda query: says(value))
    with pytest.raises(Unreadable, match=problem):
        vendor.read(Cursor("cursor", "next"))


def test_an_error_object_in_the_place_of_a_list_is_not_a_list() -> None:
    with pytest.raises(Unreadable, match="an object as the answer"):
        Vendor(lambda query: says({"error": "x"})).read(LinkHeader(), items="")


@pytest.mark.parametrize("declared", [4, 2, "4"])
def test_a_total_that_is_not_met_is_an_error_after_the_rows(declared: object) -> None:
    vendor = Vendor(lambda query: says({"items": [1, 2, 3] if query["offset"] == "0" else [], "total": declared}))
    with pytest.raises(CollectError, match=f"declared {declared} items, and gave 3"):
        vendor.read(Offset(total="total"))
    assert vendor.api.declared_total == int(declared)
    assert vendor.api.seen_total == 3


def test_totals_of_several_lists_add_up_and_may_stand_in_a_header() -> None:
    vendor = Vendor(lambda query: says([1, 2], ("X-Total", "2")))
    api = HttpTransport("https://example.com", vendor, wire=Wire(), as_of=None, paging=LinkHeader(total="X-Total"))
    assert [list(api.pages("/a")), list(api.pages("/b"))] == [[1, 2], [1, 2]]
    assert (api.declared_total, api.seen_total) == (4, 4)


def test_without_a_declared_total_none_is_made_up() -> None:
    vendor = Vendor(lambda query: says({"items": [1], "total": None}))
    assert vendor.read(Cursor("cursor", "next", total="total")) == [1]
    assert vendor.api.declared_total is None


@pytest.mark.parametrize("total", [True, -1, 1.5, "many", []])
def test_a_total_that_is_no_number_of_items_is_unreadable(total: object) -> None:
    with pytest.raises(Unreadable, match="declared total"):
        Vendor(lambda query: says({"items": [1], "total": total})).read(Offset(total="total"))


@pytest.mark.parametrize("more", ["true", 1, []])
def test_more_must_be_true_or_false(more: object) -> None:
    if more == 1:
        more = 1.5
    with pytest.raises(Unreadable, match="'more'"):
        Vendor(lambda query: says({"items": [1], "more": more})).read(Offset(more="more"))


@pytest.mark.parametrize("cursor", [True, {"a": 1}, ["x"], 1.5])
def test_a_cursor_of_the_wrong_kind_is_unreadable(cursor: object) -> None:
    with pytest.raises(Unreadable, match="how the list goes on"):
        Vendor(lambda query: says({"items": [1], "next": cursor})).read(Cursor("cursor", "next"))


def test_a_next_link_that_the_collector_did_not_expect_is_not_overlooked() -> None:
    with pytest.raises(CollectError, match="there is a next page"):
        Vendor(lambda query: says([1], ("Link", "<?page=2>; rel=next"))).read(None, items="")


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/api/list?page=2",
        "http://example.com/api/list?page=2",
        "https://example.com:8443/api/list?page=2",
        "//evil.example/",
        "https://example.com@evil.example/",
        "https://example.com\\@evil.example/",
        "ftp://example.com/",
        "javascript:alert(1)",
    ],
)
def test_a_next_page_elsewhere_is_refused(link: str) -> None:
    vendor = Vendor(lambda query: says({"items": [1], "next": link}))
    with pytest.raises(CollectError, match=r"another origin|not a plain http"):
        vendor.read(NextLink("next"))
    assert len(vendor.asked) == 1


def test_the_collectors_own_start_and_size_are_kept() -> None:
    vendor = Vendor(lambda query: says({"items": []}))
    vendor.read(PageNumber(size=100), page=0, per_page=7)
    vendor.read(Offset(limit=100, limit_param="maxResults", offset_param="startAt"), maxResults=5)
    assert vendor.asked == [{"page": "0", "per_page": "7"}, {"maxResults": "5", "startAt": "0"}]


@pytest.mark.parametrize(
    ("headers", "target"),
    [
        (['<https://a/2>; rel="next"'], "https://a/2"),
        (["<https://a/2>;rel=next"], "https://a/2"),
        (['<https://a/1>; rel="prev", <https://a/3>; rel="next"'], "https://a/3"),
        (['<https://a/1>; rel="self"', '<https://a/2>; rel="next"'], "https://a/2"),
        (['<https://a/2>; title="a, <b>; rel=\\"x\\""; REL="prev NEXT"'], "https://a/2"),
        (["<https://a/?q=a,b;c>; rel=next"], "https://a/?q=a,b;c"),
        (['<https://a/2>; rel="nextish"'], ""),
        (['<https://a/2>; rel="first"; rel="next"'], ""),
        (['<https://a/2>; rel="next"; anchor="#x"'], ""),
        ([" , <https://a/2> ; rel = next ,"], "https://a/2"),
        ([], ""),
        ([""], ""),
    ],
)
def test_link_headers_are_read_as_rfc_8288_says(headers: list[str], target: str) -> None:
    assert next_link(Response(200, tuple(("link", header) for header in headers), b"")) == target


@pytest.mark.parametrize(
    "header",
    [
        "https://a/2; rel=next",
        '<https://a/2; rel="next"',
        '<https://a/2>; rel="next',
        '<https://a/1>; rel="prev" <https://a/2>; rel=next',
        '<a>; rel="next", <b>; rel="next"',
    ],
)
def test_a_link_header_that_cannot_be_read_whole_is_an_error(header: str) -> None:
    with pytest.raises(Unreadable, match="Link header"):
        next_link(Response(200, (("Link", header),), b""))


def test_dotted_paths_go_into_objects_and_keys_may_hold_dots() -> None:
    value = {"a": {"b.c": {"d": 1}}, "a.b": {"x": 2}, "n": None}
    assert find(value, "a.b.c.d") == 1
    assert find(value, "a.b.x") == 2
    assert find(value, "n") is None
    assert find(value, "n.x") is MISSING
    assert find(value, "a.z") is MISSING
    assert find([1], "a") is MISSING
