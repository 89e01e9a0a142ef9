"""A report's file: there as a whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from annexa.evidence.durable import storing, sync_folder, write_all


def save(path: Path, content: bytes) -> None:
    """Write the file beside its place, sync it, and rename it: a reader sees the old file or the new one.

    Raises:
        StoreError: It cannot be written; the old file is as it was.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    with storing(f"cannot write {path}"):
        try:
            _write(part, content)
            part.replace(path)
        finally:
            with suppress(FileNotFoundError):
                part.unlink()
        sync_folder(path.parent)


def _write(part: Path, content: bytes) -> None:
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        write_all(handle, content)
        os.fsync(handle)
    finally:
        os.close(handle)
