"""Drift, repair and drift again, as the simulators' docstrings tell it, in the nonconformities of three more scans."""

from __future__ import annotations

import pytest

from tests.cycle.estate import Estate

REPAIRED = {
    ("leaver-access", "people"): "the leaver is deprovisioned at Okta",
    ("leaver-login-access", "owners"): "the leaver is gone from GitHub",
    ("github-review-required", "code"): "data-pipeline is protected",
    ("training-overdue", "people"): "john.backus has completed everything",
    ("privileged-without-training", "okta"): "john.backus, the administrator, too",
}
WORSE = {
    ("github-two-factor-required", "code"): "2FA is no longer required",
    ("github-member-two-factor", "code"): "tony.hoare is an owner without 2FA",
    ("privileged-mfa", "okta"): "tony.hoare administers Okta without a factor",
    ("privileged-mfa", "code"): "and owns the organisation at GitHub without one",
    ("phishing-failure", "awareness"): "tony.hoare entered data in a second test",
}
PUBLIC, REVIEW = ("github-public-repository", "code"), ("github-review-required", "code")


@pytest.mark.slow
def test_a_nonconformity_is_raised_updated_resolved_and_reopened_and_never_twice(ltd: Estate) -> None:
    ltd.scan()
    start = ltd.nonconformities()
    assert {(row.state, row.reopened, row.resolved_at) for row in start.values()} == {("open", 0, None)}
    assert start.keys() >= REPAIRED.keys()
    assert not start.keys() & WORSE.keys()

    ltd.become("drift")
    happened = ltd.scan().nonconformities
    drift = ltd.nonconformities()
    new = drift.keys() - start.keys()
    assert new >= WORSE.keys()
    assert {drift[key].id for key in new} == set(happened["raised"])
    assert happened["reopened"] == []
    kept = {key for key in start if drift[key].state == "open"}
    assert {key: drift[key].id for key in start} == {key: row.id for key, row in start.items()}
    assert (drift[PUBLIC].resources, drift[REVIEW].resources) == (start[PUBLIC].resources + 1, 2)
    changed = {drift[key].id for key in kept if drift[key].statement != start[key].statement}
    assert set(happened["updated"]) == changed >= {drift[PUBLIC].id, drift[REVIEW].id}
    assert {start[key].id for key in start.keys() - kept} == set(happened["resolved"]) == set()

    ltd.become("repair")
    happened = ltd.scan().nonconformities
    repair = ltd.nonconformities()
    assert repair.keys() == drift.keys()
    for key in REPAIRED.keys() | new:
        assert (repair[key].state, repair[key].resources) == ("resolved", 0), key
        assert repair[key].resolved_at is not None
    assert (repair[PUBLIC].state, repair[PUBLIC].resources) == ("open", 1), "website is public in every state"
    resolved = {row.id for row in repair.values() if row.state == "resolved"}
    assert set(happened["resolved"]) == resolved
    assert happened["raised"] == happened["reopened"] == []

    ltd.become("drift")
    happened = ltd.scan().nonconformities
    last = ltd.nonconformities()
    assert {key: row.id for key, row in last.items()} == {key: row.id for key, row in drift.items()}
    assert set(happened["reopened"]) == resolved
    assert happened["raised"] == happened["resolved"] == []
    for key, row in last.items():
        again = row.id in resolved
        assert (row.state, row.reopened, row.resolved_at) == ("open", int(again), None), key
        assert (row.raised_at, row.resources) == (drift[key].raised_at, drift[key].resources), key
        assert (row.due_at > drift[key].due_at) == again, "a reopened record gets a new date, another keeps its own"
