"""Lists and answers of AWS that are not whole, or not answers: an error, never a short list."""

from __future__ import annotations

import json

import pytest

from annexa.errors import CollectError, Unreadable
from tests.collect.aws.asking import (
    MemoryTape,
    always,
    names,
    paged,
    transport,
    users,
)
from tests.simulators.scripted import Scripted, error


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
        b"<html></html>",
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
