"""The Discriminator page: judgements kept, and what the page shows of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import streamlit as st
import torch

from genlib.analysis.discriminator import NORMS, Judgement, batch_norms, judge
from genlib.data import CLASS_NAMES
from genlib.drawing import RIGHT, WRONG, pies
from genlib.images import npz_bytes, png_bytes
from genlib.metrics.features import load_extractor
from ui import zoo
from ui.controls import BOUND
from ui.pictures import STILL, show_tiles
from ui.share import csv_bytes

SHOWN = 10  # pictures of either extreme
REAL, FAKE = "#832db6", "#e76300"
WHAT_IS_JUDGED = (
    "Test images against as many fakes of the *raw* generator, the one it trained against, not of the average that the "
    "other pages sample from. Dropout is off."
)
LAG = (
    "This discriminator has batch norm: in evaluation mode it normalises by running averages that trail behind its "
    "weights, and even a small lag moves the scores of real images and fakes alike, so that the pies swing from epoch "
    "to epoch between 0 and 100 %. **Batch** normalises by the images at hand, real ones and fakes apart, as in "
    "training; the area under the ROC curve needs no threshold and changes little."
)
MARGINS = {"l": 0, "r": 0, "t": 30, "b": 0}


@st.cache_resource(max_entries=24, show_spinner="The discriminator is judging")
def judged(name: str, n: int, seed: int, norm: str) -> tuple[Judgement, torch.Tensor]:
    """The judgement, and the fakes' classes: those asked for, else those genlib's classifier sees."""
    found = judge(name, n, seed, norm)
    classes = load_extractor().predict(found.fake) if found.fake_classes is None else found.fake_classes
    return found, classes


@dataclass(frozen=True)
class Request:
    """One judgement under one threshold."""

    entry: zoo.Entry
    seed: int
    images: int
    threshold: float
    norm: str | None = None  # None where there is no batch norm

    @cached_property
    def _judged(self) -> tuple[Judgement, torch.Tensor]:
        return judged(self.entry.name, self.images, self.seed, self.norm or NORMS[0])

    @property
    def found(self) -> Judgement:
        """What the discriminator said."""
        return self._judged[0]

    @property
    def fake_classes(self) -> torch.Tensor:
        """Classes of the fakes."""
        return self._judged[1]

    @property
    def shares(self) -> dict[str, float]:
        """The three pies."""
        return self.found.pies(self.threshold)

    @property
    def query(self) -> dict[str, object]:
        """Every control by its key in the URL."""
        query = {"model": self.entry.name, "seed": self.seed, "threshold": self.threshold, "images": self.images}
        return query if self.norm is None else query | {"norm": self.norm}

    @property
    def code(self) -> str:
        """The lines of genlib that draw these pies, runnable as they stand."""
        norm = f', norm="{self.norm}"' if self.norm == "batch" else ""
        return f"""from pathlib import Path

from genlib.analysis.discriminator import judge
from genlib.drawing import pies
from genlib.images import png_bytes

found = judge("{self.entry.name}", {self.images}, seed={self.seed}{norm})
Path("pies.png").write_bytes(png_bytes(pies(found.pies(threshold={self.threshold}))))"""

    def downloads(self) -> dict[str, Callable[[], bytes]]:
        """The pies, and every image with its score, made when asked for."""
        name = f"{self.entry.name}-discriminator"
        arrays = {
            "real": self.found.real.numpy(),
            "fake": self.found.fake.numpy(),
            "real_scores": self.found.real_scores.numpy(),
            "fake_scores": self.found.fake_scores.numpy(),
            "real_classes": self.found.real_classes.numpy(),
            "fake_classes": self.fake_classes.numpy(),
        }
        return {
            f"{name}.png": lambda: png_bytes(pies(self.shares)),
            f"{name}.npz": lambda: npz_bytes(**arrays),
            f"{name}.csv": lambda: csv_bytes(_rows(arrays)),
        }


def _rows(arrays: dict[str, np.ndarray]) -> list[dict[str, object]]:
    """A row for each image: its side, its class and its score."""
    return [
        {"side": side, "class": CLASS_NAMES[label], "probability of real": f"{score:.5f}"}
        for side in ("real", "fake")
        for label, score in zip(arrays[f"{side}_classes"], arrays[f"{side}_scores"], strict=True)
    ]


def controls_row(entry: zoo.Entry, seed: int) -> Request:
    """The threshold, and how many images of either kind."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        threshold = st.slider(
            "Threshold",
            *(0.0, 1.0, 0.5, 0.05),
            key="threshold",
            width=200,
            help="An image is called real from this probability on.",
            **BOUND,
        )
        images = st.slider("Images of each kind", 500, 10_000, 2_000, 500, key="images", width=200, **BOUND)
        norm = None
        if batch_norms(zoo.load_model(entry.name)):
            norm = st.segmented_control("Batch norm", NORMS, default=NORMS[0], required=True, key="norm", **BOUND)
            norm = norm or NORMS[0]
    return Request(entry, seed, images, threshold, norm)


