"""The AWS transport against a loopback server: what is sent, recorded, replayed, and what every "no" becomes."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from annexa.collect import aws_errors
from annexa.collect.aws import AwsTransport
from annexa.collect.aws_bodies import plain
from annexa.collect.aws_exchanges import instant
from annexa.collect.aws_sessions import AwsAccess, AwsClients
from annexa.collect.exchange import Request, Response, Send
from annexa.errors import CollectError, Denied, NotFound, Unavailable, Unreadable
from annexa.sdk import GLOBAL, Secret
from tests.simulators.scripted import Scripted, error, xml

KEY, SECRET, TOKEN = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "FQoGZXIvYXdzEXAMPLETOKEN"
NOW = datetime(2026, 9, 10, 12, tzinfo=UTC)
CLIENTS: dict[int, AwsClients] = {}
"""By number of attempts. Every test has a server, and so an endpoint, of its own, and clients are made per endpoint."""


class MemoryTape:
    """Sends and keeps, or answers from what was kept."""

    def __init__(self, kept: list[tuple[Request, Response | CollectError]] | None = None):
        self.exchanges: list[tuple[Request, Response | CollectError]] = []
        self._kept = list(kept) if kept is not None else None

    @property
    def last(self) -> int:
        return len(self.exchanges)

    def play(self, request: Request, send: Send) -> Response:
        try:
            answer = send(request) if self._kept is None else self._recorded(request)
        except CollectError as error:
            self.exchanges.append((request, error))
            raise
        self.exchanges.append((request, answer))
        return answer

    def _recorded(self, request: Request) -> Response:
        asked, answer = self._kept.pop(0)
        assert asked == request
        if isinstance(answer, CollectError):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def _credential(monkeypatch):
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)


def transport(url, *, tape=None, attempts=1, region="eu-west-1", pause=None, clients=None, **access):
    return AwsTransport(
        tape or MemoryTape(),
        clients or CLIENTS.setdefault(attempts, AwsClients(attempts=attempts)),
        AwsAccess(endpoint_url=url, **access),
        region=region,
        scope=GLOBAL,
        as_of=NOW,
        pause=pause or (lambda _: None),
    )


def users(*names, marker=None, truncated=None):
    members = "".join(f"<member><UserName>{name}</UserName></member>" for name in names)
    more = marker is not None if truncated is None else truncated
    tail = f"<Marker>{marker}</Marker>" if marker is not None else ""
    return xml("ListUsers", f"<Users>{members}</Users><IsTruncated>{str(more).lower()}</IsTruncated>{tail}")


def asked(body, name):
    return parse_qs(body.decode()).get(name, [None])[0]


def paged(pages):
    """A handler: from marker (None: the first) to answer."""
    return lambda method, path, headers, body: pages[asked(body, "Marker")]


def names(api):
    return [user["UserName"] for user in api.pages("iam", "list_users", "Users")]


def always(answer):
    return lambda *_: answer


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
        return AWSResponse(request.url, 200, {}, _Raw(users("ada")[2]))

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


def test_three_pages_are_one_list():
    pages = {None: users("a", "b", marker="2"), "2": users("c", marker="3"), "3": users("d")}
    with Scripted(paged(pages)) as server:
        assert names(transport(server.url)) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    "pages",
    [
        {None: users("a", marker="2"), "2": users("b", marker="2")},
        {None: users("a", marker="2"), "2": users("b", marker="3"), "3": users("c", marker="2")},
        {None: users("a", truncated=True)},
        {None: users("a", marker="2"), "2": error("InternalFailure", status=500)},
        {None: users("a", marker="2"), "2": error("Throttling")},
        {None: users("a", marker="2"), "2": (200, {}, b"<html><body>Sign in to the network</body></html>")},
        {None: users("a", marker="2"), "2": (200, {}, users("b")[2][:-30])},
        {None: users("a", marker="2"), "2": (200, {"Content-Length": "9999"}, users("b")[2])},
    ],
    ids=["same token", "cycle", "truncated without token", "500", "throttled", "html", "cut XML", "cut body"],
)
def test_a_list_that_does_not_end_well_is_an_error_never_a_short_list(pages):
    with Scripted(paged(pages)) as server:
        listing = transport(server.url).pages("iam", "list_users", "Users")
        assert next(listing)["UserName"] == "a"
        with pytest.raises(CollectError):
            list(listing)


@pytest.mark.parametrize("more", [{}, {"NextToken": "x"}])
def test_a_list_that_botocore_cannot_page_must_be_whole(more):
    body = json.dumps({"Channels": [{"Name": "one"}], **more}).encode()
    with Scripted(always((200, {}, body))) as server:
        listing = transport(server.url).pages("cloudtrail", "list_channels", "Channels")
        assert next(listing) == {"Name": "one"}
        if more:
            with pytest.raises(CollectError, match="NextToken"):
                next(listing)
        else:
            assert list(listing) == []


def test_one_call_for_a_list_that_goes_on_is_an_error():
    with Scripted(always(users("ada", marker="2"))) as server, pytest.raises(CollectError, match="not the whole"):
        transport(server.url).call("iam", "list_users")


@pytest.mark.parametrize("path", ["Userz", "Users.Name.First", "Users.Nope"])
def test_an_item_path_that_the_model_does_not_have_is_an_error(path):
    with Scripted(always(users("ada"))) as server, pytest.raises(CollectError, match="has no"):
        list(transport(server.url).pages("iam", "list_users", path))


def test_a_path_goes_through_lists_and_an_empty_path_gives_pages():
    with Scripted(paged({None: users("a", marker="2"), "2": users("b")})) as server:
        api = transport(server.url)
        assert list(api.pages("iam", "list_users", "Users.UserName")) == ["a", "b"]
        assert [page["IsTruncated"] for page in api.pages("iam", "list_users", "")] == [True, False]


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("iam", "list_users", {}),
        ("ec2", "describe_regions", {}),
        ("kms", "list_keys", {}),
        ("s3", "list_buckets", {}),
        ("s3control", "get_public_access_block", {"AccountId": "123456789012"}),
        ("account", "get_alternate_contact", {"AlternateContactType": "SECURITY"}),
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Sign in to the network</body></html>",
        b"Sign in",
        b'{"message": "hello"}',
        b"[]",
        b"<ListThingsResponse><ListThingsResult><Things/></ListThingsResult></ListThingsResponse>",
    ],
)
def test_success_in_another_form_is_an_error_not_empty(service, operation, params, body):
    tape = MemoryTape()
    with Scripted(always((200, {}, body))) as server, pytest.raises(Unreadable):
        transport(server.url, tape=tape).call(service, operation, **params)
    assert [(answer.status, answer.body) for _, answer in tape.exchanges] == [(200, body)]


def test_a_retry_is_one_exchange_and_counted(monkeypatch):
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    answers = iter([error("ServiceUnavailable", status=503), error("Throttling"), users("ada")])
    tape = MemoryTape()
    with Scripted(lambda *_: next(answers)) as server:
        assert names(transport(server.url, tape=tape, attempts=4)) == ["ada"]
    assert [response.attempts for _, response in tape.exchanges] == [3]


@pytest.mark.parametrize(
    ("answer", "kind", "permission"),
    [
        (
            error("AccessDenied", "User: x is not authorized to perform: iam:ListUsers on resource: *"),
            Denied,
            "iam:ListUsers",
        ),
        (error("AccessDenied", "explicitly forbidden"), Denied, "iam:ListUsers"),
        (error("NoSuchEntity"), NotFound, None),
        (error("OptInRequired"), Unavailable, None),
        (error("InvalidClientTokenId", status=403), Denied, ""),
        (error("UnrecognizedClientException"), Denied, ""),
        (error("ValidationError"), CollectError, None),
        (error("InternalFailure", status=500), CollectError, None),
        (error("Throttling"), CollectError, None),
    ],
)
def test_what_aws_says_becomes_our_error(answer, kind, permission):
    with Scripted(always(answer)) as server, pytest.raises(CollectError) as caught:
        transport(server.url).call("iam", "list_users")
    assert type(caught.value) is kind
    if permission is not None:
        assert caught.value.permission == permission
        assert permission in caught.value.remedy


@pytest.mark.parametrize(
    ("service", "operation", "params", "permission"),
    [
        ("s3", "list_buckets", {}, "s3:ListAllMyBuckets"),
        ("s3", "list_objects_v2", {"Bucket": "example"}, "s3:ListBucket"),
        ("s3", "get_bucket_encryption", {"Bucket": "example"}, "s3:GetEncryptionConfiguration"),
        ("s3control", "get_public_access_block", {"AccountId": "1" * 12}, "s3:GetAccountPublicAccessBlock"),
        ("logs", "describe_log_groups", {}, "logs:DescribeLogGroups"),
        ("efs", "describe_file_systems", {}, "elasticfilesystem:DescribeFileSystems"),
    ],
)
def test_a_refusal_names_the_action_even_where_it_is_not_called_like_the_operation(
    service, operation, params, permission
):
    refusal = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    if service in ("logs", "efs"):
        refusal = b'{"__type":"AccessDeniedException","message":"no"}'
    answer = (403, {"x-amzn-errortype": "AccessDeniedException"}, refusal)
    with Scripted(always(answer)) as server, pytest.raises(Denied) as caught:
        transport(server.url).call(service, operation, **params)
    assert caught.value.permission == permission


def test_not_found_says_what_in_the_vendors_word():
    body = b"<Error><Code>NoSuchBucketPolicy</Code><Message>none</Message></Error>"
    with Scripted(always((404, {}, body))) as server, pytest.raises(NotFound) as caught:
        transport(server.url).call("s3", "get_bucket_policy", Bucket="example")
    assert caught.value.code == "NoSuchBucketPolicy"


def test_an_answer_that_quotes_the_session_token_is_never_recorded():
    quoted = error("SignatureDoesNotMatch", f"The Canonical String was x-amz-security-token:{TOKEN}", status=403)
    tape = MemoryTape()
    with Scripted(always(quoted)) as server, pytest.raises(Denied) as caught:
        transport(server.url, tape=tape).call("iam", "list_users")
    assert TOKEN not in repr(tape.exchanges) + str(caught.value)
    assert isinstance(tape.exchanges[0][1], Denied)


def test_no_credential_is_denied_with_what_to_do(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with Scripted(always(users("ada"))) as server:
        with pytest.raises(Denied, match="credential") as caught:
            transport(server.url).call("iam", "list_users")
        assert "profile" in caught.value.remedy
        with pytest.raises(Denied, match="not-there"):
            transport(server.url, profile="not-there").call("iam", "list_users")
        assert server.requests == []


def test_given_keys_go_before_the_environments(monkeypatch):
    monkeypatch.setenv("OTHER_ID", "AKIAOTHEREXAMPLE")
    monkeypatch.setenv("OTHER_KEY", "other-secret-example")
    keys = {"access_key_id": Secret("env:OTHER_ID"), "secret_access_key": Secret("env:OTHER_KEY")}
    with Scripted(always(users("ada"))) as server:
        names(transport(server.url, **keys))
        assert "AKIAOTHEREXAMPLE" in server.requests[0][2]["Authorization"]
        assert "X-Amz-Security-Token" not in server.requests[0][2]


def assumed(answer):
    """A handler that plays STS, and answers everything else."""
    sts = xml(
        "AssumeRole",
        "<Credentials><AccessKeyId>ASIAROLEEXAMPLE</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey>"
        "<SessionToken>role-token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
        "<AssumedRoleUser><AssumedRoleId>A:annexa</AssumedRoleId>"
        "<Arn>arn:aws:sts::123456789012:assumed-role/audit/annexa</Arn></AssumedRoleUser>",
    )
    return lambda method, path, headers, body: sts if asked(body, "Action") == "AssumeRole" else answer


def test_a_role_is_assumed_with_the_external_id_and_off_the_record(monkeypatch):
    monkeypatch.setenv("EXTERNAL", "example-external-id")
    tape = MemoryTape()
    role = {"role_arn": "arn:aws:iam::123456789012:role/audit", "external_id": Secret("env:EXTERNAL")}
    with Scripted(assumed(users("ada"))) as server:
        assert names(transport(server.url, tape=tape, **role)) == ["ada"]
        first, second = server.requests
    assert asked(first[3], "ExternalId") == "example-external-id"
    assert asked(first[3], "RoleSessionName") == "annexa"
    assert KEY in first[2]["Authorization"]
    assert "ASIAROLEEXAMPLE" in second[2]["Authorization"]
    assert second[2]["X-Amz-Security-Token"] == "role-token"
    assert [request.operation for request, _ in tape.exchanges] == ["iam.ListUsers"]
    assert "role-token" not in repr(tape.exchanges)


def test_a_role_that_may_not_be_assumed_is_denied_and_says_so():
    refused = error("AccessDenied", "not authorized to perform: sts:AssumeRole", status=403)
    role = "arn:aws:iam::123456789012:role/audit"
    with Scripted(always(refused)) as server, pytest.raises(Denied) as caught:
        transport(server.url, role_arn=role).call("iam", "list_users")
    assert caught.value.permission == "sts:AssumeRole"


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


def s3_object(body, **headers):
    return always((200, {"Content-Type": "binary/octet-stream", **headers}, body))


def read(url, tape=None):
    return b"".join(transport(url, tape=tape).body("s3", "get_object", "Body", Bucket="example", Key="log.json.gz"))


@pytest.mark.parametrize(
    "body", [b"", b"plain", b"\x1f", gzip.compress(b"plain"), gzip.compress(b"pl") + gzip.compress(b"ain")]
)
def test_a_body_is_read_whole_gzip_or_not(body):
    tape = MemoryTape()
    with Scripted(s3_object(body)) as server:
        content = read(server.url, tape)
    assert content == (b"plain" if len(body) > 1 else body)
    assert tape.exchanges[0][1].body == body
    assert read(server.url, MemoryTape(tape.exchanges)) == content


def test_a_compressed_body_cut_short_is_unreadable():
    with (
        Scripted(s3_object(gzip.compress(b"plain" * 1000)[:-9])) as server,
        pytest.raises(Unreadable, match="log"),
    ):
        read(server.url)


def test_a_body_shorter_than_promised_or_other_than_its_checksum_is_an_error():
    for headers in ({"Content-Length": "9"}, {"x-amz-checksum-crc32": "AAAAAA=="}):
        with Scripted(s3_object(b"plain", **headers)) as server, pytest.raises(CollectError):
            read(server.url)


def test_a_body_that_arrives_whole_the_second_time_is_good():
    lengths = iter(["9", "5"])
    with Scripted(lambda *_: (200, {"Content-Length": next(lengths)}, b"plain")) as server:
        assert read(server.url) == b"plain"


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=3), st.integers(1, 50))
def test_gunzip_does_not_depend_on_how_the_bytes_arrive(members, size):
    packed = b"".join(gzip.compress(member, mtime=0) for member in members)
    chunks = [packed[at : at + size] for at in range(0, len(packed), size)]
    assert b"".join(plain(chunks, "x")) == b"".join(members)


@given(st.binary(max_size=200), st.data())
def test_no_prefix_of_a_gzip_stream_passes_for_a_file(content, data):
    packed = gzip.compress(content, mtime=0)
    cut = packed[: data.draw(st.integers(2, len(packed) - 1))]
    with pytest.raises(Unreadable):
        list(plain([cut], "x"))


def test_a_decompression_bomb_is_refused(monkeypatch):
    monkeypatch.setattr("annexa.collect.aws_bodies.MOST_BYTES", 1 << 20)
    with pytest.raises(Unreadable, match="more than"):
        list(plain([zlib.compress(b"0" * (8 << 20), wbits=31)], "x"))


def test_an_endpoint_that_is_not_there_is_unavailable_only_where_botocore_knows_that_the_service_is_not():
    refused = EndpointConnectionError(endpoint_url="https://example")
    assert type(aws_errors.unanswered(refused, "glue", "xx-east-1", absent=True)) is Unavailable
    assert type(aws_errors.unanswered(refused, "glue", "xx-east-1", absent=False)) is CollectError
    clients = AwsClients()
    lacking = {
        (service, region): clients.lacks(AwsAccess(), service, region)
        for service, region in [
            ("ec2", "eu-west-1"),
            ("iam", "eu-west-1"),
            ("route53domains", "eu-west-1"),
            ("kms", "xx-none-1"),
        ]
    }
    assert lacking == {
        ("ec2", "eu-west-1"): False,
        ("iam", "eu-west-1"): False,
        ("route53domains", "eu-west-1"): True,
        ("kms", "xx-none-1"): False,
    }
    assert not clients.lacks(AwsAccess(endpoint_url="http://127.0.0.1:1"), "route53domains", "eu-west-1")


def test_a_bucket_in_another_region_is_followed_there_within_one_exchange(monkeypatch):
    hosts = []

    def aws(self, request):
        host = request.url.split("/")[2]
        hosts.append(host)
        if "eu-west-1" in host:
            policy = b'{"Version": "2012-10-17", "Statement": []}'
            return AWSResponse(request.url, 200, {}, _Raw(policy))
        elsewhere = b"<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>"
        return AWSResponse(request.url, 301, {"x-amz-bucket-region": "eu-west-1"}, _Raw(elsewhere))

    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", aws)
    tape = MemoryTape()
    answer = transport("", tape=tape, region="us-east-1").call("s3", "get_bucket_policy", Bucket="example")
    assert json.loads(answer["Policy"])["Statement"] == []
    assert hosts[0] == "example.s3.us-east-1.amazonaws.com"
    assert hosts[-1] == "example.s3.eu-west-1.amazonaws.com"
    assert [(request.operation, response.status) for request, response in tape.exchanges] == [
        ("s3.GetBucketPolicy", 200)
    ]


class _Raw(io.BytesIO):
    def stream(self):
        yield self.read()


def test_a_server_that_is_down_is_an_error_and_not_unavailable():
    with pytest.raises(CollectError) as caught:
        transport("http://127.0.0.1:9").call("iam", "list_users")
    assert type(caught.value) is CollectError


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
