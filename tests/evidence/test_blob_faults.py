"""The blob store when disks fail, processes die and stored bytes change."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from annexa.errors import StoreError, Tampered
from annexa.evidence.blobs import BlobRef, BlobStore

PAGE = b'{"id": 1, "login": "ada", "email": "ada@example.com"}\n' * 40_000
NOISE = b"".join(sha256(number.to_bytes(4)).digest() for number in range(20_000))


def left_over(store: BlobStore) -> list[str]:
    return sorted(file.name for file in (store.root / "tmp").iterdir())


def stored(store: BlobStore) -> list[Path]:
    return sorted(file for file in (store.root / "blobs").rglob("*") if file.is_file())


def overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(content)


def stream(store: BlobStore, data: bytes) -> BlobRef:
    with store.writer() as writer:
        writer.write(data)
        return writer.seal()


def refused(store: BlobStore, digest: str) -> bool:
    """Whether each way to read the blob refuses it as tampered."""

    def through_stream() -> None:
        with store.open(digest) as blob:
            while blob.read(70_000):
                pass

    def by_line() -> None:
        with store.open(digest) as blob:
            for _ in blob:
                pass

    reads: list[Callable[[], object]] = [
        through_stream,
        by_line,
        lambda: store.read(digest),
        lambda: store.read(digest, 10_000_000),
        lambda: store.verify(digest),
    ]
    for read in reads:
        with pytest.raises(Tampered, match=digest):
            read()
    return True


@pytest.mark.parametrize("data", [b"some evidence", NOISE], ids=["small", "several blocks"])
def test_every_truncation_is_seen(store: BlobStore, data: bytes) -> None:
    digest = store.put(data).digest
    file = stored(store)[0].read_bytes()
    lengths = range(len(file)) if len(file) < 1000 else range(0, len(file), 37_003)
    for length in [*lengths, len(file) - 4, len(file) - 1]:
        overwrite(store.path(digest), file[:length])
        assert refused(store, digest)


def test_a_cut_at_a_block_boundary_is_seen(store: BlobStore) -> None:
    """Where a plain decompressor ends without an error."""
    digest = store.put(NOISE).digest
    file = stored(store)[0].read_bytes()
    header = zstandard.frame_header_size(file)
    first = int.from_bytes(file[header : header + 3], "little") >> 3
    cut = file[: header + 3 + first]
    assert 0 < len(zstandard.ZstdDecompressor().stream_reader(cut).read()) < len(NOISE)
    overwrite(store.path(digest), cut)
    assert refused(store, digest)


@pytest.mark.parametrize(
    "behind",
    [b"\x00", zstandard.compress(b""), zstandard.compress(b"more"), b"\x50\x2a\x4d\x18\x04\x00\x00\x00note"],
    ids=["a byte", "an empty frame", "a frame", "a skippable frame"],
)
def test_nothing_may_stand_behind_the_frame(store: BlobStore, behind: bytes) -> None:
    digest = store.put(PAGE).digest
    overwrite(store.path(digest), stored(store)[0].read_bytes() + behind)
    assert refused(store, digest)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_flipped_bit_is_seen(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Whatever the bit means to the format: the right bytes or `Tampered`, never other bytes or another error."""
    content = data.draw(st.sampled_from([b"some evidence", PAGE[:5000], NOISE[:300_000]]))
    store = BlobStore(tmp_path_factory.mktemp("store"))
    digest = store.put(content).digest
    file = bytearray(store.path(digest).read_bytes())
    place, bit = data.draw(st.integers(0, len(file) - 1)), data.draw(st.integers(0, 7))
    file[place] ^= 1 << bit
    overwrite(store.path(digest), bytes(file))
    with suppress(Tampered):
        assert store.read(digest) == content


