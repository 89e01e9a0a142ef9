"""Streamed bodies: as they are, or decompressed when they are gzip (RFC 1952), however many members they have.

A stream that ends within a member was cut short: `Unreadable`, never a shorter file.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from annexa.errors import Unreadable

_GZIP = b"\x1f\x8b"
_OUT = 1 << 20
MOST_BYTES = 2 << 30
"""The largest body after decompression."""


def plain(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    """The chunks of a body, decompressed if it starts as gzip does.

    Raises:
        Unreadable: the gzip stream is damaged, cut short, or larger than `MOST_BYTES`.
    """
    source = iter(chunks)
    head = b""
    for chunk in source:
        head += chunk
        if len(head) >= len(_GZIP):
            break
    if not head.startswith(_GZIP):
        yield head
        yield from source
        return
    total = 0
    for out in _gunzip(head, source, name):
        total += len(out)
        if total > MOST_BYTES:
            raise Unreadable(f"{name}: more than {MOST_BYTES} bytes when decompressed")
        yield out


def _gunzip(head: bytes, source: Iterator[bytes], name: str) -> Iterator[bytes]:
    member, data = zlib.decompressobj(wbits=31), head
    try:
        while data or (data := next(source, b"")):
            if member.eof:
                member = zlib.decompressobj(wbits=31)
            out = member.decompress(data, _OUT)
            data = member.unused_data if member.eof else member.unconsumed_tail
            if out:
                yield out
        if rest := member.flush():
            yield rest
    except zlib.error as damage:
        raise Unreadable(f"{name}: not readable as gzip: {damage}") from damage
    if not member.eof:
        raise Unreadable(f"{name}: the gzip stream is cut short")
