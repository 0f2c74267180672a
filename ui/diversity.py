"""The Diversity page: samples of each class, how far they spread, and the photographs nearest to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import streamlit as st
import torch

from genlib.analysis.diversity import DRAWS, ClassSamples, class_grid, class_samples, diversity
from genlib.data import CLASS_NAMES, FashionMNIST
from genlib.drawing import CLASS_COLOURS
from genlib.images import npz_bytes, png_bytes
from genlib.metrics.memorisation import nearest
from ui import splits, zoo
from ui.controls import BOUND
from ui.pictures import STILL, show_tiles
from ui.share import csv_bytes
from ui.zoo import load_model

MEASURED = 100  # samples a class behind the figures
CLOSEST = 8
REAL = "rgba(128, 128, 128, 0.55)"
HELP = (
    "The mean distance between two different pictures of the class, as the features of genlib's classifier see them: 0 "
    f"where all are the same. Measured on {MEASURED} samples of a class, or what came, and {MEASURED} test images."
)


@st.cache_resource(max_entries=24, show_spinner="Drawing samples of each class")
def drawn(name: str, seed: int) -> list[ClassSamples]:
    """Samples of each class for rows and figures."""
    return class_samples(load_model(name), MEASURED, seed)


@st.cache_data(max_entries=24, show_spinner="Measuring how far they spread")
def spreads(name: str, seed: int) -> list[float | None]:
    """The diversity of each class."""
    return [diversity(each.images) for each in drawn(name, seed)]


@st.cache_data(max_entries=1, show_spinner="Measuring the test images")
def real_spreads() -> list[float | None]:
    """The diversity of test images of each class."""
    test = FashionMNIST.load("test")
    return [diversity(test.images[test.labels == label][:MEASURED]) for label in range(10)]


@st.cache_data(max_entries=64, show_spinner="Searching for the nearest photographs")
def nearest_photographs(name: str, seed: int, per: int, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Distances and rows of the split nearest to the samples of the rows, class by class."""
    shown = torch.cat([each.images[:per] for each in drawn(name, seed)])
    distances, rows = nearest(shown, FashionMNIST.load(split).images)
    return distances.numpy(), rows.numpy()


@dataclass(frozen=True)
class Request:
    """One page of rows."""

    entry: zoo.Entry
    seed: int
    per: int
    near: bool

    @property
    def found(self) -> list[ClassSamples]:
        """Samples by class."""
        return drawn(self.entry.name, self.seed)

    @cached_property
    def split(self) -> str:
        """Where the nearest photographs are looked for."""
        return "train" if splits.trouble("train") is None else "test"

    @property
    def split_name(self) -> str:
        """That split in words."""
        return {"train": "training", "test": "test"}[self.split]

    @cached_property
    def neighbours(self) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """Distances and rows of the nearest photographs of all samples shown, and their places class by class."""
        distances, rows = nearest_photographs(self.entry.name, self.seed, self.per, self.split)
        counts = [len(each.images[: self.per]) for each in self.found]
        return distances, rows, np.split(np.arange(len(rows)), np.cumsum(counts)[:-1])

    @property
    def query(self) -> dict[str, object]:
        """Every control by its key in the URL."""
        return {"model": self.entry.name, "seed": self.seed, "per": self.per, "near": self.near}

    @property
    def code(self) -> str:
        """The lines of genlib that draw the rows, runnable as they stand."""
        return f"""from pathlib import Path

import genlib
from genlib.analysis.diversity import class_grid, class_samples
from genlib.images import png_bytes

model = genlib.load("{self.entry.name}")
rows = class_samples(model, {self.per}, seed={self.seed})
Path("diversity.png").write_bytes(png_bytes(class_grid(rows, columns={self.per})))"""

    def downloads(self) -> dict[str, Callable[[], bytes]]:
        """The rows as a picture and as numbers, and the figures, made when asked for."""
        name = f"{self.entry.name}-diversity-seed{self.seed}"
        return {
            f"{name}.png": lambda: png_bytes(class_grid(self.found, self.per)),
            f"{name}.npz": lambda: npz_bytes(**self._arrays()),
            f"{name}.csv": lambda: csv_bytes(_rows(self)),
        }

    def _arrays(self) -> dict[str, np.ndarray]:
        distances, rows, places = self.neighbours
        return {
            "images": torch.cat([each.images[: self.per] for each in self.found]).numpy(),
            "classes": np.repeat(np.arange(10), [len(place) for place in places]),
            f"nearest_{self.split}_image": rows,
            "nearest_distance": distances,
        }


