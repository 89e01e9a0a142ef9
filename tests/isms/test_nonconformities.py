from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annexa import clock
from annexa.events import NonconformityRaised, NonconformityReopened, NonconformityResolved, NonconformityUpdated
from annexa.isms.nonconformities import Context, Failure, Happening, Judged, Known, Policy, decide, fingerprint

AS_OF = datetime(2026, 9, 1, tzinfo=UTC)
POLICY = Policy(
    grades={"critical": "major", "high": "major", "medium": "minor", "low": "observation"},
    due_days={"critical": 7, "high": 30, "medium": 60, "low": 90},
    group_by=("source",),
    owners={"default": "CISO", "A.8.20": "Head of IT"},
)
SOURCES = frozenset({"okta", "aws"})
CONTEXT = Context(POLICY, frozenset({"A.5.17", "A.8.5", "A.8.20"}), {"A.5.17": "Head of People"}, SOURCES, AS_OF)


def judged(*resources: str, clean: bool = True, source: str = "okta", control: str = "A.5.17") -> Judged:
    failures = tuple(Failure(source, "global", resource, "no second factor") for resource in resources)
    return Judged("mfa", "Everybody has a second factor", "high", (control, "A.8.5"), clean, failures)


def known(state: str, *, source: str = "okta", resources: int = 1, shown: str = "before") -> Known:
    return Known("NC-0007", fingerprint("A.5.17", "mfa", source, ""), "mfa", source, state, shown, resources)


def one(checks: list[Judged], records: list[Known]) -> Happening:
    [event] = decide(checks, records, CONTEXT, next_number=8)
    return event


def test_a_failure_raises_a_record_with_grade_owner_and_due_date() -> None:
    event = one([judged("ada", "grace")], [])
    assert isinstance(event, NonconformityRaised)
    assert (event.id, event.grade, event.owner, event.resources) == ("NC-0008", "major", "Head of People", 2)
    assert event.due_at == clock.text(AS_OF + timedelta(days=30))
    assert "ada: no second factor" in event.statement


def test_owner_comes_from_policy_then_statement_then_default() -> None:
    assert POLICY.owner("A.8.20", "Somebody") == "Head of IT"
    assert POLICY.owner("A.5.17", "Head of People") == "Head of People"
    assert POLICY.owner("A.5.17", None) == "CISO"


def test_same_failures_again_do_nothing() -> None:
    first = one([judged("ada")], [])
    assert isinstance(first, NonconformityRaised)
    record = Known(first.id, first.fingerprint, first.check, first.source, "open", first.shown, first.resources)
    assert decide([judged("ada")], [record], CONTEXT, next_number=9) == []


def test_other_words_for_the_same_resources_do_nothing() -> None:
    first = one([judged("ada")], [])
    assert isinstance(first, NonconformityRaised)
    record = Known(first.id, first.fingerprint, first.check, first.source, "open", first.shown, first.resources)
    [ada] = judged("ada").failures
    later = replace(judged("ada"), failures=(replace(ada, reason="no second factor for 9 days"),))
    assert decide([later], [record], CONTEXT, next_number=9) == []


def test_other_resources_update_the_record() -> None:
    assert isinstance(one([judged("ada", "grace")], [known("open")]), NonconformityUpdated)


def test_clean_evidence_resolves_and_blind_evidence_does_not() -> None:
    assert isinstance(one([judged()], [known("open")]), NonconformityResolved)
    assert decide([judged(clean=False)], [known("open")], CONTEXT, next_number=8) == []


def test_nothing_resolves_what_a_removed_source_showed() -> None:
    without = replace(CONTEXT, sources=frozenset({"aws"}))
    assert decide([judged()], [known("open")], without, next_number=8) == []


def test_a_blind_check_never_shrinks_a_record() -> None:
    assert decide([judged("ada", clean=False)], [known("open", resources=2)], CONTEXT, next_number=8) == []


def test_resolved_record_is_reopened_not_raised_again() -> None:
    event = one([judged("ada", clean=False)], [known("resolved")])
    assert isinstance(event, NonconformityReopened)
    assert event.id == "NC-0007"


def test_failure_after_closure_is_a_new_record_that_names_the_old_one() -> None:
    event = one([judged("ada")], [known("closed")])
    assert isinstance(event, NonconformityRaised)
    assert event.recurrence_of == "NC-0007"


def test_sources_are_apart() -> None:
    two = Judged(
        "mfa", "…", "high", ("A.5.17",), True, (*judged("ada").failures, *judged("bob", source="aws").failures)
    )
    events = decide([two], [], CONTEXT, next_number=1)
    assert [(e.id, e.source) for e in events if isinstance(e, NonconformityRaised)] == [
        ("NC-0001", "okta"),
        ("NC-0002", "aws"),
    ]
    assert isinstance(
        decide([judged("bob", source="aws")], [known("open")], CONTEXT, next_number=8)[1], NonconformityResolved
    )


def test_check_on_excluded_controls_raises_and_resolves_nothing() -> None:
    excluded = Judged("x", "…", "low", ("A.7.6",), True, judged("ada").failures)
    record = Known("NC-0001", fingerprint("A.7.6", "x", "okta", ""), "x", "okta", "open", "…", 1)
    assert decide([excluded], [record], CONTEXT, next_number=2) == []


@pytest.mark.parametrize("scopes", [("eu-west-1", "us-east-1")])
def test_policy_may_group_by_scope(scopes: tuple[str, str]) -> None:
    failures = tuple(Failure("aws", scope, "sg-1", "open") for scope in scopes)
    policy = Policy(POLICY.grades, POLICY.due_days, ("source", "scope"), POLICY.owners)
    context = Context(policy, CONTEXT.applicable, {}, SOURCES, AS_OF)
    events = decide([Judged("ssh", "…", "high", ("A.8.20",), True, failures)], [], context, next_number=1)
    assert [e.scope for e in events if isinstance(e, NonconformityRaised)] == list(scopes)


def follow(records: dict[str, Known], events: list[Happening]) -> None:
    """What the projection does, for the property below."""
    for e in events:
        if isinstance(e, NonconformityRaised):
            assert e.fingerprint not in {r.fingerprint for r in records.values() if r.state != "closed"}
            records[e.id] = Known(e.id, e.fingerprint, e.check, e.source, "open", e.shown, e.resources)
        else:
            state = "resolved" if isinstance(e, NonconformityResolved) else "open"
            old = records[e.id]
            count = 0 if isinstance(e, NonconformityResolved) else e.resources
            shown = "" if isinstance(e, NonconformityResolved) else e.shown
            records[e.id] = Known(e.id, old.fingerprint, old.check, old.source, state, shown, count)


runs = st.lists(st.tuples(st.sets(st.sampled_from("abcd")), st.booleans()), min_size=1, max_size=12)


@given(runs)
def test_over_any_sequence_there_is_one_record_per_fingerprint_in_the_right_state(
    history: list[tuple[set[str], bool]],
) -> None:
    records: dict[str, Known] = {}
    for resources, clean in history:
        events = decide(
            [judged(*sorted(resources), clean=clean)], records.values(), CONTEXT, next_number=len(records) + 1
        )
        before = {r.state for r in records.values()}
        follow(records, events)
        states = [r.state for r in records.values()]
        assert len(states) <= 1
        if resources:
            assert states == ["open"]
        elif clean:
            assert "open" not in states
        else:
            assert set(states) == before
