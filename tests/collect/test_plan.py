"""The plan: scopes, and what becomes of fetches whose scopes could not be found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from annexa.collect.plan import Plan, plan
from annexa.collect.runner import Run, collect
from annexa.collect.shards import Outcome, Shard, State
from annexa.errors import ConfigError
from annexa.evidence.blobs import BlobStore
from annexa.sdk import CollectError, Collector, Denied, Entities, Files, Row, Scope, Table, TableRow, Transports


@dataclass(frozen=True)
class Config:
    regions: tuple[str, ...] = ("eu", "us")


def cloud(discover: Any = None, *, per: tuple[str, ...] = ("source", "account", "region")) -> Collector:
    """A collector with one fetch per level; its scopes come from a file, so that discovery really asks."""
    made = Collector("cloud", config=Config, connect=lambda _config, open: open.files(), docs="")
    for level in per:

        def fetch(api: Files) -> Iterator[Row]:
            """Something."""
            yield {"id": api.scope.name}

        fetch.__name__ = f"{level}_things"
        made.table(f"cloud_{level}", columns={"id": str}, key="id", per=level)(fetch)
    if discover:
        made.scopes(permissions=["cloud:List"])(discover)
    return made


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "regions.json").write_text('[{"name": "eu"}, {"name": "us"}]')
    return Run(BlobStore(tmp_path / "evidence"), datetime(2026, 9, 10, tzinfo=UTC), tmp_path)


def planned(run: Run, collector: Collector, entities: Entities | None = None, **more: Any) -> Plan:
    def once(shard: Shard, collector: Collector, settings: Any) -> Outcome:
        return collect(shard, collector, settings, run)

    return plan("main", collector, Config(), entities or {}, once, **more)


def regions(api: Files, _config: Config) -> Iterator[Scope]:
    yield Scope("1234", "account")
    for row in api.rows(Path("regions.json")):
        yield Scope(f"1234/{row['name']}", "region", {"region": row["name"]})


def names(plan: Plan) -> list[str]:
    return [shard.name for shard in plan.shards]


def test_without_discovery_a_source_has_one_scope(run: Run) -> None:
    found = planned(run, cloud(per=("source",)))
    assert (names(found), found.ended) == (["main/global/source_things"], ())


def test_fetches_are_done_in_every_scope_of_their_level_scope_by_scope(run: Run) -> None:
    found = planned(run, cloud(regions))
    assert names(found) == [
        "main/global/source_things",
        "main/1234/account_things",
        "main/1234/eu/region_things",
        "main/1234/us/region_things",
    ]
    (discovery,) = found.ended
    assert (discovery.shard.name, discovery.state, discovery.tables) == ("main/global/scopes", State.COMPLETE, ())
    assert json.loads(run.blobs.read(discovery.exchanges or ""))["request"]["url"] == "file:regions.json"


def test_a_scope_of_the_level_source_takes_the_place_of_global(run: Run) -> None:
    found = planned(run, cloud(lambda api, config: iter([Scope("tenant-7")]), per=("source",)))
    assert names(found) == ["main/tenant-7/source_things"]


@pytest.mark.parametrize(
    ("error", "state"),
    [(Denied("no", permission="cloud:List"), State.DENIED), (CollectError("no"), State.FAILED),
     (ZeroDivisionError("bug"), State.FAILED)],
)  # fmt: skip
def test_a_discovery_that_fails_leaves_failed_shards_and_not_nothing(run: Run, error: Exception, state: State) -> None:
    def discover(api: Files, _config: Config) -> Iterator[Scope]:
        raise error
        yield

    found = planned(run, cloud(discover))
    assert names(found) == ["main/global/source_things"], "what needs no discovery is collected"
    discovery, *lost = found.ended
    assert discovery.state is state
    assert [(outcome.shard.name, outcome.state) for outcome in lost] == [
        ("main/unknown/account_things", state),
        ("main/unknown/region_things", state),
    ]
    assert [list(outcome.counts()) for outcome in lost] == [["cloud_account"], ["cloud_region"]]
    assert all(discovery.reason in outcome.reason and outcome.remedy == discovery.remedy for outcome in lost)


def test_a_bug_in_discovery_is_named_in_the_collectors_own_file(run: Run) -> None:
    def discover(api: Files, config: Config) -> Iterator[Scope]:
        yield Scope(str({}["id"]))

    found = planned(run, cloud(discover))
    assert "collector cloud raised KeyError: 'id' at test_plan.py:" in found.ended[0].reason


def test_scopes_that_were_found_before_the_failure_are_collected_and_the_rest_is_known_to_be_missing(run: Run) -> None:
    def discover(api: Files, config: Config) -> Iterator[Scope]:
        yield Scope("1234", "account")
        yield Scope("1234/eu", "region")
        raise CollectError("the list broke off")

    found = planned(run, cloud(discover))
    assert names(found)[1:] == ["main/1234/account_things", "main/1234/eu/region_things"]
    assert [outcome.shard.name for outcome in found.ended] == [
        "main/global/scopes",
        "main/unknown/account_things",
        "main/unknown/region_things",
    ]


def test_a_part_of_the_discovery_that_is_lost_counts_like_a_failure(run: Run) -> None:
    def discover(api: Files, config: Config) -> Iterator[Scope]:
        yield Scope("1234", "account")
        with api.part("region eu"):
            raise CollectError("no answer")
        yield Scope("1234/us", "region")

    found = planned(run, cloud(discover))
    assert found.ended[0].state is State.INCOMPLETE
    assert {outcome.shard.name: outcome.state for outcome in found.ended[1:]} == {
        "main/unknown/account_things": State.FAILED,
        "main/unknown/region_things": State.FAILED,
    }


def test_a_level_of_which_no_scope_was_found_is_a_failed_shard(run: Run) -> None:
    found = planned(run, cloud(lambda api, config: iter([Scope("1234", "account")])))
    assert names(found) == ["main/global/source_things", "main/1234/account_things"]
    (discovery, lost) = found.ended
    assert discovery.state is State.COMPLETE
    assert (lost.shard.name, lost.state) == ("main/unknown/region_things", State.FAILED)
    assert lost.reason == "no scope of level region was found in main"


@pytest.mark.parametrize("name", ["1234", "unknown", ""])
def test_two_scopes_cannot_have_one_name(run: Run, name: str) -> None:
    scopes = [Scope("1234", "account"), Scope(name, "region")]
    found = planned(run, cloud(lambda api, config: iter(scopes)))
    assert found.ended[0].state is State.FAILED
    assert "main/unknown/region_things" in [outcome.shard.name for outcome in found.ended]
    assert len(set(names(found))) == len(names(found))


def test_only_fetches_whose_tables_are_needed_are_planned(run: Run) -> None:
    found = planned(run, cloud(regions), tables_needed={"cloud_region", "okta_user"})
    assert names(found) == ["main/1234/eu/region_things", "main/1234/us/region_things"]
    nothing = planned(run, cloud(regions), tables_needed=set())
    assert (nothing.shards, nothing.ended) == ((), ()), "nothing is asked where nothing is needed"


def test_a_configuration_that_names_no_table_is_an_error_of_the_configuration(run: Run) -> None:
    def dynamic(config: Config, entities: Entities) -> tuple[Table, ...]:
        raise CollectError("people is no entity")

    made = Collector("cloud", config=Config, connect=connect_nothing, docs="")
    made.fetch(dynamic=dynamic)(partial_rows)
    with pytest.raises(ConfigError, match=r"sources\.main: people is no entity"):
        planned(run, made)


def connect_nothing(_config: Any, _open: Transports) -> None:
    return None


def partial_rows(_api: Any) -> Iterator[TableRow]:
    """Nothing."""
    return iter(())


def test_dynamic_tables_are_asked_with_configuration_and_entities(run: Run) -> None:
    person = Table.of("person", {"id": str})
    made = Collector("cloud", config=Config, connect=connect_nothing, docs="")
    made.fetch(dynamic=lambda config, entities: (entities["person"],))(partial_rows)
    found = planned(run, made, {"person": person})
    assert [shard.tables for shard in found.shards] == [(person,)]