def test_another_blobs_bytes_are_seen(store: BlobStore) -> None:
    digest = store.put(b"revoked").digest
    overwrite(store.path(digest), zstandard.compress(b"enabled"))
    assert refused(store, digest)


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "other"])
def test_a_damaged_blob_is_replaced_by_the_bytes_in_hand(
    store: BlobStore, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    digest = store.put(NOISE).digest
    file = store.path(digest).read_bytes()
    middle = len(file) // 2
    flipped = file[:middle] + bytes([file[middle] ^ 1]) + file[middle + 1 :]
    damaged = {"empty": b"", "cut": file[:middle], "flipped": flipped, "other": zstandard.compress(b"x")}
    for write_again in (store.put, lambda data: stream(store, data)):
        overwrite(store.path(digest), damaged[damage])
        caplog.clear()
        assert write_again(NOISE) == BlobRef(digest, len(NOISE))
        assert store.read(digest) == NOISE
        assert f"blob {digest} is stored again" in caplog.text


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, name: str, code: int, after: int = 0) -> Iterator[None]:
    """The system call fails from the call after `after` good ones."""
    real, calls = getattr(os, name), iter(range(10**9))

    def call(*arguments: object) -> object:
        if next(calls) >= after:
            raise OSError(code, os.strerror(code))
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(os, name, call)
        yield


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize(("name", "after"), [("write", 0), ("write", 1), ("fsync", 0), ("fsync", 5)])
def test_a_failing_disk_is_an_error_and_leaves_nothing_half(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch, code: int, name: str, after: int
) -> None:
    kept = store.put(b"kept before").digest
    with failing(monkeypatch, name, code, after), pytest.raises(StoreError, match=os.strerror(code)) as caught:
        [stream(store, NOISE + bytes([number])) for number in range(9)]
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.remedy != StoreError.remedy
    assert left_over(store) == []
    for path in stored(store):
        store.verify(path.stem)
    assert store.read(kept) == b"kept before"
    assert stream(store, NOISE).size == len(NOISE)


def test_a_real_limit_of_the_system_is_an_error(store: BlobStore) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(StoreError, match="File too large"):
            stream(store, NOISE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (left_over(store), stored(store)) == ([], [])


def test_a_failed_write_closes_the_writer(store: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = store.writer()
    with failing(monkeypatch, "write", errno.ENOSPC), pytest.raises(StoreError, match="No space left"):
        writer.write(NOISE)
    with pytest.raises(ValueError, match="this blob is closed"):
        writer.seal()


def test_short_writes_lose_nothing(store: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, data[:1000]))
    assert store.read(stream(store, NOISE).digest) == NOISE


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The system calls that decide what a power cut may undo, in order."""
    seen: list[str] = []
    real_fsync, real_replace, real_write = os.fsync, os.replace, os.write

    def name(handle: int) -> str:
        path = Path(os.readlink(f"/proc/self/fd/{handle}"))
        return path.suffix or path.name

    monkeypatch.setattr(os, "write", lambda handle, data: (seen.append("write"), real_write(handle, data))[1])
    monkeypatch.setattr(os, "fsync", lambda handle: (seen.append(f"sync {name(handle)}"), real_fsync(handle))[1])
    monkeypatch.setattr(os, "replace", lambda old, new: (seen.append("rename"), real_replace(old, new))[1])
    return seen


def test_no_name_before_its_bytes_and_no_answer_before_its_name(store: BlobStore, events: list[str]) -> None:
    fan_out = sha256(NOISE).hexdigest()[:2]
    stream(store, NOISE)
    after_writes = events[len(events) - events[::-1].index("write") :]
    assert after_writes[-3:] == ["sync .part", "rename", f"sync {fan_out}"]


def test_what_another_process_made_is_not_believed_to_be_synced(store: BlobStore, events: list[str]) -> None:
    """It may have made the folders, or renamed the same blob, and not have come to the sync."""
    fan_out = sha256(NOISE).hexdigest()[:2]
    (store.root / "blobs" / fan_out).mkdir(parents=True)
    stream(store, NOISE)
    assert {"sync evidence", "sync blobs"} <= set(events[: events.index("rename")])
    events.clear()
    BlobStore(store.root).put(NOISE)
    assert {"sync evidence", "sync blobs", f"sync {fan_out}"} == set(events)


CHILD = """
import sys
from pathlib import Path
from annexa.evidence.blobs import BlobStore
store = BlobStore(Path(sys.argv[1]))
print(store.put(b"acknowledged before").digest, flush=True)
writer = store.writer()
writer.write(bytes(range(256)) * 20_000)
print("writing", flush=True)
sys.stdin.read()
"""


def test_a_killed_writer_leaves_nothing_but_a_temporary_file(store: BlobStore) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD, store.root], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with child:
        assert child.stdout is not None
        digest = child.stdout.readline().decode().strip()
        assert child.stdout.readline() == b"writing\n"
        child.send_signal(signal.SIGKILL)
    assert len(left_over(store)) == 1
    assert store.read(digest) == b"acknowledged before"
    assert store.sweep() == 0
    again = stream(store, bytes(range(256)) * 20_000)
    assert store.sweep(age=0) == 1
    assert left_over(store) == []
    assert store.verify(again.digest) == again.size
    assert len(stored(store)) == 2
