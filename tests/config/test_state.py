"""The database's address: no password in the file, none in an error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from annexa.config import load
from annexa.errors import ConfigError, SecretError

Write = Callable[..., Path]


def refusal(path: Path) -> ConfigError:
    with pytest.raises(ConfigError) as refused:
        load(path)
    assert refused.value.path == str(path)
    return refused.value


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://annexa:hunter2@db/annexa",
        "postgresql://annexa:hunter2@db/annexa",
        "postgresql+psycopg://db/annexa?password=hunter2",
        "postgresql+psycopg://annexa:hunter2@[db/annexa",
    ],
)
def test_a_password_in_the_file_is_refused_and_not_echoed(write: Write, url: str) -> None:
    refused = refusal(write(f"state: '{url}'\n"))
    assert "hunter2" not in str(refused) + refused.remedy
    assert "env:NAME" in refused.remedy


@pytest.mark.parametrize("scheme", ["postgresql+psycopg", "postgresql", "postgres"])
def test_postgresql_gets_its_driver(write: Write, scheme: str) -> None:
    config = load(write(f"state: {scheme}://annexa@db.example.com/annexa\n"))
    assert config.database_url() == "postgresql+psycopg://annexa@db.example.com/annexa"


def test_the_address_may_be_a_reference(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = load(write("state: env:ANNEXA_TEST_STATE\n"))
    with pytest.raises(SecretError, match="ANNEXA_TEST_STATE is not set"):
        config.database_url()
    monkeypatch.setenv("ANNEXA_TEST_STATE", "postgres://annexa:hunter2@db/annexa")
    assert config.database_url() == "postgresql+psycopg://annexa:hunter2@db/annexa"
    assert "hunter2" not in repr(config)
    monkeypatch.setenv("ANNEXA_TEST_STATE", "sqlite:///x.db")
    assert load(tmp_path / "config.yaml").database_url() == f"sqlite:///{tmp_path}/x.db"
    monkeypatch.setenv("ANNEXA_TEST_STATE", "hunter2")
    with pytest.raises(ConfigError) as refused:
        load(tmp_path / "config.yaml").database_url()
    assert "hunter2" not in str(refused.value)
