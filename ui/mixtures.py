"""The Mixtures page: components as pictures, what each holds, and how many there should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from genlib.analysis.components import Contents, component_samples, contents
from genlib.data import CLASS_NAMES, FashionMNIST
from genlib.drawing import CLASS_COLOURS
from genlib.images import grid, npz_bytes, png_bytes
from ui import draw, zoo
from ui.controls import BOUND
from ui.pictures import STILL, show_tiles
from ui.share import csv_bytes
from ui.zoo import load_model

COLUMNS = 10
SAMPLES = 20
TYPICAL = 10
BEST = "-best"
CURVES = ((CLASS_COLOURS[0], "solid"), (CLASS_COLOURS[6], "dot"))  # they may coincide: both must be seen


@st.cache_resource(max_entries=12, show_spinner="Giving each test image to its component")
def held(name: str) -> Contents:
    """Components, heaviest first, with what they hold of the test split."""
    return contents(load_model(name), typical=TYPICAL)


@st.cache_data(max_entries=128, show_spinner=False)
def samples(name: str, component: int, seed: int, temperature: float) -> np.ndarray:
    """Samples of one component by its own number, uint8 (20, 28, 28)."""
    return component_samples(load_model(name), component, SAMPLES, seed, temperature).numpy()


@dataclass(frozen=True)
class Request:
    """One component: its place by weight, from 1, and how its samples are drawn."""

    entry: zoo.Entry
    seed: int
    component: int
    temperature: float

    @property
    def own_number(self) -> int:
        """The component's number in the model."""
        return int(held(self.entry.name).order[self.component - 1])

    @property
    def images(self) -> np.ndarray:
        """Samples of the component."""
        return samples(self.entry.name, self.own_number, self.seed, self.temperature)

    @property
    def query(self) -> dict[str, object]:
        """Every control by its key in the URL."""
        return {
            "model": self.entry.name,
            "seed": self.seed,
            "component": self.component,
            "t": self.temperature,
        }

    @property
    def code(self) -> str:
        """The lines of genlib that draw the samples, runnable as they stand."""
        return f"""from pathlib import Path

import genlib
from genlib.analysis.components import component_samples
from genlib.images import grid, png_bytes

model = genlib.load("{self.entry.name}")
order = model.components().weights.argsort(descending=True, stable=True)
k = int(order[{self.component - 1}])  # number {self.component} by weight
images = component_samples(model, k, {SAMPLES}, seed={self.seed}, temperature={self.temperature})
Path("component.png").write_bytes(png_bytes(grid(images, columns={COLUMNS}, scale=4, gap=4)))"""

    def downloads(self) -> dict[str, Callable[[], bytes]]:
        """The component's samples, with the means and the table of all components, made when asked for."""
        name, found = f"{self.entry.name}-component{self.component}", held(self.entry.name)
        arrays = {
            "images": self.images,
            "means": found.means.numpy(),
            "weights": found.weights.numpy(),
            "classes": found.classes.numpy(),
        }
        return {
            f"{name}.png": lambda: png_bytes(grid(self.images, COLUMNS, 4, 4)),
            f"{name}.npz": lambda: npz_bytes(**arrays),
            f"{self.entry.name}-components.csv": lambda: csv_bytes(_rows(found)),
        }


def _rows(found: Contents) -> list[dict[str, object]]:
    """A row for each component: its weight and the test images it holds by class."""
    return [
        {"component": i, "weight": f"{weight:.5f}"} | dict(zip(CLASS_NAMES, counts, strict=True))
        for i, (weight, counts) in enumerate(zip(found.weights.tolist(), found.classes.tolist(), strict=True), start=1)
    ]


