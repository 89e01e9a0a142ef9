"""Streamed bodies: whole, decompressed, or an error."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annexa.collect.aws_bodies import plain
from annexa.errors import CollectError, Unreadable
from tests.collect.aws.asking import (
    MemoryTape,
    always,
    transport,
)
from tests.simulators.scripted import Scripted


def s3_object(body, **headers):
    return always((200, {"Content-Type": "binary/octet-stream", **headers}, body))


def read(url, tape=None):
    return b"".join(transport(url, tape=tape).body("s3", "get_object", "Body", Bucket="example", Key="log.json.gz"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"plain",
        b"\x1f",
        gzip.compress(b"plain", mtime=0),
        gzip.compress(b"pl", mtime=0) + gzip.compress(b"ain", mtime=0),
    ],
    ids=["empty", "plain", "half a magic", "gzip", "two members"],
)
def test_a_body_is_read_whole_gzip_or_not(body):
    tape = MemoryTape()
    with Scripted(s3_object(body)) as server:
        content = read(server.url, tape)
    assert content == (b"plain" if len(body) > 1 else body)
    assert tape.exchanges[0][1].body == body
    assert read(server.url, MemoryTape(tape.exchanges)) == content


def test_a_compressed_body_cut_short_is_unreadable():
    with (
        Scripted(s3_object(gzip.compress(b"plain" * 1000)[:-9])) as server,
        pytest.raises(Unreadable, match="log"),
    ):
        read(server.url)


def test_a_body_shorter_than_promised_or_other_than_its_checksum_is_an_error():
    for headers in ({"Content-Length": "9"}, {"x-amz-checksum-crc32": "AAAAAA=="}):
        with Scripted(s3_object(b"plain", **headers)) as server, pytest.raises(CollectError):
            read(server.url)


def test_a_body_that_arrives_whole_the_second_time_is_good():
    lengths = iter(["9", "5"])
    with Scripted(lambda *_: (200, {"Content-Length": next(lengths)}, b"plain")) as server:
        assert read(server.url) == b"plain"


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=3), st.integers(1, 50))
def test_gunzip_does_not_depend_on_how_the_bytes_arrive(members, size):
    packed = b"".join(gzip.compress(member, mtime=0) for member in members)
    chunks = [packed[at : at + size] for at in range(0, len(packed), size)]
    assert b"".join(plain(chunks, "x")) == b"".join(members)


@given(st.binary(max_size=200), st.data())
def test_no_prefix_of_a_gzip_stream_passes_for_a_file(content, data):
    packed = gzip.compress(content, mtime=0)
    cut = packed[: data.draw(st.integers(2, len(packed) - 1))]
    with pytest.raises(Unreadable):
        list(plain([cut], "x"))


def test_a_decompression_bomb_is_refused(monkeypatch):
    monkeypatch.setattr("annexa.collect.aws_bodies.MOST_BYTES", 1 << 20)
    with pytest.raises(Unreadable, match="more than"):
        list(plain([zlib.compress(b"0" * (8 << 20), wbits=31)], "x"))
