"""OAuth 2.0 client credentials against a token endpoint on loopback."""

from __future__ import annotations

import threading
from urllib.parse import parse_qs

import pytest

from annexa.errors import CollectError, Denied, Unreadable
from annexa.sdk import ClientCredentials, Secret


@pytest.fixture
def client(server, monkeypatch: pytest.MonkeyPatch) -> ClientCredentials:
    monkeypatch.setenv("CLIENT_SECRET", "hunter2&hunter2")
    return ClientCredentials(f"{server.url}/token", "app-1", Secret("env:CLIENT_SECRET"), scope="users.read")


class Issuer:
    """Gives tokens one after the other; only the latest is good, unless all are refused."""

    def __init__(self, server, seconds: object = 3600, status: int = 200) -> None:
        self.issued = 0
        self.refuse = False
        self.forms: list[dict] = []
        server.routes["/token"] = lambda asked: self.issue(asked, seconds, status)
        server.routes["/me"] = self.guarded

    def issue(self, asked, seconds: object, status: int) -> None:
        self.issued += 1
        self.forms.append(parse_qs(asked.body.decode()))
        asked.answer(status, f'{{"access_token": "token-number-{self.issued}", "expires_in": {seconds}}}')

    def guarded(self, asked) -> None:
        good = asked.headers["authorization"] == f"Bearer token-number-{self.issued}" and not self.refuse
        asked.answer(200 if good else 401, f'{{"got": "token-number-{self.issued}"}}')


def test_a_token_is_asked_for_once_and_neither_it_nor_the_secret_is_recorded(server, make_shard, client) -> None:
    issuer = Issuer(server, status=201)
    shard = make_shard(server.url, auth=client)
    assert [shard.api.get("/me") for _ in range(3)] == [{"got": "[redacted]"}] * 3
    assert issuer.forms == [
        {
            "grant_type": ["client_credentials"],
            "client_id": ["app-1"],
            "client_secret": ["hunter2&hunter2"],
            "scope": ["users.read"],
        }
    ]
    assert shard.tape.exchanges_count == 3
    recorded = shard.log.getvalue() + shard.bodies.getvalue()
    assert b"token-number" not in recorded
    assert b"hunter2" not in recorded
    assert b"/token" not in recorded


@pytest.mark.parametrize(("seconds", "issued"), [(3600, 1), ('"3600"', 1), (100, 2), (30, 3)])
def test_a_token_is_renewed_a_minute_before_it_expires(server, make_shard, still, client, seconds, issued) -> None:
    issuer = Issuer(server, seconds)
    shard = make_shard(server.url, auth=client)
    for _ in range(3):
        shard.api.get("/me")
        still.passed += 25
    assert issuer.issued == issued


def test_a_401_renews_the_token_once(server, make_shard, client) -> None:
    issuer = Issuer(server)
    shard = make_shard(server.url, auth=client)
    shard.api.get("/me")
    issuer.issued += 5
    assert shard.api.get("/me") == {"got": "[redacted]"}
    issuer.refuse = True
    before = issuer.issued
    with pytest.raises(Denied, match="401"):
        shard.api.get("/me")
    assert issuer.issued == before + 1


def test_threads_share_one_token(server, make_shard, make_wire, client) -> None:
    issuer = Issuer(server)
    wire = make_wire()
    shards = [make_shard(server.url, wire=wire, auth=client) for _ in range(6)]
    threads = [threading.Thread(target=shard.api.get, args=("/me",)) for shard in shards]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert issuer.issued == 1
    assert [shard.tape.last for shard in shards] == [1] * 6


@pytest.mark.parametrize(
    ("status", "body", "error", "says"),
    [
        (401, '{"error": "invalid_client", "error_description": "secret expired"}', Denied, "secret expired"),
        (400, '{"error": "invalid_scope"}', Denied, "invalid_scope"),
        (500, "{}", CollectError, "500"),
        (200, "{}", Unreadable, "without an access_token"),
        (200, '{"access_token": "a\\nb"}', Unreadable, "without an access_token"),
        (200, "<html>", Unreadable, "not strict JSON"),
    ],
)
def test_no_token_is_said_and_recorded_as_the_error_of_the_request(
    server, make_shard, client, status: int, body: str, error: type, says: str
) -> None:
    server.routes["/token"] = lambda asked: asked.answer(status, body)
    shard = make_shard(server.url, auth=client)
    with pytest.raises(CollectError, match=says) as raised:
        shard.api.get("/me")
    assert type(raised.value) is error
    assert "hunter2" not in str(raised.value)
    assert shard.tape.last == 1
    assert "/me" not in [asked.path for asked in server.asked]
