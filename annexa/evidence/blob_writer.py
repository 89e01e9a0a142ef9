"""Writes one blob: hashes and compresses a stream into a temporary file, which the store then adopts.

One writer per shard, not per page: the price of a blob is its two fsyncs, whatever its size.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

import zstandard

from annexa.evidence.durable import storing, write_all

LEVEL = 1
_BATCH = 256 * 1024
_MODE = 0o440


@dataclass(frozen=True, slots=True)
class BlobRef:
    """A sealed blob.

    Attributes:
        digest: SHA-256 of its uncompressed bytes, lower-case hexadecimal.
        size: Number of uncompressed bytes.
    """

    digest: str
    size: int


class BlobWriter:
    """A blob being written; `BlobStore.writer` makes it. For one thread.

    Use it as a context manager: leaving the block without `seal` removes what was written.

    Args:
        folder: An existing folder on the store's file system for the temporary file.
        adopt: Syncs the file and gives it its name; `seal` calls it with the open handle, the path and the reference.
        size: The number of bytes that will be written, when known: it goes into the frame's header.
    """

    def __init__(self, folder: Path, adopt: Callable[[int, Path, BlobRef], None], size: int = -1) -> None:
        self.size = 0
        self._adopt = adopt
        self._hash = sha256()
        self._zstd = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compressobj(size=size)
        self._pending = bytearray()
        self._path = folder / f"{os.getpid()}-{secrets.token_hex(8)}.part"
        self._handle: int | None = None
        with storing(f"cannot create {self._path}"):
            self._handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)

    def write(self, data: bytes) -> int:
        """Add bytes; returns how many.

        Raises:
            StoreError: The disk refused. The temporary file is gone and the writer is closed.
            ValueError: The writer was sealed or discarded.
        """
        self._open_handle()
        if len(data) < _BATCH:
            self._pending += data
        if len(self._pending) >= _BATCH or len(data) >= _BATCH:
            self._drain()
        if len(data) >= _BATCH:
            self._compress(data)
        self.size += len(data)
        return len(data)

    def seal(self) -> BlobRef:
        """Sync what was written and give it its place; the blob is durable when this returns.

        Raises:
            StoreError: The disk refused. The temporary file is gone.
            ValueError: The writer was sealed or discarded.
        """
        handle = self._open_handle()
        self._drain()
        ref = BlobRef(self._hash.hexdigest(), self.size)
        try:
            with storing(f"cannot write {self._path}"):
                write_all(handle, self._zstd.flush())
                self._adopt(handle, self._path, ref)
        finally:
            self.discard()
        return ref

    def discard(self) -> None:
        """Remove what was written, unless it was sealed. May be called again."""
        handle, self._handle = self._handle, None
        if handle is not None:
            with suppress(OSError):
                os.close(handle)
            with suppress(OSError):
                self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.discard()

    def _open_handle(self) -> int:
        if self._handle is None:
            raise ValueError("this blob is closed: it was sealed, discarded, or a write failed")
        return self._handle

    def _drain(self) -> None:
        """Pass on what is pending, in big pieces: each call below gives up the interpreter lock."""
        data = bytes(self._pending)
        self._pending.clear()
        self._compress(data)

    def _compress(self, data: bytes) -> None:
        """Hash, compress and write; after a failure nothing is left on disk."""
        handle = self._open_handle()
        self._hash.update(data)
        with ExitStack() as on_failure:
            on_failure.callback(self.discard)
            with storing(f"cannot write {self._path}"):
                write_all(handle, self._zstd.compress(data))
            on_failure.pop_all()
