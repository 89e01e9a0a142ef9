"""A check's own cases: they pass where the check is right, and say what differs where it is not."""

from __future__ import annotations

from typing import Any

import pytest

from annexa.assess.checks import Check
from annexa.assess.entities import Entity
from annexa.assess.selftest import CaseResult, run_all, run_cases
from annexa.sdk import Table, Timestamp

HR = Table.of(
    "hr_person",
    {"number": (str, "Employee No"), "mail": (str, "Work Email"), "left": (Timestamp, "Left")},
    key="number",
)
LOGIN = Table.of("okta_user", {"id": str, "email": (str, "profile.email"), "active": bool}, key="id")
TABLES = {table.name: table for table in (HR, LOGIN)}

PERSON = Entity.of(
    {
        "name": "person",
        "description": "A human being.",
        "key": "id",
        "columns": {
            "id": {"type": "text", "description": "Number"},
            "email": {"type": "text", "description": "Lower case"},
            "left_at": {"type": "timestamp", "description": "Null while employed"},
        },
        "feeds": {
            "hr_person": {
                "select": 'select source, scope, number as id, lower(mail) as email, "left" as left_at from hr_person'
            }
        },
    },
    "person.yaml",
    "",
)
ACCOUNT = Entity.of(
    {
        "name": "account",
        "description": "A login.",
        "key": "id",
        "columns": {
            "id": {"type": "text", "description": "Id"},
            "person_id": {"type": "text", "description": "Whose"},
            "active": {"type": "boolean", "description": "May sign in"},
        },
    },
    "account.yaml",
    "",
)
ENTITIES = {"person": PERSON, "account": ACCOUNT}


def leavers(*cases: dict[str, Any]) -> Check:
    document = {
        "id": "leaver-access",
        "title": "Leavers hold no active access",
        "severity": "high",
        "controls": ["A.5.18", "A.6.5"],
        "requires": {"person": "24h", "account": "24h"},
        "params": {"grace_hours": 24},
        "population": "select id as resource from person where left_at is not null",
        "query": """
            select p.id as resource,
                   case when p.left_at > $as_of - to_hours($grace_hours) then 'na'
                        when count(a.person_id) filter (where a.active) = 0 then 'pass'
                        else 'fail' end as status,
                   concat_ws(' ', p.email, 'still active in',
                             string_agg(a.source, ', ') filter (where a.active)) as reason
            from person p left join account a on a.person_id = p.id
            where p.left_at is not null group by p.id, p.email, p.left_at""",
        "remediation": "Deactivate the accounts; record the ticket.",
        "tests": list(cases),
    }
    return Check.of(document, "checks/leaver-access.yaml", "")


GONE = {"id": 1, "email": "ada@example.com", "left_at": "2026-09-01"}
ACTIVE = {
    "name": "active leaver",
    "as_of": "2026-09-10T00:00:00Z",
    "given": {"person": [GONE], "account": [{"person_id": 1, "source": "okta", "active": True}]},
    "expect": [{"resource": "1", "status": "fail", "reason": "ada@example.com still active in okta"}],
}
INACTIVE = {
    "name": "inactive leaver",
    "as_of": "2026-09-10T00:00:00Z",
    "given": {"person": [GONE], "account": [{"id": "a", "person_id": 1, "active": False}]},
    "expect": [{"resource": 1, "status": "pass"}],
}


def test_cases_that_hold() -> None:
    within = INACTIVE | {"name": "grace", "params": {"grace_hours": 999}, "expect": [{"resource": "1", "status": "na"}]}
    unseen = INACTIVE | {
        "name": "unseen",
        "incomplete": ["account"],
        "expect": [{"resource": "*", "status": "incomplete"}, {"resource": "1", "status": "incomplete"}],
    }
    nobody = INACTIVE | {"name": "nobody", "given": {}, "expect": [{"resource": "*", "status": "na"}]}
    fed = ACTIVE | {
        "name": "through the feed of the entity",
        "given": {
            "hr_person": [{"number": "1", "mail": "Ada@Example.com", "left": "2026-09-01T00:00:00Z", "source": "hr"}],
            "account": [{"person_id": "1", "source": "okta", "active": True}],
        },
    }
    results = run_cases(leavers(ACTIVE, INACTIVE, within, unseen, nobody, fed), TABLES, ENTITIES)
    assert [(result.case, result.passed, result.detail) for result in results] == [
        (name, True, "") for name in ("active leaver", "inactive leaver", "grace", "unseen", "nobody", fed["name"])
    ]


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        (
            {"expect": [{"resource": "1", "status": "pass"}]},
            "expected 1 pass; got 1 fail (ada@example.com still active in okta)",
        ),
        ({"expect": [{"resource": "1", "status": "fail", "reason": "other"}]}, "expected 1 fail (other); got 1 fail"),
        ({"expect": []}, "got 1 fail"),
        ({"expect": [*ACTIVE["expect"], {"resource": "2", "status": "fail"}]}, "expected 2 fail"),
        ({"expect": [*ACTIVE["expect"], *ACTIVE["expect"]]}, "expected 1 fail"),
        ({"expect": [*ACTIVE["expect"], {"resource": "*", "status": "incomplete"}]}, "expected * incomplete"),
        ({"incomplete": ["person"], "expect": ACTIVE["expect"]}, ""),
        ({"given": {"person": [{"id": 1, "mail": "x"}]}}, "table person has no column mail"),
        ({"given": {"person": [{"id": 1, "left_at": "soon"}]}}, "'soon' is not"),
        ({"given": {"nobody": [{"id": 1}]}}, "there is no table nobody"),
        ({"params": {"grace_hours": "x"}}, "got * error"),
    ],
)
def test_cases_that_do_not_hold_say_what_differs(change: dict[str, Any], detail: str) -> None:
    changed, _ = run_cases(leavers(ACTIVE | change, INACTIVE | {"name": "other"}), TABLES, ENTITIES)[-2:]
    assert changed.passed == (not detail)
    assert detail in changed.detail


def test_a_check_must_show_that_it_passes_and_that_it_fails() -> None:
    assert run_cases(leavers(ACTIVE), TABLES, ENTITIES) == [
        CaseResult("leaver-access", "a case that shows pass", False, "no case expects a verdict pass"),
        CaseResult("leaver-access", "active leaver", True, ""),
    ]
    assert not run_cases(leavers(INACTIVE), TABLES, ENTITIES)[0].passed


def test_one_worker_runs_the_cases_of_many_checks() -> None:
    checks = [leavers(ACTIVE, INACTIVE) for _ in range(5)]
    assert [result.passed for result in run_all(checks, TABLES, ENTITIES)] == [True] * 10
