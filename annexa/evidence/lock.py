"""One writer at a time, across processes: an exclusive flock(2) on a file, waited for until a deadline.

The kernel holds the lock, so a killed process leaves none behind. What the file says (who, where, since when)
is for the message to those who wait; it decides nothing and may be old.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from annexa import clock
from annexa.errors import StoreBusy
from annexa.evidence.durable import make_folder, storing, write_all

_PAUSE = 0.05
_held: set[int] = set()


@contextmanager
def store_lock(path: Path, wait: float) -> Iterator[None]:
    """Hold the lock for the block; released however it ends.

    Args:
        path: The lock file; made if missing, never removed (removing it would let two in).
        wait: Seconds to wait for another holder; 0 tries once.

    Raises:
        StoreBusy: Another process, or another thread of this one, held it all that time.
        StoreError: The lock file cannot be made, or its file system has no locks.
    """
    with storing(f"cannot open the lock file {path}"):
        make_folder(path.parent)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    _held.add(handle)
    try:
        with storing(f"cannot lock {path}"):
            _acquire(handle, path, time.monotonic() + wait)
            _say_who(handle)
        yield
    finally:
        if handle in _held:
            _held.remove(handle)
            os.close(handle)


def _acquire(handle: int, path: Path, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise StoreBusy(f"{path}: the store is in use by {_holder(handle)}") from None
        time.sleep(_PAUSE)


def _say_who(handle: int) -> None:
    who = {"pid": os.getpid(), "host": socket.gethostname(), "since": clock.text(clock.now())}
    os.ftruncate(handle, 0)
    os.lseek(handle, 0, os.SEEK_SET)
    write_all(handle, json.dumps(who).encode())


def _holder(handle: int) -> str:
    """Who holds the lock, as far as the file says."""
    try:
        who = json.loads(os.pread(handle, 4096, 0))
        return f"process {who['pid']} on {who['host']} since {who['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process"


def _let_go_after_fork() -> None:
    """A forked child shares the lock; were it to keep it, killing the parent would not free the store."""
    for handle in _held:
        with suppress(OSError):
            os.close(handle)
    _held.clear()


os.register_at_fork(after_in_child=_let_go_after_fork)
