"""A KPI's series as a small inline SVG: the shape of the line, with the numbers in its label.

Rules:
- Time runs to scale from left to right; a value that could not be measured is a gap, never a line through it.
- Only numbers computed here enter the markup, rounded to a tenth of a unit, so the same series gives the same bytes.
- A dashed line is the target, where it lies within the range shown.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from annexa.reports.text import moment, quantity, visible
from annexa.views.isms import KpiPoint

WIDTH, HEIGHT, PAD = 160.0, 36.0, 4.0

_LEAST = 1e-9
"""A relative spread below which a line is flat: it would show rounding."""

Place = tuple[float, float]

_FRAME = Markup('<svg class="spark" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{label}">{parts}</svg>')
_LINE = Markup('<polyline points="{line}"/>')
_CIRCLE = Markup('<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>')
_AIM = Markup('<line class="aim" x1="0" x2="{width:g}" y1="{y:.1f}" y2="{y:.1f}"/>')


def sparkline(points: Sequence[KpiPoint], aim: float | None) -> Markup:
    """The series, oldest first; nothing to draw gives an empty text."""
    values = [point.value for point in points if point.value is not None]
    if not values:
        return Markup("")
    low, high = _range(values, aim)
    across = _across(points)
    pairs = zip(points, across, strict=True)
    strokes = _strokes([None if p.value is None else (x, _up(p.value, low, high)) for p, x in pairs])
    last = strokes[-1][-1]
    dot = _CIRCLE.format(kind="last", x=last[0], y=last[1], radius="2.5")
    parts = Markup("").join([_target(aim, low, high), *(_stroke(stroke) for stroke in strokes), dot])
    return _FRAME.format(width=WIDTH, height=HEIGHT, label=visible(_label(points, values)), parts=parts)


def _range(values: Sequence[float], aim: float | None) -> tuple[float, float]:
    """The values, and the target where it is not so far off that it would flatten them."""
    low, high = min(values), max(values)
    spread = high - low or max(abs(high), 1.0)
    if aim is not None and low - 2 * spread <= aim <= high + 2 * spread:
        low, high = min(low, aim), max(high, aim)
    margin = max(abs(high), 1.0) / 2
    return (low, high) if high - low > _LEAST * margin else (low - margin, high + margin)


def _across(points: Sequence[KpiPoint]) -> list[float]:
    times = [moment(point.measured_at) for point in points]
    known = [time.timestamp() for time in times if time is not None]
    if len(known) < len(points) or known[-1] <= known[0]:
        steps = [index / max(len(points) - 1, 1) for index in range(len(points))]
    else:
        steps = [(time - known[0]) / (known[-1] - known[0]) for time in known]
    return [PAD + step * (WIDTH - 2 * PAD) for step in steps]


def _up(value: float, low: float, high: float) -> float:
    return HEIGHT - PAD - (value - low) / (high - low) * (HEIGHT - 2 * PAD)


def _strokes(places: Sequence[Place | None]) -> list[list[Place]]:
    """The runs of measured points."""
    strokes: list[list[Place]] = [[]]
    for place in places:
        if place is not None:
            strokes[-1].append(place)
        elif strokes[-1]:
            strokes.append([])
    return [stroke for stroke in strokes if stroke]


def _stroke(stroke: Sequence[Place]) -> Markup:
    if len(stroke) == 1:
        return _CIRCLE.format(kind="lone", x=stroke[0][0], y=stroke[0][1], radius="1.5")
    return _LINE.format(line=" ".join(f"{x:.1f},{y:.1f}" for x, y in stroke))


def _target(aim: float | None, low: float, high: float) -> Markup:
    if aim is None or not low <= aim <= high:
        return Markup("")
    return _AIM.format(width=WIDTH, y=_up(aim, low, high))


def _label(points: Sequence[KpiPoint], values: Sequence[float]) -> str:
    unit = points[-1].unit
    lowest, highest, last = (quantity(value, unit) for value in (min(values), max(values), values[-1]))
    return f"{len(values)} values of {len(points)} measurements: lowest {lowest}, highest {highest}, last {last}"
