"""What tells more than a number: a plot or pictures for a claim, from the shipped models' own files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from genlib.analysis.diversity import class_samples, diversity
from genlib.analysis.latent import hidden_projections, load_fits
from genlib.data import CLASS_NAMES, FashionMNIST
from genlib.findings.verdicts import Measured
from genlib.images import to_uint8
from genlib.metrics.reconstruction import reconstruct
from genlib.model import Mixture
from genlib.questions.interpolate import Interpolate, label_number_walk
from genlib.sampling import generate
from ui import draw, path, pictures, zoo
from ui.pictures import CLASS_COLOURS


@st.cache_data(max_entries=64, show_spinner=False)
def _epochs(name: str) -> list[dict]:
    return Measured(name).epochs


def _by_epoch(names: Sequence[str], key: str, title: str, log: bool = False) -> None:
    """One line a model: a figure of the training by epoch, or a loss by its name after "losses."."""
    series = {name: _series(name, key) for name in names}
    _lines(series, "epoch", title, f"{title} of {', '.join(names)} by epoch", log)


def _series(name: str, key: str) -> tuple[list[int], list[float]]:
    first, _, rest = key.partition(".")
    found = [(each["epoch"], each[first][rest] if rest else each[first]) for each in _epochs(name) if first in each]
    return [epoch for epoch, _ in found], [value for _, value in found]


def _lines(
    series: dict[str, tuple[Sequence, Sequence]], x_title: str, y_title: str, alt: str, log: bool = False
) -> None:
    from ui.charts import go

    figure = go.Figure()
    for place, (name, (x, y)) in enumerate(series.items()):
        line = {"color": CLASS_COLOURS[place], "width": 2, "dash": ("solid", "dash", "dot", "dashdot")[place % 4]}
        figure.add_trace(
            go.Scatter(x=list(x), y=list(y), name=name, mode="lines+markers" if len(x) < 4 else "lines", line=line)
        )
    _lay_out(figure, x_title, y_title, 210)
    figure.update_yaxes(type="log" if log else "linear")
    st.plotly_chart(figure, config={"displayModeBar": False}, alt=alt)


def _lay_out(figure: Any, x_title: str, y_title: str, height: int) -> None:
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        xaxis_title=x_title,
        yaxis_title=y_title,
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )


def _losses(name: str) -> None:
    series = {side: _series(name, f"losses.{side}") for side in ("generator", "discriminator")}
    _lines(series, "epoch", "loss", f"Losses of {name}'s generator and discriminator by epoch")


def _strips(*names: str) -> None:
    for name in names:
        st.caption(f"Samples of {name}")
        pictures.show_tiles(draw.strip(name), 10, f"Ten samples of {name}")


def _components(name: str) -> None:
    st.caption("The means of its components, heaviest first")
    pictures.show_tiles(_means(name), 10, f"The component means of {name} as pictures")


@st.cache_data(max_entries=8, show_spinner=False)
def _means(name: str) -> np.ndarray:
    model = zoo.load_model(name)
    assert isinstance(model, Mixture)
    weights, means, _ = model.components()
    return to_uint8(model.render(means[weights.argsort(descending=True)])).numpy()


def _latent_sizes(*names: str) -> None:
    originals = FashionMNIST.load("test").images[:10]
    for title, name in (("Test images", None), *((f"Given back by {name}", name) for name in names)):
        st.caption(title)
        images = originals if name is None else reconstruct(zoo.load_model(name), originals)
        pictures.show_tiles(images.numpy(), 10, f"{title}: ten garments")


def _bic(name: str) -> None:
    curve = zoo.entries()[name].metrics.get("bic_curve")
    if curve:
        rows = {
            f"regularisation {share:g}": ([i for i, value in enumerate(row, 1) if value is not None], _known(row))
            for share, row in zip(curve["regularisation"], curve["bic"], strict=True)
        }
        _lines(rows, "components", "BIC", "BIC by the number of components, at two regularisations")


def _known(row: Sequence[float | None]) -> list[float]:
    return [value for value in row if value is not None]


def _sizes(*names: str) -> None:
    metrics = {name: zoo.entries()[name].metrics for name in names}
    series = {
        f"on {kind} latents": ([2, 11, 18], [metrics[name]["fd"] for name in names[start::2]])
        for start, kind in ((0, "VAE"), (1, "autoencoder"))
    }
    _lines(series, "components", "Frechet distance", "Frechet distance of the mixtures by components and latents")


def _gaps(*names: str) -> None:
    series = {}
    for name in names:
        (epochs, train), (_, test) = _series(name, "accuracy_train"), _series(name, "accuracy_test")
        series[name] = epochs, [100 * (a - b) for a, b in zip(train, test, strict=True)]
    _lines(series, "epoch", "points", "Discriminator accuracy on training images minus that on test images, by epoch")


def _accuracies(name: str) -> None:
    series = {}
    for key, title in (("accuracy_test", "test images"), ("accuracy_fake", "fakes")):
        epochs, shares = _series(name, key)
        series[title] = epochs, [100 * share for share in shares]
    _lines(
        series, "epoch", "judged rightly, %", f"Accuracy of {name}'s discriminator on test images and fakes by epoch"
    )


def _walks(name: str) -> None:
    for start, end, title in ((0, 3, "T-shirt/top to Dress"), (6, 4, "Shirt to Coat")):
        frames = Interpolate(name, start=CLASS_NAMES[start], end=CLASS_NAMES[end]).strip
        st.caption(f"{title}, through the class embedding")
        pictures.show_tiles(frames, 11, f"A walk of {name} from {title} in 11 steps")
        numbers, _ = label_number_walk(name, (start, end), 0)
        st.caption(f"{title}, the study's way: averaged class numbers")
        pictures.show_tiles(numbers, 11, f"The classes of {name} whose numbers lie between, {title}")


def _redrawn(name: str) -> None:
    test = FashionMNIST.load("test")
    fresh, _ = generate(zoo.load_model(name), 10, 1, test.labels[:10])
    for title, images in (
        ("Test images", test.images[:10]),
        ("What the study showed: new samples of their class", fresh),
    ):
        st.caption(title)
        pictures.show_tiles(images.numpy(), 10, f"{title}: ten garments")


@st.cache_data(max_entries=8, show_spinner=False)
def _hidden(name: str) -> tuple[np.ndarray, np.ndarray]:
    """1,000 samples' activations after the first non-linearity on two principal components, and their classes."""
    _, after = hidden_projections(zoo.load_model(name), 1_000, fits=load_fits(name)).values()
    return after.coordinates[:, :2].numpy(), after.classes.numpy()


