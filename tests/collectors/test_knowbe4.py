"""The KnowBe4 collector against the simulator: archived users, numbered pages, phishing results, and refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from annexa.errors import CollectError, Denied
from annexa.sdk import Http, PageNumber
from annexa.secrets import Secret
from collectors.knowbe4 import KnowBe4Config, connect, knowbe4
from tests.collectors.harness import NOW, Fetched, fetch
from tests.simulators.knowbe4 import KnowBe4Simulator, drift, repair, start

Collect = Callable[..., Fetched]
PAGE = 4


@pytest.fixture
def simulator() -> Iterator[KnowBe4Simulator]:
    with KnowBe4Simulator(start(NOW), page_size=PAGE).start() as running:
        yield running


@pytest.fixture
def collect(simulator: KnowBe4Simulator, monkeypatch: pytest.MonkeyPatch) -> Collect:
    def run(name: str, *, token: str = "knowbe4-token") -> Fetched:
        monkeypatch.setenv("KNOWBE4_TOKEN", token)
        return fetch(knowbe4, KnowBe4Config(token=Secret("env:KNOWBE4_TOKEN"), url=simulator.url), name)

    return run


class _Opened:
    """Notes what a collector opens, and opens nothing."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.pagings: list[object] = []

    def http(self, base_url: str, *, auth: object = None, paging: object = None, headers: object = None) -> Http | None:
        self.urls.append(base_url)
        self.pagings.append(paging)
        return None


@pytest.mark.parametrize("region", ["us", "eu", "ca", "uk", "de"])
def test_the_region_is_part_of_the_address(region: str) -> None:
    opened = _Opened()
    connect(KnowBe4Config(token=Secret("env:KNOWBE4_TOKEN"), region=region), opened)
    assert opened.urls == [f"https://{region}.api.knowbe4.com"]
    assert opened.pagings == [PageNumber(size=500)]


def test_active_and_archived_users_are_listed_over_several_pages(simulator: KnowBe4Simulator, collect: Collect) -> None:
    found = collect("users")
    assert found.pairs("id", "email", "status", "archived_at", "current_risk_score") == {
        (u["id"], u["email"], u["status"], u["archived_at"], u["current_risk_score"]) for u in simulator.state["users"]
    }
    assert found.by("email")["niklaus.wirth@example.com"]["status"] == "archived"
    assert found.by("email")["frances.allen@example.com"]["employee_start_date"] == "2026-09-07T12:00:00.000Z"


def test_every_enrolment_is_listed(simulator: KnowBe4Simulator, collect: Collect) -> None:
    found = collect("enrollments")
    assert found.pairs("enrollment_id", "user_email", "module_name", "status", "completion_date") == {
        (e["enrollment_id"], e["user"]["email"], e["module_name"], e["status"], e["completion_date"])
        for e in simulator.state["enrollments"]
    }
    unbegun = {row["status"] for row in found.rows if row["user_email"] == "john.backus@example.com"}
    assert unbegun == {"Not Started"}


def test_phishing_results_of_every_test(simulator: KnowBe4Simulator, collect: Collect) -> None:
    simulator.state = drift(NOW)
    found = collect("phishing_results")
    assert found.pairs("recipient_id", "pst_id", "user_email", "clicked_at", "reported_at") == {
        (r["recipient_id"], r["pst_id"], r["user"]["email"], r["clicked_at"], r["reported_at"])
        for results in simulator.state["recipients"].values()
        for r in results
    }
    entered = [row for row in found.rows if row["data_entered_at"]]
    assert [(row["pst_id"], row["user_email"]) for row in entered] == [(502, "tony.hoare@example.com")]
    assert {row["template_name"] for row in found.rows} == {"Parcel notice"}


def test_one_test_whose_recipients_fail_is_a_flaw_and_the_others_go_on(
    simulator: KnowBe4Simulator, collect: Collect
) -> None:
    simulator.state = drift(NOW)
    simulator.fail("/v1/phishing/security_tests/501/recipients", page=2, status=500)
    found = collect("phishing_results")
    assert [flaw.part for flaw in found.flaws] == ["recipients of phishing test 501"]
    assert {row["pst_id"] for row in found.rows} >= {502}


def test_repair_shows(simulator: KnowBe4Simulator, collect: Collect) -> None:
    simulator.state = repair(NOW)
    done = [row for row in collect("enrollments").rows if row["user_email"] == "john.backus@example.com"]
    assert {row["status"] for row in done} == {"Passed"}
    assert all(row["completion_date"] and row["policy_acknowledged"] for row in done)
    assert collect("users").by("email")["edsger.dijkstra@example.com"]["status"] == "archived"


@pytest.mark.parametrize(("name", "path"), [("users", "/v1/users"), ("enrollments", "/v1/training/enrollments")])
def test_an_error_on_page_two_is_never_a_short_list(
    simulator: KnowBe4Simulator, collect: Collect, name: str, path: str
) -> None:
    simulator.fail(path, page=2, status=500)
    with pytest.raises(CollectError):
        collect(name)


@pytest.mark.parametrize("name", sorted(knowbe4.fetches))
def test_a_bad_token_is_denied(collect: Collect, name: str) -> None:
    with pytest.raises(Denied):
        collect(name, token="knowbe4-wrong-token")


def test_a_body_cut_short_is_an_error(simulator: KnowBe4Simulator, collect: Collect) -> None:
    simulator.truncate("/v1/training/enrollments", page=2)
    with pytest.raises(CollectError):
        collect("enrollments")
