"""How evenly a walk changes."""

from __future__ import annotations

from genlib.charts.chart import FROM_ZERO, Chart, line
from genlib.drawing import CLASS_COLOURS
from genlib.questions.interpolate import Interpolate, walk


def changes(question: Interpolate) -> Chart:
    """The change from each frame of a walk to the next."""
    values = (100 * walk(question)[1]).tolist()
    start, end = question.names
    curve = line(range(1, len(values) + 1), values, CLASS_COLOURS[0])
    y = {"title": "change, % of range", **FROM_ZERO}
    title = "**Step-to-step change**: a spike would be a jump between two kinds of garment"
    return Chart([curve], f"Pixel change of each step from {start} to {end}", 220, "step", y, title=title)
