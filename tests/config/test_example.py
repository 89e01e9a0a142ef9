"""The published JSON Schema, and the example that documents every option."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from annexa import strict_yaml
from annexa.config import config_schema, load, verify_checks
from annexa.packs import Packs, mount
from annexa.schemas import schema

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.example.yaml"


@pytest.fixture(scope="module")
def packs() -> Packs:
    return mount()


@pytest.fixture(scope="module")
def published(packs: Packs) -> dict[str, Any]:
    return config_schema(packs.collector(name) for name in packs.collectors())


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    data: dict[str, Any] = strict_yaml.load(EXAMPLE).data
    return data


def test_the_published_schema_knows_every_collector(packs: Packs, published: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(published)
    assert published["$defs"]["source"]["properties"]["collector"]["enum"] == packs.collectors()
    assert "enum" not in schema("schemas/config.schema.json")["$defs"]["source"]["properties"]["collector"]


def test_the_example_is_valid(packs: Packs, published: dict[str, Any], example: dict[str, Any]) -> None:
    assert list(Draft202012Validator(published).iter_errors(example)) == []
    config = load(EXAMPLE)
    for source in config.sources.values():
        packs.configured(source)
    verify_checks(config, packs.checks())


def test_the_published_schema_refuses_what_annexa_refuses(published: dict[str, Any], example: dict[str, Any]) -> None:
    validator = Draft202012Validator(published)
    for change in (
        {"tokn": "env:X"}, {"token": "ghp_literal"}, {"collector": "gihub"}, {"organisation": 5}, {"max_age": 3},
    ):  # fmt: skip
        broken = copy.deepcopy(example)
        broken["sources"]["code"].update(change)
        assert not validator.is_valid(broken), change


def test_the_example_documents_every_option(published: dict[str, Any], example: dict[str, Any]) -> None:
    wanted = set(options(published, published, ""))
    shown = {option for name, raw in example.items() for option in written(name, raw, raw_keys=name != "sources")}
    shown |= {f"sources.{s['collector']}.{name}" for s in example["sources"].values() for name in s}
    assert wanted - shown - {f"sources.{name}.max_age" for name in collectors_of(published)} == set()
    assert "max_age" in example["sources"]["aws"]


def options(whole: dict[str, Any], node: dict[str, Any], prefix: str) -> Iterator[str]:
    """Every option of the schema by its dotted name; a source's by its collector."""
    for name, spec in node.get("properties", {}).items():
        if name == "sources":
            for own in collectors_of(whole):
                root = next(c["then"]["$ref"] for c in whole["$defs"]["source"]["allOf"] if own == chosen(c))
                definition = whole["$defs"][root.removeprefix("#/$defs/")]
                yield from (f"sources.{own}.{option}" for option in definition["properties"])
        yield prefix + name
        yield from options(whole, spec, f"{prefix}{name}.")


def chosen(condition: dict[str, Any]) -> str:
    return str(condition["if"]["properties"]["collector"]["const"])


def collectors_of(whole: dict[str, Any]) -> list[str]:
    return [chosen(condition) for condition in whole["$defs"]["source"]["allOf"]]


def written(name: str, value: Any, *, raw_keys: bool) -> Iterator[str]:
    yield name
    if raw_keys and isinstance(value, dict):
        for key, inner in value.items():
            yield from written(f"{name}.{key}", inner, raw_keys=True)


def test_every_option_has_a_description(published: dict[str, Any]) -> None:
    definitions = [published, *published["properties"].values(), *published["$defs"].values()]
    silent = [
        name for node in definitions for name, spec in node.get("properties", {}).items() if not spec.get("description")
    ]
    assert silent == []


def test_the_example_states_the_defaults_truly(example: dict[str, Any]) -> None:
    """Where the example shows the default and says so, it is the default."""
    base = schema("schemas/config.schema.json")["properties"]
    for name in ("state", "evidence"):
        assert example[name] == base[name]["default"]
    for section in ("scan", "ledger"):
        for name, spec in base[section]["properties"].items():
            if "default" in spec:
                assert example[section][name] == spec["default"], name
