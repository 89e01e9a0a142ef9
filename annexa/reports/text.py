"""Text from evidence as a page may show it. Evidence is hostile: names and reasons are whatever a stranger typed.

Rules:
- A character that a reader cannot see (control, bidirectional, zero-width, unassigned, surrogate, NUL) is shown as
  `⟦U+202E⟧`. So a name cannot turn the line around, hide a part of itself or look like another name.
- A long text is cut at a length that is said: `… (1,234 more characters)`. Nothing is cut silently.
- HTML is escaped elsewhere, by the template engine, for every value.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

from annexa import clock

UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode general categories without a glyph of their own."""

BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
"""Other characters drawn as nothing: Unicode's Default_Ignorable_Code_Point, and the braille blank."""

_UNITS = ((86_400 * 2, "d"), (3_600 * 2, "h"), (60 * 2, "min"))


def visible(text: str) -> str:
    """The text with every invisible character named."""
    if text.isprintable() and BLANK.isdisjoint(text):
        return text
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    if unicodedata.category(char) in UNSEEN or char in BLANK:
        return f"⟦U+{ord(char):04X}⟧"
    return char


SPARED = 40
"""A rest so short is shown: it is no longer than saying that it was cut."""


def clipped(text: str, length: int = 400) -> str:
    """The first `length` characters, and how many more there are."""
    rest = len(text) - length
    return text if rest <= SPARED else f"{text[:length]}… ({rest:,} more characters)"


def prose(text: str) -> str:
    """Text of a pack's author on one line: YAML's line breaks mean nothing."""
    return re.sub(r"[ \t\r\n]+", " ", text).strip(" ")


def moment(text: str) -> datetime | None:
    """The recorded time; None when the text is not one."""
    try:
        return clock.moment(text)
    except ValueError:
        return None


def when(text: str) -> str:
    """A recorded time for people: `2026-09-10 08:15 UTC`; text that is not a time stays as it is."""
    parsed = moment(text)
    return text if parsed is None else parsed.strftime("%Y-%m-%d %H:%M UTC")


def day(text: str) -> str:
    """The UTC date of a recorded time; text that is not a time stays as it is."""
    parsed = moment(text)
    return text if parsed is None else parsed.strftime("%Y-%m-%d")


def age(text: str | None, now: datetime) -> str:
    """How long before `now`, in the largest fitting unit: `3 h`, `12 d`. A time after `now` is said to be so."""
    parsed = None if text is None else moment(text)
    if parsed is None:
        return "unknown"
    seconds = (now - parsed).total_seconds()
    if seconds < 0:
        return "in the future"
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds / (size / 2):.0f} {unit}"
    return f"{seconds:.0f} s"


def number(value: float) -> str:
    """A measured value: thousands separated, at most two decimals, none where they are zero."""
    return f"{value:,.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"


def quantity(value: float, unit: str) -> str:
    """A value with its unit: `97.5 %`, `12`, `3 days`."""
    suffix = {"percent": " %", "count": ""}.get(unit, f" {unit}")
    return number(value) + suffix
