"""The Dataset page: garments at random, what a class looks like, the directions of most variation, neighbours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from genlib.analysis import dataset as analysis
from genlib.data import CLASS_NAMES, FashionMNIST
from genlib.images import grid, npz_bytes, png_bytes
from genlib.metrics.memorisation import nearest
from ui import controls, splits
from ui.controls import BOUND, EVERY_CLASS
from ui.share import Maker, csv_bytes

VIEWS = ("images", "classes", "components", "neighbours")
SPLITS = ("test", "train")
NAMES = {"test": "test split", "train": "training split"}
COMPONENTS = 10
NEIGHBOURS = 9
MISSING = (
    "The training split (60,000 images) is not on this machine, so these are the test images, which come with genlib. "
    "`python -m genlib train` fetches it where there is a network; or install Debian's `dataset-fashion-mnist`, or set "
    "`GENLIB_DATA` to a directory with the four official files."
)


@dataclass(frozen=True)
class Request:
    """One view of one split: everything that decides its picture. `split` is what is shown, `asked` what was chosen."""

    view: str
    split: str
    asked: str
    n: int = 40
    seed: int = 0
    label: int | None = None
    image: int = 0

    @property
    def data(self) -> FashionMNIST:
        """The split's images and labels."""
        return FashionMNIST.load(self.split)

    @property
    def query(self) -> dict[str, object]:
        """Every control by its key in the URL."""
        query: dict[str, object] = {"view": self.view, "split": self.asked}
        if self.view == "images":
            label = EVERY_CLASS if self.label is None else CLASS_NAMES[self.label]
            query |= {"n": self.n, "seed": self.seed, "label": label}
        if self.view == "neighbours":
            query["image"] = self.image
        return query

    @property
    def rows(self) -> list[int]:
        """The images shown by their numbers, where the view shows images of the split."""
        if self.view == "neighbours":
            return [self.image, *neighbours(self.split, self.image)[1]]
        return analysis.random_rows(self.data.labels, self.n, self.seed, self.label).tolist()

    @property
    def tiles(self) -> np.ndarray:
        """The view's picture as tiles uint8 (N, 28, 28)."""
        if self.view == "classes":
            return statistics(self.split).pictures().numpy()
        if self.view == "components":
            return components(self.split).pictures().numpy()
        return self.data.images[self.rows].numpy()

    @property
    def columns(self) -> int:
        """How many of them stand in a row."""
        return 5 if self.view == "components" else min(10, len(self.tiles))

    @property
    def heads(self) -> tuple[str, ...]:
        """What stands over the columns."""
        if self.view == "neighbours":
            distances, rows = neighbours(self.split, self.image)
            labels = self.data.labels
            near = [f"{CLASS_NAMES[labels[row]]} {d:.1f}" for d, row in zip(distances, rows, strict=True)]
            return (f"this: {CLASS_NAMES[labels[self.image]]}", *near)
        if self.view == "classes" or (self.view == "images" and self.label is None):
            return CLASS_NAMES[: self.columns]
        return ()

    @property
    def alt(self) -> str:
        """The picture in words."""
        name = NAMES[self.split]
        if self.view == "images":
            kind = "the classes in turn" if self.label is None else CLASS_NAMES[self.label]
            return f"{self.n} images of the {name} drawn at random, {kind}, seed {self.seed}"
        if self.view == "classes":
            return f"The mean of all images of each class in the {name}; below, where they vary, white the most"
        if self.view == "components":
            return f"The {COMPONENTS} directions in which images of the {name} vary most: gray is no change"
        named = f"{self.image} of the {name} ({CLASS_NAMES[self.data.labels[self.image]]})"
        return f"Image {named} and the {NEIGHBOURS} images most like it, with their distances"

    @property
    def code(self) -> str:
        """The lines of genlib that make this picture, runnable as they stand."""
        load = f'data = FashionMNIST.load("{self.split}")'
        imports, body = {
            "images": (
                ["from genlib.analysis.dataset import random_rows"],
                [f"rows = random_rows(data.labels, {self.n}, seed={self.seed}, label={self.label})"],
            ),
            "classes": (
                ["from genlib.analysis.dataset import class_statistics"],
                ["statistics = class_statistics(data)", "pictures = statistics.pictures()"],
            ),
            "components": (
                ["from genlib.analysis.dataset import pixel_components"],
                [f"found = pixel_components(data.images, {COMPONENTS})", "pictures = found.pictures()"],
            ),
            "neighbours": (
                ["from genlib.metrics.memorisation import nearest"],
                [
                    f"image = data.images[[{self.image}]]",
                    f"distances, rows = nearest(image, data.images, k={NEIGHBOURS + 1})",
                    "rows = rows[0]  # the nearest is the image itself",
                ],
            ),
        }[self.view]
        if self.view in ("images", "neighbours"):
            body = [*body, "pictures = data.images[rows]"]
        drawn = f'Path("dataset.png").write_bytes(png_bytes(grid(pictures, columns={self.columns}, scale=4, gap=4)))'
        late = ["from genlib.data import FashionMNIST", "from genlib.images import grid, png_bytes"]
        imports = sorted([*imports, *late])
        return "\n".join(["from pathlib import Path\n", *imports, "", load, *body, drawn])

    def downloads(self) -> dict[str, Maker]:
        """The picture, its numbers, and the view's table, made when asked for."""
        name = f"fashion-mnist-{self.split}-{self.view}"
        return {
            f"{name}.png": lambda: png_bytes(grid(self.tiles, self.columns, 4, 4)),
            f"{name}.npz": lambda: npz_bytes(images=self.tiles),
            f"{name}.csv": lambda: csv_bytes(self._table()),
        }

    def _table(self) -> list[dict[str, object]]:
        labels = self.data.labels
        if self.view == "classes":
            counts = statistics(self.split).counts.tolist()
            return [{"class": name, "images": count} for name, count in zip(CLASS_NAMES, counts, strict=True)]
        if self.view == "components":
            points = components(self.split).coordinates.tolist()
            return [
                {"image": i, "class": CLASS_NAMES[labels[i]]} | {f"pc{j}": round(x, 4) for j, x in enumerate(point, 1)}
                for i, point in enumerate(points)
            ]
        return [{"image": row, "class": CLASS_NAMES[labels[row]]} for row in self.rows]


