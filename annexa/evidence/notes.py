"""Signed notes: a text and signatures below it, as https://c2sp.org/signed-note has them.

    example.com/log
    12
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — example.com/log Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurm…

Rules:
- UTF-8, no control character but newline; the text ends with a newline, and the last blank line parts it from
  the signatures. Anything else is refused, never repaired.
- A signature counts only if the key was given by the caller. Signatures by other keys are listed, not believed;
  one wrong signature by a known key refuses the whole note.
- Up to 100 signatures; more are refused unread (as Go's sumdb/note does).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from annexa.errors import Tampered
from annexa.evidence.note_keys import Signer, Verifier, decode_base64, encode_base64, is_name

__all__ = ["OpenedNote", "Signature", "Signer", "Verifier", "open_note", "parse_note", "sign"]

_DASH = "— "
_MOST_SIGNATURES = 100


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line.

    Attributes:
        name: The key's name.
        key_id: The key's four-byte id.
        signature: What follows the id.
    """

    name: str
    key_id: bytes
    signature: bytes


class OpenedNote(NamedTuple):
    """A note signed by at least one known key.

    Attributes:
        text: The signed text, with its last newline.
        verified: One signature per known key, all of them good.
        unknown: Signatures by keys that were not given: they show nothing.
    """

    text: str
    verified: tuple[Signature, ...]
    unknown: tuple[Signature, ...]


def sign(text: str, signers: Iterable[Signer]) -> str:
    """The note: the text, a blank line, and a line per signer.

    Raises:
        ValueError: The text does not end with a newline or has control characters, or nobody signs.
    """
    if not text.endswith("\n") or not _is_clean(text):
        raise ValueError("a note's text ends with a newline and has no other control character")
    message = text.encode()
    lines = [_line(signer, message) for signer in signers]
    if not 0 < len(lines) <= _MOST_SIGNATURES:
        raise ValueError(f"a note has 1 to {_MOST_SIGNATURES} signatures, not {len(lines)}")
    return text + "\n" + "".join(lines)


def open_note(note: str | bytes, verifiers: Iterable[Verifier]) -> OpenedNote:
    """The note's text, once a known key is seen to have signed it.

    Args:
        note: The whole note.
        verifiers: The keys to believe, from outside the data that is checked.

    Raises:
        Tampered: Malformed, a wrong signature by a known key, or no signature by any.
        ValueError: Two keys given share name and id, so a signature cannot say which it means.
    """
    known = _by_name_and_id(verifiers)
    text, signatures = parse_note(note)
    message = text.encode()
    verified: dict[Verifier, Signature] = {}
    unknown: dict[Signature, None] = {}
    for signature in signatures:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is None:
            unknown[signature] = None
        elif not verifier.verify(message, signature.signature):
            raise Tampered(f"the signature by {verifier} does not fit the note")
        else:
            verified.setdefault(verifier, signature)
    if not verified:
        raise Tampered(
            f"the note is not signed by {' or '.join(map(str, known.values())) or 'any known key'}",
            remedy="Give the public key of the log that signed it, from a place outside the evidence store.",
        )
    return OpenedNote(text, tuple(verified.values()), tuple(unknown))


def parse_note(note: str | bytes) -> tuple[str, tuple[Signature, ...]]:
    """The text and the signature lines of a note, none of them verified.

    Raises:
        Tampered: The note is malformed.
    """
    content = _decode(note)
    if not _is_clean(content):
        raise Tampered("malformed note: it has control characters")
    text, blank, block = content.rpartition("\n\n")
    if not blank:
        raise Tampered("malformed note: no blank line before the signatures")
    if not block.endswith("\n"):
        raise Tampered("malformed note: no signatures, or no newline at the end")
    lines = block[:-1].split("\n")
    if len(lines) > _MOST_SIGNATURES:
        raise Tampered(f"the note has {len(lines)} signatures; at most {_MOST_SIGNATURES} are read")
    return text + "\n", tuple(map(_signature, lines))


def _line(signer: Signer, message: bytes) -> str:
    return f"{_DASH}{signer.name} {encode_base64(signer.verifier.key_id + signer.sign(message))}\n"


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    value = decode_base64(encoded)
    if not line.startswith(_DASH) or not is_name(name) or value is None or len(value) < 5:
        raise Tampered(f"malformed note: not a signature line: {line[:120]!r}")
    return Signature(name, value[:4], value[4:])


def _by_name_and_id(verifiers: Iterable[Verifier]) -> dict[tuple[str, bytes], Verifier]:
    known: dict[tuple[str, bytes], Verifier] = {}
    for verifier in verifiers:
        if known.setdefault((verifier.name, verifier.key_id), verifier) != verifier:
            raise ValueError(f"two different keys are called {verifier}")
    return known


def _decode(note: str | bytes) -> str:
    try:
        return note.decode() if isinstance(note, bytes) else note.encode().decode()
    except UnicodeError as error:
        raise Tampered("malformed note: not UTF-8") from error


def _is_clean(text: str) -> bool:
    return all(character >= " " or character == "\n" for character in text)
