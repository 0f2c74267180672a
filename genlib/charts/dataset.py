"""What the data set holds: images by class, pixels by gray level, and the plane of its principal components."""

from __future__ import annotations

import torch

from genlib.charts.chart import ABOVE, Chart, by_class, line
from genlib.data import CLASS_NAMES
from genlib.drawing import CLASS_COLOURS
from genlib.questions.dataset import Dataset, components, histogram, statistics

PLOTTED = 10_000
HEIGHT = 260
HOVER = "image %{customdata}<extra>%{fullData.name}</extra>"


def counts(question: Dataset) -> Chart:
    """Images a class, in the class's colour."""
    found = statistics(question.shown).counts.tolist()
    words = ", ".join(f"{name} {count:,}" for name, count in zip(CLASS_NAMES, found, strict=True))
    bars = {"type": "bar", "x": CLASS_NAMES, "y": found, "marker": {"color": CLASS_COLOURS}}
    return Chart([bars], f"Images by class: {words}", HEIGHT, y="images", title="**Images by class**")


def gray_levels(question: Dataset) -> Chart:
    """How many pixels are how bright, as shares; logarithmic, for half of all pixels are black."""
    found = histogram(question.shown)
    shares = [100 * count / sum(found) for count in found]
    bars = {"type": "bar", "x": [8 * i + 3.5 for i in range(32)], "y": shares, "marker": {"color": CLASS_COLOURS[0]}}
    x, y = "gray level, 0 black to 255 white", {"title": "share of all pixels, %", "type": "log", "dtick": 1}
    alt = f"Pixels by gray level: {shares[0]:.0f} % are darker than level 8"
    return Chart([bars], alt, HEIGHT, x, y, layout={"bargap": 0.05}, title="**Pixels by gray level**")


def plane(question: Dataset) -> Chart:
    """Every image as a point in the plane of the first two components (the first 10,000 of the training split)."""
    found, labels = components(question.shown), question.data.labels[:PLOTTED].numpy()
    look = {"type": "scattergl", "marker": {"opacity": 0.7}, "hovertemplate": HOVER}
    traces = by_class(found.coordinates[:PLOTTED, :2].numpy(), labels, **look)
    first, second = (100 * found.shares[:2]).tolist()
    alt = f"{len(labels):,} images in the plane of their first two principal components, coloured by class"
    titles = f"first component ({first:.0f} % of the variance)", f"second component ({second:.0f} %)"
    return Chart(traces, alt, 520, *titles, layout={"legend": ABOVE | {"itemsizing": "constant"}})


def shares(question: Dataset) -> Chart:
    """The variance that the first components explain together."""
    together = 100 * torch.cumsum(components(question.shown).shares[:200], 0)
    enough = int((together < 90).sum()) + 1
    curve = line(range(1, 201), together.tolist(), CLASS_COLOURS[0])
    alt = f"Variance explained by up to 200 components; {enough} explain 90 %"
    title = f"**{enough} components** explain 90 % of the variance of 784 pixels"
    return Chart([curve], alt, 200, "components", {"title": "variance explained, %", "range": [0, 101]}, title=title)
