"""The blob store: what it promises when nothing goes wrong, and what when disks, processes and hands do."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import threading
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


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "evidence")


def left_over(store: BlobStore) -> list[str]:
    return sorted(file.name for file in (store.root / "tmp").iterdir())


def stored(store: BlobStore) -> list[Path]:
    return sorted(file for file in (store.root / "blobs").rglob("*") if file.is_file())


def overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(content)


@pytest.mark.parametrize("data", [b"", b"a", PAGE, NOISE], ids=["empty", "one byte", "repeating", "incompressible"])
def test_a_blob_is_an_ordinary_zstd_file_named_by_its_sha256(store: BlobStore, data: bytes) -> None:
    digest = sha256(data).hexdigest()
    assert store.put(data) == BlobRef(digest, len(data))
    path = store.root / "blobs" / digest[:2] / f"{digest}.zst"
    assert stored(store) == [path]
    assert left_over(store) == []
    file = path.read_bytes()
    assert zstandard.ZstdDecompressor().decompress(file, max_output_size=len(data)) == data
    parameters = zstandard.get_frame_parameters(file)
    assert (parameters.content_size, parameters.has_checksum) == (len(data), True)
    assert path.stat().st_mode & 0o777 & ~0o440 == 0


@settings(max_examples=30)
@given(st.lists(st.binary(max_size=700_000) | st.binary(max_size=50), max_size=8))
def test_a_stream_gives_back_what_was_written(tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]) -> None:
    store, data = BlobStore(tmp_path_factory.mktemp("store")), b"".join(pieces)
    with store.writer() as writer:
        assert [writer.write(piece) for piece in pieces] == [len(piece) for piece in pieces]
        ref = writer.seal()
    assert ref == BlobRef(sha256(data).hexdigest(), len(data))
    assert store.read(ref.digest) == data
    assert store.verify(ref.digest) == len(data)
    with store.open(ref.digest) as blob:
        assert list(blob) == list(iter_lines(data))


def iter_lines(data: bytes) -> Iterator[bytes]:
    while data:
        line, newline, data = data.partition(b"\n")
        yield line + newline


def test_a_stream_is_stored_once_however_it_was_written(store: BlobStore) -> None:
    ref = store.put(PAGE)
    before = stored(store)[0].stat()
    with store.writer() as writer:
        for start in range(0, len(PAGE), 1000):
            writer.write(PAGE[start : start + 1000])
        assert writer.seal() == ref
    assert store.put(PAGE) == ref
    after = stored(store)[0].stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert (len(stored(store)), left_over(store)) == (1, [])


def test_what_is_not_sealed_is_not_kept(store: BlobStore) -> None:
    with store.writer() as writer:
        writer.write(PAGE)
    with pytest.raises(TypeError), store.writer() as writer:
        writer.write(None)
    assert (left_over(store), (store.root / "blobs").exists()) == ([], False)


def test_a_closed_writer_takes_nothing_more(store: BlobStore) -> None:
    writer = store.writer()
    writer.write(b"a")
    writer.seal()
    for use in (writer.seal, lambda: writer.write(b"b")):
        with pytest.raises(ValueError, match="this blob is closed"):
            use()
    assert store.read(sha256(b"a").hexdigest()) == b"a"


def test_reading_creates_nothing(store: BlobStore) -> None:
    assert store.exists("0" * 64) is False
    with pytest.raises(StoreError, match=r"blob 0{64} is missing"):
        store.open("0" * 64)
    assert store.sweep(0) == 0
    assert not store.root.exists()


@pytest.mark.parametrize(
    "digest", ["", "../" * 10, "A" * 64, "a" * 63, "a" * 64 + "\n", "a" * 65, "/etc/passwd", "g" * 64]
)
def test_only_a_digest_names_a_blob(store: BlobStore, digest: str) -> None:
    uses: list[Callable[[str], object]] = [store.path, store.exists, store.open, store.read, store.verify]
    for use in uses:
        with pytest.raises(StoreError, match="is not a SHA-256 digest"):
            use(digest)


def test_a_limit_refuses_and_never_cuts(store: BlobStore) -> None:
    digest = store.put(PAGE).digest
    assert store.read(digest, len(PAGE)) == PAGE
    with pytest.raises(StoreError, match=f"larger than {len(PAGE) - 1} bytes"):
        store.read(digest, len(PAGE) - 1)


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


@settings(max_examples=60)
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


def stream(store: BlobStore, data: bytes) -> BlobRef:
    with store.writer() as writer:
        writer.write(data)
        return writer.seal()


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


def test_the_order_is_sync_rename_sync(store: BlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a power cut may undo is what was not synced: so no name before its bytes, no answer before its name."""
    store.put(b"first")
    ref, events = sha256(NOISE).hexdigest(), []
    real_fsync, real_replace, real_write = os.fsync, os.replace, os.write

    def name(handle: int) -> str:
        return Path(os.readlink(f"/proc/self/fd/{handle}")).suffix or Path(os.readlink(f"/proc/self/fd/{handle}")).name

    monkeypatch.setattr(os, "write", lambda handle, data: (events.append("write"), real_write(handle, data))[1])
    monkeypatch.setattr(os, "fsync", lambda handle: (events.append(f"sync {name(handle)}"), real_fsync(handle))[1])
    monkeypatch.setattr(os, "replace", lambda old, new: (events.append("rename"), real_replace(old, new))[1])
    stream(store, NOISE)
    after_writes = events[len(events) - events[::-1].index("write") :]
    assert after_writes[-3:] == ["sync .part", "rename", f"sync {ref[:2]}"]
    assert "sync blobs" in after_writes[:-3]


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


def test_sweep_goes_by_age(store: BlobStore) -> None:
    writer = store.writer()
    (young,) = (store.root / "tmp").iterdir()
    old = store.root / "tmp" / "1-a.part"
    old.write_bytes(b"left")
    os.utime(old, (0, 0))
    assert store.sweep(age=3600) == 1
    assert left_over(store) == [young.name]
    assert writer.seal().size == 0


def test_threads_may_write_the_same_blob_at_once(tmp_path: Path) -> None:
    refs: list[BlobRef] = []
    gate = threading.Barrier(8)

    def write(root: Path) -> None:
        own = BlobStore(root)
        gate.wait()
        refs.extend(stream(own, NOISE[: 1000 * size]) for size in (100, 200, 300))

    threads = [threading.Thread(target=write, args=(tmp_path,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store = BlobStore(tmp_path)
    assert len(refs) == 24
    assert len(stored(store)) == len(set(refs)) == 3
    assert {ref: store.verify(ref.digest) for ref in refs} == {ref: ref.size for ref in refs}
    assert left_over(store) == []


WRITERS = """
import sys
from pathlib import Path
from annexa.evidence.blobs import BlobStore
store = BlobStore(Path(sys.argv[1]))
sys.stdin.readline()
for number in range(40):
    store.put(str(number).encode() * 20_000)
"""


def test_processes_may_write_the_same_blobs_at_once(store: BlobStore) -> None:
    command = [sys.executable, "-c", WRITERS, store.root]
    children = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(3)]
    for child in children:
        assert child.stdin is not None
        child.stdin.write(b"go\n")
        child.stdin.flush()
    for child in children:
        with child:
            assert child.wait() == 0
    assert len(stored(store)) == 40
    for number in range(40):
        data = str(number).encode() * 20_000
        assert store.read(sha256(data).hexdigest()) == data
    assert left_over(store) == []
