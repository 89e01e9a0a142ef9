"""Checkpoints: the text of a signed tree head, as https://c2sp.org/tlog-checkpoint has it.

    example.com/log                                     origin: which log
    12                                                  number of leaves
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=        root of the RFC 6962 tree of that many leaves

One text per checkpoint: what parses is written back byte for byte. Extension lines are kept but annexa writes none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from annexa.errors import Tampered
from annexa.evidence.merkle import EMPTY_ROOT
from annexa.evidence.note_keys import decode_base64, encode_base64

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head.

    Args:
        origin: Names the log; one line, not empty.
        size: Number of leaves, 0 to 2**63 - 1.
        root: 32 bytes.
        extensions: Further lines, none of them empty.

    Raises:
        ValueError: Something is not so.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= _LARGEST:
            raise ValueError(f"a tree cannot have {self.size} leaves")
        if len(self.root) != len(EMPTY_ROOT):
            raise ValueError(f"a root is {len(EMPTY_ROOT)} bytes long, not {len(self.root)}")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise ValueError("an empty tree has another root")
        for line in (self.origin, *self.extensions):
            if not line or any(character < " " for character in line):
                raise ValueError(f"{line!r} cannot be a line of a checkpoint: empty, or with control characters")

    def text(self) -> str:
        """The note's text, with its last newline."""
        return "".join(f"{line}\n" for line in (self.origin, self.size, encode_base64(self.root), *self.extensions))


def parse(text: str) -> Checkpoint:
    """Read the text of an opened note.

    Raises:
        Tampered: It is not a checkpoint.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop():
        raise Tampered("malformed checkpoint: expected origin, size and root, each on a line of its own")
    origin, size, encoded, *extensions = lines
    root = decode_base64(encoded)
    if not _SIZE.fullmatch(size) or root is None:
        raise Tampered(f"malformed checkpoint: size {size[:40]!r}, root {encoded[:60]!r}")
    try:
        return Checkpoint(origin, int(size), root, tuple(extensions))
    except ValueError as error:
        raise Tampered(f"malformed checkpoint: {error}") from error
