"""Content codings undone (RFC 9110, 8.4), with the two checks that libraries leave out.

- A cap on the decoded size: a kilobyte of gzip can be a gigabyte of text.
- An end: a gzip stream that stops before its trailer decodes to a shorter text without any error.

Only gzip and deflate are asked for, and so only those are understood.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from annexa.errors import Unreadable

ACCEPTED = "gzip, deflate"

_AUTO = 32 + zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS
_STEP = 1024 * 1024


class CutShort(Unreadable):
    """The body ends before its end: worth another try."""


def decoded(chunks: Iterable[bytes], coding: str, limit: int) -> bytes:
    """The whole body.

    Args:
        chunks: The body as it came over the wire.
        coding: The header `Content-Encoding`.
        limit: The most bytes to give.

    Raises:
        CutShort: the coded stream has no end.
        Unreadable: larger than the limit, not in the coding that was declared, or in one that was not asked for.
    """
    codings = [name for name in (part.strip().lower() for part in coding.split(",")) if name not in ("", "identity")]
    if not codings:
        return _joined(chunks, limit)
    if len(codings) > 1 or codings[0] not in ("gzip", "x-gzip", "deflate"):
        raise Unreadable(
            f"the body is coded as {coding[:60]!r}, which was not asked for",
            remedy="A proxy in between may recode answers; let it pass them as they are.",
        )
    try:
        return _joined(_inflated(chunks), limit)
    except zlib.error as failure:
        raise Unreadable(f"the body is not {codings[0]}, as its header says: {failure}") from failure


def _joined(chunks: Iterable[bytes], limit: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise Unreadable(
                f"the body is larger than {limit} bytes",
                remedy="Ask for smaller pages, or for less (a filter, a shorter period).",
            )
    return bytes(body)


def _inflated(chunks: Iterable[bytes]) -> Iterable[bytes]:
    """The members of a gzip stream one after the other, or a zlib stream, or bare deflate as some servers send it."""
    stream = None
    for chunk in chunks:
        while chunk:
            if stream is None or stream.eof:
                stream = zlib.decompressobj(_AUTO if _has_header(chunk) else _RAW)
            yield stream.decompress(chunk, _STEP)
            chunk = stream.unconsumed_tail or stream.unused_data
    while stream is not None and not stream.eof:
        rest = stream.decompress(b"", _STEP)
        if not rest:
            raise CutShort("the body was cut short: its compressed stream has no end")
        yield rest


def _has_header(chunk: bytes) -> bool:
    """gzip's magic number, or the first byte of zlib (RFC 1950: method 8, window 32 KiB at most)."""
    return chunk[:1] == b"\x1f" or (chunk[0] & 0x0F == 8 and chunk[0] >> 4 <= 7)
