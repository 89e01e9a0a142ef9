"""A stacked bar as inline SVG: shares of a whole, in the order and with the names of the numbers beside it."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from annexa.reports.marks import mark
from annexa.reports.text import visible

WIDTH, GAP = 1000.0, 4.0

_BAR = Markup(
    '<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label="{label}">{parts}</svg>'
)
_FRAME = Markup('<rect class="frame" width="1000" height="10"/>')
_SEGMENT = Markup('<rect class="{tone}" x="{left:.1f}" width="{width:.1f}" height="10"/>')


def bar(words: Sequence[str], numbers: Sequence[int]) -> Markup:
    """The bar; an empty frame when all numbers are zero.

    Args:
        words: Status words; each gives its segment's tone.
        numbers: As many, not negative.
    """
    label = ", ".join(f"{number} {word}" for word, number in zip(words, numbers, strict=True))
    return _BAR.format(label=visible(label), parts=Markup("").join(_segments(words, numbers)) or _FRAME)


def _segments(words: Sequence[str], numbers: Sequence[int]) -> list[Markup]:
    total, left, parts = sum(numbers), 0.0, []
    for word, number in zip(words, numbers, strict=True):
        width = number / total * WIDTH if total else 0.0
        if number:
            parts.append(_SEGMENT.format(tone=mark(word).tone, left=left, width=max(width - GAP, 2.0)))
        left += width
    return parts
