from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annexa.collect.exchange import Request, Response
from annexa.collect.redaction import Redactor
from annexa.collect.replay import ReplayTape
from annexa.collect.tape import RecordingTape
from annexa.errors import CollectError, Denied, NotFound, Tampered, Unreadable


def no_send(request: Request) -> Response:
    raise AssertionError("a replay asked the network")


def record(*exchanges: tuple[Request, Response | CollectError], secrets: tuple[str, ...] = ()) -> tuple[list, bytes]:
    log, bodies = io.BytesIO(), io.BytesIO()
    tape = RecordingTape(log, bodies, Redactor(secrets))
    for request, answer in exchanges:

        def send(_: Request, answer: Response | CollectError = answer) -> Response:
            if isinstance(answer, CollectError):
                raise answer
            return answer

        try:
            tape.play(request, send)
        except CollectError:
            continue
    return log.getvalue().splitlines(), bodies.getvalue()


def get(path: str, **more: str) -> Request:
    return Request("GET", f"https://example.com{path}", **more)


PATHS = st.sampled_from(["/a", "/b", "/a?x=1", "/a?x=2"])
ANSWERS = st.tuples(PATHS, st.integers(200, 599), st.binary(max_size=30))


@settings(deadline=None)
@given(st.lists(ANSWERS, max_size=12), st.randoms(use_true_random=False))
def test_every_request_gets_its_answers_in_recorded_order_whatever_the_order_among_them(
    made: list[tuple[str, int, bytes]], chance: object
) -> None:
    lines, bodies = record(*[(get(path), Response(status, (), body)) for path, status, body in made])
    tape = ReplayTape(lines, bodies)
    asked = [path for path, _, _ in made]
    chance.shuffle(asked)
    left = {path: [(n, s, b) for n, (p, s, b) in enumerate(made, 1) if p == path] for path in asked}
    for path in asked:
        number, status, body = left[path].pop(0)
        answer = tape.play(get(path), no_send)
        assert (tape.last, answer.status, answer.body) == (number, status, Redactor().body(body)[0])
    assert tape.unused() == []


def test_what_nobody_asks_for_is_listed() -> None:
    lines, bodies = record(*[(get(path), Response(200, (), b"x")) for path in ("/a", "/b", "/a")])
    tape = ReplayTape(lines, bodies)
    tape.play(get("/a"), no_send)
    assert [(left.number, left.url) for left in tape.unused()] == [
        (2, "https://example.com/b"),
        (3, "https://example.com/a"),
    ]


def test_a_request_that_was_not_recorded_is_unreadable_and_never_sent() -> None:
    lines, bodies = record((get("/a"), Response(200, (), b"x")))
    tape = ReplayTape(lines, bodies)
    for request in (
        get("/b"),
        Request("POST", "https://example.com/a"),
        get("/a", body=b"?"),
        get("/a", operation="x.Y"),
    ):
        with pytest.raises(Unreadable, match="not in the recording"):
            tape.play(request, no_send)
    tape.play(get("/a"), no_send)
    with pytest.raises(Unreadable, match="not so often"):
        tape.play(get("/a"), no_send)


@pytest.mark.parametrize(
    "asked",
    [
        "HTTPS://EXAMPLE.com:443/users?b=2&a=%24x",
        "https://example.com/users?a=$x&b=2",
        "https://example.com/us%65rs?a=%24x&b=2#top",
    ],
)
def test_addresses_that_ask_the_same_are_the_same(asked: str) -> None:
    lines, bodies = record((get("/users?a=%24x&b=2"), Response(200, (), b"x")))
    assert ReplayTape(lines, bodies).play(Request("GET", asked), no_send).body == b"x"


@pytest.mark.parametrize("asked", ["/users?a=1&a=2", "/users?a=2", "/users", "/a%2Fb?a=2&a=1", "/a/b?a=2&a=1"])
def test_addresses_that_ask_something_else_are_not(asked: str) -> None:
    lines, bodies = record((get("/users?a=2&a=1"), Response(200, (), b"x")), (get("/a%2fb"), Response(200, (), b"x")))
    with pytest.raises(Unreadable):
        ReplayTape(lines, bodies).play(get(asked), no_send)


def test_the_secret_is_not_needed_to_replay_a_request_that_held_it() -> None:
    asked = get("/users?access_token=abcdef", body=b'{"client_secret": "abcdef"}')
    lines, bodies = record((asked, Response(200, (), b"x")), secrets=("abcdef",))
    again = get("/users?access_token=other", body=b'{"client_secret": "something else"}')
    assert ReplayTape(lines, bodies).play(again, no_send).body == b"x"


@pytest.mark.parametrize(
    "error",
    [
        CollectError("broke", remedy="Wait."),
        Denied("no", permission="users.read"),
        NotFound("gone", code="NoSuchThing"),
        Unreadable("cut short", remedy="Again."),
    ],
)
def test_a_recorded_error_is_raised_again_as_what_it_was(error: CollectError) -> None:
    lines, bodies = record((get("/a"), error), (get("/b"), Response(200, (), b"x")))
    tape = ReplayTape(lines, bodies)
    with pytest.raises(CollectError) as raised:
        tape.play(get("/a"), no_send)
    assert type(raised.value) is type(error)
    assert vars(raised.value) | {"remedy": raised.value.remedy} == vars(error) | {"remedy": error.remedy}
    assert tape.play(get("/b"), no_send).body == b"x"


def test_a_body_that_is_not_the_recorded_one_is_tampered() -> None:
    lines, _ = record((get("/a"), Response(200, (), b"0123456789")))
    for changed in (b"0123456780", b"012345678", b""):
        with pytest.raises(Tampered, match="#1 GET"):
            ReplayTape(lines, changed).play(get("/a"), no_send)


class Forward(io.RawIOBase):
    """A stream that can only be read on, as a decompressor's."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        return self._data.readinto(buffer)


def test_bodies_may_come_from_a_stream_that_cannot_seek() -> None:
    made = [(get(f"/{n}"), Response(200, (), str(n).encode() * n)) for n in range(5)]
    lines, bodies = record(*made)
    tape = ReplayTape(lines, io.BufferedReader(Forward(bodies)))
    for request, answer in [made[3], made[0], made[4], made[1], made[2]]:
        assert tape.play(request, no_send).body == answer.body


@pytest.mark.parametrize("line", [b"{}", b"[]", b"not json", b'{"request": {}, "response": {}, "_annexa": {}}'])
def test_a_log_that_is_none_is_unreadable(line: bytes) -> None:
    with pytest.raises(Unreadable):
        ReplayTape([line], b"")
