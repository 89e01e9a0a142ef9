"""The blob store: a folder of files named by what they hold.

    <root>/blobs/ab/abcdef….zst     one zstd frame (level 1, with checksum); the name is the SHA-256 of the
                                    uncompressed bytes, so that the format of the compression never matters
    <root>/tmp/                     blobs being written

Rules:
- A blob is written to tmp, synced, renamed, and its folder synced, before anybody hears of it. A killed writer
  leaves a file in tmp and nothing else.
- The same bytes are stored once. A blob that is already there is believed only after it has been read and its
  digest compared, which costs less than writing it; if it is damaged, the good bytes in hand take its place.
- Any number of threads and processes may write at once, the same blob too: the rename is atomic and both
  files hold the same bytes.
"""

from __future__ import annotations

import io
import logging
import os
import re
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from annexa.errors import StoreError
from annexa.evidence.blob_reader import BlobReader
from annexa.evidence.blob_writer import BlobRef, BlobWriter
from annexa.evidence.durable import make_folder, storing, sync_folder

__all__ = ["BlobRef", "BlobStore", "BlobWriter"]

_DIGEST = re.compile(r"[0-9a-f]{64}")
_PIECE = 256 * 1024
_DAY = 24 * 60 * 60
_log = logging.getLogger(__name__)


class BlobStore:
    """Blobs in a folder. Safe to share between threads; nothing is created before the first write.

    Args:
        root: The evidence folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._ready: set[Path] = set()

    def path(self, digest: str) -> Path:
        """Where a blob is, or would be.

        Raises:
            StoreError: `digest` is not 64 lower-case hexadecimal digits (so no path leads out of the store).
        """
        if not _DIGEST.fullmatch(digest):
            raise StoreError(
                f"{digest!r} is not a SHA-256 digest: expected 64 lower-case hexadecimal digits",
                remedy="Name a blob by the digest that the ledger or a report gives.",
            )
        return self.root / "blobs" / digest[:2] / f"{digest}.zst"

    def exists(self, digest: str) -> bool:
        """Whether a file is there; `verify` says whether it is the blob."""
        return self.path(digest).is_file()

    def writer(self) -> BlobWriter:
        """A stream to write a new blob to; one per shard."""
        return self._writer(-1)

    def put(self, data: bytes) -> BlobRef:
        """Store bytes that are in memory."""
        ref = BlobRef(sha256(data).hexdigest(), len(data))
        path = self.path(ref.digest)
        with storing(f"cannot write {path}"):
            if self._keep(path, ref.digest):
                return ref
        with self._writer(len(data)) as writer:
            writer.write(data)
            return writer.seal()

    def open(self, digest: str) -> io.BufferedReader:
        """A stream of the blob's bytes, verified when its end is read (see `BlobReader`).

        Raises:
            Tampered: The stored file is damaged; raised here where its outside shows it, else while reading.
            StoreError: There is no such blob, or the disk cannot be read.
        """
        return io.BufferedReader(self._reader(digest), 128 * 1024)

    def read(self, digest: str, limit: int | None = None) -> bytes:
        """The blob's bytes, verified.

        Args:
            digest: Which blob.
            limit: The most bytes to accept; a larger blob is an error, never cut.
        """
        with self.open(digest) as blob:
            data = blob.read(-1 if limit is None else limit + 1)
        if limit is not None and len(data) > limit:
            raise StoreError(f"blob {digest} is larger than {limit} bytes", remedy="Read it as a stream, or export it.")
        return data

    def verify(self, digest: str) -> int:
        """Read the whole blob and compare its digest; gives its size in bytes.

        Raises:
            Tampered: The stored file is damaged.
            StoreError: There is no such blob, or the disk cannot be read.
        """
        size, buffer = 0, bytearray(_PIECE)
        with self._reader(digest) as blob:
            while count := blob.readinto(buffer):
                size += count
        return size

    def sweep(self, age: float = _DAY) -> int:
        """Remove what killed writers left in tmp; gives how many files.

        Args:
            age: Only files untouched for so many seconds. 0 is right for a caller that holds the store's lock
                and has no writer open.
        """
        removed, before = 0, time.time() - age
        with storing(f"cannot clean {self.root / 'tmp'}"):
            for file in (self.root / "tmp").glob("*.part"):
                with suppress(FileNotFoundError):
                    if file.stat().st_mtime <= before:
                        file.unlink()
                        removed += 1
        return removed

    def _writer(self, size: int) -> BlobWriter:
        with storing(f"cannot write to {self.root}"):
            self._prepare(self.root / "tmp")
        return BlobWriter(self.root / "tmp", self._adopt, size)

    def _reader(self, digest: str) -> BlobReader:
        path = self.path(digest)
        if not path.is_file():
            raise StoreError(
                f"blob {digest} is missing: {path} does not exist",
                remedy="Restore it from a backup of the evidence folder; `annexa verify` lists all that is missing.",
            )
        return BlobReader(path, digest)

    def _adopt(self, handle: int, temporary: Path, ref: BlobRef) -> None:
        """Give a finished file its name, unless the blob is there; the writer removes what is left."""
        path = self.path(ref.digest)
        if self._keep(path, ref.digest):
            return
        self._prepare(path.parent)
        os.fsync(handle)
        os.replace(temporary, path)
        sync_folder(path.parent)

    def _keep(self, path: Path, digest: str) -> bool:
        """Whether the blob is there, sound and durable; another process may have renamed it a moment ago."""
        if not path.exists():
            return False
        try:
            self.verify(digest)
        except StoreError as error:
            _log.warning("blob %s is stored again from the bytes just collected: %s", digest, error)
            return False
        self._prepare(path.parent)
        sync_folder(path.parent)
        return True

    def _prepare(self, folder: Path) -> None:
        """Create a folder of the store; synced once even if it exists, for its maker may not have come to that."""
        if folder not in self._ready:
            make_folder(folder)
            sync_folder(folder.parent)
            sync_folder(self.root)
            self._ready.add(folder)
