"""A fetch that was not answered in full never looks as if it was; and a recording gives the same rows again."""

from __future__ import annotations

import socket

import pytest

from annexa.errors import CollectError, Denied
from collectors.aws import aws

FETCHES = sorted(aws.fetches)


def _complete(scan, name):
    """Whether the shard would be complete: nothing was raised, nothing noted."""
    try:
        return not scan.run(name).flaws
    except CollectError:
        return False


@pytest.mark.parametrize("name", FETCHES)
def test_a_recording_gives_the_same_rows_without_network_or_credential(scan, name, monkeypatch):
    first = scan.run(name)
    assert first.exchanges

    def no_network(*_, **__):
        raise AssertionError("a replay asked the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    again = scan.replay(name, first)
    assert again.segments == first.segments
    assert again.flaws == first.flaws
    assert again.tape.unused() == []


@pytest.mark.parametrize("name", FETCHES)
def test_no_recording_holds_a_credential(scan, name):
    first = scan.run(name)
    for secret in (b"testing-secret", b"AWS4-HMAC-SHA256", b"Signature="):
        assert secret not in first.exchanges
        assert secret not in first.bodies


@pytest.mark.parametrize("name", FETCHES)
@pytest.mark.parametrize("status", [403, 500, 200], ids=["denied", "failing", "a page of HTML"])
def test_a_system_that_answers_nothing_never_gives_a_complete_fetch(scan, company, name, status):
    company.fail("*", status=status, code="AccessDenied" if status == 403 else "InternalFailure")
    assert not _complete(scan, name)


@pytest.mark.parametrize("name", FETCHES)
def test_each_single_call_matters(scan, company, name):
    asked = len(company.asked)
    assert _complete(scan, name)
    operations = set(company.asked[asked:])
    assert operations
    harmless = {operation for operation in operations if not _spoiled(scan, company, name, operation)}
    assert harmless == set()


def _spoiled(scan, company, name, operation):
    company.fail(operation, status=403, code="AccessDenied", times=1)
    spoiled = not _complete(scan, name)
    company.heal()
    return spoiled


def test_a_denied_call_says_what_to_grant(scan, company):
    company.deny("GetAccountSummary")
    with pytest.raises(Denied) as caught:
        scan.run("account")
    assert caught.value.permission == "iam:GetAccountSummary"
    assert caught.value.permission in aws.fetches["account"].permissions


def test_a_setting_that_could_not_be_read_is_null_and_the_others_are_there(scan, company):
    company.deny("?policy")
    fetched = scan.run("buckets")
    bucket = fetched.by("name")["example-downloads"]
    assert (bucket["has_policy"], bucket["policy"]) == (None, None)
    assert (bucket["policy_is_public"], bucket["versioning"]) == (True, "Disabled")
    assert {flaw.part for flaw in fetched.flaws} == {f"{name}: policy" for name in fetched.by("name")}
    assert all("s3:GetBucketPolicy" in flaw.remedy for flaw in fetched.flaws)


def test_a_bucket_that_went_away_is_not_a_bucket_without_a_policy(scan, company):
    company.fail("?policy", status=404, code="NoSuchBucket", times=1)
    fetched = scan.run("buckets")
    assert len(fetched.flaws) == 1
    assert [row["has_policy"] for row in fetched.rows()].count(None) == 1


def test_a_key_that_may_not_be_described_costs_only_itself(scan, company):
    whole = len(scan.run("keys").rows())
    company.fail("DescribeKey", status=400, code="AccessDeniedException", times=1)
    fetched = scan.run("keys")
    assert (len(fetched.rows()), len(fetched.flaws)) == (whole - 1, 1)


def test_a_trail_whose_status_is_denied_is_not_a_trail_that_is_stopped(scan, company):
    company.deny("GetTrailStatus")
    fetched = scan.run("trails")
    assert [row["is_logging"] for row in fetched.rows()] == [None]
    assert len(fetched.flaws) == 1


def test_a_log_bucket_without_log_files_at_the_place_named_is_an_error(scan, company):
    company.fail("?list-type=2", status=404, code="NoSuchBucket")
    with pytest.raises(CollectError):
        scan.run("events")