@st.cache_resource(max_entries=2, show_spinner=False)
def statistics(split: str) -> analysis.ClassStatistics:
    """Mean and variation by class."""
    return analysis.class_statistics(FashionMNIST.load(split))


@st.cache_data(max_entries=2, show_spinner=False)
def histogram(split: str) -> list[int]:
    """Pixels by gray level, in 32 bars of eight levels."""
    return analysis.pixel_histogram(FashionMNIST.load(split).images).view(32, 8).sum(1).tolist()


@st.cache_resource(max_entries=2, show_spinner="Finding the principal components")
def components(split: str) -> analysis.PixelComponents:
    """Principal components of the pixels."""
    return analysis.pixel_components(FashionMNIST.load(split).images, COMPONENTS)


@st.cache_data(max_entries=256, show_spinner="Comparing with every image")
def neighbours(split: str, image: int) -> tuple[list[float], list[int]]:
    """Distances and numbers of the images most like one, itself left out."""
    images = FashionMNIST.load(split).images
    distances, rows = nearest(images[[image]], images, NEIGHBOURS + 1)
    others = (rows[0] != image).nonzero().squeeze(1)[:NEIGHBOURS]
    return distances[0, others].tolist(), rows[0, others].tolist()


def controls_row() -> Request:
    """What to look at, in which split."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        view = st.segmented_control("Show", VIEWS, default="images", required=True, key="view", **BOUND) or "images"
        asked = st.segmented_control("Split", SPLITS, default="test", required=True, key="split", **BOUND) or "test"
        request = Request(view, _reachable(asked), asked)
        if view == "images":
            n = st.slider("Pictures", 1, 100, request.n, key="n", width=150, **BOUND)
            return Request(view, request.split, asked, n, controls.seed_control(), controls.class_control())
        if view == "neighbours":
            last = len(FashionMNIST.load("test")) - 1
            image = st.number_input("Image", 0, last, 0, key="image", width=140, help=f"0 to {last:,}", **BOUND)
            return Request(view, request.split, asked, image=int(image or 0))
    return request


def _reachable(split: str) -> str:
    """The split itself where its files are here and sound, else the test split with a line that says why."""
    problem = splits.trouble(split)
    if problem is None:
        return split
    st.info(f"The training split cannot be read, so these are the test images: {problem}" if problem else MISSING)
    return "test"


def how_it_works() -> None:
    """Where the data come from and what the views compute."""
    with st.expander("How it works: Fashion-MNIST", icon=":material/school:"):
        st.markdown(ABOUT)


ABOUT = r"""
70,000 photographs of articles from a shop's catalogue, made small (28 x 28), gray and centred, garments bright on
black: 60,000 to train with and 10,000 to test with, a tenth of each in every class. Models learn from the training
split alone; the test split decides nothing and only measures.

**Classes**: the mean and the standard deviation of every pixel over all images of a class. A mean that looks like a
garment says that the class's images are alike; a bright deviation, where they differ.

**Components**: with pixels $x \in [0, 1]^{784}$ and their mean $\mu$, the directions $v_j$ are the eigenvectors of
the covariance $\frac{1}{N} \sum_i (x_i - \mu)(x_i - \mu)^\top$ with the largest eigenvalues, and an image's
coordinates are $v_j^\top (x - \mu)$ (Bishop 2006, section 12.1). Classes that overlap in this plane may still be
apart in the other 782 directions.

**Neighbours**: by Euclidean distance between pixels in $[0, 1]$: likeness of shape and brightness, not of meaning,
so that a neighbour may be of another class.

Source: Xiao, Rasul and Vollgraf 2017, [arXiv:1708.07747](https://arxiv.org/abs/1708.07747).
"""
