"""The manners of HTTP, against a real server on loopback."""

from __future__ import annotations

import gzip
import json
import socket
import time
import tracemalloc
import zlib

import pytest

from annexa.collect.http import HttpTransport
from annexa.collect.replay import ReplayTape
from annexa.collect.wire import Limits, Wire
from annexa.errors import CollectError, Denied, NotFound, SecretError, Unreadable
from annexa.sdk import ApiKey, Basic, Bearer, LinkHeader, Secret


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> Secret:
    monkeypatch.setenv("EXAMPLE_TOKEN", "hunter2hunter2")
    return Secret("env:EXAMPLE_TOKEN")


def test_a_get_is_asked_below_the_base_recorded_and_replayed(server, make_shard) -> None:
    server.routes["/base/users"] = lambda asked: asked.answer(200, '{"n": 12345678901234567890}')
    shard = make_shard(f"{server.url}/base/", headers={"X-Vendor-Version": "3"})
    assert shard.api.get("/users", active=True, limit=5, q="a b&c") == {"n": 12345678901234567890}
    (asked,) = server.asked
    assert asked.path == "/base/users?active=true&limit=5&q=a%20b%26c"
    assert asked.headers["accept"] == "application/json"
    assert asked.headers["x-vendor-version"] == "3"
    assert asked.headers["user-agent"].startswith("annexa/")

    tape = ReplayTape(shard.log.getvalue().splitlines(), shard.bodies.getvalue())
    again = HttpTransport(f"{server.url}/base", tape, wire=Wire(), as_of=shard.api.as_of)
    assert again.get("/users", q="a b&c", active=True, limit=5) == {"n": 12345678901234567890}
    assert tape.unused() == []
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "path", ["/../admin", "/a/%2e%2e/b", "/a/./b", "/a?b=1", "/a#b", "/a\\b", "/a\r\nb", "https://x.example/"]
)
def test_a_path_cannot_leave_its_base(server, make_shard, path: str) -> None:
    with pytest.raises(CollectError, match="does not stay below"):
        make_shard(f"{server.url}/base").api.get(path)
    assert server.asked == []


@pytest.mark.parametrize(
    "base", ["ftp://h/", "https://u:p@h/", "https://h/?a=1", "https://h/#a", "h", "https://h\\x/", "https:///x"]
)
def test_a_base_address_must_be_plain(make_shard, base: str) -> None:
    with pytest.raises(CollectError, match="address"):
        make_shard(base)


def test_credentials_are_sent_and_never_recorded(server, make_shard, token: Secret) -> None:
    seen = []
    server.routes["/me"] = lambda asked: (
        seen.append(dict(asked.headers)),
        asked.answer(200, '{"echo": "hunter2hunter2"}'),
    )
    for auth in (Bearer(token), ApiKey("X-Api-Key", token, prefix="SSWS "), Basic("ada", token)):
        shard = make_shard(server.url, auth=auth)
        assert shard.api.get("/me") == {"echo": "[redacted]"}
        assert b"hunter2" not in shard.log.getvalue() + shard.bodies.getvalue()
        assert shard.tape.redaction_count == 1
    assert seen[0]["Authorization"] == "Bearer hunter2hunter2"
    assert seen[1]["X-Api-Key"] == "SSWS hunter2hunter2"
    assert seen[2]["Authorization"] == "Basic YWRhOmh1bnRlcjJodW50ZXIy"


@pytest.mark.parametrize("value", ["two\nlines", "naïve"])
def test_a_secret_that_cannot_stand_in_a_header_is_refused_unechoed(
    server, make_shard, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("BAD_TOKEN", value)
    with pytest.raises(SecretError) as raised:
        make_shard(server.url, auth=Bearer(Secret("env:BAD_TOKEN"))).api.get("/me")
    assert value not in str(raised.value)
    assert "env:BAD_TOKEN" in str(raised.value)


def test_the_netrc_of_the_user_and_cookies_of_the_server_are_not_sent(
    server, make_shard, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.routes["/me"] = lambda asked: asked.answer(200, "[]", set_cookie="session=1")
    shard = make_shard(server.url)
    shard.api.get("/me")
    shard.api.get("/me")
    assert [(asked.headers["authorization"], asked.headers["cookie"]) for asked in server.asked] == [(None, None)] * 2


# What an answer means


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, Denied), (403, Denied), (404, NotFound), (410, NotFound), (400, CollectError), (422, CollectError)],
)
def test_refusals_are_told_apart_and_quote_the_vendor(server, make_shard, status: int, error: type) -> None:
    said = {"error": {"message": "Missing \u202escope\x07: " + "x" * 500, "secret": "abcdefgh"}}
    server.routes["/x"] = lambda asked: asked.answer(status, json.dumps(said))
    with pytest.raises(CollectError) as raised:
        make_shard(server.url).api.get("/x", email="ada@example.com")
    text = str(raised.value)
    assert type(raised.value) is error
    assert text.startswith(f"GET /x: {status} ")
    assert "Missing scope : xxx" in text
    assert len(text) < 260
    assert text.isprintable()
    assert "ada@example.com" not in text
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "body", "kind", "problem"),
    [
        (200, "<html>Sign in</html>", "text/html", "HTML page"),
        (200, "<!doctype html>", "application/json", "HTML page"),
        (200, "[]", "text/html; charset=utf-8", "HTML page"),
        (200, "hello", "text/plain", "not strict JSON"),
        (200, "", "application/json", "not strict JSON"),
        (200, '[{"id": 1}, {"id"', "application/json", "not strict JSON"),
        (200, '{"a": 1, "a": 2}', "application/json", "twice"),
        (202, "{}", "application/json", "no answer that could be read"),
        (204, "", "application/json", "no answer that could be read"),
        (206, "[]", "application/json", "no answer that could be read"),
        (304, "", "application/json", "no answer that could be read"),
    ],
)
def test_a_success_that_is_no_answer_is_unreadable(
    server, make_shard, status: int, body: str, kind: str, problem: str
) -> None:
    server.routes["/x"] = lambda asked: asked.answer(status, body, content_type=kind)
    with pytest.raises(Unreadable, match=problem):
        make_shard(server.url).api.get("/x")


