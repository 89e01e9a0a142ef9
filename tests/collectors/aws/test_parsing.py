"""What is read out of documents: the credential report, policies, event selectors, log files."""

from __future__ import annotations

import gzip
import io
import json
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annexa.collect.rows import SegmentWriter
from annexa.errors import CollectError, Unreadable
from annexa.sdk import Collector, Scope
from collectors.aws import aws
from collectors.aws.cloudtrail import management_events
from collectors.aws.cloudtrail_logs import event, records
from collectors.aws.credential_report import parse
from collectors.aws.kms import rotatable
from collectors.aws.policies import statements
from tests.simulators.scripted import Scripted, error, xml

REPORT = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated,additional_credentials_info\n"
    "<root_account>,arn:aws:iam::123456789012:root,2019-03-01T10:00:00+00:00,not_supported,2026-09-01T08:00:00+00:00,"
    "not_supported,not_supported,true,true,2019-03-01T10:00:00+00:00,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A,\n"
    "ada@example.com,arn:aws:iam::123456789012:user/ada@example.com,2025-01-01T00:00:00+00:00,true,no_information,"
    "2026-08-01T00:00:00+00:00,N/A,true,true,2026-08-01T00:00:00+00:00,2026-09-09T10:00:00+00:00,eu-west-1,s3,false,"
    "N/A,N/A,N/A,N/A,false,N/A,false,N/A,\n"
    '"robot, nightly",arn:aws:iam::123456789012:user/robot,2025-01-01T00:00:00+00:00,false,N/A,N/A,N/A,false,false,'
    "N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A,\n"
)


def typed(fetch: str, rows):
    """The rows through the columns of a fetch's table."""
    (table,) = aws.fetches[fetch].tables
    sink = io.BytesIO()
    writer = SegmentWriter(table, sink)
    for row in rows:
        writer.add({"account": "123456789012", **row}, 1)
    assert writer.doubts == 0, writer.example
    return [json.loads(line) for line in sink.getvalue().splitlines()]


def test_a_credential_report_as_aws_writes_it():
    root, ada, robot = typed("credential_report", parse(REPORT.encode()))
    assert (root["user"], root["is_root"], root["password_enabled"], root["mfa_active"]) == (
        "<root_account>",
        True,
        None,
        True,
    )
    assert (root["access_key_1_active"], root["access_key_1_last_used_date"]) == (True, None)
    assert root["password_last_used"].startswith("2026-09-01T08:00:00")
    assert (ada["is_root"], ada["password_enabled"], ada["password_last_used"]) == (False, True, None)
    assert ada["access_key_1_last_used_date"].startswith("2026-09-09T10:00:00")
    assert (robot["user"], robot["password_enabled"], robot["access_key_1_active"]) == ("robot, nightly", False, False)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html></html>",
        REPORT.replace(",mfa_active", "").encode(),
        REPORT[: REPORT.rindex("false")].encode(),
        REPORT.encode() + b"one,field,too,few\n",
        REPORT.encode() + b'"open quote',
        b"\xff\xfe" + REPORT.encode(),
    ],
    ids=["empty", "html", "no MFA column", "cut short", "short line", "open quote", "not UTF-8"],
)
def test_a_credential_report_that_is_not_whole_is_unreadable(content):
    with pytest.raises(Unreadable):
        list(parse(content))


TEXTS = st.lists(st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1), min_size=1, max_size=4)


@given(TEXTS, TEXTS, st.sampled_from(["Action", "NotAction"]), st.sampled_from(["Resource", "NotResource"]))
def test_a_policy_means_the_same_however_it_is_written(actions, resources, action, resource):
    statement = {"Effect": "Allow", action: actions, resource: resources}
    terse = dict(statement)
    for name in (action, resource):
        if len(terse[name]) == 1:
            terse[name] = terse[name][0]
    documents = [
        {"Version": "2012-10-17", "Statement": [statement]},
        {"Statement": terse},
        json.dumps({"Statement": [terse]}),
    ]
    ((row,), *others) = [list(statements(document, "x")) for document in documents]
    assert all(other == [row] for other in others)
    assert row[{"Action": "actions", "NotAction": "not_actions"}[action]] == actions
    assert row[{"Action": "not_actions", "NotAction": "actions"}[action]] is None
    assert row[{"Resource": "not_resources", "NotResource": "resources"}[resource]] is None


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("*", ["*"]),
        ({"AWS": "*"}, ["*"]),
        ({"AWS": ["*", "123456789012"]}, ["*", "AWS:123456789012"]),
        ({"Service": "ec2.amazonaws.com", "AWS": "arn:x"}, ["Service:ec2.amazonaws.com", "AWS:arn:x"]),
        ({"Federated": "*"}, ["Federated:*"]),
        (None, None),
    ],
)
def test_everybody_is_a_star_however_it_is_written(principal, expected):
    (row,) = statements({"Statement": {"Effect": "Allow", "Action": "*", "Principal": principal}}, "x")
    assert row["principals"] == expected


