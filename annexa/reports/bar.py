"""A stacked bar as inline SVG: shares of a whole, in the order and with the names of the numbers beside it."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from annexa.reports.marks import mark

WIDTH, HEIGHT, GAP = 1000.0, 10, 4.0


def bar(words: Sequence[str], numbers: Sequence[int]) -> Markup:
    """The bar; an empty frame when all numbers are zero.

    Args:
        words: Status words; each gives its segment's tone and pattern.
        numbers: As many, not negative.
    """
    total = sum(numbers)
    label = ", ".join(f"{number} {word}" for word, number in zip(words, numbers, strict=True))
    start = f'<svg class="bar" viewBox="0 0 {WIDTH:g} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="'
    return Markup(start) + escape(label) + Markup('">') + _segments(words, numbers, total) + Markup("</svg>")


def _segments(words: Sequence[str], numbers: Sequence[int], total: int) -> Markup:
    parts = [Markup(f'<rect class="frame" width="{WIDTH:g}" height="{HEIGHT}"/>')] if not total else []
    left = 0.0
    for word, number in zip(words, numbers, strict=True):
        width = number / total * WIDTH if total else 0.0
        if number:
            shown = max(width - GAP, 2.0)
            box = f'<rect class="{mark(word).tone}" x="{left:.1f}" width="{shown:.1f}" height="{HEIGHT}"/>'
            parts.append(Markup(box))
        left += width
    return Markup("").join(parts)