def _clusters(name: str) -> None:
    from ui.charts import go

    points, classes = _hidden(name)
    figure = go.Figure()
    for label, title in enumerate(CLASS_NAMES):
        x, y = points[classes == label].T
        marker = {"color": CLASS_COLOURS[label], "size": 4}
        figure.add_trace(go.Scatter(x=x, y=y, name=title, mode="markers", marker=marker))
    _lay_out(figure, "first principal component", "second", 280)
    st.plotly_chart(figure, config={"displayModeBar": False}, alt=f"First hidden layer of {name} by class")


@st.cache_data(max_entries=8, show_spinner=False)
def _spreads(name: str) -> list[float]:
    return [diversity(each.images) or 0.0 for each in class_samples(zoo.load_model(name), 50)]


def _diversities(name: str) -> None:
    from ui.charts import go

    figure = go.Figure(go.Bar(x=list(CLASS_NAMES), y=_spreads(name), marker_color=CLASS_COLOURS))
    _lay_out(figure, "", "mean distance", 230)
    figure.update_layout(showlegend=False)
    alt = f"How different 50 samples of {name} are from one another, by class"
    st.caption(alt)
    st.plotly_chart(figure, config={"displayModeBar": False}, alt=alt)


FIGURES: dict[int, Callable[..., None]] = {
    1: lambda cnn, dense: _by_epoch((cnn, dense), "losses.loss", "training loss"),
    2: _latent_sizes,
    3: _components,
    4: _bic,
    5: _sizes,
    6: _gaps,
    7: _strips,
    8: _strips,
    9: _losses,
    10: lambda name: _by_epoch((name,), "fd_raw", "Frechet distance, raw", log=True),
    11: _accuracies,
    12: _walks,
    13: _clusters,
    14: _redrawn,
    15: _diversities,
    16: lambda *names: _by_epoch(names, "fd", "Frechet distance", log=True),
    17: _strips,
    18: lambda flow, student: path.steps_chart(flow),
    19: lambda flow: path.guidance_chart(flow),
}
