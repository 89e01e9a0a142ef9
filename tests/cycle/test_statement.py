"""The statement: only the company's own is adopted, and what it excludes raises nothing."""

from __future__ import annotations

from annexa.database import models
from tests.cycle.estate import SOURCES, Estate

STATEMENT = """\
statement:
  defaults: {applicable: true, reasons: [risk], implementation: not_implemented, owner: Head of IT}
  controls:
    A.5.25: {owner: CISO}
    A.5.26: {applicable: false, implementation: not_implemented, justification: We have no incidents.}
"""
LATE = "incident-resolved-in-time"


def test_the_builtin_example_is_nobodys_statement(ltd: Estate) -> None:
    ltd.sources = {"incidents": SOURCES["incidents"]}
    summary = ltd.scan()
    assert any("Example Ltd's and was not adopted" in note for note in summary.notes)
    assert ltd.all(models.StatementRow) == []
    assert set(summary.nonconformities["raised"]) == {ltd.nonconformities()[LATE, "incidents"].id}


def test_a_check_of_excluded_controls_alone_raises_nothing(ltd: Estate) -> None:
    ltd.sources = {"incidents": SOURCES["incidents"]}
    (ltd.folder / "soa").mkdir()
    (ltd.folder / "soa" / "statement.yaml").write_text(STATEMENT, encoding="utf-8")
    ltd.more = "packs: [.]\n"
    ltd.become("drift")
    summary = ltd.scan()
    assert not any("not adopted" in note for note in summary.notes)
    rows = {row.control: row for row in ltd.all(models.StatementRow)}
    assert len(rows) == 93
    assert (rows["A.5.26"].applicable, rows["A.5.25"].owner, rows["A.8.1"].owner) == (False, "CISO", "Head of IT")
    assert ltd.results()[LATE].counts["fail"] > 0, "it is judged all the same"
    assert (LATE, "incidents") not in ltd.nonconformities(), "A.5.26 is its only control"
    raised = ltd.nonconformities()["incident-contained-in-time", "incidents"]
    assert (raised.control, raised.controls, raised.owner) == ("A.5.25", ["A.5.25"], "CISO")
    assert ltd.scan().nonconformities["raised"] == []
    assert len({row.adopted_at for row in ltd.all(models.StatementRow)}) == 1, "it is not adopted twice"
