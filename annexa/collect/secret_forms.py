"""The forms in which a secret may stand in what a system answers.

As it is; escaped as in JSON; percent-encoded; and in base64, alone or with something before and after it
(`Authorization: Basic` is base64 of `user:password`). Base64 of a part of a text depends on where the part begins,
modulo three: the digits that depend on the secret alone are looked for in each of the three positions.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

SHORTEST = 4
"""Of fewer characters than these, cutting every occurrence would take the evidence with it."""

_SHORTEST_BASE64 = 8
_RUN = re.compile(r"[A-Za-z0-9]+")
_VALUE = re.compile(rb'"(?P<inside>(?:[^"\\]|\\.)*)"|(?P<number>-?[0-9][0-9.eE+-]*)', re.DOTALL)
_SHORT_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}


@dataclass(frozen=True, slots=True)
class SecretForms:
    """One secret, ready to be looked for.

    Args:
        needles: If none of these is in a body, the secret is not: they make the common case quick.
        plain: Matches every form in a text.
        units: Matches a form, or else one character or escape, inside a JSON string.
    """

    needles: tuple[bytes, ...]
    plain: re.Pattern[bytes]
    units: re.Pattern[bytes]

    @classmethod
    def of(cls, secret: str) -> SecretForms | None:
        """The forms of a secret; None when it is too short to be one."""
        if len(secret) < SHORTEST:
            return None
        forms = {secret, quote(secret, safe=""), quote_plus(secret), *_base64_forms(secret)}
        ordered = sorted(forms, key=len, reverse=True)
        plain = b"|".join(re.escape(form.encode("utf-8", "surrogateescape")) for form in ordered)
        escaped = b"|".join(_in_json_string(form) for form in ordered)
        units = rb"(?P<secret>" + escaped + rb")|\\u[0-9a-fA-F]{4}|\\.|[^\\]"
        return cls(tuple({_needle(form) for form in ordered}), re.compile(plain), re.compile(units, re.DOTALL))

    def may_be_in(self, body: bytes) -> bool:
        """Whether a closer look is worth its while."""
        return any(needle in body for needle in self.needles)

    def in_bytes(self, body: bytes, mark: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Every occurrence, in any kind of body."""
        for found in self.plain.finditer(body):
            yield found.start(), found.end(), mark

    def in_json(self, body: bytes, mark: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Every occurrence inside a string, and every number that holds one, of a body that is JSON."""
        for value in _VALUE.finditer(body):
            if value["number"] is not None:
                if self.plain.search(value["number"]):
                    yield value.start(), value.end(), b'"' + mark + b'"'
            elif self.may_be_in(value["inside"]):
                for unit in self.units.finditer(body, *value.span("inside")):
                    if unit["secret"] is not None:
                        yield unit.start(), unit.end(), mark


def _needle(form: str) -> bytes:
    """The longest run of letters and digits: no encoding in use changes those. Else the first byte as it is."""
    runs = _RUN.findall(form)
    return max(runs, key=len).encode() if runs else b""


def _in_json_string(form: str) -> bytes:
    """A pattern of the form's characters, each as it is or in any of its JSON escapes."""
    return b"".join(_character(character) for character in form)


def _character(character: str) -> bytes:
    ways = []
    if character not in '"\\' and character >= " ":
        ways.append(re.escape(character.encode("utf-8", "surrogateescape")))
    if character in _SHORT_ESCAPES:
        ways.append(re.escape(b"\\" + _SHORT_ESCAPES[character].encode()))
    halves = character.encode("utf-16-be", "surrogatepass")
    pairs = [halves[at : at + 2].hex().encode() for at in range(0, len(halves), 2)]
    ways.append(b"".join(rb"\\u(?i:" + pair + rb")" for pair in pairs))
    return b"(?:" + b"|".join(ways) + b")"


def _base64_forms(secret: str) -> Iterator[str]:
    raw = secret.encode("utf-8", "surrogateescape")
    for shift in range(3):
        digits = base64.b64encode(bytes(shift) + raw).decode()
        first = (8 * shift + 5) // 6
        last = (8 * (shift + len(raw))) // 6
        core = digits[first:last]
        if len(core) >= _SHORTEST_BASE64:
            yield core
            yield core.replace("+", "-").replace("/", "_")
