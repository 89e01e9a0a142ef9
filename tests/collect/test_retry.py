"""When is asked again, and after how long. Time passes only where something sleeps."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from email.utils import format_datetime

import pytest

from annexa.collect.exchange import Response
from annexa.collect.limiter import Limiter
from annexa.collect.rate_limits import pause_announced, refused_for_rate, wait_asked
from annexa.errors import CollectError, Denied


def refused(status: int, **headers: str) -> tuple[int, str, dict[str, str]]:
    return status, '{"message": "slow down"}', headers


FINE = (200, "[]", {})


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(server, make_shard, still, status: int) -> None:
    server.replies("/x", refused(status), refused(status), FINE)
    shard = make_shard(server.url)
    assert shard.api.get("/x") == []
    assert len(server.asked) == 3
    assert len(still.slept) == 2
    (line,) = shard.log.getvalue().splitlines()
    assert json.loads(line)["_annexa"]["attempts"] == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 422, 501])
def test_what_will_not_pass_is_not(server, make_shard, still, status: int) -> None:
    server.replies("/x", refused(status))
    with pytest.raises(CollectError):
        make_shard(server.url).api.get("/x")
    assert len(server.asked) == 1
    assert still.slept == []


def test_attempts_are_bounded_and_their_pauses_grow_at_random(server, make_shard, make_wire, still) -> None:
    server.replies("/x", refused(500))
    with pytest.raises(CollectError, match="500 Internal Server Error: slow down"):
        make_shard(server.url, wire=make_wire(attempts=6)).api.get("/x")
    assert len(server.asked) == 6
    assert len(set(still.slept)) == 5
    assert all(0 <= slept <= 0.5 * 2**n for n, slept in enumerate(still.slept))


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {"retry_after": "7"}, 7),
        (503, {"retry_after": "7"}, 7),
        (429, {"retry_after": "date+90"}, 90),
        (429, {"x_rate_limit_remaining": "0", "x_rate_limit_reset": "epoch+30"}, 30),
        (429, {"ratelimit_remaining": "0", "ratelimit_reset": "epoch+20"}, 20),
        (429, {"ratelimit_reset": "12"}, 12),
        (429, {"x_ratelimit_reset": "epoch-ms+40"}, 40),
        (403, {"x_ratelimit_remaining": "0", "x_ratelimit_reset": "epoch+50"}, 50),
        (403, {"retry_after": "60", "x_ratelimit_remaining": "10"}, 60),
        (429, {"retry_after": "5", "x_ratelimit_reset": "epoch+500"}, 5),
    ],
    ids=["seconds", "503", "date", "okta", "gitlab", "draft", "milliseconds", "github", "secondary", "both"],
)
@pytest.mark.parametrize("skew", [0, 3600, -3600])
def test_the_vendors_wait_is_kept_whatever_the_clock_says(
    server, make_shard, still, status: int, headers: dict[str, str], wait: int, skew: int
) -> None:
    """The server's clock is `skew` seconds ahead of ours, and its headers speak by its own clock."""
    there = still.now() + timedelta(seconds=skew)
    texts = {"date+": lambda n: format_datetime(there + timedelta(seconds=n), usegmt=True)}
    texts["epoch+"] = lambda n: str(int(there.timestamp()) + n)
    texts["epoch-ms+"] = lambda n: str((int(there.timestamp()) + n) * 1000)

    def meant(value: str) -> str:
        for mark, text in texts.items():
            if value.startswith(mark):
                return text(int(value.removeprefix(mark)))
        return value

    def refuse(asked: object) -> None:
        asked.send_response_only(status)
        for name, value in {"date": "date+0", "content-length": "0", **headers}.items():
            asked.send_header(name.replace("_", "-"), meant(value))
        asked.end_headers()

    server.replies("/x", refuse, FINE)
    assert make_shard(server.url).api.get("/x") == []
    assert wait <= still.passed <= wait + 1


