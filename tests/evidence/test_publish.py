from __future__ import annotations

from pathlib import Path

import pytest

from annexa.errors import StoreError, Tampered
from annexa.evidence.checkpoints import Checkpoint
from annexa.evidence.note_keys import Signer
from annexa.evidence.notes import open_note, sign
from annexa.evidence.publish import publish

KEY = Signer.generate("example.com/isms")


def note(size: int, root: bytes) -> str:
    return sign(Checkpoint(KEY.name, size, root).text(), [KEY])


def test_a_checkpoint_becomes_a_file_that_verifies(tmp_path: Path) -> None:
    path = publish(tmp_path, note(12, b"r" * 32))
    assert path == tmp_path / "checkpoints" / "12.note"
    assert open_note(path.read_text(encoding="utf-8"), [KEY.verifier]).verified
    assert [p.name for p in path.parent.iterdir()] == ["12.note"]


def test_again_is_the_same_and_another_history_is_refused(tmp_path: Path) -> None:
    path = publish(tmp_path, note(12, b"r" * 32))
    before = path.read_bytes()
    assert publish(tmp_path, note(12, b"r" * 32)) == path
    with pytest.raises(Tampered, match="another checkpoint"):
        publish(tmp_path, note(12, b"s" * 32))
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_written_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").write_text("a file", encoding="utf-8")
    with pytest.raises(StoreError):
        publish(tmp_path, note(1, b"r" * 32))
