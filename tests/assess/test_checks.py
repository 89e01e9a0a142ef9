"""Check and entity files: what the schemas accept, and what becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from annexa.assess.checks import Check
from annexa.assess.entities import Entity, Feed, build_order
from annexa.errors import PackError
from annexa.schemas import schema, validate
from annexa.sdk import Column, ColumnType
from annexa.strict_yaml import loads

FILE = """
id: leaver-access
title: Leavers hold no active access
description: Whoever left must not be able to sign in.
severity: high
controls: [A.5.18, A.6.5]
requires: {person: 24h, account: 90d}
params: {grace_hours: 24, domains: [example.com], strict: true}
population: select id as resource from person where left_at is not null
query: |
  select id as resource, 'fail' as status, email as reason from person
remediation: Deactivate the accounts; record the ticket.
false_positives: [A contractor rehired under the same address]
also_known_as: [cis-aws:1.10]
tests:
  - name: active leaver
    as_of: 2026-09-10T02:00:00+02:00
    given: {person: [{id: 1, email: ada@example.com}], account: []}
    incomplete: [account]
    params: {grace_hours: 1}
    expect: [{resource: "1", status: fail, reason: ada@example.com}]
  - name: somebody who stays
    as_of: 2026-09-10
    given: {}
    expect: [{resource: 1, status: pass}]
"""


def check_of(text: str) -> Check:
    document = loads(text, "checks/leaver-access.yaml", error=PackError)
    validate(document, schema("assess/check.schema.json"), error=PackError)
    return Check.of(document.data, document.path, document.digest)


def test_a_check_file_becomes_a_check() -> None:
    check = check_of(FILE)
    assert check.requires == {"person": timedelta(hours=24), "account": timedelta(days=90)}
    assert check.params == {"grace_hours": 24, "domains": ["example.com"], "strict": True}
    assert (check.severity, check.controls, check.also_known_as) == ("high", ("A.5.18", "A.6.5"), ("cis-aws:1.10",))
    assert len(check.digest) == 64
    first, second = check.tests
    assert (first.as_of, second.as_of) == (datetime(2026, 9, 10, tzinfo=UTC),) * 2
    assert first.given == {"person": ({"id": 1, "email": "ada@example.com"},), "account": ()}
    assert (first.incomplete, first.params) == (("account",), {"grace_hours": 1})
    assert second.expect == ({"resource": 1, "status": "pass"},)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("severity: high", "severity: urgent", 5),
        ("id: leaver-access", "id: Leaver Access", 2),
        ("[A.5.18, A.6.5]", "[A.5.18, A.9.1]", 6),
        ("[A.5.18, A.6.5]", "[]", 6),
        ("account: 90d", "account: 90 days", 7),
        ("{person: 24h, account: 90d}", "{}", 7),
        ("grace_hours: 24,", "as_of: 24,", 8),
        ("strict: true", "strict: null", 8),
        ("remediation: Deactivate", "remedy: Deactivate", 2),
        ("[cis-aws:1.10]", "[CIS 1.10]", 14),
        ("status: pass}", "status: passed}", 24),
        ("incomplete: [account]", "partial: [account]", 19),
        ("name: active leaver", "title: active leaver", 16),
    ],
)
def test_what_breaks_the_schema_is_named_with_its_line(old: str, new: str, line: int) -> None:
    assert old in FILE
    with pytest.raises(PackError) as caught:
        check_of(FILE.replace(old, new, 1))
    assert abs((caught.value.line or 0) - line) <= 1


@pytest.mark.parametrize(
    "key", ["title", "severity", "controls", "requires", "population", "query", "remediation", "tests"]
)
def test_every_part_is_required(key: str) -> None:
    document = loads(FILE).data
    del document[key]
    errors = list(Draft202012Validator(schema("assess/check.schema.json")).iter_errors(document))
    assert [error.validator for error in errors] == ["required"]


def test_what_the_schema_cannot_say_is_checked_all_the_same() -> None:
    document: dict[str, Any] = loads(FILE).data
    for change in ({"requires": {"person": "soon"}}, {"params": {"as_of": 1}}):
        with pytest.raises(PackError):
            Check.of(document | change, "x.yaml", "")
    document["tests"][0]["as_of"] = "yesterday"
    with pytest.raises(PackError, match=r"tests\.0\.as_of"):
        Check.of(document, "x.yaml", "")


@pytest.mark.parametrize("name", ["assess/check.schema.json", "assess/entity.schema.json"])
def test_the_schemas_are_schemas_and_describe_every_field(name: str) -> None:
    whole = schema(name)
    Draft202012Validator.check_schema(whole)
    undescribed: list[str] = []

    def visit(node: Any, place: str) -> None:
        if isinstance(node, dict):
            for field, spec in node.get("properties", {}).items():
                if "description" not in spec and "$ref" not in spec:
                    undescribed.append(f"{place}.{field}")
            if node.get("type") == "object":
                assert "additionalProperties" in node or place.endswith("items"), place
            for key, part in node.items():
                visit(part, f"{place}.{key}")

    visit(whole, "")
    assert undescribed == []


ENTITY = """
name: account
description: An account.
key: [id, realm]
columns:
  id: {type: text, description: Id}
  realm: {type: text, description: Realm}
  groups: {type: texts, description: Groups}
feeds:
  okta_user:
    also: [okta_factor]
    select: select source, scope, id from okta_user
"""


def test_an_entity_file_becomes_an_entity() -> None:
    document = loads(ENTITY, "mappings/entities/account.yaml")
    validate(document, schema("assess/entity.schema.json"), error=PackError)
    entity = Entity.of(document.data, document.path, document.digest)
    assert entity.table.key == ("id", "realm")
    assert entity.table.columns[2] == Column("groups", ColumnType.TEXTS, "groups")
    assert entity.feeds == {"okta_user": Feed(("okta_user", "okta_factor"), "select source, scope, id from okta_user")}
    with pytest.raises(PackError, match="colour"):
        Entity.of({**document.data, "key": "colour"}, document.path, "")


@pytest.mark.parametrize(
    ("old", "new"),
    [("name: account", "name: annexa_x"), ("  id:", "  source:"), ("type: texts", "type: list"), ("select: ", "sql: ")],
)
def test_what_an_entity_may_not_say(old: str, new: str) -> None:
    assert old in ENTITY
    with pytest.raises(PackError):
        validate(loads(ENTITY.replace(old, new, 1)), schema("assess/entity.schema.json"), error=PackError)


def test_entities_are_built_after_those_they_read() -> None:
    data = loads(ENTITY).data
    account = Entity.of({**data, "feeds": {"okta_user": {"also": ["person"], "select": "select 1"}}}, "", "")
    person = Entity.of({**data, "name": "person", "feeds": {"hr": {"select": "select 1"}}}, "", "")
    order = build_order({"account": account, "person": person})
    assert order.index("person") < order.index("account")
