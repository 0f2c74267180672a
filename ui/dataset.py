"""The Dataset page: which split can be shown, its charts, and where the data come from."""

from __future__ import annotations

import streamlit as st
import torch

from genlib.data import CLASS_NAMES, FashionMNIST
from genlib.questions.dataset import Dataset, components, histogram, statistics
from ui.pictures import ABOVE, CLASS_COLOURS, show_chart

PLOTTED = 10_000
HEIGHT = 260
HOVER = "image %{customdata}<extra>%{fullData.name}</extra>"
MISSING = (
    "The training split (60,000 images) is not on this machine, so these are the test images, which come with genlib. "
    "`python -m genlib train` fetches it where there is a network; or install Debian's `dataset-fashion-mnist`, or set "
    "`GENLIB_DATA` to a directory with the four official files."
)


def say_what_is_missing(question: Dataset) -> None:
    """Why another split is shown than the one that was asked for."""
    if question.shown != question.split:
        problem = FashionMNIST.trouble(question.split)
        st.info(f"The training split cannot be read, so these are the test images: {problem}" if problem else MISSING)


def show_counts(question: Dataset) -> None:
    """Images a class, in the class's colour."""
    counts = statistics(question.shown).counts.tolist()
    words = ", ".join(f"{name} {count:,}" for name, count in zip(CLASS_NAMES, counts, strict=True))
    bars = {"type": "bar", "x": CLASS_NAMES, "y": counts, "marker": {"color": CLASS_COLOURS}}
    show_chart([bars], f"Images by class: {words}", HEIGHT, y="images")


def show_histogram(question: Dataset) -> None:
    """How many pixels are how bright, as shares; logarithmic, for half of all pixels are black."""
    counts = histogram(question.shown)
    shares = [100 * count / sum(counts) for count in counts]
    bars = {"type": "bar", "x": [8 * i + 3.5 for i in range(32)], "y": shares, "marker": {"color": CLASS_COLOURS[0]}}
    y = {"title": "share of all pixels, %", "type": "log", "dtick": 1}
    alt = f"Pixels by gray level: {shares[0]:.0f} % are darker than level 8"
    show_chart([bars], alt, HEIGHT, "gray level, 0 black to 255 white", y, bargap=0.05)


def show_scatter(question: Dataset) -> None:
    """Every image as a point in the plane of the first two components (the first 10,000 of the training split)."""
    found, labels = components(question.shown), question.data.labels[:PLOTTED]
    traces = []
    for k, name in enumerate(CLASS_NAMES):
        rows = (labels == k).nonzero().squeeze(1)
        x, y = found.coordinates[rows, :2].T.numpy()
        look = {
            "type": "scattergl",
            "mode": "markers",
            "marker": {"color": CLASS_COLOURS[k], "size": 4, "opacity": 0.7},
        }
        traces.append({**look, "x": x, "y": y, "name": name, "customdata": rows.numpy(), "hovertemplate": HOVER})
    first, second = (100 * found.shares[:2]).tolist()
    alt = f"{len(labels):,} images in the plane of their first two principal components, coloured by class"
    titles = f"first component ({first:.0f} % of the variance)", f"second component ({second:.0f} %)"
    show_chart(traces, alt, 520, *titles, legend=ABOVE | {"itemsizing": "constant"})


def show_shares(question: Dataset) -> None:
    """The variance that the first components explain together."""
    together = 100 * torch.cumsum(components(question.shown).shares[:200], 0)
    line = {"type": "scatter", "x": list(range(1, 201)), "y": together.tolist(), "line": {"color": CLASS_COLOURS[0]}}
    enough = int((together < 90).sum()) + 1
    st.markdown(f"**{enough} components** explain 90 % of the variance of 784 pixels")
    alt = f"Variance explained by up to 200 components; {enough} explain 90 %"
    show_chart([line], alt, 200, "components", {"title": "variance explained, %", "range": [0, 101]})


ABOUT = r"""
70,000 photographs from a shop's catalogue, reduced to 28 x 28 gray pixels: the garment is centred and bright on
black. 60,000 are for training and 10,000 for testing, a tenth of each in every class. Models learn from the training
split alone; the test split only measures them.

**Classes**: the mean and the standard deviation of every pixel over all images of a class. A mean that looks like a
garment tells you that the images of the class are alike. A bright deviation shows where they differ.

**Components**: with pixels $x \in [0, 1]^{784}$ and their mean $\mu$, the directions $v_j$ are the eigenvectors of
the covariance $\frac{1}{N} \sum_i (x_i - \mu)(x_i - \mu)^\top$ with the largest eigenvalues, and an image's
coordinates are $v_j^\top (x - \mu)$ (Bishop 2006, section 12.1). Classes that overlap in this plane may still be
apart in the other 782 directions.

**Neighbours**: by Euclidean distance between pixels in $[0, 1]$: this compares shape and brightness, not meaning, so
a neighbour may be of another class.

Source: Xiao, Rasul and Vollgraf 2017, [arXiv:1708.07747](https://arxiv.org/abs/1708.07747).
"""
