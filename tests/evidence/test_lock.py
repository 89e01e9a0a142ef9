"""The store's lock, held and lost by real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from annexa.errors import StoreBusy, StoreError
from annexa.evidence.lock import store_lock

HOLDER = """
import sys
from pathlib import Path
from annexa.evidence.lock import store_lock
with store_lock(Path(sys.argv[1]), 5):
    print("held", flush=True)
    sys.stdin.readline()
"""

FORKER = """
import os, sys
from pathlib import Path
from annexa.evidence.lock import store_lock
with store_lock(Path(sys.argv[1]), 5):
    if os.fork() == 0:
        sys.stdin.readline()
        os._exit(0)
    print("held", flush=True)
    os.kill(os.getpid(), 9)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "evidence" / "lock"


@contextmanager
def held_by_another(path: Path, script: str = HOLDER) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", script, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield holder
        holder.kill()


def test_a_second_process_is_told_who_holds_the_lock(path: Path) -> None:
    with held_by_another(path) as holder:
        said = rf"in use by process {holder.pid} on \S+ since 20\d\d-"
        with pytest.raises(StoreBusy, match=said) as caught, store_lock(path, 0):
            pytest.fail("two hold the lock")
    assert caught.value.exit_code == 75


def test_it_waits_until_the_other_lets_go(path: Path) -> None:
    with held_by_another(path) as holder:
        assert holder.stdin is not None
        threading.Timer(0.2, holder.stdin.close).start()
        started = time.monotonic()
        with store_lock(path, 10):
            waited = time.monotonic() - started
    assert 0.1 < waited < 5


def test_it_gives_up_at_the_deadline(path: Path) -> None:
    with held_by_another(path):
        started = time.monotonic()
        with pytest.raises(StoreBusy), store_lock(path, 0.3):
            pytest.fail("two hold the lock")
        assert 0.3 <= time.monotonic() - started < 3


def test_a_killed_holder_leaves_no_lock(path: Path) -> None:
    with held_by_another(path) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert str(holder.pid) in path.read_text()
        with store_lock(path, 0):
            assert str(os.getpid()) in path.read_text()


def test_a_killed_holders_child_does_not_keep_the_lock(path: Path) -> None:
    with held_by_another(path, FORKER) as holder:
        holder.wait()
        with store_lock(path, 5):
            assert holder.returncode == -signal.SIGKILL


def test_it_is_released_when_the_block_fails(path: Path) -> None:
    with pytest.raises(KeyError), store_lock(path, 0):
        raise KeyError
    with store_lock(path, 0):
        assert path.exists()


def test_a_thread_is_another_writer_too(path: Path) -> None:
    with store_lock(path, 0), pytest.raises(StoreBusy, match=f"process {os.getpid()}"), store_lock(path, 0):
        pytest.fail("two hold the lock")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b"null"])
def test_what_the_file_says_decides_nothing(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with store_lock(path, 0):
        path.write_bytes(content)
        with pytest.raises(StoreBusy, match="in use by another process"), store_lock(path, 0):
            pytest.fail("two hold the lock")


def test_an_older_longer_text_does_not_shine_through(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"x" * 1000)
    with store_lock(path, 0), pytest.raises(StoreBusy, match=f"process {os.getpid()} on"), store_lock(path, 0):
        pytest.fail("two hold the lock")


def test_a_failed_attempt_leaves_nothing_open(path: Path) -> None:
    with store_lock(path, 0):
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            with pytest.raises(StoreBusy), store_lock(path, 0):
                pytest.fail("two hold the lock")
        assert len(os.listdir("/proc/self/fd")) == before


def test_a_lock_file_that_cannot_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "lock", tmp_path):
        with pytest.raises(StoreError, match="cannot open the lock file"), store_lock(path, 0):
            pytest.fail("no lock")