# Complete or not at all


def test_compressed_answers_are_read(server, make_shard) -> None:
    value = json.dumps([{"id": n} for n in range(1000)]).encode()
    raw = zlib.compressobj(wbits=-15)
    forms = {
        "/gzip": ("gzip", gzip.compress(value)),
        "/members": ("gzip", gzip.compress(value[:100]) + gzip.compress(value[100:])),
        "/zlib": ("deflate", zlib.compress(value)),
        "/raw": ("deflate", raw.compress(value) + raw.flush()),
        "/identity": ("identity", value),
    }
    for path, (coding, body) in forms.items():
        server.routes[path] = lambda asked, coding=coding, body=body: asked.answer(200, body, content_encoding=coding)
        assert make_shard(server.url).api.get(path) == json.loads(value)
    assert server.asked[0].headers["accept-encoding"] == "gzip, deflate"


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
LAST = HEAD + b"Connection: close\r\n"
WHOLE = b'[{"id": 1}]'
COMPRESSED = gzip.compress(b"[" + b" " * 5000 + b"]")


@pytest.mark.parametrize(
    "sent",
    [
        HEAD + b"Content-Length: 12\r\n\r\n" + WHOLE,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n[{\"id\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nb\r\n" + WHOLE + b"\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\n" + WHOLE,
        LAST + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % (len(COMPRESSED) - 9) + COMPRESSED[:-9],
        LAST + b"Content-Encoding: gzip\r\n\r\n" + COMPRESSED[:-1],
    ],
    ids=["length", "mid-chunk", "no last chunk", "chunk too short", "gzip body", "gzip trailer"],
)  # fmt: skip
def test_a_body_that_is_cut_short_is_tried_again_and_never_a_shorter_answer(server, make_shard, sent: bytes) -> None:
    server.replies("/x", lambda asked: asked.raw(sent))
    shard = make_shard(server.url)
    with pytest.raises(Unreadable, match="cut short"):
        shard.api.get("/x")
    assert len(server.asked) == 4
    server.asked.clear()
    server.replies("/x", lambda asked: asked.raw(sent), (200, WHOLE.decode(), {}))
    assert shard.api.get("/x") == [{"id": 1}]
    last = json.loads(shard.log.getvalue().splitlines()[-1])
    assert last["_annexa"]["attempts"] == 2


def test_a_body_without_length_that_stops_early_is_not_strict_json(server, make_shard) -> None:
    server.replies("/x", lambda asked: asked.raw(LAST + b"\r\n" + WHOLE[:-1]))
    with pytest.raises(Unreadable):
        make_shard(server.url).api.get("/x")


def test_a_bomb_is_stopped_at_the_largest_size(server, make_shard, make_wire) -> None:
    packed = zlib.compressobj(wbits=31)
    bomb = b"".join(packed.compress(b" " * 1_000_000) for _ in range(40)) + packed.flush()
    server.routes["/x"] = lambda asked: asked.answer(200, bomb, content_encoding="gzip")
    server.routes["/plain"] = lambda asked: asked.answer(200, b" " * 3_000_000)
    shard = make_shard(server.url, wire=make_wire(Limits(body=2_000_000)))
    tracemalloc.start()
    for path in ("/x", "/plain"):
        with pytest.raises(Unreadable, match="larger than 2000000 bytes"):
            shard.api.get(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000
    assert len(server.asked) == 2


@pytest.mark.parametrize("coding", ["br", "gzip, gzip", "zstd"])
def test_a_coding_that_was_not_asked_for_is_unreadable(server, make_shard, coding: str) -> None:
    server.routes["/x"] = lambda asked: asked.answer(200, "[]", content_encoding=coding)
    with pytest.raises(Unreadable, match="not asked for"):
        make_shard(server.url).api.get("/x")


def test_a_body_that_is_not_in_its_coding_is_unreadable(server, make_shard) -> None:
    server.routes["/x"] = lambda asked: asked.answer(200, b"\x1f\x8bnonsense", content_encoding="gzip")
    with pytest.raises(Unreadable, match="not gzip"):
        make_shard(server.url).api.get("/x")


# In time


def drip(asked, start: bytes, piece: bytes) -> None:
    """A server that sends a little, for ever."""
    asked.wfile.write(start)
    while not asked.server.stopping.wait(0.02):
        asked.wfile.write(piece)
        asked.wfile.flush()


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
        (LAST + b"\r\n[]", b" "),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
        (HEAD, b"X"),
    ],
    ids=["body", "body without length", "chunks", "size of a chunk", "headers"],
)
def test_a_slow_drip_is_cut_off_at_the_deadline(server, make_shard, make_wire, start: bytes, piece: bytes) -> None:
    server.routes["/x"] = lambda asked: drip(asked, start, piece)
    shard = make_shard(server.url, wire=make_wire(Limits(deadline=0.3), attempts=1))
    began = time.monotonic()
    with pytest.raises(CollectError, match="no complete answer within 0 s"):
        shard.api.get("/x")
    assert 0.25 < time.monotonic() - began < 3


def test_silence_is_cut_off(server, make_shard, make_wire) -> None:
    server.routes["/x"] = lambda asked: asked.server.stopping.wait(20)
    shard = make_shard(server.url, wire=make_wire(Limits(silence=0.1), attempts=2))
    with pytest.raises(CollectError, match="no answer in time"):
        shard.api.get("/x")
    assert len(server.asked) == 2


def test_nobody_there_is_said_in_our_words(make_shard, token: Secret) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(CollectError, match="cannot be reached: connection refused") as raised:
            make_shard(address, auth=Bearer(token)).api.get("/x", email="ada@example.com")
    assert "ada@example.com" not in str(raised.value)


# To one origin


def test_redirects_within_the_origin_are_followed(server, make_shard, token: Secret) -> None:
    server.routes["/a"] = lambda asked: asked.answer(301, location="/b?x=1")
    server.routes["/b"] = lambda asked: asked.answer(307, location=f"{server.url}/c")
    server.routes["/c"] = lambda asked: asked.answer(200, "[1]")
    assert make_shard(server.url, auth=Bearer(token)).api.get("/a") == [1]
    assert [asked.path for asked in server.asked] == ["/a", "/b?x=1", "/c"]
    assert {asked.headers["authorization"] for asked in server.asked} == {"Bearer hunter2hunter2"}


def test_redirects_end(server, make_shard) -> None:
    server.routes["/a"] = lambda asked: asked.answer(302, location="/a")
    with pytest.raises(CollectError, match="more than 5 times"):
        make_shard(server.url).api.get("/a")
    assert len(server.asked) == 6


@pytest.mark.parametrize("host", ["localhost", "[::1]", "127.0.0.2"])
def test_a_redirect_to_another_origin_is_refused_with_the_way_out(server, make_shard, token: Secret, host: str) -> None:
    elsewhere = f"http://{host}:{server.server_port}"
    server.routes["/a"] = lambda asked: asked.answer(302, location=f"{elsewhere}/b?code=abc")
    server.routes["/b"] = lambda asked: asked.answer(200, "[]")
    with pytest.raises(CollectError, match="another origin") as raised:
        make_shard(server.url, auth=ApiKey("X-Api-Key", token)).api.get("/a")
    assert [asked.path for asked in server.asked] == ["/a"]
    assert elsewhere in raised.value.remedy
    assert "code=abc" not in str(raised.value)


def test_pages_follow_links_of_the_same_origin_and_stop_at_an_error_in_the_middle(server, make_shard) -> None:
    server.replies("/list", (200, "[1, 2]", {"link": '</list?page=2>; rel="next"'}), (200, "[3]", {}))
    api = make_shard(server.url, paging=LinkHeader()).api
    assert list(api.pages("/list")) == [1, 2, 3]
    server.replies("/list", (200, "[1, 2]", {"link": '</list?page=2>; rel="next"'}), (400, "{}", {}))
    pages = api.pages("/list")
    assert [next(pages), next(pages)] == [1, 2]
    with pytest.raises(CollectError, match="400"):
        next(pages)


def test_a_part_that_fails_is_a_flaw_and_a_bug_is_not(server, make_shard) -> None:
    server.routes["/ok"] = lambda asked: asked.answer(200, "[]")
    api = make_shard(server.url).api
    for name in ("/ok", "/gone", "/ok"):
        with api.part(name):
            api.get(name)
    assert [(flaw.part, "404" in flaw.message) for flaw in api.flaws] == [("/gone", True)]
    with pytest.raises(ZeroDivisionError), api.part("bug"):
        _ = 1 / 0
    assert len(api.flaws) == 1
