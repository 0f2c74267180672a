"""The Discriminator page: what it shows of the judgements."""

from __future__ import annotations

import numpy as np
import streamlit as st

from genlib.data import CLASS_NAMES
from genlib.drawing import RIGHT, WRONG
from genlib.questions.discriminator import Discriminator
from ui.pictures import ABOVE, show_chart, show_tiles, upright

SHOWN = 10  # pictures of either extreme
SIDES = ("real", "real images", "#832db6"), ("fake", "fakes", "#e76300")
TOP = 30  # pixels, of a legend
WHAT_IS_JUDGED = (
    "The discriminator judges test images and as many fakes. The fakes come from the *raw* generator that it trained "
    "against, not from the average that the other pages sample from. Dropout is off. **For comparison**: a guess is "
    "right for 50 % of the images, real or fake, of every class."
)
LAG = (
    "This discriminator has batch norm. In evaluation mode it normalises by running averages, which lag behind its "
    "weights. Even a small lag moves the scores of all images, and the pies swing from epoch to epoch between 0 and "
    "100 %. **Batch** normalises by the images at hand, real ones and fakes apart, as in training. The area under the "
    "ROC curve needs no threshold and changes little."
)


def show_pies(question: Discriminator) -> None:
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
    show_chart(traces, alt, 300, top=4, legend=legend)


def show_histogram(question: Discriminator) -> None:
    """The scores of either side, with the threshold between them."""
    traces = []
    for scores, (_, title, colour) in zip((question.found.real_scores, question.found.fake_scores), SIDES, strict=True):
        counts, edges = np.histogram(scores.numpy(), bins=40, range=(0, 1))
        middles = (edges[:-1] + edges[1:]) / 2
        look = {"name": title, "marker": {"color": colour}, "opacity": 0.65}
        traces.append({"type": "bar", "x": middles, "y": counts, **look})
    threshold = upright(question.threshold, {"color": "gray", "dash": "dash"})
    st.markdown("**What it says** of real images and of fakes")
    alt = f"Histogram of the scores {question.model} gives real images and fakes"
    layout = {"barmode": "overlay", "bargap": 0, "shapes": [threshold], "legend": ABOVE}
    show_chart(traces, alt, 280, "probability of being real", "images", top=TOP, **layout)


def show_roc(question: Discriminator) -> None:
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
    st.markdown(
        f"**Over all thresholds**: area {area:.3f}",
        help="How often a real image scores above a fake. 1: a perfect judge; 0.5: guessing.",
    )
    alt = f"ROC curve of the discriminator of {question.model}, area {area:.3f}"
    layout = {"top": TOP, "legend": ABOVE, "uirevision": alt}
    show_chart(traces, alt, 280, "fakes called real", "real images called real", **layout)


def show_classes(question: Discriminator) -> None:
    """Shares judged rightly, class by class."""
    shares = question.found.class_accuracy(question.fake_classes, question.threshold)
    bars = {"type": "bar", "x": CLASS_NAMES}
    traces = [
        {**bars, "y": 100 * shares[side].numpy(), "name": title, "marker": {"color": colour}}
        for side, title, colour in SIDES
    ]
    seen = "" if "conditional" in question.can else ": of a fake, the class genlib's classifier sees in it"
    st.markdown(f"**By class**{seen}")
    alt = f"Shares judged rightly by the discriminator of {question.model} by class"
    show_chart(traces, alt, 270, y={"title": "judged rightly, %", "range": [0, 100]}, top=TOP, legend=ABOVE)


def show_extremes(question: Discriminator) -> None:
    """The fakes it takes for real and the real images it takes for fakes."""
    found = question.found
    for title, images, scores, classes, ascending in (
        ("The fakes that fool it most", found.fake, found.fake_scores, question.fake_classes.numpy(), False),
        ("The real images it doubts most", found.real, found.real_scores, found.real_classes.numpy(), True),
    ):
        order = scores.argsort(descending=not ascending, stable=True)[:SHOWN].numpy()
        heads = [f"{CLASS_NAMES[classes[i]]} {100 * float(scores[i]):.0f} %" for i in order]
        st.markdown(f"**{title}**, with the probability of being real that it gave them")
        show_tiles(images.numpy()[order], SHOWN, f"{title}, {question.model}: {', '.join(heads)}", heads)
