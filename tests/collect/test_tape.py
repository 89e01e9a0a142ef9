from __future__ import annotations

import io
import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from annexa.collect.exchange import Request, Response
from annexa.collect.redaction import Redactor
from annexa.collect.tape import RecordingTape
from annexa.errors import CollectError, Denied, NotFound, StoreError

GET = Request("GET", "https://example.com/users?page=1&token=abc", (("Accept", "*/*"), ("Authorization", "Bearer x")))


class Ticking:
    def __init__(self) -> None:
        self.at = datetime(2026, 9, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=250)
        return self.at


class Recording:
    def __init__(self, *secrets: str) -> None:
        self.log, self.bodies = io.BytesIO(), io.BytesIO()
        self.tape = RecordingTape(self.log, self.bodies, Redactor(secrets), clock=Ticking())

    def lines(self) -> list[dict]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


def answering(body: bytes = b"[]", status: int = 200, headers: tuple = (), attempts: int = 1):
    return lambda request: Response(status, headers, body, attempts)


def test_an_exchange_is_one_har_entry_and_its_body_stands_in_the_other_stream() -> None:
    recording = Recording()
    recording.tape.play(GET, answering(b'[{"id": 1}]', headers=(("Content-Type", "application/json"),)))
    recording.tape.play(
        Request("GET", "https://example.com/b", operation="iam.ListUsers"), answering(b"two", attempts=3)
    )
    first, second = recording.lines()
    assert first["startedDateTime"] == "2026-09-10T00:00:00.250000Z"
    assert first["time"] == 250
    assert first["request"]["method"] == "GET"
    assert first["response"]["status"] == 200
    assert first["response"]["statusText"] == "OK"
    assert first["response"]["content"] == {"size": 11, "mimeType": "application/json"}
    bodies = recording.bodies.getvalue()
    assert bodies == b'[{"id": 1}]two'
    for number, line in enumerate((first, second), 1):
        own = line["_annexa"]
        assert own["number"] == number
        body = bodies[own["offset"] : own["offset"] + own["length"]]
        assert own["sha256"] == sha256(body).hexdigest()
    assert second["_annexa"]["attempts"] == 3
    assert second["_annexa"]["operation"] == "iam.ListUsers"
    assert recording.tape.last == recording.tape.exchanges_count == 2


