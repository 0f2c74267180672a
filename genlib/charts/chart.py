"""A chart as data, and the traces that several charts are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from genlib.data import CLASS_NAMES
from genlib.drawing import CLASS_COLOURS

Trace = dict[str, Any]
ABOVE = {"orientation": "h", "y": 1.02, "yanchor": "bottom"}  # a legend over its chart
FROM_ZERO = {"rangemode": "tozero"}


@dataclass(frozen=True)
class Chart:
    """Plotly's `traces` and `layout`, with an axis by its title or its settings, and `alt`, what it shows in words.

    `height` and `top`, the room for what stands above the axes, are in pixels. `title` is a line of Markdown over the
    chart, and `help` says more of it.
    """

    traces: Sequence[Trace]
    alt: str
    height: int
    x: str | dict[str, Any] = ""
    y: str | dict[str, Any] = ""
    top: int = 8
    layout: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    help: str | None = None

    @property
    def figure(self) -> dict[str, Any]:
        """What `plotly.graph_objects.Figure` takes: {data, layout}."""
        axes = {"xaxis": _axis(self.x), "yaxis": _axis(self.y)}
        # right: half of the last tick's number, which would be left out
        margin = {"l": 0, "r": 12, "t": self.top, "b": 0}
        return {"data": list(self.traces), "layout": {"height": self.height, "margin": margin, **axes, **self.layout}}


def _axis(told: str | dict[str, Any]) -> dict[str, Any]:
    return told if isinstance(told, dict) else {"title": told}


def line(x: Sequence[float], y: Sequence[float], colour: str, **look: Any) -> Trace:
    """A line, of two pixels and without marks unless its look says otherwise."""
    usual = {"mode": "lines", "line": {"color": colour, "width": 2}}
    return {"type": "scatter", "x": list(x), "y": list(y), **usual, **look}


def by_class(points: np.ndarray, classes: np.ndarray, **look: Any) -> list[Trace]:
    """Points (N, 2) in the colours of their classes (N,), a trace a class; each knows its number in `customdata`."""
    traces = []
    for label, name in enumerate(CLASS_NAMES):
        rows = np.flatnonzero(classes == label)
        x, y = points[rows].T
        marker = {"color": CLASS_COLOURS[label], "size": 4, **look.get("marker", {})}
        trace = {"type": "scatter", **look, "mode": "markers", "marker": marker, "customdata": rows}
        traces.append({**trace, "x": x, "y": y, "name": name})
    return traces


def epochs_axis(unit: str, last: int) -> dict[str, Any]:
    """An axis of epochs up to the last: whole numbers, each where they are few (a thousand stop a browser)."""
    return {"title": unit, "tickformat": "d", "dtick": 1 if last < 12 else None}


def upright(x: float, look: dict[str, Any]) -> dict[str, Any]:
    """A line across the chart at x, for its `shapes`."""
    return {"type": "line", "x0": x, "x1": x, "xref": "x", "y0": 0, "y1": 1, "yref": "y domain", "line": look}


def level(y: float, look: dict[str, Any]) -> dict[str, Any]:
    """A line along the chart at y, for its `shapes`."""
    return {"type": "line", "x0": 0, "x1": 1, "xref": "x domain", "y0": y, "y1": y, "yref": "y", "line": look}
