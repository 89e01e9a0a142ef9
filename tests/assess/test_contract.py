"""The contract of a check: what its rows must be, or all of it is an error."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annexa.assess.evidence import TableEvidence

PEOPLE = [{"id": "1", "email": "ada@example.com"}, {"id": "2", "email": "bob@example.com"}, {"id": "3", "email": None}]
PASS = "select id as resource, 'pass' as status, 'r' as reason from person"


@pytest.fixture
def people(bench: Any) -> dict[str, Any]:
    return {"person": bench.table(bench.person, PEOPLE)}


def test_verdicts_counts_and_cites(bench: Any, judge: Any, people: Any) -> None:
    query = """select id as resource, 'person ' || id as reason,
               case when email is null then 'error' when id = '1' then 'pass' else 'fail' end as status from person"""
    outcome, verdicts = judge(bench.check(query), people)
    assert (outcome.status, outcome.counts, outcome.rows) == ("error", {"pass": 1, "fail": 1, "error": 1}, 3)
    assert outcome.reason == "1 error, 1 fail, 1 pass"
    assert [(v["resource"], v["status"], v["reason"], v["source"], v["scope"]) for v in verdicts] == [
        ("1", "pass", "person 1", "", ""),
        ("2", "fail", "person 2", "", ""),
        ("3", "error", "person 3", "", ""),
    ]
    assert [(cite.table, cite.segment.shard) for cite in outcome.cites] == [("person", "hr/global/people")]
    assert outcome.oldest == bench.as_of


BROKEN = {
    f"{PASS} union all select '1', 'fail', 'again' from person where id = '1'": "'1' 2 times",
    f"{PASS} where id < '3'": "in the population but not judged ('3')",
    "select id || 'x' as resource, 'pass' as status, 'r' as reason from person": "not judged ('1', '2', '3')",
    f"{PASS} union all select '9', 'pass', 'r' from person limit 4": "judged but not in the population ('9')",
    "select null as resource, 'pass' as status, 'r' as reason from person": "a row has no resource",
    "select '' as resource, 'pass' as status, 'r' as reason from person": "a row has no resource",
    "select '*' as resource, 'pass' as status, 'r' as reason from person": "engine's own",
    "select id as resource, null as status, 'r' as reason from person": "status is null",
    "select id as resource, case id when '1' then 'pass' end as status, 'r' as reason from person": "status is null (2",
    "select id as resource, 'passed' as status, 'r' as reason from person": "status is none of pass, fail, na, error",
    "select id as resource, 'incomplete' as status, 'r' as reason from person": "status is none of",
    "select id as resource, 'exempt' as status, 'r' as reason from person": "status is none of",
    "select id as resource, 'Pass' as status, 'r' as reason from person": "status is none of",
    "select id as resource, 'pass' as status, email as reason from person": "a row has no reason (1 of",
    "select id as resource, 'pass' as status, '' as reason from person": "a row has no reason",
    "select id as resource, 'pass' as status from person": "gives no column reason",
    "select id as resouce, 'pass' as status, 'r' as reason from person": "gives no column resource",
    "select id as resource, 'pass' as status, 'r' as reason, email from person": "gives the column email",
    "select id as resource, 'pass' as status, 'r' as reason from nobody": "'nobody' is not declared",
    "select id as resource, 'pass' as status, cast('r' as integer) || 'r' as reason from person": "Could not convert",
    "select unknown as resource, 'pass' as status, 'r' as reason from person": "unknown",
}


@pytest.mark.parametrize("query", BROKEN, ids=range(len(BROKEN)))
def test_one_breach_makes_the_whole_check_an_error(bench: Any, judge: Any, people: Any, query: str) -> None:
    outcome, verdicts = judge(bench.check(query), people)
    assert BROKEN[query] in outcome.reason
    assert outcome.status == "error"
    assert outcome.counts == {"error": 1}
    assert [(v["resource"], v["status"], v["reason"]) for v in verdicts] == [("*", "error", outcome.reason)]


@pytest.mark.parametrize(
    ("population", "words"),
    [
        ("select email as resource from person", "rows of its population have no resource"),
        ("select id from person", "the population gives no column resource"),
        ("select id as resource, email from person", "the population gives the column email"),
        ("select '1' as resource", "none of the declared tables"),
        ("select id as resource from person where id <> '2'", "judged but not in the population ('2')"),
    ],
)
def test_the_population_is_held_to_it_too(bench: Any, judge: Any, people: Any, population: str, words: str) -> None:
    outcome, _ = judge(bench.check(PASS, population), people)
    assert outcome.status == "error"
    assert words in outcome.reason


def test_the_population_is_a_set_in_any_order(bench: Any, judge: Any, people: Any) -> None:
    population = "select id as resource from person union all select id from person order by 1 desc"
    outcome, _ = judge(bench.check(PASS, population), people)
    assert (outcome.status, outcome.rows) == ("pass", 3)


def test_an_empty_population_is_na_never_pass(bench: Any, judge: Any) -> None:
    check = bench.check(PASS)
    outcome, verdicts = judge(check, {"person": bench.table(bench.person, [])})
    assert (outcome.status, outcome.counts, outcome.reason) == ("na", {"na": 1}, "the population is empty")
    assert [(v["resource"], v["status"], v["reason"]) for v in verdicts] == [("*", "na", "the population is empty")]


def test_the_same_id_in_two_sources_is_two_resources(bench: Any, judge: Any) -> None:
    segments = tuple(bench.seal([{"id": "1"}], source=source) for source in ("okta", "entra"))
    evidence = {"person": TableEvidence(bench.person, segments)}
    query = "select source, scope, id as resource, 'pass' as status, 'r' as reason from person"
    keyed, verdicts = judge(bench.check(query, "select source, scope, id as resource from person"), evidence)
    assert keyed.status == "pass"
    assert [v["source"] for v in verdicts] == ["entra", "okta"]
    coarse, _ = judge(bench.check(query), evidence)
    assert coarse.status == "pass"
    bare, _ = judge(bench.check(PASS), evidence)
    assert "'1' 2 times" in bare.reason
    half = "select source, scope, id as resource from person where source = 'okta'"
    assert "judged but not in the population ('1')" in judge(bench.check(query, half), evidence)[0].reason


def test_source_and_scope_stand_with_each_verdict(bench: Any, judge: Any) -> None:
    query = "select source, scope, id as resource, 'pass' as status, 'r' as reason from person"
    places = [("a", "x"), ("a", "y"), ("b", "x")]
    for some in (places, places[:2], places[:1], places[::2]):
        segments = tuple(bench.seal([{"id": "1"}, {"id": "2"}], source=one, scope=other) for one, other in some)
        evidence = {"person": TableEvidence(bench.person, segments)}
        _, verdicts = judge(bench.check(query, "select source, scope, id as resource from person"), evidence)
        assert [(v["source"], v["scope"], v["resource"]) for v in verdicts] == [(*p, n) for p in some for n in "12"]


def test_evidence_and_odd_texts_come_out_as_json(bench: Any, judge: Any) -> None:
    odd = 'q"uo\\te\n\x01ü\u2028 {"a":1}'
    evidence = "{'ids': [1, 2], 'note': email} as evidence"
    query = f"select id as resource, 'fail' as status, email as reason, {evidence} from person"
    _, verdicts = judge(bench.check(query), {"person": bench.table(bench.person, [{"id": odd, "email": odd}])})
    assert verdicts == [
        {
            "resource": odd,
            "status": "fail",
            "reason": odd,
            "source": "",
            "scope": "",
            "evidence": {"ids": [1, 2], "note": odd},
        }
    ]


def test_evidence_that_is_null_is_null(bench: Any, judge: Any, people: Any) -> None:
    query = "select id as resource, 'fail' as status, 'r' as reason, email as evidence from person"
    assert [v["evidence"] for v in judge(bench.check(query), people)[1]] == ["ada@example.com", "bob@example.com", None]


def test_parameters_and_the_moment_are_bound(bench: Any, judge: Any) -> None:
    people = {"person": bench.table(bench.person, [{"id": "1", "left_at": "2026-09-09T00:00:00Z"}])}
    query = """select id as resource, case when left_at > $as_of - to_hours($hours) and list_contains($domains, 'x')
               then 'na' else 'fail' end as status, cast($as_of as varchar) as reason from person"""
    for hours, status in ((25, "na"), (23, "fail")):
        check = bench.check(query, params={"hours": hours, "domains": ["x"], "unused": True})
        outcome, verdicts = judge(check, people)
        assert (outcome.status, verdicts[0]["reason"]) == (status, "2026-09-10 00:00:00+00")


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6).filter(lambda name: name != "*")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(names, unique=True, max_size=12), st.randoms(use_true_random=False))
def test_results_are_sorted_by_bytes_whatever_the_order(bench: Any, judge: Any, ids: list[str], dice: Any) -> None:
    shuffled = dice.sample(ids, len(ids))
    table = type(bench.person)("person", bench.person.columns)
    query = "select id as resource, 'pass' as status, 'r' as reason from person order by hash(id || $salt)"
    check = bench.check(query, params={"salt": str(dice.random())})
    outcome, verdicts = judge(check, {"person": bench.table(table, [{"id": one} for one in shuffled])})
    if ids:
        assert [v["resource"] for v in verdicts] == sorted(ids, key=str.encode)
        assert outcome.status == "pass"


def test_many_rows_come_out_whole_and_in_order(bench: Any, judge: Any) -> None:
    rows = [{"id": f"{number:06}", "email": "x" * (number % 50)} for number in range(60_000)]
    query = "select id as resource, 'fail' as status, 'r' || email as reason from person"
    outcome, verdicts = judge(bench.check(query), {"person": bench.table(bench.person, rows)})
    assert outcome.rows == 60_000
    assert [(v["resource"], v["reason"]) for v in verdicts] == [(row["id"], f"r{row['email']}") for row in rows]
