"""The control catalogue and the example Statement of Applicability, against what is known of them independently.

Expected values are written out by hand: the structure of ISO/IEC 27001:2022 Annex A, the attribute vocabularies and
the view of corrective controls of ISO/IEC 27002:2022 (Tables A.1 and A.2), and our own judgement of which controls
data can prove.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "mappings" / "annex_a_2022.yaml"
STATEMENT = ROOT / "soa" / "statement.yaml"

THEMES = {"organizational": (5, 37), "people": (6, 8), "physical": (7, 14), "technological": (8, 34)}
IDS = [f"A.{clause}.{n}" for clause, count in THEMES.values() for n in range(1, count + 1)]

STRONG = "5.9 5.16 5.17 5.18 6.3 8.1 8.2 8.4 8.5 8.6 8.7 8.8 8.9 8.13 8.14 8.15 8.16 8.17 8.20 8.22 8.24 8.28 8.31 8.32"
MANUAL = "5.4 5.5 5.6 5.31 5.35 6.4 7.1 7.3 7.5 7.6 7.8 7.11 7.12 8.27 8.34"
CORRECTIVE = "5.5 5.6 5.7 5.24 5.26 5.28 5.29 5.30 5.35 5.37 6.4 8.7 8.13 8.16"  # ISO/IEC 27002:2022, Table A.2

VOCABULARY = {
    "control_types": "preventive detective corrective",
    "properties": "confidentiality integrity availability",
    "concepts": "identify protect detect respond recover",
    "capabilities": "governance asset_management information_protection human_resource_security physical_security "
    "system_and_network_security application_security secure_configuration identity_and_access_management "
    "threat_and_vulnerability_management continuity supplier_relationships_security legal_and_compliance "
    "information_security_event_management information_security_assurance",
    "domains": "governance_and_ecosystem protection defence resilience",
}
SOURCES = (
    "identity_provider cloud code devices people training tickets vulnerability_scanner backup siem register "
    "badge_system"
)
TITLES = {
    "A.5.1": "Policies for information security",
    "A.5.9": "Inventory of information and other associated assets",
    "A.5.13": "Labelling of information",
    "A.5.24": "Information security incident management planning and preparation",
    "A.5.31": "Legal, statutory, regulatory and contractual requirements",
    "A.5.34": "Privacy and protection of personal identifiable information (PII)",
    "A.6.6": "Confidentiality or non-disclosure agreements",
    "A.7.9": "Security of assets off-premises",
    "A.7.14": "Secure disposal or re-use of equipment",
    "A.8.1": "User end point devices",
    "A.8.17": "Clock synchronization",
    "A.8.20": "Networks security",
    "A.8.25": "Secure development life cycle",
    "A.8.34": "Protection of information systems during audit testing",
}
FIELDS = {"id", "title", "theme", "attributes", "intent", "automation", "evidence", "attest", "sources"}
ROW_FIELDS = {"applicable", "implementation", "owner", "reasons", "justification", "documents"}


def load(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def ids(numbers: str) -> set[str]:
    return {f"A.{number}" for number in numbers.split()}


@pytest.fixture(scope="module")
def controls() -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = load(CATALOGUE)["controls"]
    return listed


@pytest.fixture(scope="module")
def statement() -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = load(STATEMENT)["statement"]["controls"]
    return rows


@pytest.mark.parametrize("path", [CATALOGUE, STATEMENT], ids=lambda path: path.name)
def test_no_key_is_given_twice(path: Path) -> None:
    """PyYAML keeps the last of two equal keys without a word, so the nodes are read before it does."""
    pending, repeated = [yaml.compose(path.read_text(encoding="utf-8"))], []
    while pending:
        node = pending.pop()
        if isinstance(node, yaml.MappingNode):
            names = Counter(key.value for key, _ in node.value)
            repeated += [(key.value, key.start_mark.line + 1) for key, _ in node.value if names[key.value] > 1]
            pending += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            pending += node.value
    assert repeated == []


def test_the_93_controls_are_listed_in_order_each_once(controls: list[dict[str, Any]]) -> None:
    assert len(IDS) == 93
    assert [control["id"] for control in controls] == IDS


def test_every_control_says_everything_and_nothing_unknown(controls: list[dict[str, Any]]) -> None:
    assert {c["id"]: set(c) - {"threshold"} for c in controls} == dict.fromkeys(IDS, FIELDS)
    assert [c["id"] for c in controls if not all(c[field] for field in FIELDS)] == []
    assert [c["id"] for c in controls if not 0 < c.get("threshold", 1.0) <= 1] == []


def test_themes_have_their_published_sizes(controls: list[dict[str, Any]]) -> None:
    assert Counter(control["theme"] for control in controls) == {name: count for name, (_, count) in THEMES.items()}
    assert all(control["id"].startswith(f"A.{THEMES[control['theme']][0]}.") for control in controls)


def test_attribute_values_come_from_the_closed_vocabularies(controls: list[dict[str, Any]]) -> None:
    for control in controls:
        assert set(control["attributes"]) == set(VOCABULARY), control["id"]
        for name, allowed in VOCABULARY.items():
            values = control["attributes"][name]
            in_order = [value for value in allowed.split() if value in values]
            assert values == in_order, f"{control['id']} {name}: unknown, repeated or out of order"
            assert values, f"{control['id']} {name}"


def test_every_attribute_value_is_in_use(controls: list[dict[str, Any]]) -> None:
    for name, allowed in VOCABULARY.items():
        assert {value for c in controls for value in c["attributes"][name]} == set(allowed.split())


def test_corrective_controls_are_those_of_the_published_view(controls: list[dict[str, Any]]) -> None:
    assert {c["id"] for c in controls if "corrective" in c["attributes"]["control_types"]} == ids(CORRECTIVE)


def test_automation_claims_no_more_than_was_judged(controls: list[dict[str, Any]]) -> None:
    found = {
        level: {c["id"] for c in controls if c["automation"] == level} for level in ("strong", "partial", "manual")
    }
    assert found["strong"] == ids(STRONG)
    assert found["manual"] == ids(MANUAL)
    assert found["partial"] == set(IDS) - ids(STRONG) - ids(MANUAL)


def test_sources_are_known_and_manual_controls_need_none_but_the_register(controls: list[dict[str, Any]]) -> None:
    for control in controls:
        assert set(control["sources"]) <= set(SOURCES.split()), control["id"]
        assert len(control["sources"]) == len(set(control["sources"])), control["id"]
        if control["automation"] == "manual":
            assert control["sources"] == ["register"], control["id"]
            assert control["evidence"].startswith("Signed attestation citing "), control["id"]


def test_intents_are_our_own_words_and_short(controls: list[dict[str, Any]]) -> None:
    intents = {control["id"]: control["intent"] for control in controls}
    assert [i for i, text in intents.items() if not 40 <= len(text) <= 400] == []
    assert [i for i, text in intents.items() if text.lower().startswith("to ensure") or "shall" in text.lower()] == []
    for field in ("intent", "attest", "evidence", "title"):
        assert len({control[field] for control in controls}) == 93, f"two controls share their {field}"


@pytest.mark.parametrize(("control", "title"), TITLES.items())
def test_titles_are_spelled_as_published(controls: list[dict[str, Any]], control: str, title: str) -> None:
    assert {c["id"]: c["title"] for c in controls}[control] == title


def test_the_statement_decides_on_every_control(statement: dict[str, dict[str, Any]]) -> None:
    assert list(statement) == IDS
    for control, row in statement.items():
        assert set(row) - {"provider"} == ROW_FIELDS, control
        assert len(row["justification"]) >= 40, control
        assert row["owner"], control
        assert row["documents"], control


def test_the_statement_keeps_to_its_vocabularies(statement: dict[str, dict[str, Any]]) -> None:
    states = {"implemented", "partly", "planned", "not_implemented", "inherited"}
    for control, row in statement.items():
        assert isinstance(row["applicable"], bool), control
        assert row["implementation"] in states, control
        assert set(row["reasons"]) <= {"risk", "legal", "contractual", "business"}, control
        assert all(re.fullmatch(r"[A-Z]{3}-\d\d [A-Z][^,]+", document) for document in row["documents"]), control


def test_inclusions_have_a_reason_and_exclusions_claim_nothing(statement: dict[str, dict[str, Any]]) -> None:
    for control, row in statement.items():
        assert bool(row["reasons"]) == row["applicable"], control
        if not row["applicable"]:
            assert row["implementation"] == "not_implemented", control
        assert ("provider" in row) == (row["implementation"] == "inherited"), control


def test_a_document_has_one_title_wherever_it_is_named(statement: dict[str, dict[str, Any]]) -> None:
    named = {document for row in statement.values() for document in row["documents"]}
    assert [i for i, uses in Counter(document.split()[0] for document in named).items() if uses > 1] == []


def test_defaults_claim_nothing() -> None:
    assert load(STATEMENT)["statement"]["defaults"] == {
        "applicable": True,
        "reasons": ["risk"],
        "implementation": "not_implemented",
        "owner": None,
    }
