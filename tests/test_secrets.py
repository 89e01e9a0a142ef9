"""Secrets by reference: resolved at first use, never shown, refused when something about them is wrong."""

from __future__ import annotations

from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend

from annexa.errors import SecretError
from annexa.secrets import Secret

VALUE = "s3cr3t-value"


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.touch(mode=0o600)
    path.write_text(f"{VALUE}\n", encoding="utf-8")
    return path


def test_an_environment_variable_is_read_at_first_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANNEXA_TEST_TOKEN", raising=False)
    secret = Secret("env:ANNEXA_TEST_TOKEN")
    with pytest.raises(SecretError, match="ANNEXA_TEST_TOKEN is not set") as refusal:
        secret.reveal()
    assert "export ANNEXA_TEST_TOKEN" in refusal.value.remedy
    monkeypatch.setenv("ANNEXA_TEST_TOKEN", f" {VALUE}\n")
    assert secret.reveal() == VALUE
    monkeypatch.setenv("ANNEXA_TEST_TOKEN", "another")
    assert secret.reveal() == VALUE, "one run uses one value"


def test_an_empty_secret_is_refused(monkeypatch: pytest.MonkeyPatch, secret_file: Path) -> None:
    monkeypatch.setenv("ANNEXA_TEST_TOKEN", "  ")
    secret_file.write_text("\n", encoding="utf-8")
    for reference in ("env:ANNEXA_TEST_TOKEN", f"file:{secret_file}"):
        with pytest.raises(SecretError, match="is empty"):
            Secret(reference).reveal()


def test_a_file_is_relative_to_the_configuration(secret_file: Path) -> None:
    assert Secret("file:token", secret_file.parent).reveal() == VALUE
    assert Secret(f"file:{secret_file}", Path("/nowhere")).reveal() == VALUE


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_file_that_others_can_touch_is_refused(secret_file: Path, mode: int) -> None:
    secret_file.chmod(mode)
    with pytest.raises(SecretError, match="can be read by others") as refusal:
        Secret(f"file:{secret_file}").reveal()
    assert refusal.value.remedy == f"chmod 600 {secret_file}"


def test_a_file_that_cannot_be_read_says_why_without_its_content(tmp_path: Path, secret_file: Path) -> None:
    with pytest.raises(SecretError, match="FileNotFoundError"):
        Secret("file:absent", tmp_path).reveal()
    secret_file.write_bytes(b"\xff" + VALUE.encode())
    with pytest.raises(SecretError, match="UnicodeDecodeError") as refusal:
        Secret(f"file:{secret_file}").reveal()
    assert VALUE not in str(refusal.value)


class OneEntry(KeyringBackend):
    """A key store with one entry."""

    priority = 1.0

    def get_password(self, service: str, username: str) -> str | None:
        return VALUE if (service, username) == ("annexa", "okta/main") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


def test_the_key_store_is_asked_for_service_and_user() -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(OneEntry())
    try:
        assert Secret("keyring:annexa/okta/main").reveal() == VALUE
        with pytest.raises(SecretError, match="holds nothing for annexa/other"):
            Secret("keyring:annexa/other").reveal()
    finally:
        keyring.set_keyring(before)


@pytest.mark.parametrize(
    "literal", ["ghp_0123456789abcdef", "", "env:", "keyring:", "ENV:X", "https://x", "AKIA:file:x"]
)
def test_a_literal_is_refused_and_not_echoed(literal: str) -> None:
    with pytest.raises(SecretError) as refusal:
        Secret(literal)
    assert refusal.value.args == ("a secret must be a reference, not the secret itself",)
    assert "If a secret stood here, replace it" in refusal.value.remedy


def test_a_secret_shows_as_its_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANNEXA_TEST_TOKEN", VALUE)
    secret = Secret("env:ANNEXA_TEST_TOKEN")
    secret.reveal()
    for shown in (repr(secret), str(secret), f"{secret}", f"{[secret]}", f"{secret!r:>60}"):
        assert VALUE not in shown
        assert "env:ANNEXA_TEST_TOKEN" in shown


def test_secrets_are_equal_when_their_references_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANNEXA_TEST_A", VALUE)
    monkeypatch.setenv("ANNEXA_TEST_B", VALUE)
    one, same, other = Secret("env:ANNEXA_TEST_A"), Secret("env:ANNEXA_TEST_A"), Secret("env:ANNEXA_TEST_B")
    one.reveal()
    other.reveal()
    assert one == same
    assert hash(one) == hash(same)
    assert one != other, "equal values must not show"
    assert one != "env:ANNEXA_TEST_A"
