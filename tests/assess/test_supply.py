"""What a check's tables rest on, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from annexa.assess.entities import Entity, Feed
from annexa.assess.evidence import Gap, SegmentRef, TableEvidence
from annexa.assess.supply import Found, Supply
from annexa.assess.verdicts import Trouble
from annexa.sdk import Table

AS_OF = datetime(2026, 9, 10, tzinfo=UTC)
DAY = timedelta(days=1)
FRESH, OLD = AS_OF - timedelta(hours=1), AS_OF - timedelta(days=3)


def segment(source: str, as_of: datetime = FRESH) -> SegmentRef:
    return SegmentRef(source, "global", Path(f"/{source}"), "0" * 64, 0, as_of, f"{source}/global/all")


def evidence(
    name: str, *segments: SegmentRef, gap: str = "", max_age: dict[str, timedelta] | None = None
) -> TableEvidence:
    gaps = (Gap("okta", "global", "okta/global/all", "failed", gap),) if gap else ()
    return TableEvidence(Table.of(name, {"id": str}), segments, gaps, max_age or {})


def entity(name: str, **feeds: tuple[str, ...]) -> Entity:
    return Entity(name, Table.of(name, {"id": str}), {v: Feed((v, *also), "select 1") for v, also in feeds.items()}, "")


PERSON = entity("person", okta_user=("okta_factor",), hr_person=())
ACCOUNT = entity("account", okta_user=("person",))


def troubles(supply: Supply, name: str, found: Found | None = None) -> list[tuple[Trouble, str]]:
    return [(c.trouble, str(c)) for c in supply.conditions({name: DAY}, AS_OF, found or Found())]


def test_complete_and_fresh_is_no_trouble() -> None:
    supply = Supply({"okta_user": evidence("okta_user", segment("okta"))}, {})
    assert troubles(supply, "okta_user") == []
    assert supply.sourced("okta_user")
    assert not supply.sourced("entra_user")


@pytest.mark.parametrize(
    ("found", "trouble", "words"),
    [
        (evidence("t", segment("okta"), gap="HTTP 500"), Trouble.GAP, "t: okta/global/all is failed: HTTP 500"),
        (
            evidence("t", gap="HTTP 500"),
            Trouble.MISSING,
            "t: nothing was collected; okta/global/all is failed: HTTP 500",
        ),
        (evidence("t"), Trouble.NOWHERE, "t: its service does not exist in any scope that was asked"),
        (
            evidence("t", segment("okta", OLD)),
            Trouble.STALE,
            "t: t of okta is of 2026-09-07T00:00:00.000000Z, older than 1d",
        ),
        (
            evidence("t", segment("okta", AS_OF + 2 * DAY)),
            Trouble.GAP,
            "t: okta/global/all is dated 2026-09-12T00:00:00.000000Z, after the assessment",
        ),
    ],
)
def test_each_trouble_has_its_words(found: TableEvidence, trouble: Trouble, words: str) -> None:
    assert (trouble, words) in troubles(Supply({"t": found}, {}), "t")


def test_a_source_may_be_older_where_it_is_configured_so() -> None:
    found = evidence("t", segment("okta", OLD), segment("hr", OLD), max_age={"hr": timedelta(days=7)})
    assert [text for _, text in troubles(Supply({"t": found}, {}), "t")] == [
        "t: t of okta is of 2026-09-07T00:00:00.000000Z, older than 1d"
    ]


def test_an_age_is_reached_not_passed() -> None:
    exactly = evidence("t", segment("okta", AS_OF - DAY))
    assert troubles(Supply({"t": exactly}, {}), "t") == []
    beyond = evidence("t", segment("okta", AS_OF - DAY - timedelta(microseconds=1)))
    assert [trouble for trouble, _ in troubles(Supply({"t": beyond}, {}), "t")] == [Trouble.STALE]


def test_what_loading_found_is_a_trouble() -> None:
    supply = Supply({"t": evidence("t", segment("okta"))}, {})
    found = Found({"t": ("2 values of column x not times",)}, {})
    assert troubles(supply, "t", found) == [(Trouble.GAP, "t: 2 values of column x not times")]
    assert troubles(supply, "t", Found({}, {"t": "digest"})) == [(Trouble.BROKEN, "t: digest")]


def fed(**tables: TableEvidence) -> Supply:
    return Supply(tables, {"person": PERSON, "account": ACCOUNT})


def test_an_entity_is_fed_by_what_is_configured() -> None:
    supply = fed(okta_user=evidence("okta_user", segment("okta")), okta_factor=evidence("okta_factor", segment("okta")))
    assert (supply.feeds("person"), supply.usable("person"), troubles(supply, "person")) == (
        ["okta_user"],
        ["okta_user"],
        [],
    )
    assert {cite.table for cite in supply.cites(["person"])} == {"okta_user", "okta_factor"}
    assert not fed().sourced("person")
    assert fed(person=evidence("person", segment("files"))).sourced("person")


BREAKS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "a gap of a feed": lambda t: t | {"okta_user": evidence("okta_user", segment("okta"), gap="HTTP 500")},
    "a gap of a table beside it": lambda t: (
        t | {"okta_factor": evidence("okta_factor", segment("okta"), gap="HTTP 500")}
    ),
    "a feed of which nothing came": lambda t: t | {"okta_user": evidence("okta_user", gap="HTTP 500")},
    "a table beside it of which nothing came": lambda t: t | {"okta_factor": evidence("okta_factor", gap="HTTP 500")},
    "a table beside it that nobody collects": lambda t: {k: v for k, v in t.items() if k != "okta_factor"},
    "a table beside it that does not exist": lambda t: t | {"okta_factor": evidence("okta_factor")},
    "a gap of rows of its own": lambda t: t | {"person": evidence("person", segment("files"), gap="no file")},
    "rows of its own that did not come": lambda t: t | {"person": evidence("person", gap="no file")},
}


@pytest.mark.parametrize("name", BREAKS)
def test_one_feed_that_lacks_something_makes_the_entity_incomplete(name: str) -> None:
    whole = {
        "okta_user": evidence("okta_user", segment("okta")),
        "okta_factor": evidence("okta_factor", segment("okta")),
        "hr_person": evidence("hr_person", segment("hr")),
    }
    assert troubles(fed(**whole), "person") == []
    found = troubles(fed(**BREAKS[name](whole)), "person")
    assert found
    assert {trouble for trouble, _ in found} == {Trouble.GAP}


def test_a_service_that_does_not_exist_takes_nothing_from_an_entity() -> None:
    supply = fed(
        okta_user=evidence("okta_user"), okta_factor=evidence("okta_factor"), hr_person=evidence("hr", segment("hr"))
    )
    assert (supply.usable("person"), troubles(supply, "person")) == (["hr_person"], [])


def test_an_entity_of_which_nothing_came_is_missing() -> None:
    supply = fed(hr_person=evidence("hr_person", gap="no file"))
    assert Trouble.MISSING in {trouble for trouble, _ in troubles(supply, "person")}


def test_trouble_goes_up_through_entities_that_read_entities() -> None:
    tables = {
        "okta_user": evidence("okta_user", segment("okta")),
        "hr_person": evidence("hr_person", segment("hr", OLD)),
    }
    found = troubles(fed(**tables), "account")
    assert (Trouble.STALE, "account: hr_person of hr is of 2026-09-07T00:00:00.000000Z, older than 1d") in found
    assert (Trouble.GAP, "account: okta_factor, which the feed okta_user reads, is fed by no source") in found
    broken = troubles(fed(**tables), "account", Found({}, {"hr_person": "digest"}))
    assert (Trouble.BROKEN, "account: digest") in broken


def test_the_oldest_segment_is_the_age_of_the_entity() -> None:
    supply = fed(
        hr_person=evidence("hr_person", segment("hr", OLD), segment("hr2")), person=evidence("person", segment("f"))
    )
    assert supply.oldest(["person"]) == OLD
    assert supply.oldest([]) is None
