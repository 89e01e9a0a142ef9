"""Files that survive a power cut: what must be synced, in which order, and what a failing disk is called.

Rules:
- A file is synced before it gets its final name, and its folder after (fsync(2): a file's name is the folder's).
- Nothing is synced twice: after a failed fsync the kernel may have dropped the pages, so the bytes are written anew.
- Every `OSError` leaves this room as a `StoreError` that says which file and what to do.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from annexa.errors import StoreError

_REMEDIES = {
    errno.ENOSPC: "Free space on that disk and run again; what was acknowledged before is kept.",
    errno.EDQUOT: "Raise the quota of this user or free space, and run again; what was acknowledged before is kept.",
    errno.EFBIG: "Raise the file size limit (ulimit -f) or use a file system without it, and run again.",
    errno.EIO: "The disk reports an error: check it and the system log, then run again on a sound disk.",
    errno.EROFS: "The file system is read-only: mount it writable, or name another `evidence` folder.",
    errno.EACCES: "Give the user that runs annexa the right to read and write there.",
}


@contextmanager
def storing(what: str) -> Iterator[None]:
    """Turn an `OSError` of the block into a `StoreError`.

    Args:
        what: What is being done and where, as the start of the message: `cannot write /srv/evidence/tmp`.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StoreError(f"{what}: {reason}", remedy=_REMEDIES.get(error.errno or 0)) from error


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Create a folder and its missing parents, each durable in its parent."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def write_all(handle: int, data: bytes) -> None:
    """Write every byte; write(2) may take fewer than it is given."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]
