"""SVG charts for reports: bars, lines, histograms. Texts are escaped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from tui.bench.model.records import Fit

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 10, 34
MAX_POINTS = 1500


def _end(value: float) -> str:
    """Label of an axis end: three significant figures, or all digits of the integer part."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _nice_top(value: float) -> float:
    """The next higher round number, for the top of an axis."""
    if value <= 0 or not math.isfinite(value):
        return 1.0
    unit = 10.0 ** math.floor(math.log10(value))
    steps = (step * unit for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10))
    return next((step for step in steps if step >= value), 10 * unit)


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    step = max(1, len(points) // MAX_POINTS)
    return points[::step]


class _Frame:
    """Axes from (x0, 0) to (x1, top), and the mapping of values to SVG coordinates."""

    def __init__(self, x0: float, x1: float, top: float, x_name: str, y_name: str) -> None:
        self.x0, self.x1, self.top = x0, max(x1, x0 + 1e-9), top
        self._names = (x_name, y_name)

    def x(self, value: float) -> float:
        share = (value - self.x0) / (self.x1 - self.x0)
        return LEFT + min(1.0, max(0.0, share)) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = min(1.0, max(0.0, value / self.top))
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def svg(self, inside: str, label: str) -> str:
        low, high = HEIGHT - BOTTOM, TOP
        ticks = "".join(
            f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{self.y(v):.1f}" '
            f'y2="{self.y(v):.1f}"/><text x="{LEFT - 6}" y="{self.y(v) + 4:.1f}" '
            f'text-anchor="end">{v:g}</text>'
            for v in (0, self.top / 2, self.top)
        )
        ends = (
            f'<text x="{LEFT}" y="{low + 16}">{_end(self.x0)}</text>'
            f'<text x="{WIDTH - RIGHT}" y="{low + 16}" text-anchor="end">{_end(self.x1)}</text>'
            f'<text x="{WIDTH / 2:.0f}" y="{HEIGHT - 4}" text-anchor="middle">'
            f"{escape(self._names[0])}</text>"
            f'<text x="{LEFT + 4}" y="{high + 8}">{escape(self._names[1])}</text>'
        )
        return (
            f'<svg role="img" aria-label="{escape(label, quote=True)}" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}" xmlns="http://www.w3.org/2000/svg">'
            f"{ticks}{ends}{inside}</svg>"
        )


def _path(frame: _Frame, points: Sequence[tuple[float, float]], name: str = "line") -> str:
    if not points:
        return ""
    steps = " L".join(f"{frame.x(x):.1f} {frame.y(y):.1f}" for x, y in points)
    return f'<path class="{name}" d="M{steps}"/>'


def bars(labels: Sequence[str], values: Sequence[float | None], unit: str, title: str) -> str:
    """A chart with one horizontal bar per label; empty without values."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    top = _nice_top(max(known))
    step = 20
    height = step * len(labels) + 8
    rows = []
    for at, (label, value) in enumerate(zip(labels, values, strict=True)):
        y = 4 + at * step
        rows.append(f'<text x="186" y="{y + 13}" text-anchor="end">{escape(label[:30])}</text>')
        if value is None:
            rows.append(f'<text x="192" y="{y + 13}">–</text>')
            continue
        width = max(1.0, min(1.0, value / top) * (WIDTH - 280))
        rows.append(f'<rect class="bar" x="192" y="{y + 3}" width="{width:.1f}" height="12"/>')
        shown = f"{value:.2f} {unit}"
        rows.append(f'<text x="{198 + width:.1f}" y="{y + 13}">{escape(shown)}</text>')
    return (
        f'<svg role="img" aria-label="{escape(title, quote=True)}" viewBox="0 0 {WIDTH} {height}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(rows)}</svg>'
    )


def scatter(
    points: Sequence[tuple[float, float]], x_name: str, y_name: str, title: str, fit: Fit | None
) -> str:
    """A chart with dots, and the fitted line if there is one; empty without points."""
    if not points:
        return ""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    frame = _Frame(min(xs), max(xs), _nice_top(max(ys)), x_name, y_name)
    dots = "".join(
        f'<circle class="dot" cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}" r="2"/>'
        for x, y in _thinned(points)
    )
    line = ""
    if fit is not None:
        ends = [(x, fit.a + fit.b * x) for x in (min(xs), max(xs))]
        line = _path(frame, ends, "second")
    return frame.svg(dots + line, title)


def histogram(values: Sequence[float], x_name: str, title: str, bins: int = 40) -> str:
    """A histogram; empty with fewer than two values."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    if low == high:
        high = low + 1
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int((value - low) / (high - low) * bins))] += 1
    frame = _Frame(low, high, _nice_top(max(counts)), x_name, "gaps")
    width = (WIDTH - LEFT - RIGHT) / bins
    rows = "".join(
        f'<rect class="bar" x="{LEFT + at * width:.1f}" y="{frame.y(count):.1f}" '
        f'width="{max(1.0, width - 1):.1f}" height="{HEIGHT - BOTTOM - frame.y(count):.1f}"/>'
        for at, count in enumerate(counts)
        if count
    )
    return frame.svg(rows, title)


def timeline(
    series: Sequence[tuple[str, Sequence[tuple[float, float]]]], y_name: str, title: str
) -> str:
    """A chart with up to two lines over time; points are (s, value). Empty without points."""
    known = [(name, points) for name, points in series if points]
    if not known:
        return ""
    start = min(points[0][0] for _, points in known)
    end = max(points[-1][0] for _, points in known)
    top = _nice_top(max(y for _, points in known for _, y in points))
    frame = _Frame(start, end, top, "seconds", y_name)
    lines = "".join(
        _path(frame, _thinned(points), ("line", "second")[min(at, 1)])
        for at, (_, points) in enumerate(known[:2])
    )
    return frame.svg(lines, title)
