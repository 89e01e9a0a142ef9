"""The outside of a zstd frame (RFC 8878, 3.1.1), read without decompressing it.

A decompressor stops without an error where a stream is cut at a block's end, and skips whatever stands
behind the first frame. Walking the block headers shows both in a few reads a megabyte.
"""

from __future__ import annotations

import os

import zstandard

_MAGIC = b"\x28\xb5\x2f\xfd"
_LONGEST_HEADER = 18
_RAW, _RLE, _COMPRESSED = 0, 1, 2


def frame_length(handle: int) -> int:
    """Length in bytes of the zstd frame that starts the file, header and checksum included.

    Args:
        handle: A file descriptor that can seek.

    Raises:
        ValueError: The file does not start with a zstd frame, or ends inside a header.
    """
    head = os.pread(handle, _LONGEST_HEADER, 0)
    if not head.startswith(_MAGIC):
        raise ValueError("not a zstd frame")
    try:
        position = zstandard.frame_header_size(head)
        checksum = 4 if zstandard.get_frame_parameters(head).has_checksum else 0
    except zstandard.ZstdError as error:
        raise ValueError(f"not a zstd frame header: {error}") from error
    last = False
    while not last:
        last, length = _block(handle, position)
        position += length
    return position + checksum


def check_single_frame(handle: int) -> None:
    """See that a file is exactly one whole zstd frame.

    Raises:
        ValueError: It is cut short, or something stands behind the frame.
    """
    expected, actual = frame_length(handle), os.fstat(handle).st_size
    if actual < expected:
        raise ValueError(f"cut short: {actual} of {expected} bytes")
    if actual > expected:
        raise ValueError(f"{actual - expected} bytes stand behind the zstd frame")


def _block(handle: int, position: int) -> tuple[bool, int]:
    """Whether the block at `position` is the last one, and its length with its header."""
    header = os.pread(handle, 3, position)
    if len(header) < 3:
        raise ValueError("cut short inside a zstd frame")
    value = int.from_bytes(header, "little")
    kind, size = value >> 1 & 3, value >> 3
    if kind not in (_RAW, _RLE, _COMPRESSED):
        raise ValueError("a zstd block of an unknown kind")
    return bool(value & 1), 3 + (1 if kind == _RLE else size)
