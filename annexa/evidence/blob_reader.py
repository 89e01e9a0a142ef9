"""Reads one blob: decompresses its only frame and compares the digest when the last byte has been read."""

from __future__ import annotations

import io
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import zstandard

from annexa.errors import Tampered
from annexa.evidence.durable import storing
from annexa.evidence.frames import check_single_frame

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_PIECE = 1024 * 1024


class BlobReader(io.RawIOBase):
    """The uncompressed bytes of a blob, in bounded memory.

    What was read is proven only once the end is reached: the read that meets the end raises where the digest
    does not match, and so does every read after it. Whoever stops earlier has unverified bytes.

    Args:
        path: The stored file; it must exist.
        digest: SHA-256 that the uncompressed bytes must have.

    Raises:
        Tampered: The file is not exactly one whole zstd frame, or its bytes have another digest.
        StoreError: The disk cannot be read.
    """

    def __init__(self, path: Path, digest: str) -> None:
        self._path, self._digest = path, digest
        self._hash = sha256()
        with storing(f"cannot read {path}"), ExitStack() as on_failure:
            self._file = on_failure.enter_context(path.open("rb", buffering=0))
            try:
                check_single_frame(self._file.fileno())
            except ValueError as error:
                raise Tampered(f"{path}: blob {digest} is damaged: {error}") from error
            on_failure.pop_all()
        self._zstd = zstandard.ZstdDecompressor().stream_reader(self._file, closefd=False)

    def readable(self) -> bool:
        """Always: it is all a blob is for."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill `buffer`; 0 at the end, when the digest has been compared."""
        try:
            with storing(f"cannot read {self._path}"):
                count = self._zstd.readinto(buffer)
        except zstandard.ZstdError as error:
            raise Tampered(f"{self._path}: blob {self._digest} is damaged: {error}") from error
        if count == 0 and len(memoryview(buffer)) > 0:
            self._compare()
        self._hash.update(memoryview(buffer)[:count])
        return count

    def readall(self) -> bytes:
        """Everything that is left, verified."""
        pieces = []
        while piece := self.read(_PIECE):
            pieces.append(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """Close the file. Says nothing about the digest."""
        if not self.closed:
            self._file.close()
        super().close()

    def _compare(self) -> None:
        found = self._hash.hexdigest()
        if found != self._digest:
            raise Tampered(f"{self._path}: the bytes of blob {self._digest} have the digest {found}")