def _rows(request: Request) -> list[dict[str, object]]:
    """A row for each class: how often it came and how far it spreads."""
    own, real = spreads(request.entry.name, request.seed), real_spreads()
    return [
        {"class": name, "share of draws": each.share, "diversity": a, "diversity of test images": b}
        for name, each, a, b in zip(CLASS_NAMES, request.found, own, real, strict=True)
    ]


def controls_row(entry: zoo.Entry, seed: int) -> Request:
    """How many a class, and whether each stands over its nearest photograph."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        per = st.slider("Pictures a class", 4, 20, 10, key="per", width=200, **BOUND)
        near = st.toggle("Nearest photographs", key="near", help="Under each sample, the image nearest to it.", **BOUND)
    return Request(entry, seed, per, near)


def show_rows(request: Request) -> None:
    """A row for each class, its name beside it; a class that never came is shown as such."""
    asked = "conditional" in request.entry.capabilities
    with st.container(gap="xsmall"):
        for label, each in enumerate(request.found):
            images = each.images[: request.per].numpy()
            share = "" if asked else f"<br><small>{100 * each.share:.1f} % of draws</small>"
            with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="small"):
                st.html(f'<div style="line-height:1.15;font-size:.8rem">{CLASS_NAMES[label]}{share}</div>', width=84)
                if not len(images):
                    st.caption(f"None of {DRAWS:,} draws is seen as {CLASS_NAMES[label]}: an empty row.")
                    continue
                _show_row(request, label, images)
    if request.near:
        st.caption(f"Upper lines: samples. Lower lines: the {request.split_name} image nearest to each, by its pixels.")
    if asked:
        st.caption("Each row was asked for its class.")
    else:
        st.caption(
            f"This model knows no classes: a row holds what genlib's classifier sees as its class among {DRAWS:,} "
            "draws, and says how many of them that is."
        )


def _show_row(request: Request, label: int, images: np.ndarray) -> None:
    alt = f"{len(images)} samples of class {CLASS_NAMES[label]} by {request.entry.name}, seed {request.seed}"
    with st.container(gap=None):
        show_tiles(images, request.per, alt)
        if request.near:
            _, rows, places = request.neighbours
            photographs = FashionMNIST.load(request.split).images[rows[places[label]]].numpy()
            show_tiles(photographs, request.per, f"The {request.split_name} images nearest to the samples above")


def show_spread(request: Request) -> None:
    """The diversity of each class beside that of test images."""
    from ui.charts import go

    own, real = spreads(request.entry.name, request.seed), real_spreads()
    figure = go.Figure()
    figure.add_trace(go.Bar(y=CLASS_NAMES, x=own, orientation="h", marker={"color": CLASS_COLOURS}, name="samples"))
    figure.add_trace(go.Bar(y=CLASS_NAMES, x=real, orientation="h", marker={"color": REAL}, name="test images"))
    figure.update_layout(
        height=380,
        bargap=0.25,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        yaxis={"autorange": "reversed"},
        xaxis_title="mean distance between two pictures",
        showlegend=False,
    )
    st.markdown("**Diversity by class** in colour, of real test images in gray", help=HELP)
    told = ", ".join(
        f"{name} {'none' if a is None else format(a, '.1f')} (real {b:.1f})"
        for name, a, b in zip(CLASS_NAMES, own, real, strict=True)
    )
    st.plotly_chart(figure, config=STILL, alt=f"Diversity of {request.entry.name}: {told}")


def show_closest(request: Request) -> None:
    """The samples nearest to a photograph, over it: where copies would show first."""
    distances, rows, _ = request.neighbours
    order = distances.argsort(kind="stable")[:CLOSEST]
    samples = torch.cat([each.images[: request.per] for each in request.found]).numpy()[order]
    photographs = FashionMNIST.load(request.split).images[rows[order]].numpy()
    st.markdown(
        f"**The samples nearest to a {request.split_name} image**, over that image",
        help="By the Euclidean distance of pixels from 0 to 1. Two photographs of plain garments can be as near: "
        "a copy would agree in its details, at a distance near 0.",
    )
    heads = [f"{distances[i]:.1f}" for i in order]
    alt = f"{len(order)} samples of {request.entry.name} over the nearest {request.split_name} images"
    show_tiles(np.concatenate([samples, photographs]), len(order), alt, heads)
    if request.split == "test":
        st.caption(
            "The training split is not on this machine, so these are test images, which no model has seen: copies "
            "cannot show. `python -m genlib train` fetches it, or GENLIB_DATA names its directory."
        )
