"""Which classes a model gives back best."""

from __future__ import annotations

from collections.abc import Mapping

from genlib.charts.chart import Chart
from genlib.data import CLASS_NAMES
from genlib.drawing import CLASS_COLOURS


def errors(model: str, by_class: Mapping[int, float], title: str) -> Chart:
    """The mean error of each class by its number."""
    bars = {
        "type": "bar",
        "x": [CLASS_NAMES[label] for label in by_class],
        "y": list(by_class.values()),
        "marker": {"color": [CLASS_COLOURS[label] for label in by_class]},
        "text": [f"{error:.3f}" for error in by_class.values()],
        "hoverinfo": "x+y",
        "textposition": "outside",
        "textangle": 0,
        "cliponaxis": False,
    }
    return Chart([bars], f"Reconstruction error of {model} by class", 240, y="squared error", top=20, title=title)
