"""The keys of signed notes (https://c2sp.org/signed-note), in the text forms of Go's sumdb/note.

    example.com/log+530cab5e+AQ3ZFpaS…               a public key: name, key id, base64(0x01 || 32 bytes)
    PRIVATE+KEY+example.com/log+530cab5e+AbcT…       its private half: base64(0x01 || 32-byte seed)

Only Ed25519 (0x01). The id names a key and protects nothing: who believes a signature must hold the whole key.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from annexa.errors import StoreError

_ED25519 = b"\x01"
_LENGTH = 32
_PRIVATE = "PRIVATE+KEY+"
_VKEY_REMEDY = "Give the line of the log's .pub file: name, +, eight hexadecimal digits, +, base64."
_SKEY_REMEDY = "Restore the key file from its backup. Do not edit it."


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key and the name it signs by.

    Args:
        name: Not empty, without spaces and `+`.
        public: The 32 bytes of RFC 8032.

    Raises:
        ValueError: The name or the key is not of that form.
    """

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not is_name(self.name):
            raise ValueError(f"{self.name!r} cannot name a key: it is empty, or has spaces, control characters or +")
        Ed25519PublicKey.from_public_bytes(self.public)

    @property
    def key_id(self) -> bytes:
        """SHA-256(name || 0x0A || 0x01 || public)[:4]."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature (RFC 8032, 64 bytes) is this key's over the message."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def text(self) -> str:
        """`name+id+key`, on one line without newline."""
        return f"{self}+{encode_base64(_ED25519 + self.public)}"

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}"

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """Read what `text` wrote.

        Raises:
            StoreError: It is not a public key in that form, or the id is not the key's.
        """
        name, key_id, key = _parts(text, "a public key", _VKEY_REMEDY)
        try:
            verifier = cls(name, key)
        except ValueError as error:
            raise StoreError(f"not a public key: {error}", remedy=_VKEY_REMEDY) from error
        if verifier.key_id != key_id:
            raise StoreError(f"not a public key: {text!r} has the id {verifier.key_id.hex()}", remedy=_VKEY_REMEDY)
        return verifier


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key and the name it signs by. Its seed is in no repr and no error."""

    name: str
    key: Ed25519PrivateKey = field(repr=False)

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self.key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """The signature of RFC 8032, 64 bytes."""
        return self.key.sign(message)

    def private_text(self) -> str:
        """`PRIVATE+KEY+name+id+seed`: whoever has it can sign. For the key file only."""
        return f"{_PRIVATE}{self.verifier}+{encode_base64(_ED25519 + self.key.private_bytes_raw())}"

    @classmethod
    def generate(cls, name: str) -> Signer:
        """A new key from the system's random source.

        Raises:
            ValueError: The name cannot name a key.
        """
        signer = cls(name, Ed25519PrivateKey.generate())
        signer.verifier.text()
        return signer

    @classmethod
    def parse(cls, text: str) -> Signer:
        """Read what `private_text` wrote.

        Raises:
            StoreError: It is not a private key in that form, or the id is not the key's.
        """
        if not text.startswith(_PRIVATE):
            raise StoreError("not a private key: it does not start with PRIVATE+KEY+", remedy=_SKEY_REMEDY)
        name, key_id, seed = _parts(text.removeprefix(_PRIVATE), "a private key", _SKEY_REMEDY)
        signer = cls(name, Ed25519PrivateKey.from_private_bytes(seed))
        if not is_name(name) or signer.verifier.key_id != key_id:
            raise StoreError("not a private key: the id is not that of the key and its name", remedy=_SKEY_REMEDY)
        return signer


def is_name(name: str) -> bool:
    """Whether a key may be called so: not empty, UTF-8, no Unicode space, no control character, no `+`."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return bool(name) and not any(char == "+" or char.isspace() or char < " " for char in name)


def encode_base64(data: bytes) -> str:
    """RFC 4648, section 4."""
    return base64.b64encode(data).decode()


def decode_base64(text: str) -> bytes | None:
    """What `encode_base64` wrote; None where the text is not exactly that (spaces, missing padding, stray bits)."""
    try:
        data = base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    return data if encode_base64(data) == text else None


def _parts(text: str, what: str, remedy: str) -> tuple[str, bytes, bytes]:
    """Name, id and the 32 bytes of `name+id+base64(0x01 || bytes)`. The base64 may itself hold a `+`."""
    name, _, rest = text.partition("+")
    id_text, _, encoded = rest.partition("+")
    key = decode_base64(encoded)
    if len(id_text) != 8 or any(digit not in "0123456789abcdef" for digit in id_text) or key is None:
        raise StoreError(f"not {what}: expected name+id+key", remedy=remedy)
    if key[:1] != _ED25519 or len(key) != 1 + _LENGTH:
        raise StoreError(f"not {what}: not an Ed25519 key (0x01 and {_LENGTH} bytes)", remedy=remedy)
    return name, bytes.fromhex(id_text), key[1:]
