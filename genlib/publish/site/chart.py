"""The Frechet distance through a training, as SVG."""

from __future__ import annotations

from html import escape

from genlib.analysis.history import History
from genlib.metrics.floor import training_floor

CURVES = {"fd": "Frechet distance", "fd_raw": "raw generator"}
COLOURS = dict(zip(CURVES, ("#3f90da", "#ffa90e"), strict=True))
WIDTH, HEIGHT = 560, 190  # units
LEFT, TOP, RIGHT, BOTTOM = 38, 12, 12, 26  # around the chart's inside
LINE = 16  # between two lines of text


class _Scale:
    """From epochs and distances to places. Distances are drawn from zero."""

    def __init__(self, past: History) -> None:
        self.curves = {key: curve for key in CURVES if (curve := past.curve(key))[0]}
        epochs = [*past.sample_epochs, *(row["epoch"] for row in past.table)]
        self.first, self.last = min(epochs), max(epochs)
        self.highest = max((max(values) for _, values in self.curves.values()), default=1.0) or 1.0

    def across(self, epoch: int) -> float:
        share = (epoch - self.first) / max(1, self.last - self.first)
        return round(LEFT + (WIDTH - LEFT - RIGHT) * share, 1)

    def down(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.highest, 1)


def places(past: History) -> list[list[float | None]]:
    """Where each epoch with samples is on the chart: across, then down for each curve, None where it has none."""
    scale = _Scale(past)
    values = [dict(zip(*curve, strict=True)) for curve in scale.curves.values()]
    return [
        [scale.across(epoch), *(scale.down(each[epoch]) if epoch in each else None for each in values)]
        for epoch in past.sample_epochs
    ]


def chart(past: History, unit: str) -> str:
    """The curves that were measured, with a hidden point on each for the page's script to move, and as a dotted line
    what as many test photographs score; empty without any."""
    scale = _Scale(past)
    if not scale.curves:
        return ""
    ((_, values), *_) = scale.curves.values()
    alt = f"Frechet distance by {unit}, from {values[0]:.2f} to {values[-1]:.2f}"
    floor = training_floor(past.looks["samples"])
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(alt)}">'
        f"{_axes(scale, unit)}{_photographs(scale, floor)}{''.join(_line(scale, key) for key in scale.curves)}"
        f"{_names(scale, floor)}</svg>"
    )


def _axes(scale: _Scale, unit: str) -> str:
    ground, end = HEIGHT - BOTTOM, WIDTH - RIGHT
    return (
        f'<line x1="{LEFT}" x2="{end}" y1="{ground}" y2="{ground}" stroke="currentColor" opacity=".4"/>'
        f'<text x="{LEFT - 6}" y="{ground}" text-anchor="end">0</text>'
        f'<text x="{LEFT - 6}" y="{TOP + 6}" text-anchor="end">{scale.highest:.3g}</text>'
        f'<text x="{LEFT}" y="{HEIGHT - 8}">{escape(unit)} {scale.first}</text>'
        f'<text x="{end}" y="{HEIGHT - 8}" text-anchor="end">{scale.last}</text>'
    )


def _photographs(scale: _Scale, floor: float) -> str:
    y = scale.down(floor)
    return f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="currentColor" stroke-dasharray="2 3"/>'


def _line(scale: _Scale, key: str) -> str:
    points = " ".join(f"{scale.across(x)},{scale.down(y)}" for x, y in zip(*scale.curves[key], strict=True))
    return (
        f'<polyline points="{points}" stroke="{COLOURS[key]}"/>'
        f'<circle r="5" fill="{COLOURS[key]}" visibility="hidden"/>'
    )


def _names(scale: _Scale, floor: float) -> str:
    told = [f'<tspan fill="{COLOURS[key]}">●</tspan> {CURVES[key]}' for key in scale.curves]
    rows = enumerate([*told, f"┄ photographs {floor:.2f}"])
    return "".join(
        f'<text x="{WIDTH - RIGHT}" y="{TOP + 12 + LINE * row}" text-anchor="end">{name}</text>' for row, name in rows
    )