@pytest.mark.parametrize(
    "document",
    [
        None,
        "not json",
        [],
        {},
        {"Statement": ["*"]},
        {"Statement": {"Effect": "allow", "Action": "*"}},
        {"Statement": {"Effect": "Allow", "Action": {"a": 1}}},
        {"Statement": {"Effect": "Allow", "Action": ["a", 1]}},
    ],
)
def test_what_is_no_policy_is_unreadable(document):
    with pytest.raises(Unreadable):
        list(statements(document, "x"))


def basic(kind="All", management=True, excluded=()):
    return {
        "ReadWriteType": kind,
        "IncludeManagementEvents": management,
        "ExcludeManagementEventSources": list(excluded),
    }


def advanced(category="Management", **fields):
    selectors = [{"Field": "eventCategory", "Equals": [category]}]
    return {"FieldSelectors": selectors + [{"Field": name, **how} for name, how in fields.items()]}


@pytest.mark.parametrize(
    ("plain", "fine", "expected"),
    [
        ([basic()], None, "All"),
        ([basic("ReadOnly"), basic("WriteOnly")], None, "All"),
        ([basic("WriteOnly")], [], "WriteOnly"),
        ([basic("ReadOnly")], None, "ReadOnly"),
        ([basic(management=False)], None, "None"),
        ([], [], "None"),
        (None, None, "None"),
        (None, [advanced()], "All"),
        (None, [advanced("Data")], "None"),
        (None, [advanced(readOnly={"Equals": ["false"]})], "WriteOnly"),
        (None, [advanced(readOnly={"Equals": ["true"]}), advanced(readOnly={"Equals": ["false"]})], "All"),
        (None, [advanced(eventSource={"NotEquals": ["kms.amazonaws.com"]})], "All"),
        (None, [advanced(eventSource={"NotEquals": ["iam.amazonaws.com"]})], "Partial"),
        (None, [advanced(eventSource={"Equals": ["iam.amazonaws.com"]})], "Partial"),
        (None, [advanced(eventName={"Equals": ["CreateUser"]})], "Partial"),
    ],
)
def test_which_management_events_a_trail_records(plain, fine, expected):
    assert management_events({"EventSelectors": plain, "AdvancedEventSelectors": fine}) == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, True),
        ({"KeyState": "Disabled"}, True),
        ({"KeyManager": "AWS"}, False),
        ({"KeySpec": "HMAC_256"}, False),
        ({"Origin": "EXTERNAL"}, False),
        ({"KeyState": "PendingDeletion"}, False),
    ],
)
def test_which_keys_aws_can_rotate(changed, expected):
    key = {"KeyManager": "CUSTOMER", "KeySpec": "SYMMETRIC_DEFAULT", "Origin": "AWS_KMS", "KeyState": "Enabled"}
    assert rotatable({**key, **changed}) is expected


def test_cloudtrail_files_of_a_real_account(test_data: Path):
    files = sorted((test_data / "vendor/samples/cloudtrail").glob("*.json"))
    found = [record for file in files for record in records(file.read_bytes(), file.name)]
    assert len(found) == sum(file.read_text().count('"eventVersion"') for file in files) > 20
    rows = typed("events", map(event, found))
    assert len(rows) == len(found)
    assert all(row["event_id"] and row["event_time"] and row["event_name"] and row["user_type"] for row in rows)
    secrets = [row for row in rows if row["event_name"] == "GetSecretValue" or row["event_source"].startswith("ssm")]
    assert secrets


def test_cloudtrail_samples_of_many_services(test_data: Path):
    lines = (test_data / "vendor/samples/panther/AWS.CloudTrail.jsonl").read_text().splitlines()
    raw = [json.loads(line)["event"] for line in lines]
    found = [
        {**one, "eventTime": _as_cloudtrail_writes(one["eventTime"])}
        for one in raw
        if "20" in one.get("eventTime", "")[:2]
    ]
    assert len(found) > 100
    rows = typed("events", map(event, found))
    signed_in = [row for row in rows if row["event_name"] == "ConsoleLogin"]
    assert {row["console_login"] for row in signed_in} <= {"Success", "Failure", None}


def _as_cloudtrail_writes(time: str) -> str:
    """The product that the samples were written for takes the zone away: `2025-01-21 17:49:47.000000000`."""
    return f"{time[:10]}T{time[11:19]}Z"


@pytest.mark.parametrize("content", [b"", b"[]", b'{"Records": [', b'{"Records": [1]}', b'{"Record": []}', b"null"])
def test_what_is_no_log_file_is_unreadable(content):
    with pytest.raises(Unreadable, match="log file"):
        records(content, "x.json")


