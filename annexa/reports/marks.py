"""What each status word looks like: a tone and a shape. The word itself is always shown beside them.

Tones are `ok`, `warn`, `bad` and `none`. Shapes differ within a tone, so that no status is told by colour alone
(WCAG 2.2, 1.4.1).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """A tone and the name of a symbol of the page."""

    tone: str
    shape: str


_NEUTRAL = Mark("none", "ring")

MARKS = {
    "effective": Mark("ok", "tick"),
    "partially effective": Mark("warn", "half"),
    "ineffective": Mark("bad", "cross"),
    "not demonstrated": Mark("none", "ring"),
    "pass": Mark("ok", "tick"),
    "fail": Mark("bad", "cross"),
    "na": Mark("none", "dash"),
    "exempt": Mark("none", "dash"),
    "error": Mark("bad", "blind"),
    "incomplete": Mark("warn", "blind"),
    "stale": Mark("warn", "blind"),
    "unsourced": Mark("none", "ring"),
    "complete": Mark("ok", "tick"),
    "failed": Mark("bad", "cross"),
    "denied": Mark("bad", "cross"),
    "never ran": Mark("warn", "blind"),
    "unavailable": Mark("none", "dash"),
    "on target": Mark("ok", "tick"),
    "warning": Mark("warn", "half"),
    "off target": Mark("bad", "cross"),
    "not measured": Mark("none", "ring"),
    "overdue": Mark("bad", "cross"),
    "open": Mark("warn", "half"),
    "resolved": Mark("ok", "tick"),
    "closed": Mark("none", "tick"),
    "finished": Mark("ok", "tick"),
    "did not end": Mark("bad", "blind"),
}


def mark(word: str) -> Mark:
    """The mark of a status word; an unknown word is neutral."""
    return MARKS.get(word, _NEUTRAL)
