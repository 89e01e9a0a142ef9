"""The blob store: what it keeps, gives back and stores once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from annexa.errors import StoreError
from annexa.evidence.blobs import BlobRef, BlobStore

PAGE = b'{"id": 1, "login": "ada", "email": "ada@example.com"}\n' * 40_000
NOISE = b"".join(sha256(number.to_bytes(4)).digest() for number in range(20_000))


def left_over(store: BlobStore) -> list[str]:
    return sorted(file.name for file in (store.root / "tmp").iterdir())


def stored(store: BlobStore) -> list[Path]:
    return sorted(file for file in (store.root / "blobs").rglob("*") if file.is_file())


def stream(store: BlobStore, data: bytes) -> BlobRef:
    with store.writer() as writer:
        writer.write(data)
        return writer.seal()


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


@settings(max_examples=30, deadline=None)
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