class Logs:
    """An `Aws` that has log files, one of them damaged."""

    scope = Scope("logs", "log", {"bucket": "b", "prefix": "trail", "days": "1"})

    def __init__(self, files, as_of):
        from annexa.collect.parts import PartLog

        self._files, self.as_of, self._log = files, as_of, PartLog()
        self.part, self.flaws = self._log.part, self._log.flaws

    def pages(self, service, operation, items, *, Bucket, Prefix, Delimiter=""):
        below = sorted(key for key in self._files if key.startswith(Prefix))
        if not Delimiter:
            return iter([{"Key": key} for key in below])
        folders = {Prefix + key[len(Prefix) :].partition("/")[0] + "/" for key in below}
        return iter([{"Prefix": folder} for folder in sorted(folders)])

    def body(self, service, operation, field, *, Bucket, Key):
        from annexa.collect.aws_bodies import plain

        yield from plain([self._files[Key]], Key)


def test_log_files_of_an_organisation_are_found_and_a_damaged_one_costs_only_itself():
    from datetime import UTC, datetime

    def log(name):
        return gzip.compress(json.dumps({"Records": [{"eventID": name}]}).encode())

    folder = "trail/AWSLogs/o-example/{}/CloudTrail/{}/2026/09/{}/x.json.gz"
    api = Logs(
        {
            folder.format("111111111111", "eu-west-1", "10"): log("today"),
            folder.format("111111111111", "us-east-1", "09"): log("yesterday"),
            folder.format("222222222222", "eu-west-1", "10"): log("other")[:-12],
            folder.format("222222222222", "us-east-1", "10"): log("elsewhere"),
            folder.format("222222222222", "eu-west-1", "08"): log("too old"),
            "trail/AWSLogs/333333333333/CloudTrail/eu-west-1/2026/09/10/x.json.gz": log("alone"),
            "trail/AWSLogs/333333333333/CloudTrail-Digest/eu-west-1/2026/09/10/x.json.gz": log("digest"),
        },
        datetime(2026, 9, 10, 0, 30, tzinfo=UTC),
    )
    found = [row["eventID"] for row in aws.fetches["events"].run(api)]
    assert sorted(found) == ["alone", "elsewhere", "today", "yesterday"]
    assert [flaw.part for flaw in api.flaws] == ["s3://b/" + folder.format("222222222222", "eu-west-1", "10")]


def test_a_log_bucket_without_an_awslogs_folder_is_an_error():
    from datetime import UTC, datetime

    api = Logs({"elsewhere/AWSLogs/1/x": b""}, datetime(2026, 9, 10, tzinfo=UTC))
    with pytest.raises(CollectError, match="AWSLogs"):
        list(aws.fetches["events"].run(api))


def _details(names, marker=""):
    users = "".join(
        f"<member><Arn>arn:aws:iam::123456789012:user/{name}</Arn><UserName>{name}</UserName></member>"
        for name in names
    )
    more = f"<IsTruncated>true</IsTruncated><Marker>{marker}</Marker>" if marker else "<IsTruncated>false</IsTruncated>"
    return xml("GetAccountAuthorizationDetails", f"<UserDetailList>{users}</UserDetailList>{more}")


@pytest.mark.parametrize("last", [_details(["c"]), error("ServiceFailure", status=500)], ids=["whole", "page 2 fails"])
def test_authorization_details_over_two_pages(scan, last):
    def answer(method, path, headers, body):
        return last if b"Marker=2" in body else _details(["a", "b"], "2")

    from dataclasses import replace

    from tests.collectors.aws.scanning import Scan

    with Scripted(answer) as server:
        elsewhere = Scan(replace(scan.config, endpoint_url=server.url), scan.now, scan.scopes)
        if last[0] == 200:
            rows = elsewhere.run("authorization").rows("aws_iam_user")
            assert [row["name"] for row in rows] == ["a", "b", "c"]
        else:
            with pytest.raises(CollectError):
                elsewhere.run("authorization")


def test_the_package_can_be_mounted_under_another_name(monkeypatch):
    import sys

    root = Path(__file__).parents[3]
    for name, path in (("example_packs", []), ("example_packs.mine", [str(root / "collectors")])):
        package = ModuleType(name)
        package.__path__ = path
        monkeypatch.setitem(sys.modules, name, package)
    mounted = import_module("example_packs.mine.aws")
    try:
        assert isinstance(mounted.aws, Collector)
        assert mounted.aws is not aws
        assert set(mounted.aws.fetches) == set(aws.fetches)
    finally:
        for name in [name for name in sys.modules if name.startswith("example_packs.mine.")]:
            del sys.modules[name]
