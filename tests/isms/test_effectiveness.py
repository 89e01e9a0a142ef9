from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annexa.isms.catalogue import Control
from annexa.isms.effectiveness import BLIND, CheckSummary, Derived, Effectiveness, changes, derive

CONTROL = Control("A.8.5", "Secure authentication", "technological", "…", "strong", "…", "…", {})
MANUAL = Control("A.5.4", "Management responsibilities", "organizational", "…", "manual", "…", "…", {})


def check(status: str, severity: str = "high", controls: tuple[str, ...] = ("A.8.5",), **counts: int) -> CheckSummary:
    named = {"pass_": "pass"}
    return CheckSummary("c", severity, controls, status, {named.get(k, k): v for k, v in counts.items()})


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        ([], "not demonstrated"),
        ([check("unsourced")], "not demonstrated"),
        ([check("pass", pass_=3)], "effective"),
        ([check("na", na=1)], "not demonstrated"),
        ([check("fail", pass_=9, fail=1)], "partially effective"),
        ([check("fail", pass_=1, fail=9)], "ineffective"),
        ([check("fail", "critical", pass_=99, fail=1)], "ineffective"),
        ([check("incomplete", incomplete=4)], "not demonstrated"),
        ([check("pass", pass_=3), check("error", error=1)], "not demonstrated"),
        ([check("pass", pass_=3), check("stale", stale=5)], "not demonstrated"),
        ([check("pass", pass_=3), check("na", na=1)], "effective"),
        ([check("fail", pass_=3, fail=1, incomplete=1), check("pass", pass_=1)], "partially effective"),
        ([check("pass", controls=("A.5.1",), pass_=3)], "not demonstrated"),
    ],
)
def test_effectiveness_of_a_control(checks: list[CheckSummary], expected: str) -> None:
    assert derive(CONTROL, checks).effectiveness == expected


def test_share_is_per_check_so_that_a_large_one_does_not_drown_a_small_one() -> None:
    large, small = check("pass", pass_=1000), check("fail", fail=2)
    assert derive(CONTROL, [large, small]).score == pytest.approx(0.5)


def test_threshold_makes_a_few_failures_tolerable_but_never_while_blind() -> None:
    tolerant = Control("A.8.5", "…", "…", "…", "strong", "…", "…", {}, threshold=0.9)
    some = check("fail", pass_=19, fail=1)
    assert derive(tolerant, [some]).effectiveness == "effective"
    assert derive(tolerant, [some, check("stale", stale=1)]).effectiveness == "partially effective"


def test_manual_control_says_that_people_judge_it() -> None:
    assert derive(MANUAL, []).reason == "judged by people only"


counts = st.dictionaries(st.sampled_from(["pass", "fail", "na", "incomplete", "stale", "error"]), st.integers(0, 9))
statuses = st.sampled_from(["pass", "fail", "na", "incomplete", "stale", "error", "unsourced"])
summaries = st.lists(
    st.builds(CheckSummary, st.just("c"), st.sampled_from(["low", "critical"]), st.just(("A.8.5",)), statuses, counts),
    max_size=4,
)


@given(summaries)
def test_never_effective_from_what_was_not_seen(checks: list[CheckSummary]) -> None:
    derived = derive(CONTROL, checks)
    sourced = [c for c in checks if c.status != "unsourced"]
    blind = any(c.status in BLIND or any(c.counts.get(s) for s in BLIND) for c in sourced)
    passes = sum(c.counts.get("pass", 0) for c in sourced)
    if blind or not passes:
        assert derived.effectiveness != Effectiveness.EFFECTIVE


def test_only_changes_become_events() -> None:
    derived = {"A.8.5": Derived(Effectiveness.EFFECTIVE, "3 of 3", 1.0)}
    assert changes({"A.8.5": ("effective", "3 of 3")}, derived) == []
    [event] = changes({"A.8.5": ("ineffective", "3 of 3")}, derived)
    assert (event.control, event.effectiveness) == ("A.8.5", "effective")
