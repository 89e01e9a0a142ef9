"""The GitHub collector against the simulator: every row, every page, and the answers that must not be misread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from annexa.errors import CollectError, Denied, NotFound
from annexa.secrets import Secret
from collectors.github import GithubConfig, github
from tests.collectors.harness import NOW, Fetched, fetch
from tests.simulators.github import GithubSimulator, drift, repair, start

Collect = Callable[..., Fetched]
PAGE = 2


@pytest.fixture
def simulator() -> Iterator[GithubSimulator]:
    with GithubSimulator(start(NOW), page_size=PAGE).start() as running:
        yield running


@pytest.fixture
def collect(simulator: GithubSimulator, monkeypatch: pytest.MonkeyPatch) -> Collect:
    def run(name: str, *, token: str = "github-owner-token", organisation: str = "example") -> Fetched:
        monkeypatch.setenv("GITHUB_TOKEN", token)
        config = GithubConfig(organisation=organisation, token=Secret("env:GITHUB_TOKEN"), url=simulator.url)
        return fetch(github, config, name)

    return run


def _repository(simulator: GithubSimulator, name: str) -> dict[str, Any]:
    return next(row for row in simulator.state["repositories"] if row["name"] == name)


def test_the_organisation_is_one_row(collect: Collect) -> None:
    (row,) = collect("organisation").rows
    assert (row["login"], row["two_factor_requirement_enabled"]) == ("example", True)
    assert (row["default_repository_permission"], row["members_can_create_public_repositories"]) == ("read", False)
    assert (row["public_repos"], row["total_private_repos"], row["plan"]) == (1, 5, "team")


def test_what_only_an_owner_may_see_is_null_for_a_member(collect: Collect) -> None:
    (row,) = collect("organisation", token="github-member-token").rows
    assert row["two_factor_requirement_enabled"] is None
    assert row["default_repository_permission"] is None


def test_members_have_their_role_over_several_pages(simulator: GithubSimulator, collect: Collect) -> None:
    found = collect("members")
    assert found.pairs("login", "role") == {(m["login"], m["role"]) for m in simulator.state["members"]}
    assert found.flaws == []
    owners = sum(member["role"] == "admin" for member in simulator.state["members"])
    others = len(simulator.state["members"]) - owners
    assert simulator.count("/orgs/example/members") == -(-owners // PAGE) + -(-others // PAGE)


def test_a_listing_of_members_without_an_owner_is_refused(collect: Collect) -> None:
    with pytest.raises(Denied, match="public members only") as refused:
        collect("members", token="github-stranger-token")
    assert "Members (read)" in refused.value.permission


def test_members_without_2fa_are_found(simulator: GithubSimulator, collect: Collect) -> None:
    assert collect("members_without_2fa").rows == []
    simulator.state = drift(NOW)
    assert [row["login"] for row in collect("members_without_2fa").rows] == ["tony-hoare"]
    assert collect("members").by("login")["tony-hoare"]["role"] == "admin"


def test_a_member_may_not_ask_who_lacks_2fa(collect: Collect) -> None:
    with pytest.raises(Denied) as refused:
        collect("members_without_2fa", token="github-member-token")
    assert refused.value.permission == "organization owner"


def test_another_error_than_the_owner_filter_is_not_a_denial(simulator: GithubSimulator, collect: Collect) -> None:
    simulator.fail("/orgs/example/members", status=422)
    with pytest.raises(CollectError) as failed:
        collect("members_without_2fa")
    assert not isinstance(failed.value, Denied)


def test_the_contractor_is_an_outside_collaborator(collect: Collect) -> None:
    assert [row["login"] for row in collect("outside_collaborators").rows] == ["donald-knuth"]


def test_every_repository_is_listed(simulator: GithubSimulator, collect: Collect) -> None:
    found = collect("repositories")
    rows = simulator.state["repositories"]
    assert found.pairs("id", "full_name", "private", "visibility", "archived", "default_branch", "pushed_at") == {
        (r["id"], r["full_name"], r["private"], r["visibility"], r["archived"], r["default_branch"], r["pushed_at"])
        for r in rows
    }
    assert found.by("name")["platform"]["secret_scanning"] == "enabled"
    assert found.by("name")["platform"]["advanced_security"] is None
    assert found.flaws == []


def test_a_token_that_reaches_some_repositories_only_is_found_out(simulator: GithubSimulator, collect: Collect) -> None:
    simulator.state["hidden"] = [simulator.state["repositories"].pop()]
    (flaw,) = collect("repositories").flaws
    assert "5 of the 6 repositories" in flaw.message
    assert "All repositories" in flaw.remedy


def test_branch_protection_of_every_repository_that_is_not_archived(collect: Collect) -> None:
    found = collect("branch_protection")
    assert found.flaws == []
    assert found.pairs("repository", "branch", "branch_exists", "protected", "required_approving_review_count") == {
        ("example/platform", "main", True, True, 2),
        ("example/website", "main", True, False, None),
        ("example/data-pipeline", "main", True, False, None),
        ("example/infrastructure", "release/stable", True, True, 1),
        ("example/new-service", "main", False, None, None),
    }
    rows = found.by("repository")
    assert rows["example/platform"]["required_status_checks"] == ["ci"]
    assert rows["example/platform"]["require_code_owner_reviews"] is True
    assert rows["example/platform"]["enforce_admins"] is True
    assert rows["example/platform"]["allow_force_pushes"] is False
    assert rows["example/platform"]["rules"] == ["deletion", "pull_request"]
    assert rows["example/website"]["rules"] == ["non_fast_forward", "pull_request"]
    assert rows["example/website"]["ruleset_required_approvals"] == 1
    assert rows["example/data-pipeline"]["rules"] == []
    assert rows["example/data-pipeline"]["ruleset_required_approvals"] is None
    assert rows["example/data-pipeline"]["allow_force_pushes"] is None


def test_the_strictest_number_of_approvals_counts(simulator: GithubSimulator, collect: Collect) -> None:
    rule = simulator.state["rules"]["example/website"]["main"][0]
    stricter = {**rule, "parameters": {**rule["parameters"], "required_approving_review_count": 3}}
    simulator.state["rules"]["example/website"]["main"] += [stricter, rule]
    assert collect("branch_protection").by("repository")["example/website"]["ruleset_required_approvals"] == 3


def test_drift_and_repair_show(simulator: GithubSimulator, collect: Collect) -> None:
    simulator.state = drift(NOW)
    assert collect("branch_protection").by("repository")["example/infrastructure"]["protected"] is False
    assert collect("repositories").by("name")["data-pipeline"]["visibility"] == "public"
    assert collect("organisation").rows[0]["two_factor_requirement_enabled"] is False
    simulator.state = repair(NOW)
    assert collect("branch_protection").by("repository")["example/data-pipeline"]["protected"] is True
    assert "edsger-dijkstra" not in collect("members").by("login")


def test_a_404_that_does_not_say_unprotected_is_a_flaw(simulator: GithubSimulator, collect: Collect) -> None:
    found = collect("branch_protection", token="github-member-token")
    active = sum(not row["archived"] for row in simulator.state["repositories"])
    assert found.rows == []
    assert len(found.flaws) == active


def test_a_refused_protection_is_a_flaw_and_the_others_go_on(simulator: GithubSimulator, collect: Collect) -> None:
    simulator.deny("/repos/example/platform/branches/main/protection")
    found = collect("branch_protection")
    assert [flaw.part for flaw in found.flaws] == ["branch protection of example/platform"]
    assert len(found.rows) == 4


def test_a_repository_listed_without_its_default_branch_is_a_flaw(simulator: GithubSimulator, collect: Collect) -> None:
    _repository(simulator, "website")["default_branch"] = None
    assert [flaw.part for flaw in collect("branch_protection").flaws] == ["branch protection of example/website"]


def test_rulesets_that_only_evaluate_say_so(collect: Collect) -> None:
    assert collect("rulesets").pairs("name", "enforcement") == {("Reviewed changes", "active"), ("Trial", "evaluate")}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("members", "/orgs/example/members"),
        ("repositories", "/orgs/example/repos"),
        ("branch_protection", "/orgs/example/repos"),
    ],
)
def test_an_error_on_page_two_is_never_a_short_list(
    simulator: GithubSimulator, collect: Collect, name: str, path: str
) -> None:
    simulator.fail(path, page=2, status=500)
    with pytest.raises(CollectError):
        collect(name)


@pytest.mark.parametrize("name", sorted(github.fetches))
def test_a_bad_token_is_denied(collect: Collect, name: str) -> None:
    with pytest.raises(Denied):
        collect(name, token="github-wrong-token")


def test_an_unknown_organisation_is_not_found(collect: Collect) -> None:
    with pytest.raises(NotFound):
        collect("organisation", organisation="elsewhere")


def test_a_body_cut_short_is_an_error(simulator: GithubSimulator, collect: Collect) -> None:
    simulator.truncate("/orgs/example/repos", page=2)
    with pytest.raises(CollectError):
        collect("repositories")
