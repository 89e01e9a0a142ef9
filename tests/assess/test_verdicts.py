"""What the state of the evidence does to verdicts. The law: nothing but complete and fresh evidence carries a pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annexa.assess import verdicts
from annexa.assess.verdicts import Condition, EngineRow, Trouble

conditions = st.builds(
    Condition, st.sampled_from(Trouble), st.sampled_from(["person", "account"]), st.text(min_size=1, max_size=9)
)
statuses = st.sampled_from(["pass", "fail", "na", "error"])


def rewritten(found: list[Condition], given_status: str) -> str:
    return dict(verdicts.modifier(found).rewrite).get(given_status, given_status)


@given(st.lists(conditions, min_size=1), statuses)
def test_never_a_pass_when_anything_is_wrong(found: list[Condition], status: str) -> None:
    alone = verdicts.preventing(found)
    if alone is not None:
        assert alone.status in ("error", "na")
        return
    row = verdicts.modifier(found).row
    assert row is not None
    assert row.status in ("incomplete", "stale")
    assert rewritten(found, status) not in ("pass", "na")
    assert verdicts.worst([rewritten(found, status), row.status]) not in ("pass", "na")


gaps = st.builds(Condition, st.just(Trouble.GAP), st.just("person"), st.text(min_size=1, max_size=9))


@given(st.lists(gaps, min_size=1))
def test_a_failure_that_was_seen_stays_a_failure(found: list[Condition]) -> None:
    assert rewritten(found, "fail") == "fail"
    assert rewritten(found, "error") == "error"
    assert verdicts.preventing(found) is None


@given(st.lists(conditions, max_size=4))
def test_old_evidence_shows_nothing_at_all(found: list[Condition]) -> None:
    found = [*found, Condition(Trouble.STALE, "person", "old")]
    for status in ("pass", "fail", "na"):
        assert rewritten(found, status) == "stale"
    assert rewritten(found, "error") == "error"


def test_too_old_and_in_part_is_the_worse_of_both() -> None:
    found = [Condition(Trouble.STALE, "person", "old"), Condition(Trouble.GAP, "account", "a page is missing")]
    assert verdicts.modifier(found).row == EngineRow("incomplete", "account: a page is missing; person: old")


@pytest.mark.parametrize(
    ("troubles", "status"),
    [
        ([Trouble.BROKEN, Trouble.NOWHERE], "error"),
        ([Trouble.NOWHERE, Trouble.MISSING, Trouble.GAP], "error"),
        ([Trouble.NOWHERE, Trouble.GAP, Trouble.STALE], "na"),
        ([Trouble.GAP, Trouble.STALE], None),
        ([], None),
    ],
)
def test_what_prevents_a_check(troubles: list[Trouble], status: str | None) -> None:
    row = verdicts.preventing([Condition(trouble, "person", "why") for trouble in troubles])
    assert (row.status if row else None) == status


def test_complete_and_fresh_evidence_changes_nothing() -> None:
    assert verdicts.modifier([]) == verdicts.NOTHING
    assert verdicts.preventing([]) is None


def test_the_reason_names_the_first_few() -> None:
    found = [Condition(Trouble.GAP, "person", f"shard {n}") for n in range(5)]
    modifier = verdicts.modifier(found)
    assert modifier.row == EngineRow("incomplete", "person: shard 0; person: shard 1; person: shard 2; and 2 more")
    assert modifier.suffix == " (not everything was seen: person: shard 0)"


@given(st.lists(st.sampled_from(verdicts.RANK)))
def test_the_worst_is_named_and_order_does_not_matter(found: list[str]) -> None:
    worst = verdicts.worst(found)
    assert worst == verdicts.worst(list(reversed(found)))
    assert all(verdicts.RANK.index(worst) <= verdicts.RANK.index(status) for status in found)
    assert worst in found or (not found and worst == "na")


def test_the_summary_counts_without_the_engines_own_row() -> None:
    row = EngineRow("incomplete", "person: a page is missing")
    assert verdicts.summary({"incomplete": 3, "fail": 1}, row) == "1 fail, 2 incomplete; person: a page is missing"
    assert verdicts.summary({"pass": 7}, None) == "7 pass"
    assert verdicts.summary({"na": 1}, verdicts.EMPTY) == "the population is empty"