def test_the_log_is_a_har_when_it_is_put_into_its_frame() -> None:
    """The fields that HAR 1.2 does not mark as optional."""
    recording = Recording()
    recording.tape.play(GET, answering())
    (entry,) = recording.lines()
    needed = {
        "": {"startedDateTime", "time", "request", "response", "cache", "timings"},
        "request": {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"},
        "response": {
            "status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL", "headersSize",
            "bodySize",
        },
        "timings": {"send", "wait", "receive"},
    }  # fmt: skip
    for part, fields in needed.items():
        assert fields <= set(entry[part] if part else entry)


def test_headers_are_recorded_by_allow_list_only() -> None:
    recording = Recording("s3cret-value")
    kept = (
        ("Content-Type", "application/json"),
        ("Date", "Thu, 10 Sep 2026 00:00:00 GMT"),
        ("ETag", '"1"'),
        ("Link", '<https://example.com/users?page=2>; rel="next"'),
        ("X-Okta-Request-Id", "a"),
        ("x-amzn-RequestId", "b"),
        ("X-GitHub-Request-Id", "c"),
        ("x-request-id", "d"),
        ("Retry-After", "1"),
        ("X-RateLimit-Remaining", "3"),
        ("X-Rate-Limit-Reset", "4"),
        ("ratelimit-reset", "5"),
        ("X-Total-Count", "6"),
        ("X-Total", "7"),
        ("x-amzn-ErrorType", "AccessDenied"),
    )
    lost = (
        ("Set-Cookie", "session=1"),
        ("Cookie", "a=b"),
        ("Authorization", "Bearer x"),
        ("Private-Token", "x"),
        ("X-Api-Key", "x"),
        ("X-Slack-Edge-Shared-Secret-Outcome", "x"),
        ("X-Amz-Security-Token", "x"),
        ("x-amz-server-side-encryption-customer-key", "x"),
        ("X-Next-Generation-Header", "x"),
    )
    answer = recording.tape.play(GET, answering(headers=(*kept, *lost, ("X-Request-Id", "for s3cret-value"))))
    (line,) = recording.lines()
    recorded = [(header["name"], header["value"]) for header in line["response"]["headers"]]
    assert recorded == [*kept, ("X-Request-Id", "for [redacted]")]
    assert answer.headers == tuple(recorded)
    assert line["request"]["headers"] == [{"name": "Accept", "value": "*/*"}]


def test_what_is_returned_is_what_was_recorded_and_no_secret_is_in_either() -> None:
    recording = Recording("hunter2hunter2")
    body = b'{"echo": "hunter2hunter2", "client_secret": "abc", "id": 1}'
    request = Request("POST", "https://example.com/?api_key=k", body=b'{"password": "pw", "a": 1}')
    answer = recording.tape.play(request, answering(body))
    assert (
        answer.body == recording.bodies.getvalue() == b'{"echo": "[redacted]", "client_secret": "[redacted]", "id": 1}'
    )
    (line,) = recording.lines()
    assert line["request"]["url"] == "https://example.com/?api_key=[redacted]"
    assert line["request"]["postData"]["text"] == '{"password": "[redacted]", "a": 1}'
    assert [cut["where"] for cut in line["_annexa"]["redactions"]] == ["request.url", "request.body", "body", "body"]
    assert recording.tape.redaction_count == 4
    for stream in (recording.log, recording.bodies):
        assert b"hunter2" not in stream.getvalue()


@pytest.mark.parametrize(
    "error",
    [
        CollectError("no answer for hunter2hunter2 at https://example.com/?token=abc", remedy="Wait."),
        Denied("refused", permission="users.read"),
        NotFound("gone", code="NoSuchThing"),
    ],
)
def test_an_error_is_recorded_without_secrets_and_raised_again(error: CollectError) -> None:
    recording = Recording("hunter2hunter2")

    def send(request: Request) -> Response:
        raise error

    with pytest.raises(type(error)) as raised:
        recording.tape.play(GET, send)
    (line,) = recording.lines()
    told = line["_annexa"]["error"]
    assert told["class"] == type(error).__name__
    assert told["message"] == str(raised.value)
    assert told["remedy"] == raised.value.remedy == error.remedy
    assert "hunter2" not in str(raised.value)
    assert "token=abc" not in str(raised.value)
    assert line["response"]["status"] == 0
    assert recording.bodies.getvalue() == b""
    assert recording.tape.last == 1


def test_what_is_no_collect_error_leaves_no_exchange() -> None:
    recording = Recording()

    def send(request: Request) -> Response:
        raise StoreError("disk full")

    with pytest.raises(StoreError):
        recording.tape.play(GET, send)
    assert recording.tape.last == 0
    assert recording.log.getvalue() == b""


def test_the_server_dates_of_the_first_and_last_answer_are_kept() -> None:
    recording = Recording()
    dates = ("", "Thu, 10 Sep 2026 01:00:00 GMT", "nonsense", "Thu, 10 Sep 2026 02:00:00 -0000")
    for date in dates:
        recording.tape.play(GET, answering(headers=(("Date", date),)))
    assert recording.tape.first_server_date == datetime(2026, 9, 10, 1, tzinfo=UTC)
    assert recording.tape.last_server_date == datetime(2026, 9, 10, 2, tzinfo=UTC)


class Counting:
    def __init__(self) -> None:
        self.bytes = 0

    def write(self, data: bytes) -> None:
        self.bytes += len(data)


def test_memory_does_not_grow_with_the_recording() -> None:
    log, bodies = Counting(), Counting()
    tape = RecordingTape(log, bodies, Redactor(["hunter2hunter2"]), clock=Ticking())
    body = b"x" * 10_000
    tape.play(GET, answering(body))
    tracemalloc.start()
    for _ in range(500):
        tape.play(GET, answering(body))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert bodies.bytes == 501 * 10_000
    assert peak < 400_000
