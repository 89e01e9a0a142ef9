"""The simulators, the collectors' requests and their columns, held against what the vendors publish.

A request is held against the description strictly: path, method, parameters, values. An answer is not, for vendors
answer otherwise than they describe (nulls, missing fields): what is held against it is names. No simulator may serve
a field that the vendor does not know, and no column may read one.

KnowBe4 publishes no description: its recorded answers are all there is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from openapi_core.exceptions import OpenAPIError

from annexa.errors import CollectError
from annexa.sdk import Collector
from annexa.secrets import Secret
from collectors.github import GithubConfig, github
from collectors.knowbe4 import KnowBe4Config, knowbe4
from collectors.okta import OktaConfig, okta
from tests.collectors.harness import NOW, fetch
from tests.simulators import company
from tests.simulators import github as github_simulator
from tests.simulators import knowbe4 as knowbe4_simulator
from tests.simulators import okta as okta_simulator
from tests.simulators.github import GithubSimulator
from tests.simulators.knowbe4 import KnowBe4Simulator
from tests.simulators.okta import OktaSimulator
from tests.simulators.server import Asked, Simulator
from tests.simulators.specification import Specification

SOURCES = {
    "github_organisation": "/orgs/{org}",
    "github_ruleset": "/orgs/{org}/rulesets",
    "github_member": "/orgs/{org}/members",
    "github_member_2fa_disabled": "/orgs/{org}/members",
    "github_outside_collaborator": "/orgs/{org}/outside_collaborators",
    "github_repository": "/orgs/{org}/repos",
    "github_branch_protection": "/repos/{owner}/{repo}/branches/{branch}/protection",
    "okta_user": "/api/v1/users",
    "okta_factor": "/api/v1/users/{userId}/factors",
    "okta_role": "/api/v1/users/{userId}/roles",
    "okta_app": "/api/v1/apps",
    "okta_policy": "/api/v1/policies",
    "okta_policy_rule": "/api/v1/policies/{policyId}/rules",
    "okta_api_token": "/api/v1/api-tokens",
    "okta_event": "/api/v1/logs",
}
"""Where the rows of each table come from."""

OURS = {
    "github_member.role": "the listing that was asked: owners, or other members",
    "github_branch_protection.repository": "the repository that was asked about",
    "github_branch_protection.branch": "the branch that was asked about",
    "github_branch_protection.branch_exists": "the 404 Branch not found",
    "github_branch_protection.protected": "the 404 Branch not protected",
    "github_branch_protection.rules": "the types of the rules for the branch, from /rules/branches/{branch}",
    "github_branch_protection.ruleset_required_approvals": "the strictest of those rules",
    "github_branch_protection.ruleset_rules": "those rules",
    "okta_factor.userId": "the user who was asked about",
    "okta_role.userId": "the user who was asked about",
    "okta_policy_rule.policyId": "the policy that was asked about",
    "okta_policy_rule.policyType": "the policy that was asked about",
}
"""Paths that a vendor's answer does not hold, and what the fetch takes them from."""


@dataclass(frozen=True)
class Vendor:
    """A collector, its simulator, and its description where there is one."""

    collector: Collector
    running: Simulator
    config: Any
    specification: Specification

    def ask_everything(self) -> None:
        for name in self.collector.fetches:
            fetch(self.collector, self.config, name)