def show_means(entry: zoo.Entry) -> None:
    """The components' means as pictures, heaviest first, with their weights."""
    found = held(entry.name)
    k = len(found.weights)
    columns = max(5, -(-k // -(-k // COLUMNS)))  # rows of nearly equal length, ten at most
    st.markdown(f"**The means of its {k} Gaussians**, heaviest first, with their share of the whole")
    for start in range(0, k, columns):
        part = slice(start, start + columns)
        heads = [f"{start + i}: {100 * weight:.0f} %" for i, weight in enumerate(found.weights[part].tolist(), start=1)]
        images = found.means[part].numpy()
        alt = f"The means of components {start + 1} to {start + len(images)} of {entry.name}"
        show_tiles(images, columns, alt, heads + [""] * (columns - len(heads)))


def show_classes(entry: zoo.Entry) -> None:
    """What each component holds: test images by class."""
    from ui.charts import go

    found = held(entry.name)
    figure = go.Figure()
    names = [str(i) for i in range(1, len(found.weights) + 1)]
    for label, name in enumerate(CLASS_NAMES):
        counts = found.classes[:, label].numpy()
        figure.add_trace(go.Bar(x=names, y=counts, name=name, marker={"color": CLASS_COLOURS[label]}))
    figure.update_layout(
        barmode="stack",
        height=460,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        xaxis={"title": "component", "type": "category"},
        yaxis_title="test images",
        legend={"orientation": "h", "y": -0.2, "yanchor": "top", "traceorder": "normal"},
    )
    st.markdown("**What each holds**: every test image goes to its likeliest Gaussian")
    most = [f"{i} mostly {CLASS_NAMES[int(row.argmax())]}" for i, row in enumerate(found.classes, 1) if row.sum()]
    st.plotly_chart(
        figure, config=STILL, alt=f"Test images by class in each component of {entry.name}: {', '.join(most)}"
    )


def controls_row(entry: zoo.Entry, seed: int) -> Request:
    """Which component, and how warm its samples."""
    k = len(held(entry.name).weights)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        component = st.number_input("Component", 1, k, 1, key="component", width=140, **BOUND)
        temperature = st.slider(
            "Temperature",
            *(0.0, 2.0, 1.0, 0.05),
            key="t",
            width=200,
            help="Scales the noise around the mean. 0: the mean itself; 1: as fitted.",
            **BOUND,
        )
    return Request(entry, seed, int(component or 1), temperature)


def show_component(request: Request) -> None:
    """Samples of one component, and the test images it is surest of."""
    found, place = held(request.entry.name), request.component - 1
    rows, total = found.typical[place], int(found.classes[place].sum())
    st.markdown(f"**Samples of component {request.component}**")
    alt = f"{SAMPLES} samples of component {request.component} of {request.entry.name}, seed {request.seed}"
    show_tiles(request.images, COLUMNS, alt)
    if not total:
        st.caption("It is the likeliest of no test image.")
        return
    st.markdown(f"**The test images it is surest of**, of the {total:,} it holds")
    alt = f"{len(rows)} test images that component {request.component} of {request.entry.name} is surest of"
    show_tiles(FashionMNIST.load("test").images[rows].numpy(), COLUMNS, alt)


def _relatives(entry: zoo.Entry) -> list[zoo.Entry]:
    """The family's models, few components first, the choice of BIC last."""
    members = [each for each in zoo.usable("mixture").values() if each.family == entry.family]
    return sorted(members, key=lambda each: (each.name.endswith(BEST), _size(each)))


def _size(entry: zoo.Entry) -> int:
    return len(load_model(entry.name).components().weights)  # type: ignore[operator]


def show_criterion(entry: zoo.Entry) -> None:
    """BIC over the number of components, where the family searched for the best."""
    from ui.charts import go

    st.markdown(
        "**How many Gaussians?** The Bayesian information criterion: lower is better",
        help="-2 log L + p log N: twice the misfit plus a price for each of the p free parameters, in nats.",
    )
    searched = [each for each in _relatives(entry) if each.metrics.get("bic_curve")]
    if not searched:
        known = entry.metrics.get("bic")
        told = "" if known is None else f", with a BIC of {known:,.0f}"
        st.caption(f"{entry.name} was fitted at one size{told}; no search over 1 to 20 is here for its family.")
        return
    curve = searched[-1].metrics["bic_curve"]
    figure, least = go.Figure(), ""
    for share, values, (colour, dash) in zip(curve["regularisation"], curve["bic"], CURVES, strict=False):
        sizes = list(range(1, len(values) + 1))
        name = f"regularisation {share:g} of the variance"
        figure.add_trace(
            go.Scatter(x=sizes, y=values, mode="lines+markers", name=name, line={"color": colour, "dash": dash})
        )
        known = [(value, size) for value, size in zip(values, sizes, strict=True) if value is not None]
        if known:
            value, size = min(known)
            marker = {"symbol": "star", "size": 14, "color": colour}
            figure.add_trace(go.Scatter(x=[size], y=[value], mode="markers", marker=marker, name=f"least at {size}"))
            least += f", least at {size} with {name}"
    figure.update_layout(
        height=300,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        xaxis={"title": "components", "dtick": 1},
        yaxis_title="BIC, nats",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    st.plotly_chart(figure, config=STILL, alt=f"BIC of {searched[-1].name} over 1 to 20 components{least}")


def show_sizes(entry: zoo.Entry) -> None:
    """The family's sizes under one another: samples, distance and BIC of each."""
    members = _relatives(entry)
    if len(members) < 2:
        return
    st.markdown("**The same latents under fewer and more Gaussians**")
    for each in members:
        size, fd, bic = _size(each), each.metrics.get("fd"), each.metrics.get("bic")
        figures = [f"{size} components"]
        figures += [] if fd is None else [f"Frechet distance **{fd:.1f}**{each.few}"]
        figures += [] if bic is None else [f"BIC {bic:,.0f}"]
        st.caption(f"**{each.name}** · {' · '.join(figures)}")
        show_tiles(draw.strip(each.name, SAMPLES), SAMPLES, f"{SAMPLES} samples of {each.name}")
