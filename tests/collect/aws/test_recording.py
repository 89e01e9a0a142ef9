"""What the AWS transport sends, what stands on the tape, and that the tape is enough."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.awsrequest import AWSResponse

from annexa.collect.aws import AwsTransport
from annexa.collect.aws_exchanges import instant
from annexa.collect.aws_sessions import AwsAccess, AwsClients
from annexa.collect.exchange import Request, Response
from annexa.errors import CollectError
from annexa.sdk import GLOBAL
from tests.collect.aws.asking import (
    KEY,
    NOW,
    SECRET,
    TOKEN,
    MemoryTape,
    Raw,
    always,
    asked,
    names,
    paged,
    transport,
    users,
)
from tests.simulators.scripted import Scripted, error, xml


def test_recorded_request_carries_neither_signature_nor_token():
    tape = MemoryTape()
    with Scripted(always(users("ada"))) as server:
        assert names(transport(server.url, tape=tape)) == ["ada"]
        sent = server.requests[0][2]
    assert KEY in sent["Authorization"]
    assert sent["X-Amz-Security-Token"] == TOKEN
    (request, response), *rest = tape.exchanges
    assert not rest
    assert request == Request(
        "POST",
        f"{server.url}/",
        (("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),),
        b"Action=ListUsers&Version=2010-05-08",
        "iam.ListUsers",
    )
    assert (response.status, response.attempts) == (200, 1)
    assert response.body == users("ada")[2]
    for secret in (KEY, SECRET, TOKEN):
        assert secret not in repr(tape.exchanges)


def test_replay_needs_neither_network_nor_credential_nor_profile(monkeypatch):
    recording = MemoryTape()
    with Scripted(paged({None: users("ada", marker="b"), "b": users("grace")})) as server:
        first = names(transport(server.url, tape=recording))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_PROFILE", "not-there")
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    replay = MemoryTape(recording.exchanges)
    assert names(transport(server.url, tape=replay, clients=AwsClients())) == first == ["ada", "grace"]


def test_the_environment_cannot_redirect_what_the_record_says_was_asked(monkeypatch):
    with Scripted(always(users("ada"))) as server, Scripted(always(users("mallory"))) as other:
        monkeypatch.setenv("AWS_ENDPOINT_URL", other.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", other.url)
        assert names(transport(server.url)) == ["ada"]
        assert other.requests == []


def test_the_environment_cannot_redirect_what_goes_to_aws_itself(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", "true")
    asked_at = []

    def aws(self, request):
        asked_at.append(request.url)
        return AWSResponse(request.url, 200, {}, Raw(users("ada")[2]))

    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", aws)
    tape = MemoryTape()
    assert names(transport("", tape=tape, clients=AwsClients())) == ["ada"]
    assert asked_at == [request.url for request, _ in tape.exchanges] == ["https://iam.amazonaws.com/"]


def test_an_answer_that_the_tape_changed_is_what_the_fetch_sees():
    class Redacting(MemoryTape):
        def play(self, request, send):
            answer = send(request)
            return Response(answer.status, answer.headers, answer.body.replace(b"ada", b"[redacted]"))

    with Scripted(always(users("ada"))) as server:
        assert names(transport(server.url, tape=Redacting())) == ["[redacted]"]


def test_a_retry_is_one_exchange_and_counted(monkeypatch):
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    answers = iter([error("ServiceUnavailable", status=503), error("Throttling"), users("ada")])
    tape = MemoryTape()
    with Scripted(lambda *_: next(answers)) as server:
        assert names(transport(server.url, tape=tape, attempts=4)) == ["ada"]
    assert [response.attempts for _, response in tape.exchanges] == [3]


def test_a_report_in_the_making_is_waited_for_as_one_exchange():
    report = xml(
        "GetCredentialReport",
        "<Content>dXNlcg==</Content><ReportFormat>text/csv</ReportFormat>"
        "<GeneratedTime>2026-09-10T11:00:00Z</GeneratedTime>",
    )
    answers = iter([error("ReportInProgress", status=404)] * 3 + [report])
    pauses: list[float] = []
    tape = MemoryTape()
    with Scripted(lambda *_: next(answers)) as server:
        answer = transport(server.url, tape=tape, pause=pauses.append).call("iam", "get_credential_report")
    assert answer["Content"] == b"user"
    assert answer["GeneratedTime"] == "2026-09-10T11:00:00Z"
    assert len(pauses) == 3
    assert len(tape.exchanges) == 1


def test_a_report_that_never_comes_is_an_error():
    pauses: list[float] = []
    with Scripted(always(error("ReportInProgress", status=404))) as server, pytest.raises(CollectError, match="still"):
        transport(server.url, pause=pauses.append).call("iam", "get_credential_report")
    assert 0 < sum(pauses) <= 600


def test_a_bucket_in_another_region_is_followed_there_within_one_exchange(monkeypatch):
    hosts = []

    def aws(self, request):
        host = request.url.split("/")[2]
        hosts.append(host)
        if "eu-west-1" in host:
            policy = b'{"Version": "2012-10-17", "Statement": []}'
            return AWSResponse(request.url, 200, {}, Raw(policy))
        elsewhere = b"<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>"
        return AWSResponse(request.url, 301, {"x-amz-bucket-region": "eu-west-1"}, Raw(elsewhere))

    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", aws)
    tape = MemoryTape()
    answer = transport("", tape=tape, region="us-east-1").call("s3", "get_bucket_policy", Bucket="example")
    assert json.loads(answer["Policy"])["Statement"] == []
    assert hosts[0] == "example.s3.us-east-1.amazonaws.com"
    assert hosts[-1] == "example.s3.eu-west-1.amazonaws.com"
    assert [(request.operation, response.status) for request, response in tape.exchanges] == [
        ("s3.GetBucketPolicy", 200)
    ]


def test_a_part_notes_its_failure_and_nothing_else():
    with Scripted(always(error("AccessDenied"))) as server:
        api = transport(server.url)
        with api.part("the users"):
            api.call("iam", "list_users")
        (flaw,) = api.flaws
        assert flaw.part == "the users"
        assert "AccessDenied" in flaw.message
        assert "iam:ListUsers" in flaw.remedy
        with pytest.raises(ZeroDivisionError), api.part("a bug"):
            raise ZeroDivisionError


def test_threads_share_clients_and_keep_their_own_tapes():
    clients = AwsClients(attempts=1)

    def handler(method, path, headers, body):
        return users(*(f"{asked(body, 'PathPrefix')}{n}" for n in range(3)))

    def collect(number):
        tape = MemoryTape()
        api = AwsTransport(
            tape, clients, AwsAccess(endpoint_url=server.url), region="eu-west-1", scope=GLOBAL, as_of=NOW
        )
        for _ in range(5):
            found = [user["UserName"] for user in api.pages("iam", "list_users", "Users", PathPrefix=f"/{number}/")]
            assert found == [f"/{number}/{n}" for n in range(3)]
        return [f"PathPrefix=%2F{number}%2F".encode() in request.body for request, _ in tape.exchanges]

    with Scripted(handler) as server, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(collect, range(8))) == [[True] * 5] * 8


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("2026-09-10T11:00:00Z", "2026-09-10T11:00:00Z"),
        (1789038000.5, "2026-09-10T11:00:00.500000+00:00"),
        ("Thu, 10 Sep 2026 11:00:00 GMT", "2026-09-10T11:00:00+00:00"),
    ],
)
def test_times_are_iso_whatever_the_protocol_and_the_hosts_zone(raw, text):
    assert instant(raw) == text