@pytest.fixture(params=["github", "okta"])
def vendor(request: pytest.FixtureRequest, test_data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    specs = test_data / "vendor" / "specs"
    if request.param == "github":
        monkeypatch.setenv("VENDOR_TOKEN", "github-owner-token")
        with GithubSimulator(github_simulator.start(NOW), page_size=2).start() as running:
            config = GithubConfig("example", Secret("env:VENDOR_TOKEN"), running.url)
            yield Vendor(github, running, config, Specification(specs / "github-ghec.openapi.json"))
    else:
        monkeypatch.setenv("VENDOR_TOKEN", "okta-super-token")
        with OktaSimulator(okta_simulator.start(NOW), page_size=2).start() as running:
            config = OktaConfig(running.url, Secret("env:VENDOR_TOKEN"))
            yield Vendor(okta, running, config, Specification(specs / "okta.openapi.json"))


def test_every_request_of_a_collector_is_one_that_the_vendor_describes(vendor: Vendor) -> None:
    vendor.ask_everything()
    assert len(vendor.running.requests) > 20
    for asked in vendor.running.requests:
        vendor.specification.judge(asked)


def test_every_field_that_a_simulator_serves_is_one_that_the_vendor_describes(vendor: Vendor) -> None:
    vendor.ask_everything()
    unknown = set()
    for asked in list(vendor.running.requests):
        answer = vendor.running.answer(asked)
        if answer.status == 200:
            schema = vendor.specification.item(asked.path)
            for item in answer.body if isinstance(answer.body, list) else [answer.body]:
                unknown |= {(asked.path, path) for path in vendor.specification.undeclared(schema, item)}
    assert unknown == set()


def test_every_column_reads_a_field_that_the_vendor_describes(vendor: Vendor) -> None:
    missing = set()
    for unit in vendor.collector.fetches.values():
        for table in unit.tables_for(vendor.config, {}):
            schema = vendor.specification.item(SOURCES[table.name])
            for column in table.columns:
                path = column.path.removeprefix("protection.")
                if not vendor.specification.declares(schema, path):
                    missing.add(f"{table.name}.{column.path}")
    assert missing == {path for path in OURS if path.startswith(vendor.collector.name)}


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/orgs/example/nothing", {}),
        ("/orgs/example/members", {"role": "boss"}),
        ("/orgs/example/members", {"page_size": "100"}),
    ],
)
def test_the_description_refuses_what_it_does_not_know(test_data: Path, path: str, query: dict[str, str]) -> None:
    specification = Specification(test_data / "vendor" / "specs" / "github-ghec.openapi.json")
    specification.judge(Asked("GET", "/orgs/example/members", {"role": "admin"}, {}))
    with pytest.raises((OpenAPIError, AssertionError)):
        specification.judge(Asked("GET", path, query, {}))


def test_knowbe4_looks_like_its_recorded_answers(test_data: Path) -> None:
    """Numbered pages, an empty page after the last, no link, instants with milliseconds; tests named by `pst_id`."""
    recording = test_data / "vendor" / "recordings" / "knowbe4.jsonl"
    exchanges = [json.loads(line) for line in recording.read_text(encoding="utf-8").splitlines()]
    pages = {e["request"]["url"].partition("?")[2]: e for e in exchanges if "campaigns" in e["request"]["url"]}
    assert set(pages) == {"page=1&per_page=500", "page=2&per_page=500"}
    recorded = json.loads(pages["page=1&per_page=500"]["response"]["body"])
    assert json.loads(pages["page=2&per_page=500"]["response"]["body"]) == []
    assert not any(name == "link" for name, _ in pages["page=1&per_page=500"]["response"]["headers"])
    tests = {key for campaign in recorded for test in campaign["psts"] for key in test}
    simulator = KnowBe4Simulator(knowbe4_simulator.start(NOW))
    asked = Asked("GET", "/v1/phishing/security_tests", {"page": "1"}, {"Authorization": "Bearer knowbe4-token"})
    (served,) = simulator.answer(asked).body
    assert "pst_id" in tests & set(served)
    assert isinstance(served["pst_id"], int)
    assert len(served["started_at"]) == len(recorded[0]["last_run"])
    assert simulator.answer(Asked("GET", asked.path, {"page": "2"}, asked.headers)).body == []


@pytest.fixture
def knowbe4_running(monkeypatch: pytest.MonkeyPatch) -> Iterator[KnowBe4Simulator]:
    monkeypatch.setenv("VENDOR_TOKEN", "knowbe4-token")
    with KnowBe4Simulator(knowbe4_simulator.start(NOW)).start() as running:
        yield running


