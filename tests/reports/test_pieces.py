"""The pure pieces of a report."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jinja2 import Environment, StrictUndefined
from jinja2.exceptions import UndefinedError

from annexa import clock
from annexa.reports import text
from annexa.reports.bar import bar
from annexa.reports.capped import first
from annexa.reports.html import shown
from annexa.reports.pieces import sources
from annexa.reports.registers import register
from annexa.reports.sparkline import HEIGHT, WIDTH, sparkline
from annexa.reports.unseen import Known, notices
from annexa.views.checks import Result
from annexa.views.evidence import Item
from annexa.views.isms import KpiPoint, NonconformityView, RunView

NOW = datetime(2026, 9, 15, 9, 12, tzinfo=UTC)
TIME = "2026-09-15T05:30:00.000000Z"


@given(st.text(alphabet=st.characters(codec=None)))
def test_every_character_is_visible_and_none_is_lost(given_text: str) -> None:
    result = text.visible(given_text)
    assert {unicodedata.category(char) for char in result} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} == set()
    result.encode()
    assert re.sub("⟦U\\+([0-9A-F]{4,6})⟧", lambda found: chr(int(found[1], 16)), result) == re.sub(
        "⟦U\\+([0-9A-F]{4,6})⟧", lambda found: chr(int(found[1], 16)), given_text
    )


def test_a_name_that_only_differs_by_an_invisible_character_looks_different() -> None:
    lookalikes = ["admin", "ad\u200bmin", "ad\u00admin", "ad\u034fmin", "ad\u3164min", "admin\u202e", "adm\u2800in"]
    assert [("⟦U+" in text.visible(name)) for name in lookalikes] == [False, *[True] * 6]
    assert text.visible("Zoë Ångström 日本 \u00a0") == "Zoë Ångström 日本 \u00a0"


@given(st.text(max_size=700), st.integers(1, 600))
def test_a_cut_text_says_how_much_is_missing(given_text: str, length: int) -> None:
    result = text.clipped(given_text, length)
    if result != given_text:
        rest = int(re.findall(r"… \(([\d,]+) more characters\)$", result)[0].replace(",", ""))
        assert given_text[:length] + given_text[len(given_text) - rest :] == given_text


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7_199, "120 min"), (7_200, "2 h"), (172_799, "48 h"),
     (172_800, "2 d"), (86_400 * 40, "40 d"), (-1, "in the future")],
)  # fmt: skip
def test_an_age_is_in_the_largest_unit_that_fits_twice(seconds: int, expected: str) -> None:
    assert text.age(clock.text(NOW - timedelta(seconds=seconds)), NOW) == expected


def test_a_time_that_is_none_stays_as_it_is() -> None:
    assert (text.age("soon", NOW), text.when("soon"), text.day("soon")) == ("unknown", "soon", "soon")
    assert (text.age(None, NOW), text.age("2026-09-15T00:00:00", NOW)) == ("unknown", "unknown")


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [(97.5, "percent", "97.5 %"), (100.0, "percent", "100 %"), (1234.0, "count", "1,234"), (10.0, "count", "10"),
     (0.3333, "days", "0.33 days"), (-1.005, "hours", "-1 hours")],
)  # fmt: skip
def test_a_value_has_its_unit(value: float, unit: str, expected: str) -> None:
    assert text.quantity(value, unit) == expected


def test_a_template_that_writes_nothing_meaningful_fails() -> None:
    engine = Environment(undefined=StrictUndefined, finalize=shown, autoescape=True)
    for value in (None, 1.5, True, [], b"bytes"):
        with pytest.raises(TypeError, match="writes a value of type"):
            engine.from_string("{{ value }}").render(value=value)
    with pytest.raises(UndefinedError):
        engine.from_string("{{ misspelt }}").render()
    assert (
        engine.from_string("{{ number }}{{ 'x' if false }}{{ text }}").render(number=1234567, text="<")
        == "1,234,567&lt;"
    )


def point(value: float | None, day: int) -> KpiPoint:
    return KpiPoint("kpi", clock.text(NOW + timedelta(days=day)), value, None, None, "percent", "on target", "")


VALUES = st.none() | st.floats(-1e9, 1e9, allow_nan=False)


@example([5e-324, 5e-324], None)
@example([1e9, 1e9 + 1e-7], 0.0)
@given(st.lists(VALUES, max_size=40), st.none() | st.floats(-1e9, 1e9))
def test_a_sparkline_stays_in_its_frame(values: list[float | None], aim: float | None) -> None:
    drawn = str(sparkline([point(value, day) for day, value in enumerate(values)], aim))
    if all(value is None for value in values):
        assert drawn == ""
        return
    for line in re.findall(r'points="([^"]*)"', drawn):
        places = [tuple(map(float, place.split(","))) for place in line.split()]
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places)
        assert [x for x, _ in places] == sorted(x for x, _ in places)
    measured = sum(value is not None for value in values)
    drawn_points = sum(len(line.split()) for line in re.findall(r'points="([^"]*)"', drawn))
    assert drawn_points + drawn.count('class="lone"') == measured


def test_a_gap_in_a_series_is_not_drawn_over() -> None:
    drawn = str(sparkline([point(v, day) for day, v in enumerate([1.0, 2.0, None, 3.0, 4.0])], None))
    assert drawn.count("<polyline") == 2


def test_a_bar_is_as_long_as_its_numbers() -> None:
    drawn = str(bar(["effective", "ineffective"], [3, 1]))
    assert re.findall(r'class="(\w+)" x="([\d.]+)"', drawn) == [("ok", "0.0"), ("bad", "750.0")]
    assert 'aria-label="3 effective, 1 ineffective"' in drawn
    assert 'class="frame"' in str(bar(["effective"], [0]))


@given(st.lists(st.integers(), max_size=30), st.integers(0, 40))
def test_a_cut_list_knows_its_length(items: list[int], limit: int) -> None:
    cut = first(items, limit)
    assert (len(cut.items) + cut.more, cut.total) == (len(items), len(items))


def item(state: str, scope: str = "eu-west-1", reason: str = "") -> Item:
    return Item("run", "aws", scope, "iam", "user", state, reason, 3, TIME, "b" * 64, None, None, 4, "reader")


def run(name: str, ended: str | None = TIME) -> RunView:
    return RunView(name, TIME, ended, 4, {"complete": 3, "planned": 1}, {})


def result(status: str, of: str = "r2") -> Result:
    return Result("check", "Title", "high", ["A.8.5"], status, "why", {}, TIME, of, None, [], TIME)


def headlines(known: Known) -> list[str]:
    return [notice.headline for notice in notices(known)]


def known(**changes: object) -> Known:
    sound = {"runs": [run("r2")], "unfinished": [], "items": [item("complete")], "results": [result("pass")]}
    return Known(**{"kpis": [], "controls": [], **sound, **changes})


def test_only_a_run_without_any_gap_is_called_seen_in_full() -> None:
    assert headlines(known()) == ["Run r2 finished and saw all that it planned"]
    assert notices(known())[0].tone == "ok"


@pytest.mark.parametrize("state", ["incomplete", "failed", "denied", "planned", "a word nobody knows"])
def test_a_fetch_in_any_other_state_than_seen_is_a_gap(state: str) -> None:
    assert headlines(known(items=[item(state), item("complete", "b"), item("unavailable", "c")])) == [
        "1 of 3 fetches could not be seen in full"
    ]


@pytest.mark.parametrize("status", ["error", "incomplete", "stale"])
def test_a_check_that_was_blind_is_a_gap(status: str) -> None:
    assert headlines(known(results=[result(status)])) == ["1 of 1 checks could not judge everything"]


def test_a_check_that_fails_and_was_blind_besides_is_a_gap() -> None:
    mixed = replace(result("fail"), counts={"pass": 4, "fail": 1, "stale": 2})
    (notice,) = notices(known(results=[mixed, result("fail")]))
    assert notice.headline == "1 of 2 checks could not judge everything"
    assert notice.gaps.items[0].status == "stale"


def test_an_unfinished_run_comes_first_and_says_what_the_verdicts_are_of() -> None:
    dead = run("r3", None)
    found = notices(known(runs=[dead, run("r2")], unfinished=[dead], items=[item("planned")]))
    assert [notice.headline for notice in found] == [
        "The latest run, r3, did not finish",
        "1 of 1 fetches could not be seen in full",
    ]
    assert "1 of 4 planned fetches were never recorded" in found[0].meaning
    assert "1 of 1 check results are of earlier runs" in found[0].meaning


def test_results_that_the_latest_run_did_not_renew_are_a_gap() -> None:
    assert headlines(known(results=[result("pass", "r1")])) == ["1 check results are of earlier runs"]


def test_sources_that_were_never_collected_or_are_gone_are_gaps() -> None:
    assert headlines(known(configured=["okta"])) == [
        "1 source was never collected",
        "1 source was taken out of the configuration",
    ]
    assert headlines(known(configured=["aws"])) == ["Run r2 finished and saw all that it planned"]


def test_a_statement_that_is_only_the_example_is_said_to_be() -> None:
    assert headlines(known(example=True)) == ["The Statement of Applicability is the built-in example"]


def test_of_many_pieces_those_that_were_not_seen_are_shown() -> None:
    many = [item("complete", f"account-{number:04d}") for number in range(1_000)]
    late = item("denied", "zz", "no")
    (source,) = sources([*many, late])
    assert source.pieces.items[0] == late
    assert (source.pieces.total, len(source.pieces.items), source.pieces.more) == (1_001, 200, 801)
    assert (source.seen, source.fetches) == (1_000, 1_001)


def record(identifier: str, state: str, due: str, resolved: str | None = None) -> NonconformityView:
    return NonconformityView(
        identifier, state, "major", "high", "A.8.5", ["A.8.5"], "check", "okta", "", "Title", "Statement", None,
        TIME, due, resolved, 0, 1, None, False,
    )  # fmt: skip


def test_the_first_due_stands_first_and_the_latest_resolved() -> None:
    records = [
        record("NC-1", "resolved", "2026-01-01", "2026-02-01"),
        record("NC-2", "open", "2026-10-01"),
        record("NC-3", "open", "2026-09-01"),
        record("NC-4", "closed", "2026-01-01", "2026-03-01"),
        record("NC-5", "resolved", "2026-01-01", "2026-03-01"),
    ]
    found = register(records)
    assert [r.id for r in found.open.items] == ["NC-3", "NC-2"]
    assert [r.id for r in found.settled.items] == ["NC-4", "NC-5", "NC-1"]
