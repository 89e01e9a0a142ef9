"""Sources that come, go, were never asked, or grow old."""

from __future__ import annotations

import pytest

from tests.cycle.estate import SOURCES, Estate, above, no_pass

GITHUB = (
    "github_member",
    "github_member_2fa_disabled",
    "github_outside_collaborator",
    "github_organisation",
    "github_repository",
    "github_branch_protection",
)


def only(ltd: Estate, *names: str) -> None:
    ltd.sources = {name: SOURCES[name] for name in names}


@pytest.mark.slow
def test_what_a_removed_source_showed_does_not_go_on_counting(ltd: Estate) -> None:
    only(ltd, "code", "people", "owners", "incidents")
    ltd.scan()
    first = ltd.results()
    mine = above(*GITHUB) & first.keys()
    assert {first[check].status for check in mine} >= {"pass", "fail"}
    assert ltd.effectiveness()["A.5.25"] == "effective"
    raised = {key for key in ltd.nonconformities() if key[0] in mine}
    only(ltd, "people", "owners", "incidents")
    second = ltd.scan()
    assert {ltd.results()[check].status for check in mine} == {"unsourced"}
    assert all(ltd.results()[check].counts == {} for check in mine)
    derived = ltd.effectiveness()
    others = {control for name, result in first.items() if name not in mine for control in result.controls}
    for control in {control for check in mine for control in first[check].controls} - others:
        assert derived[control] == "not demonstrated", control
    assert derived["A.5.25"] == "effective", "what has its source still is"
    assert second.nonconformities["resolved"] == []
    assert {ltd.nonconformities()[key].state for key in raised} == {"open"}


@pytest.mark.slow
def test_a_source_that_was_never_asked_is_a_gap_and_the_latest_evidence_of_the_others_counts(ltd: Estate) -> None:
    only(ltd, "code", "people", "owners", "incidents")
    assert ltd.scan("people", "incidents").exit_code == 2
    no_pass(ltd, above(*GITHUB) & ltd.results().keys())
    assert "never collected" in ltd.results()["github-force-push"].reason
    assert ltd.results()["incident-contained-in-time"].status == "pass"
    assert ltd.scan("code", "owners").exit_code == 1
    assert ltd.results()["github-two-factor-required"].status == "pass"
    assert ltd.results()["incident-contained-in-time"].status == "pass", "from the first run's evidence"


@pytest.mark.slow
def test_a_record_is_not_resolved_by_taking_its_source_out(ltd: Estate) -> None:
    """The check goes on with the accounts of another system, and those are all in order."""
    only(ltd, "code", "okta")
    ltd.scan()
    record = ltd.nonconformities()["people-mfa", "okta"]
    assert (record.state, record.resources) == ("open", 2)
    only(ltd, "code")
    second = ltd.scan()
    assert ltd.results()["people-mfa"].status == "pass"
    assert second.nonconformities["resolved"] == []
    assert ltd.nonconformities()["people-mfa", "okta"].state == "open"
    only(ltd, "code", "okta")
    ltd.become("repair")
    ltd.okta.state["factors"] = {
        user["id"]: [{"id": "f", "factorType": "push", "status": "ACTIVE"}] for user in ltd.okta.state["users"]
    }
    assert record.id in ltd.scan().nonconformities["resolved"], "seen again, it can be"


def test_an_export_that_has_grown_old_is_stale_unless_its_source_may_be_that_old(ltd: Estate) -> None:
    only(ltd, "incidents")
    ltd.age("incidents", hours=8 * 24)
    summary = ltd.scan()
    assert (summary.exit_code, summary.unseen) == (3, [])
    checks = above("incident") & ltd.results().keys()
    no_pass(ltd, checks)
    assert {ltd.results()[check].status for check in checks} == {"stale"}
    assert all(kpi.value is None for kpi in summary.kpis if kpi.kpi.startswith("incident"))
    assert ltd.nonconformities() == {}, "what is too old raises nothing either"
    ltd.sources["incidents"] += ", max_age: 30d"
    assert ltd.scan().exit_code == 1
    assert ltd.results()["incident-contained-in-time"].status == "pass"
    assert ("incident-resolved-in-time", "incidents") in ltd.nonconformities()


def test_an_excluded_check_that_passed_once_is_not_judged_any_more(ltd: Estate) -> None:
    only(ltd, "incidents")
    ltd.scan()
    assert ltd.effectiveness()["A.5.25"] == "effective"
    ltd.more = "checks: {exclude: [incident-contained-in-time]}\n"
    ltd.scan()
    assert ltd.results()["incident-contained-in-time"].status == "unsourced"
    assert ltd.effectiveness()["A.5.25"] == "not demonstrated"