def test_a_rate_limit_is_waited_for(knowbe4_running: KnowBe4Simulator) -> None:
    config = KnowBe4Config(Secret("env:VENDOR_TOKEN"), url=knowbe4_running.url)
    knowbe4_running.fail("/v1/training/enrollments", status=429, retry_after=0, times=1)
    assert len(fetch(knowbe4, config, "enrollments").rows) == len(knowbe4_running.state["enrollments"])


def test_a_fault_that_stays_is_an_error(knowbe4_running: KnowBe4Simulator) -> None:
    config = KnowBe4Config(Secret("env:VENDOR_TOKEN"), url=knowbe4_running.url)
    knowbe4_running.fail("/v1/training/enrollments", status=429, retry_after=0)
    with pytest.raises(CollectError, match="429"):
        fetch(knowbe4, config, "enrollments")


def test_a_simulator_is_read_only(knowbe4_running: KnowBe4Simulator) -> None:
    answer = requests.post(f"{knowbe4_running.url}/v1/users", timeout=5)
    assert answer.status_code == 405
    assert [asked.method for asked in knowbe4_running.requests] == ["POST"]


@pytest.mark.parametrize("module", [github_simulator, okta_simulator, knowbe4_simulator])
@pytest.mark.parametrize("state", company.STATES)
def test_a_state_hangs_on_now_alone_and_is_plain_data(module: Any, state: str) -> None:
    make: Callable[..., dict[str, Any]] = getattr(module, state)
    assert make(NOW) == make(NOW)
    assert json.loads(json.dumps(make(NOW))) == make(NOW)
    assert make(NOW) != make(NOW - timedelta(days=1))


def test_the_systems_know_the_same_people() -> None:
    """The stories that checks are to find hold across systems, whatever the day is."""
    leaver = next(person for person in company.people(NOW) if person["left_at"] == "2026-08-21")
    assert leaver["email"] == f"{company.LEAVER}@{company.DOMAIN}"
    addresses = {person["email"] for person in company.people(NOW)}
    users = {u["profile"]["email"]: u["status"] for u in okta_simulator.start(NOW)["users"]}
    assert set(users) - addresses == {"svc-backup@example.com"}
    assert users[leaver["email"]] == "ACTIVE"
    assert {u["email"] for u in knowbe4_simulator.start(NOW)["users"]} == addresses
    logins = {person.login for person in company.PEOPLE}
    assert {m["login"] for m in github_simulator.start(NOW)["members"]} - logins == {"example-ci-bot"}


@pytest.mark.parametrize(("state", "overdue"), [("start", {"john"}), ("drift", {"john", "tony"}), ("repair", set())])
def test_the_training_export_tells_who_is_overdue(state: str, overdue: set[str]) -> None:
    today = NOW.date().isoformat()
    rows = company.training_rows(NOW, state)
    assert {r["Mail"].partition(".")[0] for r in rows if not r["Completed"] and r["Due"] < today} == overdue
    assert all(r["Assigned"] <= (r["Completed"] or today) <= today for r in rows)
    assert len({(r["Mail"], r["Course"]) for r in rows}) == len(rows)


@pytest.mark.parametrize(("state", "unresolved"), [("start", 1), ("drift", 2), ("repair", 0)])
def test_the_incident_export_tells_what_is_open(state: str, unresolved: int) -> None:
    rows = company.incident_rows(NOW, state)
    assert sum(row["State"] == "Open" for row in rows) == unresolved
    assert all(bool(row["Resolved"]) == (row["State"] == "Resolved") for row in rows)
    assert all(row["Occurred"] <= row["Detected"] <= (row["Resolved"] or "9") for row in rows)


def test_the_people_export_has_its_columns() -> None:
    (first, *others) = company.hr_rows(NOW)
    assert list(first) == ["Employee No", "Mail", "Name", "Department", "Manager", "Start", "End", "Type"]
    assert len(others) == len(company.PEOPLE) - 1
    assert {row["Mail"] for row in [first, *others] if row["End"]} == {
        "edsger.dijkstra@example.com",
        "niklaus.wirth@example.com",
    }
