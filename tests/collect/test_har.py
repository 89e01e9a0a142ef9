"""Recordings made by others, read as tapes and replayed through the transport."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from annexa.collect.exchange import Request, Response
from annexa.collect.har import har_tape, lines_tape
from annexa.collect.http import HttpTransport
from annexa.collect.replay import ReplayTape
from annexa.collect.wire import Wire
from annexa.errors import CollectError, Denied, NotFound, Unreadable
from annexa.sdk import LinkHeader, Offset, PageNumber, Paging


def recording(folder: Path, vendor: str, scenario: str) -> ReplayTape:
    lines = (folder / "vendor" / "recordings" / f"{vendor}.jsonl").read_bytes().splitlines()
    return lines_tape(lines, scenario)


def home(folder: Path, vendor: str) -> str:
    """The origin of the first address in a recording."""
    with (folder / "vendor" / "recordings" / f"{vendor}.jsonl").open() as lines:
        parts = urlsplit(json.loads(next(lines))["request"]["url"])
    return f"{parts.scheme}://{parts.netloc}"


def over(tape: ReplayTape, base: str, paging: Paging | None = None) -> HttpTransport:
    return HttpTransport(base, tape, wire=Wire(), as_of=None, paging=paging)


def no_send(request: Request) -> Response:
    raise AssertionError("a replay asked the network")


def test_pagerduty_pages_by_offset_until_more_is_false(test_data: Path) -> None:
    name = "validateInvocation-shouldReturnUndefinedForValidConfiguration_3663901399"
    tape = recording(test_data, "pagerduty", name)
    api = over(tape, "https://api.pagerduty.com", Offset(limit=1, more="more", total="total"))
    users = list(api.pages("/users", items="users"))
    assert len({user["id"] for user in users}) == 2
    assert tape.unused() == []
    assert tape.last == 2


def test_gitlab_pages_by_link_header_and_meets_its_declared_total(test_data: Path) -> None:
    tape = recording(test_data, "gitlab", "collect_2399039025")
    api = over(tape, "https://gitlab.com/api/v4", LinkHeader(total="x-total"))
    assert len(list(api.pages("/projects", owned=True, page=1, per_page=100))) == 2
    members = list(api.pages("/projects/19688677/members/all", page=1, per_page=100))
    assert [set(member) >= {"id", "username", "access_level"} for member in members] == [True] * 3
    assert api.declared_total == api.seen_total == 5


def test_gitlabs_gzip_in_pieces_of_hex_and_base64_is_decoded(test_data: Path) -> None:
    tape = recording(test_data, "gitlab", "group_users_1316805215")
    api = over(tape, "https://gitlab.com/api/v4", LinkHeader(total="x-total"))
    assert len(list(api.pages("/groups/7799803/members/all", page=1, per_page=100))) == 2
    page = recording(test_data, "gitlab", "validateInvocationAuthenticationError_163166825")
    answer = page.play(Request("GET", "https://example.com/api/v4/user"), no_send)
    assert answer.body.startswith(b"<!doctype html>")


def test_knowbe4_is_asked_until_a_page_is_empty(test_data: Path) -> None:
    tape = recording(test_data, "knowbe4", "fetchPhishingCampaignCollectData_4184016137")
    api = over(tape, "https://eu.api.knowbe4.com/v1", PageNumber(size=500))
    assert len(list(api.pages("/phishing/campaigns"))) == 2
    assert [left.url for left in tape.unused()] == ["https://eu.api.knowbe4.com/v1/account"]


def test_jira_advances_by_what_it_was_given_not_by_what_it_asked_for(test_data: Path) -> None:
    tape = recording(test_data, "jira", "stepsCloud_3515838877")
    api = over(tape, f"{home(test_data, 'jira')}/rest/api/3")
    users = list(api.pages("/users", paging=Offset(100, "startAt", "maxResults")))
    assert len(users) == 12
    asked = {left.url for left in tape.unused() if "/users" in left.url}
    assert asked == set()


def test_bamboohr_is_found_below_a_base_path(test_data: Path) -> None:
    lines = (test_data / "vendor" / "recordings" / "bamboohr.jsonl").read_bytes().splitlines()
    first = json.loads(lines[0])["request"]["url"]
    api = over(lines_tape(lines), first[: first.index("/v1/") + 3])
    with pytest.raises(NotFound):
        api.get("/employees/182372")
    assert len(api.get("/meta/users")) > 10


def test_github_answers_and_its_installation_token_is_not_in_the_tape(test_data: Path) -> None:
    tape = recording(test_data, "github", "branchProtectionRules_2658866605")
    api = over(tape, "https://api.github.com")
    assert api.get("/app/installations/32841752")["id"] == 32841752
    token = tape.play(Request("POST", "https://api.github.com/app/installations/32841752/access_tokens"), no_send)
    assert json.loads(token.body)["token"] == "[redacted]"
    assert "hooks" in api.get("/meta")


@pytest.mark.parametrize(
    "vendor",
    ["azure", "bamboohr", "crowdstrike", "github", "gitlab", "google-cloud", "google", "jamf", "jira", "knowbe4",
     "microsoft-365", "okta", "pagerduty", "slack"],
)  # fmt: skip
def test_every_recorded_exchange_can_be_replayed_in_its_order(test_data: Path, vendor: str) -> None:
    raw = (test_data / "vendor" / "recordings" / f"{vendor}.jsonl").read_bytes().splitlines()
    tape = lines_tape(raw)
    for line in raw:
        asked = json.loads(line)
        answer = tape.play(Request(asked["request"]["method"], asked["request"]["url"]), no_send)
        assert answer.status == asked["response"]["status"]
    assert tape.unused() == []


def har(*entries: dict) -> bytes:
    return json.dumps(
        {"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": entries}}
    ).encode()


def entry(url: str, content: dict, status: int = 200, *headers: tuple[str, str]) -> dict:
    return {
        "request": {"method": "GET", "url": url, "headers": [{"name": "Authorization", "value": "Bearer hunter2"}]},
        "response": {
            "status": status,
            "headers": [{"name": name, "value": value} for name, value in headers],
            "content": content,
        },
    }


def test_a_har_file_of_a_browser_is_a_tape() -> None:
    packed = base64.b64encode(gzip.compress(b"[2]")).decode()
    tape = har_tape(
        har(
            entry("https://example.com/a", {"text": "[1]"}, 200, ("Content-Encoding", "br")),
            entry("https://example.com/b", {"text": packed, "encoding": "base64"}, 200, ("content-encoding", "gzip")),
            entry("https://example.com/c", {"text": base64.b64encode(b"[3]").decode(), "encoding": "base64"}),
            entry("https://example.com/d", {}, 403),
        )
    )
    api = over(tape, "https://example.com")
    assert [api.get(path) for path in ("/a", "/b", "/c")] == [[1], [2], [3]]
    with pytest.raises(Denied):
        api.get("/d")


def test_what_cannot_be_decoded_fails_only_where_it_is_asked_for() -> None:
    brotli = base64.b64encode(b"\x8b\x01\x80[1]\x03\xff").decode()
    short = base64.b64encode(gzip.compress(b"[1, 2, 3]")[:-6]).decode()
    tape = har_tape(
        har(
            entry("https://example.com/br", {"text": brotli, "encoding": "base64"}, 200, ("Content-Encoding", "br")),
            entry("https://example.com/gz", {"text": short, "encoding": "base64"}, 200, ("Content-Encoding", "gzip")),
            entry("https://example.com/aborted", {}, 0),
            entry("https://example.com/ok", {"text": "[]"}),
        )
    )
    api = over(tape, "https://example.com")
    for path, problem in (("/br", "coded as br"), ("/gz", "cut short"), ("/aborted", "broken off")):
        with pytest.raises(CollectError, match=problem):
            api.get(path)
    assert api.get("/ok") == []


@pytest.mark.parametrize("raw", [b"{}", b"[]", b"<html>", b'{"log": {"entries": [{}]}}', b'{"log": {"entries": 1}}'])
def test_a_file_that_is_no_har_is_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        har_tape(raw)


def test_a_scenario_that_is_not_there_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="no scenario"):
        lines_tape([json.dumps({"scenario": "a", "request": {}, "response": {}}).encode()], "b")
