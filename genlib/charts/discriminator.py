"""What a discriminator says of real images and fakes."""

from __future__ import annotations

import numpy as np

from genlib.charts.chart import ABOVE, Chart, upright
from genlib.data import CLASS_NAMES
from genlib.drawing import RIGHT, WRONG
from genlib.questions.discriminator import Discriminator

SIDES = ("real", "real images", "#832db6"), ("fake", "fakes", "#e76300")
TOP = 30  # pixels, of a legend


def pies(question: Discriminator) -> Chart:
    """Overall, real images and fakes: how many are judged rightly."""
    look = {
        "type": "pie",
        "labels": ["judged rightly", "judged wrongly"],
        "marker": {"colors": [RIGHT, WRONG]},
        "texttemplate": "%{percent:.1%}",
        "textposition": "inside",
        "insidetextfont": {"color": "#1f2328", "size": 15},
        "sort": False,
        "direction": "clockwise",
    }
    traces = [
        {
            **look,
            "values": [share, 1 - share],
            "domain": {"x": [i / 3 + 0.01, (i + 1) / 3 - 0.01], "y": [0, 1]},
            "title": {"text": f"<b>{title}</b><br>&nbsp;", "position": "top center"},
            "hovertemplate": "%{label}: %{percent:.1%}<extra>" + title + "</extra>",
        }
        for i, (title, share) in enumerate(question.shares.items())
    ]
    legend = {"orientation": "h", "x": 0.5, "xanchor": "center", "y": -0.02, "yanchor": "top"}
    told = ", ".join(f"{title.lower()} {100 * share:.1f} %" for title, share in question.shares.items())
    alt = f"Judged rightly by the discriminator of {question.model}: {told}"
    return Chart(traces, alt, 300, top=4, layout={"legend": legend})


def scores(question: Discriminator) -> Chart:
    """The scores of either side, with the threshold between them."""
    traces = []
    for found, (_, title, colour) in zip((question.found.real_scores, question.found.fake_scores), SIDES, strict=True):
        counts, edges = np.histogram(found.numpy(), bins=40, range=(0, 1))
        middles = (edges[:-1] + edges[1:]) / 2
        look = {"name": title, "marker": {"color": colour}, "opacity": 0.65}
        traces.append({"type": "bar", "x": middles, "y": counts, **look})
    threshold = upright(question.threshold, {"color": "gray", "dash": "dash"})
    layout = {"barmode": "overlay", "bargap": 0, "shapes": [threshold], "legend": ABOVE}
    alt = f"Histogram of the scores {question.model} gives real images and fakes"
    title = "**What it says** of real images and of fakes"
    return Chart(traces, alt, 280, "probability of being real", "images", TOP, layout, title)


def roc(question: Discriminator) -> Chart:
    """The ROC curve, its area, and where the threshold stands on it."""
    false_positive, true_positive = (rate.numpy() for rate in question.found.roc())
    keep = np.unique(np.linspace(0, len(false_positive) - 1, 400).astype(int))  # more than a screen can tell apart
    shares, area = question.found.accuracy(question.threshold), question.found.area()
    marker = {"color": WRONG, "size": 11, "line": {"color": "gray", "width": 1}}
    lines = (
        ([0, 1], [0, 1], "guess", {"mode": "lines", "line": {"color": "gray", "dash": "dot"}}),
        (false_positive[keep], true_positive[keep], "judge", {"mode": "lines", "line": {"color": RIGHT, "width": 2}}),
        ([1 - shares["fake"]], [shares["real"]], "this threshold", {"mode": "markers", "marker": marker}),
    )
    traces = [{"type": "scatter", "x": x, "y": y, "name": name, **look} for x, y, name, look in lines]
    alt = f"ROC curve of the discriminator of {question.model}, area {area:.3f}"
    title = f"**Over all thresholds**: area {area:.3f}"
    help = "How often a real image scores above a fake. 1: a perfect judge; 0.5: guessing."
    layout = {"legend": ABOVE, "uirevision": alt}
    return Chart(traces, alt, 280, "fakes called real", "real images called real", TOP, layout, title, help)


def by_class(question: Discriminator) -> Chart:
    """Shares judged rightly, class by class."""
    shares = question.found.class_accuracy(question.fake_classes, question.threshold)
    bars = {"type": "bar", "x": CLASS_NAMES}
    traces = [
        {**bars, "y": 100 * shares[side].numpy(), "name": title, "marker": {"color": colour}}
        for side, title, colour in SIDES
    ]
    seen = "" if "conditional" in question.can else ": of a fake, the class genlib's classifier sees in it"
    alt = f"Shares judged rightly by the discriminator of {question.model} by class"
    y = {"title": "judged rightly, %", "range": [0, 100]}
    return Chart(traces, alt, 270, y=y, top=TOP, layout={"legend": ABOVE}, title=f"**By class**{seen}")