def test_githubs_secondary_limit_without_a_header_waits_a_minute(server, make_shard, still) -> None:
    server.replies("/x", (403, '{"message": "You have exceeded a secondary rate limit."}', {}), FINE)
    assert make_shard(server.url).api.get("/x") == []
    assert 60 <= still.passed <= 61


def test_a_denial_is_not_taken_for_a_rate_limit(server, make_shard, still) -> None:
    server.replies("/x", (403, '{"message": "Must have admin rights"}', {"x_ratelimit_remaining": "4999"}))
    with pytest.raises(Denied):
        make_shard(server.url).api.get("/x")


def test_a_rate_limit_that_stays_is_not_taken_for_a_denial(server, make_shard) -> None:
    server.replies("/x", refused(403, x_ratelimit_remaining="0", x_ratelimit_reset="1"))
    with pytest.raises(CollectError, match="too many requests, asked 4 times") as raised:
        make_shard(server.url).api.get("/x")
    assert type(raised.value) is CollectError


def test_a_wait_beyond_all_patience_is_not_begun(server, make_shard, make_wire, still) -> None:
    server.replies("/x", refused(429, retry_after="3600"))
    with pytest.raises(CollectError, match="too many requests, asked once"):
        make_shard(server.url, wire=make_wire(seconds=900)).api.get("/x")
    assert still.slept == []
    assert len(server.asked) == 1


def test_retry_after_on_a_success_is_ignored(server, make_shard, still) -> None:
    server.replies("/x", (200, "[]", {"retry_after": "120"}))
    shard = make_shard(server.url)
    shard.api.get("/x")
    shard.api.get("/x")
    assert still.slept == []
    assert wait_asked(Response(202, (("Retry-After", "120"),), b""), still.now()) is None


@pytest.mark.parametrize("nonsense", ["-5", "soon", "1e9", "", "٣"])
def test_a_wait_that_cannot_be_read_is_ours_to_choose(nonsense: str, still) -> None:
    answer = Response(429, (("Retry-After", nonsense), ("x-ratelimit-reset", nonsense)), b"")
    assert refused_for_rate(answer)
    assert wait_asked(answer, still.now()) is None


def test_when_nothing_is_left_all_shards_of_the_source_wait_for_the_reset(server, make_shard, make_wire, still) -> None:
    reset = str(int(still.now().timestamp()) + 45)

    def last(asked: object) -> None:
        asked.send_response_only(200)
        for name, value in (("content-length", "2"), ("x-rate-limit-remaining", "0"), ("x-rate-limit-reset", reset)):
            asked.send_header(name, value)
        asked.end_headers()
        asked.wfile.write(b"[]")

    server.replies("/x", last, FINE)
    wire = make_wire()
    make_shard(server.url, wire=wire).api.get("/x")
    assert still.slept == []
    make_shard(server.url, wire=wire).api.get("/x")
    assert still.slept == [45]


def test_something_left_is_no_reason_to_wait(still) -> None:
    answer = Response(200, (("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", "30")), b"")
    assert pause_announced(answer, still.now()) is None


def test_a_limiter_keeps_its_distance_between_threads(still) -> None:
    guard, turns = threading.Lock(), []

    def sleep(seconds: float) -> None:
        with guard:
            turns.append(seconds)

    limiter = Limiter(0.5, sleep=sleep, monotonic=lambda: 100.0)
    threads = [threading.Thread(target=limiter.wait, args=(60,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(turns) == [0.5 * n for n in range(1, 8)]


def test_a_pause_longer_than_patience_is_not_waited_for(still) -> None:
    limiter = Limiter(sleep=still.sleep, monotonic=still.monotonic)
    limiter.pause(3600)
    limiter.pause(1)
    limiter.wait(60)
    assert still.slept == []
    limiter.wait(4000)
    assert still.slept == [3600]


def test_connections_that_break_are_tried_again(server, make_shard, still) -> None:
    server.replies("/x", lambda asked: asked.raw(b""), lambda asked: asked.raw(b"nonsense\r\n\r\n"), FINE)
    assert make_shard(server.url).api.get("/x") == []
    assert len(server.asked) == 3
