"""What each Gaussian of a mixture holds, and how many there should be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genlib.charts.chart import ABOVE, Chart, Trace, line
from genlib.data import CLASS_NAMES
from genlib.drawing import CLASS_COLOURS
from genlib.questions.mixtures import held

CURVES = ((CLASS_COLOURS[0], "solid"), (CLASS_COLOURS[6], "dot"))  # they may coincide: both must be seen


def classes(name: str) -> Chart:
    """What each component holds: test images by class."""
    found = held(name)
    bars = {"type": "bar", "x": [str(i) for i in range(1, len(found.weights) + 1)]}
    traces = [
        {**bars, "y": found.classes[:, label].numpy(), "name": title, "marker": {"color": CLASS_COLOURS[label]}}
        for label, title in enumerate(CLASS_NAMES)
    ]
    most = [f"{i} mostly {CLASS_NAMES[int(row.argmax())]}" for i, row in enumerate(found.classes, 1) if row.sum()]
    alt = f"Test images by class in each component of {name}: {', '.join(most)}"
    legend = {"orientation": "h", "y": -0.2, "yanchor": "top", "traceorder": "normal"}
    layout, x = {"barmode": "stack", "legend": legend}, {"title": "component", "type": "category"}
    title = "**What each holds**: every test image goes to its likeliest Gaussian"
    return Chart(traces, alt, 460, x, "test images", layout=layout, title=title)


def criterion(name: str, metrics: Mapping[str, Any]) -> Chart:
    """BIC over the number of components of a model whose size was chosen by it, and where each curve is least."""
    curve = metrics["bic_curve"]
    traces: list[Trace] = []
    least = ""
    for share, values, (colour, dash) in zip(curve["regularisation"], curve["bic"], CURVES, strict=False):
        title = f"regularisation {share:g} of the variance"
        look = {"mode": "lines+markers", "line": {"color": colour, "dash": dash}}
        traces.append(line(range(1, len(values) + 1), values, colour, name=title, **look))
        known = [(value, size) for size, value in enumerate(values, 1) if value is not None]
        if known:
            value, size = min(known)
            star = {"type": "scatter", "mode": "markers", "marker": {"symbol": "star", "size": 14, "color": colour}}
            traces.append({**star, "x": [size], "y": [value], "name": f"least at {size}"})
            least += f", least at {size} with {title}"
    alt = f"BIC of {name} over 1 to 20 components{least}"
    sizes = {"title": "components", "tickmode": "array", "tickvals": [1, 5, 10, 15, 20]}
    return Chart(traces, alt, 300, sizes, "BIC, nats", layout={"legend": ABOVE})
