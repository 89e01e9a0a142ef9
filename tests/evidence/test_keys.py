"""The ledger's key file."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from annexa.errors import StoreError, Tampered
from annexa.evidence.keys import load, load_or_create, public_path
from annexa.evidence.notes import Verifier, open_note, sign

NAME = "log.example.com/annexa"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "ledger.key"


def test_a_key_is_made_once_and_only_its_owner_can_read_it(path: Path) -> None:
    signer = load_or_create(path, NAME)
    content = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert content.startswith(f"PRIVATE+KEY+{NAME}+")
    assert load_or_create(path, NAME).verifier == load(path).verifier == signer.verifier
    assert path.read_text() == content
    assert sorted(file.name for file in path.parent.iterdir()) == ["ledger.key", "ledger.key.pub"]


def test_the_public_half_verifies_what_the_key_signs(path: Path) -> None:
    note = sign("a head\n", [load_or_create(path, NAME)])
    verifier = Verifier.parse(public_path(path).read_text().rstrip("\n"))
    assert open_note(note, [verifier]).text == "a head\n"
    assert public_path(path).stat().st_mode & 0o004


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601, 0o777])
def test_a_key_that_others_can_reach_is_refused(path: Path, mode: int) -> None:
    load_or_create(path, NAME)
    path.chmod(mode)
    for use in (lambda: load(path), lambda: load_or_create(path, NAME)):
        with pytest.raises(StoreError, match=f"mode 0{mode:o}") as caught:
            use()
        assert f"chmod 600 {path}" in caught.value.remedy


def test_a_stricter_mode_is_fine(path: Path) -> None:
    signer = load_or_create(path, NAME)
    path.chmod(0o400)
    assert load(path).verifier == signer.verifier


def test_a_key_of_another_name_is_refused(path: Path) -> None:
    load_or_create(path, NAME)
    with pytest.raises(StoreError, match=r"key of 'log.example.com/annexa', not of 'log.example.org'"):
        load_or_create(path, "log.example.org")


def test_a_missing_key_is_not_silently_replaced(path: Path) -> None:
    load_or_create(path, NAME)
    path.unlink()
    with pytest.raises(StoreError, match="is missing, but its public half"):
        load_or_create(path, NAME)
    assert not path.exists()
    with pytest.raises(StoreError, match="No such file"):
        load(path)


def test_a_lost_public_half_is_written_again(path: Path) -> None:
    load_or_create(path, NAME)
    public = public_path(path).read_text()
    public_path(path).unlink()
    load_or_create(path, NAME)
    assert public_path(path).read_text() == public


def test_a_foreign_public_half_is_seen(path: Path, tmp_path: Path) -> None:
    load_or_create(path, NAME)
    other = load_or_create(tmp_path / "other", NAME)
    public_path(path).write_text(other.verifier.text() + "\n")
    with pytest.raises(Tampered, match="is not the public half"):
        load_or_create(path, NAME)


@pytest.mark.parametrize(
    "spoil", [lambda _: "", lambda text: text[:-9], lambda text: text.replace("KEY", "key"), str.upper]
)
def test_a_broken_key_is_refused_and_never_shown(path: Path, spoil: Callable[[str], str]) -> None:
    load_or_create(path, NAME)
    text = path.read_text()
    secret = text.split("+", 4)[4].strip()
    path.write_text(spoil(text))
    with pytest.raises(StoreError, match="not a private key") as caught:
        load_or_create(path, NAME)
    shown = f"{caught.value} {caught.value!r} {caught.value.remedy}"
    assert str(path) in shown
    assert secret[4:20] not in shown
    assert secret[4:20].upper() not in shown


def test_a_key_file_of_other_bytes_is_refused(path: Path) -> None:
    load_or_create(path, NAME)
    path.write_bytes(b"\xff\xfe" * 100)
    with pytest.raises(StoreError, match="not a private key"):
        load(path)


@pytest.mark.parametrize("call", ["write", "fsync", "link"])
def test_a_failing_disk_leaves_no_half_key(path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path.parent.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(StoreError, match="No space left"):
            load_or_create(path, NAME)
    assert list(path.parent.iterdir()) == []
    assert load_or_create(path, NAME).name == NAME


MAKER = """
import sys
from collections.abc import Callable
from pathlib import Path
from annexa.evidence.keys import load_or_create
sys.stdin.readline()
print(load_or_create(Path(sys.argv[1]), sys.argv[2]).verifier.text())
"""


def test_processes_that_come_at_once_get_the_same_key(path: Path) -> None:
    command = [sys.executable, "-c", MAKER, path, NAME]
    makers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for maker in makers:
        assert maker.stdin is not None
        maker.stdin.write("go\n")
        maker.stdin.flush()
    keys = {maker.communicate()[0].strip() for maker in makers}
    assert keys == {load(path).verifier.text()}
    assert sorted(file.name for file in path.parent.iterdir()) == ["ledger.key", "ledger.key.pub"]
