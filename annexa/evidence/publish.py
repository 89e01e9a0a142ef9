"""Checkpoints as files beside the evidence, `<evidence>/checkpoints/<size>.note`, to be copied out of reach.

A file is written once and never replaced. One that holds something else is a contradiction:
two histories of the same length were signed.
"""

from __future__ import annotations

import os
from pathlib import Path

from annexa.errors import Tampered
from annexa.evidence import checkpoints
from annexa.evidence.durable import make_folder, storing, sync_folder, write_all
from annexa.evidence.notes import parse_note


def publish(evidence: Path, note: str) -> Path:
    """Write a signed checkpoint, durably; gives its file.

    Raises:
        Tampered: a checkpoint of the same size is there and says something else.
        StoreError: it cannot be written.
    """
    size = checkpoints.parse(parse_note(note)[0]).size
    folder = evidence / "checkpoints"
    path = folder / f"{size}.note"
    with storing(f"cannot write {path}"):
        make_folder(folder)
        if path.exists():
            _same(path, note)
            return path
        part = folder / f".{size}.{os.getpid()}.part"
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            write_all(handle, note.encode())
            os.fsync(handle)
        finally:
            os.close(handle)
        part.replace(path)
        sync_folder(folder)
    return path


def _same(path: Path, note: str) -> None:
    if path.read_text(encoding="utf-8", errors="replace") != note:
        raise Tampered(f"{path} is another checkpoint of the same size than the one just signed")
