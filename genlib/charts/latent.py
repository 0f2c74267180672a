"""Where a model keeps its classes: a point a picture, in the colour of its class."""

from __future__ import annotations

import numpy as np

from genlib.charts.chart import Chart, Trace
from genlib.data import CLASS_NAMES
from genlib.drawing import CLASS_COLOURS
from genlib.questions.latent import Latent
from genlib.questions.question import EVERY_CLASS

FAINT = "#808080"
OUTLINE = "rgba(128, 128, 128, 0.95)"
LEGEND = {"orientation": "h", "itemsizing": "constant", "yref": "container", "y": 0, "yanchor": "bottom"}
BELOW = LEGEND | {"yref": "paper", "y": -0.02, "yanchor": "top"}


def scatter(question: Latent, name: str) -> tuple[Chart, list[np.ndarray]]:
    """One projection, and the rows behind the points of each of its traces; in a plane with the Gaussians' outlines."""
    projection, flat = question.found[name], question.dims == "2-D"
    places = projection.coordinates.numpy()
    size = (5 if question.n <= 3_000 else 3) - (0 if flat else 2)
    traces: list[Trace] = []
    rows: list[np.ndarray] = []
    for title, group, colour, opacity in _groups(question, projection.classes.numpy(), flat):
        axes = {axis: places[group, i] for i, axis in enumerate("xy" if flat else "xyz")}
        look = {"mode": "markers", "marker": {"size": size, "color": colour, "opacity": opacity}, "hoverinfo": "name"}
        traces.append({"type": "scattergl" if flat else "scatter3d", **axes, "name": title, **look})
        rows.append(group)
    outlines = _outlines(question) if flat else []
    rows += [np.empty(0, int)] * len(outlines)
    k = question.dims[0]
    alt = (
        f"{len(projection.classes)} points of {question.model}, {name}, on {k} principal components, coloured by class"
        f"{'' if question.label == EVERY_CLASS else ', ' + question.label + ' alone'}"
    )
    titles = [f"component {i + 1} ({100 * float(share):.0f} %)" for i, share in enumerate(projection.explained)]
    if flat:
        x = {"title": titles[0], "zeroline": False, "automargin": True}
        y = {"title": titles[1], "zeroline": False}
        layout = {"legend": LEGEND, "dragmode": "select"}
        return Chart([*traces, *outlines], alt, 400, x, y, layout=layout), rows
    short = [title.removeprefix("component ") for title in titles]
    scene: Trace = {f"{axis}axis": {"title": title} for axis, title in zip("xyz", short, strict=False)}
    scene["camera"] = {"eye": {"x": 1.5, "y": 1.5, "z": 1.1}}
    return Chart(traces, alt, 400, layout={"scene": scene, "legend": BELOW, "dragmode": "orbit"}), rows


def _groups(question: Latent, classes: np.ndarray, flat: bool) -> list[tuple[str, np.ndarray, str, float]]:
    """Name, rows, colour and opacity: of each class, or of the chosen one before the others."""
    groups = [(CLASS_NAMES[i], np.flatnonzero(classes == i), CLASS_COLOURS[i], 0.8) for i in range(10)]
    chosen = question.chosen_class()
    if chosen is None:
        return groups
    others = np.flatnonzero(classes != chosen)
    return [("Other classes", others, FAINT, 0.22 if flat else 0.12), groups[chosen]]


def _outlines(question: Latent) -> list[Trace]:
    """Of a mixture's Gaussians, at two standard deviations."""
    look = {"type": "scattergl", "mode": "lines", "line": {"color": OUTLINE, "width": 1.5}, "hoverinfo": "skip"}
    about = {"name": "Gaussians, 2 sigma", "legendgroup": "gaussians"}
    return [
        {**look, "x": outline[:, 0], "y": outline[:, 1], **about, "showlegend": i == 0}
        for i, outline in enumerate(question.ellipses)
    ]
