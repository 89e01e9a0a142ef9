"""Checkpoint texts, by the C2SP specification."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annexa.errors import Tampered
from annexa.evidence.checkpoints import Checkpoint, parse
from annexa.evidence.merkle import EMPTY_ROOT

# The example of https://c2sp.org/tlog-checkpoint.
EXAMPLE = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
ROOT = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")

lines = st.text(min_size=1).filter(lambda line: min(line) >= " ")


def test_the_example_of_the_specification() -> None:
    assert parse(EXAMPLE) == Checkpoint("example.com/behind-the-sofa", 20852163, ROOT)
    assert Checkpoint("example.com/behind-the-sofa", 20852163, ROOT).text() == EXAMPLE


@given(lines, st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32), st.lists(lines, max_size=3))
def test_every_checkpoint_comes_back(origin: str, size: int, root: bytes, extensions: list[str]) -> None:
    head = Checkpoint(origin, size, root, tuple(extensions))
    assert parse(head.text()) == head


def test_the_empty_tree() -> None:
    assert parse(f"log\n0\n{base64.b64encode(EMPTY_ROOT).decode()}\n") == Checkpoint("log", 0, EMPTY_ROOT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        EXAMPLE[:-1],
        "example.com\n1\n",
        "\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        EXAMPLE + "\n",
        EXAMPLE + "extension\n\nanother\n",
        EXAMPLE.replace("2085", "02085"),
        EXAMPLE.replace("2085", "+2085"),
        EXAMPLE.replace("2085", "-2085"),
        EXAMPLE.replace("2085", " 2085"),
        EXAMPLE.replace("20852163", "0x10"),
        EXAMPLE.replace("20852163", "٣"),
        EXAMPLE.replace("20852163", "1e3"),
        EXAMPLE.replace("20852163", "00"),
        EXAMPLE.replace("20852163", "0"),
        EXAMPLE.replace("20852163", "9223372036854775808"),
        EXAMPLE.replace("20852163", "9" * 5000),
        EXAMPLE.replace("q2I=", "q2I"),
        EXAMPLE.replace("q2I=", "q2J="),
        EXAMPLE.replace("q2I=", "q2I= "),
        EXAMPLE.replace("CsUY", "Cs-Y"),
        EXAMPLE.replace("CsUY", ""),
        EXAMPLE.replace("\n", "\r\n"),
        EXAMPLE.replace("sofa", "so\x00fa"),
    ],
)
def test_what_is_not_a_checkpoint(text: str) -> None:
    with pytest.raises(Tampered, match="malformed checkpoint"):
        parse(text)


@pytest.mark.parametrize(
    "arguments",
    [
        ("", 1, ROOT),
        ("two\nlines", 1, ROOT),
        ("log", -1, ROOT),
        ("log", 2**63, ROOT),
        ("log", 1, ROOT[:31]),
        ("log", 0, ROOT),
        ("log", 1, ROOT, ("",)),
        ("log", 1, ROOT, ("two\nlines",)),
    ],
)
def test_what_cannot_be_made(arguments: tuple[str, int, bytes, tuple[str, ...]]) -> None:
    with pytest.raises(ValueError, match=r"tree|root|line"):
        Checkpoint(*arguments)
