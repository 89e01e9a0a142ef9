"""A pack's YAML: named after what it holds, validated, refined by later packs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annexa.errors import PackError
from annexa.packs import Packs, mount

ROOT = Path(__file__).parents[2]

Make = Callable[..., Path]
Refused = Callable[[Callable[[], Any]], PackError]


def over(mounted: Packs) -> set[tuple[str, str]]:
    return {(override.kind, override.id) for override in mounted.overrides}


def test_a_file_has_the_name_of_what_it_holds(make: Make, kpi: Callable[..., str], refused: Refused) -> None:
    root = make({"soa/kpis/one.yaml": "# comment\n" + kpi(id="two", title="x")})
    refusal = refused(lambda: mount([root]).kpis())
    assert (refusal.path, refusal.line) == (str(root / "soa/kpis/one.yaml"), 2)
    assert "is 'two', expected 'one'" in str(refusal)


@pytest.mark.parametrize("name", ["one.yml", "one.YAML", "one.Yml"])
def test_a_file_that_would_be_overlooked_is_refused(
    make: Make, name: str, kpi: Callable[..., str], refused: Refused
) -> None:
    root = make({f"soa/kpis/{name}": kpi(id="one", title="x")})
    assert "must end in .yaml" in str(refused(lambda: mount([root]).kpis()))


def test_one_id_in_two_folders_is_refused(make: Make, refused: Refused) -> None:
    root = make({"checks/a/one.yaml": "id: one\n", "checks/b/one.yaml": "id: one\n"})
    assert "has the same id as checks/a/one.yaml" in str(refused(lambda: mount([root]).checks()))


def test_content_is_validated_with_line_and_field(make: Make, kpi: Callable[..., str], refused: Refused) -> None:
    root = make({"soa/kpis/one.yaml": kpi(id="one", title="x").replace("unit: count", "unit: cuont")})
    refusal = refused(lambda: mount([root]).kpis())
    assert (refusal.line, refusal.field) == (4, "unit")
    assert "is 'cuont', not one of percent, count, days, hours" in str(refusal)
    broken = make({"checks/deep/er/two.yaml": "id: two\nseverity: hgih\n"}, "other")
    assert "two.yaml:2: severity: is 'hgih'" in str(refused(lambda: mount([broken]).checks()))


def test_content_that_changed_after_it_was_digested_is_refused(
    make: Make, kpi: Callable[..., str], refused: Refused
) -> None:
    root = make({"soa/kpis/one.yaml": kpi(id="one", title="x")})
    mounted = mount([root])
    make({"soa/kpis/one.yaml": kpi(id="one", title="y")})
    assert "was changed while annexa was running" in str(refused(lambda: mounted.kpis()))


def test_files_of_other_kinds_do_no_harm(make: Make) -> None:
    root = make(
        {"checks/README.md": "x", "soa/kpis/notes.txt": "x", "soa/other.yaml": "x", "mappings/cross/x.yaml": ""}
    )
    mounted = mount([root])
    assert mounted.kpis().keys() == mount().kpis().keys()
    assert mounted.entities().keys() == mount().entities().keys()


def test_the_statement_of_a_pack_replaces_the_example_as_a_whole(make: Make) -> None:
    """The example speaks of Example Ltd: none of its claims may reach the statement of a company."""
    root = make(
        {
            "soa/statement.yaml": "statement:\n  defaults: {applicable: true, reasons: [risk], implementation: planned,"
            " owner: null}\n  controls:\n    A.5.1: {implementation: implemented}\n"
        }
    )
    mounted = mount([root])
    assert not mounted.is_example()
    assert mounted.statement().data["statement"]["controls"] == {"A.5.1": {"implementation": "implemented"}}
    assert over(mounted) == {("statement", "soa/statement.yaml")}


CLAIMS = {
    "defaults claim": ("implementation: implemented, owner: null}\n  controls: {}", "is 'implemented', not one of"),
    "exclusion": (
        "implementation: planned, owner: null}\n  controls: {A.7.4: {applicable: false}}",
        "justification is missing",
    ),
    "exclusion that claims": (
        "implementation: planned, owner: null}\n  controls: {A.7.4: {applicable: false, justification: x,"
        " implementation: implemented}}",
        "is 'implemented', not one of not_implemented",
    ),
    "inherited from nobody": (
        "implementation: planned, owner: null}\n  controls: {A.7.4: {implementation: inherited}}",
        "provider is missing",
    ),
    "no control": ("implementation: planned, owner: null}\n  controls: {5.1: {}}", "the key 5.1"),
    "unknown reason": (
        "implementation: planned, owner: null}\n  controls: {A.5.1: {reasons: [habit]}}",
        "is 'habit', not one of risk, legal, contractual, business",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rest", "message"), CLAIMS.values(), ids=CLAIMS.keys())
def test_a_statement_claims_nothing_by_accident(make: Make, rest: str, message: str, refused: Refused) -> None:
    text = f"statement:\n  defaults: {{applicable: true, reasons: [risk], {rest}\n"
    root = make({"soa/statement.yaml": text})
    assert message in str(refused(lambda: mount([root]).statement()))


def test_a_pack_refines_controls_field_by_field_and_adds_its_own(make: Make) -> None:
    builtin = {control["id"]: control for control in mount().catalogue()["controls"]}
    own = {**builtin["A.5.1"], "id": "C.1.1", "title": "Own"}
    listed = "".join(f"    {name}: {value!r}\n" for name, value in own.items() if name not in ("id", "attributes"))
    attributes = "".join(f"      {name}: {value!r}\n" for name, value in own["attributes"].items())
    root = make(
        {
            "mappings/annex_a_2022.yaml": "catalogue: Refinements of Example Ltd\nversion: 1\ncontrols:\n"
            f"  - id: A.8.8\n    threshold: 0.95\n  - id: C.1.1\n{listed}    attributes:\n{attributes}"
        }
    )
    mounted = mount([root])
    found = {control["id"]: control for control in mounted.catalogue()["controls"]}
    assert found["A.8.8"] == {**builtin["A.8.8"], "threshold": 0.95}
    assert found["C.1.1"] == own
    assert {name: control for name, control in found.items() if name not in ("A.8.8", "C.1.1")} == {
        name: control for name, control in builtin.items() if name != "A.8.8"
    }
    assert list(found)[:93] == list(builtin)
    assert mounted.catalogue()["catalogue"] == "ISO/IEC 27001:2022 Annex A"
    assert over(mounted) == {("control", "A.8.8")}


@pytest.mark.parametrize(
    ("controls", "line", "message"),
    [
        ("- id: A.9.1\n  title: x\n", 4, "A.9.1 is not in an earlier pack, and theme, attributes"),
        ("- id: A.5.1\n- id: A.5.2\n- id: A.5.1\n", 6, "A.5.1 is listed twice"),
        ("- id: A.5.1\n  threshold: 0\n", 5, "threshold: is 0, expected more than 0"),
        ("- id: A.5.1\n  theme: other\n", 5, "theme: is 'other', not one of organizational"),
    ],
)
def test_a_catalogue_that_makes_no_sense_is_refused(
    make: Make, controls: str, line: int, message: str, refused: Refused
) -> None:
    root = make({"mappings/annex_a_2022.yaml": f"catalogue: x\nversion: 1\ncontrols:\n{controls}"})
    refusal = refused(lambda: mount([root]).catalogue())
    assert refusal.line == line
    assert message in str(refusal)


def test_the_whole_built_in_pack_is_valid() -> None:
    mounted = mount()
    for name in mounted.collectors():
        assert mounted.collector(name).fetches, name
    assert all(document.data["id"] == name for name, document in mounted.checks().items())
    assert all(document.data["name"] == name for name, document in mounted.entities().items())
    assert len(mounted.kpis()) >= 6
