"""The Okta collector against the simulator: every status, every page, the log that always goes on, and refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from annexa.errors import CollectError, Denied
from annexa.secrets import Secret
from collectors.okta import OktaConfig, okta
from tests.collectors.harness import NOW, Fetched, fetch
from tests.simulators.company import LEAVER, PEOPLE
from tests.simulators.okta import OktaSimulator, drift, repair, start
from tests.simulators.okta_states import GONE, user_id

Collect = Callable[..., Fetched]
PAGE = 3


@pytest.fixture
def simulator() -> Iterator[OktaSimulator]:
    with OktaSimulator(start(NOW), page_size=PAGE).start() as running:
        yield running


@pytest.fixture
def collect(simulator: OktaSimulator, monkeypatch: pytest.MonkeyPatch) -> Collect:
    def run(name: str, *, token: str = "okta-super-token", log_days: int = 1, now: datetime = NOW) -> Fetched:
        monkeypatch.setenv("OKTA_TOKEN", token)
        config = OktaConfig(url=simulator.url, token=Secret("env:OKTA_TOKEN"), log_days=log_days)
        return fetch(okta, config, name, now=now)

    return run


def _held(state: dict[str, Any], what: str) -> set[tuple[str, str]]:
    return {(user, item["id"]) for user, items in state[what].items() for item in items}


def test_users_of_every_status_are_listed_over_several_pages(simulator: OktaSimulator, collect: Collect) -> None:
    found = collect("users")
    users = simulator.state["users"]
    assert found.pairs("id", "status", "email", "last_login", "created") == {
        (u["id"], u["status"], u["profile"]["email"], u["lastLogin"], u["created"]) for u in users
    }
    assert len(found.rows) == len(PEOPLE) + 1
    assert found.by("id")[user_id(GONE)]["status"] == "DEPROVISIONED"
    assert found.by("email")["svc-backup@example.com"]["user_type"] == "service"
    listed = sum(user["status"] != "DEPROVISIONED" for user in users)
    assert simulator.count("/api/v1/users") == -(-listed // PAGE) + 1


def test_a_user_deprovisioned_between_the_listings_is_one_row(simulator: OktaSimulator, collect: Collect) -> None:
    before = {**simulator.state, "users": [dict(user) for user in simulator.state["users"]]}
    answer = OktaSimulator.users

    def then_gone(self: OktaSimulator, asked: Any) -> Any:
        found = answer(self, asked)
        if 'rel="next"' not in str(found.headers):
            next(u for u in before["users"] if u["id"] == user_id(LEAVER))["status"] = "DEPROVISIONED"
        return found

    simulator.state = before
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OktaSimulator, "users", then_gone)
        found = collect("users")
    assert found.by("id")[user_id(LEAVER)]["status"] == "ACTIVE"


def test_factors_of_all_users_but_the_deprovisioned(simulator: OktaSimulator, collect: Collect) -> None:
    found = collect("factors")
    assert found.pairs("user_id", "id") == _held(simulator.state, "factors")
    assert user_id("mary.jackson") not in {row["user_id"] for row in found.rows}
    assert found.pairs("factor_type", "status") == {("push", "ACTIVE"), ("webauthn", "ACTIVE")}
    assert simulator.count(f"/api/v1/users/{user_id(GONE)}/factors") == 0
    assert simulator.count(f"/api/v1/users/{user_id('mary.jackson')}/factors") == 1
    assert found.flaws == []


def test_one_user_whose_factors_fail_is_a_flaw_and_the_others_go_on(simulator: OktaSimulator, collect: Collect) -> None:
    simulator.deny(f"/api/v1/users/{user_id('alan.turing')}/factors")
    found = collect("factors")
    assert [flaw.part for flaw in found.flaws] == [f"factors of {user_id('alan.turing')}"]
    assert found.pairs("user_id") == {(u,) for u, _ in _held(simulator.state, "factors")} - {(user_id("alan.turing"),)}


def test_roles_include_those_held_through_a_group(simulator: OktaSimulator, collect: Collect) -> None:
    found = collect("roles")
    assert found.pairs("user_id", "id") == _held(simulator.state, "roles")
    assert (user_id("john.backus"), "ORG_ADMIN", "GROUP") in found.pairs("user_id", "type", "assignment_type")
    assert found.flaws == []


def test_roles_are_asked_once_for_each_user(simulator: OktaSimulator, collect: Collect) -> None:
    collect("roles")
    asked = [user["id"] for user in simulator.state["users"] if simulator.count(f"/api/v1/users/{user['id']}/roles")]
    assert set(asked) == {user["id"] for user in simulator.state["users"] if user["status"] != "DEPROVISIONED"}
    assert all(simulator.count(f"/api/v1/users/{user}/roles") == 1 for user in asked)


@pytest.mark.parametrize("name", ["roles", "api_tokens"])
def test_a_read_only_administrator_is_denied_at_the_first_call(
    simulator: OktaSimulator, collect: Collect, name: str
) -> None:
    with pytest.raises(Denied):
        collect(name, token="okta-read-only-token")
    assert len(simulator.requests) == 1


def test_inactive_applications_are_listed(simulator: OktaSimulator, collect: Collect) -> None:
    assert collect("apps").pairs("id", "label", "status", "sign_on_mode") == {
        (a["id"], a["label"], a["status"], a["signOnMode"]) for a in simulator.state["apps"]
    }


def test_policies_of_the_four_types_and_their_rules(simulator: OktaSimulator, collect: Collect) -> None:
    policies = collect("policies").by("id")
    assert {p["id"]: p["type"] for p in simulator.state["policies"]} == {k: v["type"] for k, v in policies.items()}
    assert policies["pol-password"]["settings"]["password"]["complexity"]["minLength"] == 14
    assert policies["pol-access"]["settings"] is None
    rules = collect("policy_rules")
    assert rules.pairs("policy_id", "id") == _held(simulator.state, "rules")
    signon = rules.by("id")["rul-signon"]
    assert (signon["policy_type"], signon["actions"]["signon"]["requireFactor"]) == ("OKTA_SIGN_ON", True)


def test_rules_of_a_policy_that_fail_are_a_flaw(simulator: OktaSimulator, collect: Collect) -> None:
    simulator.fail("/api/v1/policies/pol-enrol/rules", status=500)
    found = collect("policy_rules")
    assert [flaw.part for flaw in found.flaws] == ["rules of policy pol-enrol"]
    assert found.pairs("policy_id") == {("pol-signon",), ("pol-password",), ("pol-access",)}


def test_api_tokens_are_described_and_never_shown(collect: Collect) -> None:
    (row,) = collect("api_tokens").rows
    assert (row["name"], row["user_id"], row["token_window"]) == ("annexa", user_id("ada.lovelace"), "P30D")
    assert row["network_connection"] == "ANYWHERE"


@pytest.mark.parametrize("log_days", [1, 2])
def test_the_log_ends_although_there_is_always_a_next_link(
    simulator: OktaSimulator, collect: Collect, log_days: int
) -> None:
    found = collect("events", log_days=log_days)
    since = (NOW - timedelta(days=log_days)).isoformat()
    wanted = [e for e in simulator.state["events"] if since <= e["published"].replace("Z", "000+00:00")]
    assert [row["uuid"] for row in found.rows] == [e["uuid"] for e in wanted]
    assert simulator.count("/api/v1/logs") == -(-len(wanted) // PAGE) + 1
    assert (LEAVER + "@example.com", "SUCCESS") in found.pairs("actor_login", "outcome")
    assert ("margaret.hamilton@example.com", "FAILURE", "Moldova", "203.0.113.7") in found.pairs(
        "actor_login", "outcome", "country", "ip"
    )


def test_an_empty_log_is_one_empty_page(simulator: OktaSimulator, collect: Collect) -> None:
    assert collect("events", now=NOW - timedelta(days=300)).rows == []
    assert simulator.count("/api/v1/logs") == 1


def test_the_log_is_bounded_by_the_runs_time_and_no_clock(simulator: OktaSimulator, collect: Collect) -> None:
    collect("events", now=NOW - timedelta(days=300, microseconds=-1500))
    (asked,) = simulator.requests
    assert asked.query["since"] == "2025-11-13T12:00:00.001Z"
    assert asked.query["until"] == "2025-11-14T12:00:00.001Z"


def test_drift_and_repair_show(simulator: OktaSimulator, collect: Collect) -> None:
    simulator.state = drift(NOW)
    assert (user_id("tony.hoare"), "SUPER_ADMIN") in collect("roles").pairs("user_id", "type")
    assert user_id("tony.hoare") not in {row["user_id"] for row in collect("factors").rows}
    simulator.state = repair(NOW)
    assert collect("users").by("id")[user_id(LEAVER)]["status"] == "DEPROVISIONED"
    assert user_id("mary.jackson") in {row["user_id"] for row in collect("factors").rows}


@pytest.mark.parametrize(
    ("name", "path"),
    [("users", "/api/v1/users"), ("factors", "/api/v1/users"), ("roles", "/api/v1/users"), ("events", "/api/v1/logs")],
)
def test_an_error_on_page_two_is_never_a_short_list(
    simulator: OktaSimulator, collect: Collect, name: str, path: str
) -> None:
    simulator.fail(path, page=2, status=500)
    with pytest.raises(CollectError):
        collect(name)


def test_an_error_on_page_two_of_the_assignees_is_an_error(simulator: OktaSimulator, collect: Collect) -> None:
    simulator.page_size = 1
    simulator.fail("/api/v1/iam/assignees/users", page=2, status=500)
    with pytest.raises(CollectError):
        collect("roles")


@pytest.mark.parametrize("name", sorted(okta.fetches))
def test_a_bad_token_is_denied(collect: Collect, name: str) -> None:
    with pytest.raises(Denied):
        collect(name, token="okta-wrong-token")


def test_a_body_cut_short_is_an_error(simulator: OktaSimulator, collect: Collect) -> None:
    simulator.truncate("/api/v1/users", page=2)
    with pytest.raises(CollectError):
        collect("users")
