"""What every "no" of AWS becomes, who asks, and what is kept of it."""

from __future__ import annotations

import pytest
from botocore.exceptions import EndpointConnectionError

from annexa.collect import aws_errors
from annexa.collect.aws_sessions import AwsAccess, AwsClients
from annexa.errors import CollectError, Denied, NotFound, Unavailable
from annexa.sdk import Secret
from tests.collect.aws.asking import (
    KEY,
    TOKEN,
    MemoryTape,
    always,
    asked,
    names,
    transport,
    users,
)
from tests.simulators.scripted import Scripted, error, xml


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


def test_a_server_that_is_down_is_an_error_and_not_unavailable():
    with pytest.raises(CollectError) as caught:
        transport("http://127.0.0.1:9").call("iam", "list_users")
    assert type(caught.value) is CollectError