def show_pies(request: Request) -> None:
    """Overall, real images and fakes: how many are judged rightly."""
    from ui.charts import go

    figure = go.Figure()
    for i, (title, share) in enumerate(request.shares.items()):
        figure.add_trace(
            go.Pie(
                values=[share, 1 - share],
                labels=["judged rightly", "judged wrongly"],
                marker={"colors": [RIGHT, WRONG]},
                domain={"x": [i / 3 + 0.01, (i + 1) / 3 - 0.01], "y": [0, 1]},
                title={"text": f"<b>{title}</b><br>&nbsp;", "position": "top center"},
                texttemplate="%{percent:.1%}",
                textposition="inside",
                insidetextfont={"color": "#1f2328", "size": 15},
                hovertemplate="%{label}: %{percent:.1%}<extra>" + title + "</extra>",
                sort=False,
                direction="clockwise",
            )
        )
    legend = {"orientation": "h", "x": 0.5, "xanchor": "center", "y": -0.02, "yanchor": "top"}
    figure.update_layout(height=300, margin={"l": 0, "r": 0, "t": 4, "b": 0}, legend=legend)
    told = ", ".join(f"{title.lower()} {100 * share:.1f} %" for title, share in request.shares.items())
    st.plotly_chart(figure, config=STILL, alt=f"Judged rightly by the discriminator of {request.entry.name}: {told}")


def show_histogram(request: Request) -> None:
    """The scores of either side, with the threshold between them."""
    from ui.charts import go

    figure = go.Figure()
    for title, scores, colour in (
        ("real images", request.found.real_scores, REAL),
        ("fakes", request.found.fake_scores, FAKE),
    ):
        counts, edges = np.histogram(scores.numpy(), bins=40, range=(0, 1))
        figure.add_trace(
            go.Bar(x=(edges[:-1] + edges[1:]) / 2, y=counts, name=title, marker={"color": colour}, opacity=0.65)
        )
    figure.add_vline(request.threshold, line={"color": "gray", "dash": "dash"})
    figure.update_layout(
        barmode="overlay",
        bargap=0,
        height=280,
        margin=MARGINS,
        xaxis_title="probability of being real",
        yaxis_title="images",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    st.markdown("**What it says** of real images and of fakes")
    st.plotly_chart(
        figure, config=STILL, alt=f"Histogram of the scores {request.entry.name} gives real images and fakes"
    )


def show_roc(request: Request) -> None:
    """The ROC curve, its area, and where the threshold stands on it."""
    from ui.charts import go

    false_positive, true_positive = (rate.numpy() for rate in request.found.roc())
    keep = np.unique(np.linspace(0, len(false_positive) - 1, 400).astype(int))  # more than a screen can tell apart
    figure = go.Figure(
        go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": "gray", "dash": "dot"}, name="guess")
    )
    line = {"color": RIGHT, "width": 2}
    figure.add_trace(go.Scatter(x=false_positive[keep], y=true_positive[keep], mode="lines", line=line, name="judge"))
    shares = request.found.accuracy(request.threshold)
    marker = {"color": WRONG, "size": 11, "line": {"color": "gray", "width": 1}}
    point = {"x": [1 - shares["fake"]], "y": [shares["real"]]}
    figure.add_trace(go.Scatter(**point, mode="markers", marker=marker, name="this threshold"))
    figure.update_layout(
        height=280,
        margin=MARGINS,
        xaxis_title="fakes called real",
        yaxis_title="real images called real",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    area = request.found.area()
    st.markdown(
        f"**Over all thresholds**: area {area:.3f}",
        help="How often a real image scores above a fake. 1: a perfect judge; 0.5: guessing.",
    )
    st.plotly_chart(
        figure, config=STILL, alt=f"ROC curve of the discriminator of {request.entry.name}, area {area:.3f}"
    )


def show_classes(request: Request) -> None:
    """Shares judged rightly, class by class."""
    from ui.charts import go

    shares = request.found.class_accuracy(request.fake_classes, request.threshold)
    figure = go.Figure()
    for side, title, colour in (("real", "real images", REAL), ("fake", "fakes", FAKE)):
        values = 100 * shares[side].numpy()
        figure.add_trace(go.Bar(x=CLASS_NAMES, y=values, name=title, marker={"color": colour}))
    figure.update_layout(
        height=270,
        margin=MARGINS,
        yaxis={"title": "judged rightly, %", "range": [0, 100]},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    seen = (
        "" if "conditional" in request.entry.capabilities else ": of a fake, the class genlib's classifier sees in it"
    )
    st.markdown(f"**By class**{seen}")
    st.plotly_chart(
        figure, config=STILL, alt=f"Shares judged rightly by the discriminator of {request.entry.name} by class"
    )


def show_extremes(request: Request) -> None:
    """The fakes it takes for real and the real images it takes for fakes."""
    found = request.found
    for title, images, scores, classes, ascending in (
        ("The fakes that fool it most", found.fake, found.fake_scores, request.fake_classes.numpy(), False),
        ("The real images it doubts most", found.real, found.real_scores, found.real_classes.numpy(), True),
    ):
        order = scores.argsort(descending=not ascending, stable=True)[:SHOWN].numpy()
        heads = [f"{CLASS_NAMES[classes[i]]} {100 * float(scores[i]):.0f} %" for i in order]
        st.markdown(f"**{title}**, with the probability of being real that it gave them")
        show_tiles(images.numpy()[order], SHOWN, f"{title}, {request.entry.name}: {', '.join(heads)}", heads)
