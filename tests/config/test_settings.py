"""A collector's own settings, as its dataclass declares them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from annexa.config import load, settings, settings_schema
from annexa.errors import ConfigError, PackError
from annexa.sdk import Collector, Help, Secret

Write = Callable[..., Path]


@dataclass(frozen=True)
class Nested:
    """A nested value."""

    depth: int = 1


@dataclass(frozen=True)
class VaultConfig:
    """What a collector may ask for."""

    url: Annotated[str, Help("The address")]
    token: Annotated[Secret, Help("The token")]
    path: Annotated[Path | None, Help("A file")] = None
    more: Annotated[tuple[Path, ...], Help("More files")] = ()
    key: Annotated[Secret | None, Help("A key")] = None
    window: Annotated[timedelta, Help("How far back")] = timedelta(days=7)
    grace: Annotated[timedelta | None, Help("How long")] = None
    kind: Annotated[Literal["a", "b"], Help("Which")] = "a"
    headers: Annotated[dict[str, str], Help("Headers")] = field(default_factory=dict)
    days: Annotated[int, Help("Days")] = 1
    nested: Annotated[Nested, Help("Nested")] = Nested()


def collector(config: type = VaultConfig, name: str = "vault") -> Collector:
    return Collector(name, config=config, connect=lambda config, open: None, docs="https://example.com")


VAULT = collector()


def vault(write: Write, fields: str) -> Any:
    config = load(write(f"sources:\n  store:\n    collector: vault\n    url: https://example.com\n{fields}"))
    return settings(VAULT, config.sources["store"])


def test_settings_are_an_instance_of_the_collectors_dataclass(write: Write, tmp_path: Path) -> None:
    found = vault(
        write,
        """\
    token: file:secrets/token
    path: exports/people.csv
    more: [/srv/a, b]
    key: env:KEY
    window: 36h
    grace: 30m
    kind: b
    headers: {X-Tenant: main}
    days: 3
    nested: {depth: 2}
    max_age: 2d
""",
    )
    assert found == VaultConfig(
        url="https://example.com", token=Secret("file:secrets/token"), path=tmp_path / "exports/people.csv",
        more=(Path("/srv/a"), tmp_path / "b"), key=Secret("env:KEY"), window=timedelta(hours=36),
        grace=timedelta(minutes=30), kind="b", headers={"X-Tenant": "main"}, days=3, nested=Nested(2),
    )  # fmt: skip
    assert found.token.base == tmp_path, "a secret's file is relative to config.yaml"


def test_what_is_left_out_has_the_dataclass_default(write: Write) -> None:
    assert vault(write, "    token: env:T\n") == VaultConfig("https://example.com", Secret("env:T"))
    assert vault(write, "    token: env:T\n    key:\n    grace: null\n").grace is None


SETTINGS = {
    "literal secret": ("    token: hunter2\n", 6, "sources.store.token: must be a reference"),
    "literal secret, optional": ("    token: env:T\n    key: hunter2\n", 7, "sources.store.key: must be a reference"),
    "literal secret, in a list": ("    token: [hunter2]\n", 6, "sources.store.token: must be a reference"),
    "unknown field": (
        "    token: env:T\n    tokn: hunter2\n",
        7,
        "sources.store.tokn: unknown field; did you mean token",
    ),
    "missing field": ("    days: 1\n", 3, "sources.store: token is missing (The token)"),
    "type": ("    token: env:T\n    days: many\n", 7, "sources.store.days: is 'many', expected a whole number"),
    "number for text": (
        "    token: env:T\n    headers: {a: 1}\n",
        7,
        "sources.store.headers.a: is 1, expected text; put",
    ),
    "choice": ("    token: env:T\n    kind: c\n", 7, "sources.store.kind: is 'c', not one of a, b"),
    "age": ("    token: env:T\n    window: P7D\n", 7, "sources.store.window: is 'P7D', expected a time such as"),
    "nested": (
        "    token: env:T\n    nested: {deep: 1}\n",
        7,
        "sources.store.nested.deep: unknown field; did you mean depth",
    ),
    "path": ("    token: env:T\n    path: ''\n", 7, "sources.store.path: "),
}


@pytest.mark.parametrize(("fields", "line", "message"), SETTINGS.values(), ids=SETTINGS.keys())
def test_a_wrong_setting_names_its_line(write: Write, fields: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        vault(write, fields)
    assert refused.value.line == line
    assert message in str(refused.value)
    assert "hunter2" not in str(refused.value) + refused.value.remedy


def test_a_config_shows_no_setting_in_its_repr(write: Write) -> None:
    """A literal secret may stand there until `settings` refuses it."""
    config = load(write("sources:\n  store: {collector: vault, token: hunter2}\n"))
    assert "hunter2" not in repr(config) + repr(config.sources["store"])


def test_no_secret_is_resolved_before_it_is_used(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(secret: Secret) -> str:
        raise AssertionError(f"{secret} was resolved")

    monkeypatch.setattr(Secret, "reveal", forbidden)
    config = load(write("state: env:S\nsources:\n  store: {collector: vault, url: x, token: env:T}\n"))
    assert settings(VAULT, config.sources["store"]).token == Secret("env:T")


@dataclass(frozen=True)
class Strict:
    """Refuses by itself."""

    region: Annotated[str, Help("Region")]

    def __post_init__(self) -> None:
        if self.region == "mars":
            raise ValueError("there is no data centre on Mars")


def test_a_collectors_own_objection_gets_its_place(write: Write) -> None:
    config = load(write("sources:\n  far: {collector: strict, region: mars}\n"))
    with pytest.raises(ConfigError, match="no data centre on Mars") as refused:
        settings(collector(Strict, "strict"), config.sources["far"])
    assert (refused.value.line, refused.value.field) == (3, "sources.far")


@dataclass(frozen=True)
class Reserved:
    """Uses a name of every source."""

    max_age: Annotated[int, Help("Age")]


@dataclass(frozen=True)
class Unknown:
    """Uses a type that YAML cannot give."""

    call: Annotated[Collector, Help("A collector")]


@pytest.mark.parametrize(
    ("config", "message"), [(Reserved, "the setting max_age"), (Unknown, "cannot be written in YAML")]
)
def test_a_collector_that_asks_for_the_impossible_is_refused(config: type, message: str) -> None:
    with pytest.raises(PackError, match=message):
        settings_schema(collector(config, "wrong"))
