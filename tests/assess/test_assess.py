"""The room as a whole: evidence in whatever state, verdicts out; nothing but complete and fresh evidence passes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from annexa.assess.assess import assess
from annexa.assess.entities import Entity
from annexa.assess.evidence import Gap, TableEvidence
from annexa.assess.sandbox import Limits, Sandbox
from annexa.assess.session import Session
from annexa.errors import PackError
from annexa.sdk import Table

QUERY = """select id as resource, case when email is null then 'fail' when id = '3' then 'na' else 'fail' end as status,
           coalesce(email, 'none') as reason from person"""
MIXED = """select id as resource, case when id = '1' then 'pass' when id = '2' then 'fail' when id = '3' then 'na'
           else 'error' end as status, 'r' as reason from person"""
PEOPLE = [{"id": "1", "email": "a"}, {"id": "2"}, {"id": "3", "email": "c"}]
GAP = Gap("okta", "eu", "okta/eu/users", "denied", "okta.users.read is missing")


def statuses(verdicts: list[dict[str, Any]]) -> dict[str, str]:
    return {verdict["resource"]: verdict["status"] for verdict in verdicts}


def test_complete_and_fresh(bench: Any, judge: Any) -> None:
    outcome, verdicts = judge(bench.check(MIXED), {"person": bench.table(bench.person, PEOPLE)})
    assert statuses(verdicts) == {"1": "pass", "2": "fail", "3": "na"}
    assert (outcome.status, outcome.reason) == ("fail", "1 fail, 1 pass, 1 na")


def test_a_gap_turns_passes_but_not_failures(bench: Any, judge: Any) -> None:
    evidence = {"person": replace(bench.table(bench.person, PEOPLE), gaps=(GAP,))}
    outcome, verdicts = judge(bench.check(MIXED), evidence)
    assert statuses(verdicts) == {"*": "incomplete", "1": "incomplete", "2": "fail", "3": "incomplete"}
    why = "person: okta/eu/users is denied: okta.users.read is missing"
    assert verdicts[0]["reason"] == why
    assert verdicts[1]["reason"] == f"r (not everything was seen: {why})"
    assert verdicts[2]["reason"] == "r"
    assert outcome.counts == {"incomplete": 3, "fail": 1}
    assert (outcome.status, outcome.reason) == ("fail", f"1 fail, 2 incomplete; {why}")


def test_too_old_turns_all(bench: Any, judge: Any) -> None:
    evidence = {"person": bench.table(bench.person, PEOPLE, as_of=bench.as_of - timedelta(hours=25))}
    outcome, verdicts = judge(bench.check(MIXED), evidence)
    assert statuses(verdicts) == dict.fromkeys("*123", "stale")
    assert outcome.status == "stale"


@pytest.mark.parametrize("state", ["gap", "old", "none", "nowhere", "tampered", "misfit", "duplicate", "count"])
@pytest.mark.parametrize("rows", [[], [{"id": "1", "email": "a"}]], ids=["empty", "one"])
def test_never_a_pass(bench: Any, judge: Any, state: str, rows: list[dict[str, Any]]) -> None:
    """The same check that passes on good evidence, over every kind of bad evidence, with rows and without."""
    check = bench.check("select id as resource, 'pass' as status, 'r' as reason from person")
    good = bench.table(bench.person, [{"id": "1", "email": "a"}])
    assert judge(check, {"person": good})[0].status == "pass"
    outcome, verdicts = judge(check, {"person": spoilt(bench, bench.table(bench.person, rows), state)})
    assert outcome.status in ({"none": ["error"], "nowhere": ["na"]}.get(state, ["error", "incomplete", "stale"]))
    assert "pass" not in outcome.counts
    assert verdicts[0]["resource"] == "*"
    assert verdicts[0]["status"] != "pass"


def spoilt(bench: Any, good: TableEvidence, state: str) -> TableEvidence:
    (segment,) = good.segments
    if state == "gap":
        return replace(good, gaps=(GAP,))
    if state == "old":
        return replace(good, segments=(replace(segment, as_of=bench.as_of - timedelta(days=9)),))
    if state == "none":
        return replace(good, segments=(), gaps=(GAP,))
    if state == "nowhere":
        return replace(good, segments=())
    if state == "tampered":
        return replace(good, segments=(replace(segment, path=bench.seal([{"id": "9"}]).path),))
    if state == "misfit":
        return replace(good, segments=(segment, bench.seal([{"id": "7", "left_at": "soon"}], scope="x")))
    if state == "duplicate":
        return replace(good, segments=(segment, bench.seal([{"id": "7"}, {"id": "7"}], scope="x")))
    return replace(good, segments=(replace(segment, rows=segment.rows + 1),))


def test_a_table_that_no_source_feeds_leaves_its_checks_unrun(bench: Any, judge: Any) -> None:
    check = bench.check(QUERY, requires={"person": "24h", "training": "7d"})
    outcome, verdicts = judge(check, {"person": bench.table(bench.person, PEOPLE)})
    assert (outcome.status, outcome.reason) == ("unsourced", "no configured source feeds training")
    assert (outcome.results, outcome.rows, outcome.cites, verdicts) == (None, 0, (), [])


def test_a_required_table_counts_also_where_the_sql_does_not_read_it(bench: Any, judge: Any) -> None:
    check = bench.check(MIXED, requires={"person": "24h", "account": "24h"})
    evidence = {
        "person": bench.table(bench.person, PEOPLE),
        "account": replace(bench.table(bench.account, []), gaps=(GAP,)),
    }
    outcome, verdicts = judge(check, evidence)
    assert "pass" not in outcome.counts
    assert verdicts[0]["reason"].startswith("account: ")
    assert {cite.table for cite in outcome.cites} == {"person"}


def test_the_same_state_gives_the_same_bytes(bench: Any, tmp_path: Path) -> None:
    """The order in which threads finish would show in `string_agg` and in the last digits of `avg`."""
    people = [{"id": str(n)} for n in range(20_000)]
    lines = (b'{"id":"a%d","person_id":"%d","_exchange":0}\n' % (n, n % 9_000) for n in range(400_000))
    accounts = TableEvidence(bench.account, (bench.bytes(b"".join(lines), 400_000),))
    query = """select p.id as resource, case when count(a.id) > 0 then 'fail' else 'na' end as status,
               concat(string_agg(a.id, ','), avg(length(a.id) / 3)) || '.' as reason
               from person p left join account a on a.person_id = p.id group by p.id"""
    check = bench.check(query, requires={"person": "24h", "account": "24h"})
    seen = set()
    for turn, order in enumerate((people, people[::-1])):
        evidence = {"person": bench.table(bench.person, order), "account": accounts}
        folder = tmp_path / str(turn)
        folder.mkdir()
        (outcome,) = assess([check], evidence, {}, bench.as_of, workdir=folder, limits=Limits(threads=4))
        assert outcome.rows == 20_000
        seen.add(outcome.results.read_bytes())
    assert len(seen) == 1


def entity(**feeds: Any) -> Entity:
    document = {
        "name": "human",
        "description": "One human being.",
        "key": "email",
        "columns": {
            "email": {"type": "text", "description": "Lower case"},
            "accounts": {"type": "integer", "description": "How many"},
            "tags": {"type": "texts", "description": "Anything"},
        },
        "feeds": feeds,
    }
    return Entity.of(document, "mappings/entities/human.yaml", "0" * 64)


FEED = {
    "also": ["account"],
    "select": """select p.source, p.scope, lower(p.email) as email, count(a.id) as accounts
                 from person p left join account a on a.person_id = p.id group by all""",
}
HUMANS = """select source, email as resource, case when accounts >= 0 then 'pass' else 'fail' end as status,
            accounts || ' accounts' as reason from human"""


def humans(bench: Any) -> dict[str, TableEvidence]:
    return {
        "person": bench.table(bench.person, [{"id": "1", "email": "Ada@Example.com"}], source="hr"),
        "account": bench.table(bench.account, [{"id": "a", "person_id": "1"}], source="okta"),
    }


def human_check(bench: Any) -> Any:
    return bench.check(HUMANS, "select source, email as resource from human", requires={"human": "24h"})


def test_an_entity_is_built_from_feeds_and_rows_of_its_own(bench: Any, judge: Any) -> None:
    human = entity(person=FEED)
    own = bench.table(human.table, [{"email": "bob@example.com", "accounts": 7, "tags": ["x"]}], source="files")
    outcome, verdicts = judge(human_check(bench), {**humans(bench), "human": own}, {"human": human})
    assert [(v["source"], v["resource"], v["reason"]) for v in verdicts] == [
        ("files", "bob@example.com", "7 accounts"),
        ("hr", "ada@example.com", "1 accounts"),
    ]
    assert outcome.status == "pass"
    assert {(cite.table, cite.segment.source) for cite in outcome.cites} == {
        ("human", "files"),
        ("person", "hr"),
        ("account", "okta"),
    }


def test_a_gap_of_what_feeds_an_entity_is_its_gap(bench: Any, judge: Any) -> None:
    evidence = humans(bench)
    evidence["account"] = replace(evidence["account"], gaps=(GAP,))
    outcome, _ = judge(human_check(bench), evidence, {"human": entity(person=FEED)})
    assert outcome.counts == {"incomplete": 2}
    assert "human: okta/eu/users is denied" in outcome.reason


def test_misfits_and_double_keys_of_what_feeds_an_entity_are_its_gaps(bench: Any, judge: Any) -> None:
    evidence = humans(bench)
    evidence["account"] = bench.table(bench.account, [{"id": "a", "person_id": "1", "active": "maybe"}], source="okta")
    outcome, _ = judge(human_check(bench), evidence, {"human": entity(person=FEED)})
    assert outcome.status == "incomplete"
    assert "human: account: 1 value of column active neither true nor false" in outcome.reason
    evidence = humans(bench)
    people = [{"id": "1", "email": "ada@example.com"}, {"id": "2", "email": "ADA@example.com"}]
    evidence["person"] = bench.table(bench.person, people, source="hr")
    feed = {"select": "select source, scope, lower(email) as email, 1 as accounts from person"}
    check = bench.check(
        "select distinct email as resource, case when email <> '' then 'pass' end as status, 'r' as reason from human",
        "select email as resource from human",
        requires={"human": "24h"},
    )
    outcome, verdicts = judge(check, evidence, {"human": entity(person=feed)})
    assert statuses(verdicts) == {"*": "incomplete", "ada@example.com": "incomplete"}
    assert "human: 1 key more than once (email)" in outcome.reason


REFUSED = {
    "select email from person": "its SELECT gives no source and no scope",
    "select source, scope, email, id from person": "gives the column id, which the entity does not have",
    "select source, scope, email from secret": "table 'secret' is not declared",
    "select source, scope, getenv('HOME') as email from person": "getenv()",
    "select source, scope, $as_of as email from person": "$as_of is not a parameter",
    "select null as source, scope, email from person": "rows without source or scope",
    "select source, scope, email as accounts from person": "Could not convert",
}


@pytest.mark.parametrize("select", REFUSED, ids=range(len(REFUSED)))
def test_an_entity_that_cannot_be_built_is_an_error(bench: Any, judge: Any, select: str) -> None:
    outcome, verdicts = judge(human_check(bench), humans(bench), {"human": entity(person={"select": select})})
    assert REFUSED[select] in outcome.reason
    assert statuses(verdicts) == {"*": "error"}


def test_an_entity_that_is_stopped_is_an_error_of_its_checks_alone(bench: Any, tmp_path: Path, limits: Limits) -> None:
    slow = "select count(*) from range(1000000) a, range(1000000) b where a.range * b.range = 7"
    entities = {"human": entity(person={"select": f"select source, scope, email from person where 1 = ({slow})"})}
    checks = [human_check(bench), bench.check(MIXED, id="people")]
    found = list(assess(checks, humans(bench), entities, bench.as_of, workdir=tmp_path, limits=limits))
    assert [outcome.status for outcome in found] == ["error", "pass"]
    assert "human: the entity cannot be built: stopped after 1 s" in found[0].reason


def test_entities_may_read_entities(bench: Any, judge: Any) -> None:
    up = Entity.of(
        {
            "name": "company",
            "description": "All of them.",
            "columns": {"size": {"type": "integer", "description": "Humans"}},
            "feeds": {"human": {"select": "select source, scope, count(*) as size from human group by all"}},
        },
        "",
        "",
    )
    verdict = "case when size = 1 then 'pass' else 'fail' end as status, 'r' as reason"
    query = f"select source as resource, {verdict} from company"
    check = bench.check(query, "select source as resource from company", requires={"company": "24h"})
    outcome, _ = judge(check, humans(bench), {"company": up, "human": entity(person=FEED)})
    assert outcome.status == "pass"
    assert {cite.table for cite in outcome.cites} == {"person", "account"}


def test_declarations_that_contradict_each_other(bench: Any, tmp_path: Path) -> None:
    circle = {
        "human": entity(robot={"select": "select 1"}),
        "robot": replace(entity(human={"select": "select 1"}), name="robot"),
    }
    with Sandbox(Limits(), tmp_path) as sandbox:
        with pytest.raises(PackError, match="in a circle"):
            Session(sandbox, {}, circle)
        for names in (["source"], ["Scope"], ["_exchange"], ["id", "ID"]):
            table = Table.of("odd", dict.fromkeys(names, str))
            with pytest.raises(PackError, match="odd"):
                Session(sandbox, {"odd": bench.table(table, [])}, {})
        for name in ("collected_person", "annexa_verdict"):
            with pytest.raises(PackError, match="the engine's own"):
                Session(sandbox, {name: bench.table(Table.of(name, {"id": str}), [])}, {})


def test_a_load_that_never_ends_is_given_up(bench: Any, tmp_path: Path) -> None:
    checks = [bench.check(MIXED, id=f"check-{n}") for n in range(2)]
    limits = Limits(load_seconds=-0.5)
    evidence = {"person": bench.table(bench.person, PEOPLE)}
    found = list(assess(checks, evidence, {}, bench.as_of, workdir=tmp_path, limits=limits))
    assert [outcome.status for outcome in found] == ["error"] * 2
    assert all("it could not be loaded: stopped after" in outcome.reason for outcome in found)


def test_a_worker_that_cannot_start_is_given_up(bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    evidence = {"person": bench.table(bench.person, PEOPLE)}
    (found,) = assess([bench.check(MIXED)], evidence, {}, bench.as_of, workdir=tmp_path)
    assert found.status == "error"
    assert "the worker ended, with exit code 1" in found.reason
