"""The Diversity page: samples of each class, how far they spread, and the photographs nearest to them."""

from __future__ import annotations

import numpy as np
import streamlit as st

from genlib.analysis.diversity import DRAWS
from genlib.charts.diversity import spread
from genlib.data import CLASS_NAMES, FashionMNIST
from genlib.metrics.floor import load_floor
from genlib.questions.diversity import SHARE, Diversity
from genlib.questions.trainings import other_figures
from ui.pictures import show_tiles
from ui.trainings import NOT_MEASURED

__all__ = ["spread"]
SPLIT_NAMES = {"train": "training", "test": "test"}
CLOSEST = 8


def show_rows(question: Diversity) -> None:
    """A row for each class, its name beside it; a class that never came is shown as such."""
    asked = "conditional" in question.can
    with st.container(gap="xsmall"):
        for label, each in enumerate(question.found):
            images = each.images.numpy()
            share = "" if asked else f"<br><small>{100 * each.share:.1f} % of draws</small>"
            with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="small"):
                st.html(f'<div style="line-height:1.15;font-size:.8rem">{CLASS_NAMES[label]}{share}</div>', width=84)
                if not len(images):
                    st.caption(f"None of {DRAWS:,} draws is seen as {CLASS_NAMES[label]}: an empty row.")
                    continue
                _show_row(question, label, images)
    if question.near:
        st.caption(
            f"Upper lines: samples. Lower lines: the {SPLIT_NAMES[question.split]} image nearest to each, by its "
            "pixels."
        )
    if asked:
        st.caption("Each row was asked for its class.")
    else:
        st.caption(
            f"This model takes no class. A row holds the samples that genlib's classifier sees as its class among "
            f"{DRAWS:,} "
            "draws, and says how many of them that is."
        )


def trained_again(question: Diversity) -> str:
    """What the whiskers of the chart are, and how often the classes come in the model's other trainings."""
    others = other_figures(question)
    if not others:
        return NOT_MEASURED
    whiskers = f"Whiskers reach to what {len(others)} other trainings of this model have, from other seeds."
    if "conditional" in question.can:
        return whiskers
    own = np.array([each.share for each in question.found])
    moved = max(float(np.abs(np.array(each[SHARE], dtype=float) - own).max()) for each in others)
    return f"{whiskers} A class's share of the draws moved by up to {100 * moved:.1f} points."


def _show_row(question: Diversity, label: int, images: np.ndarray) -> None:
    alt = f"{len(images)} samples of class {CLASS_NAMES[label]} by {question.model}, seed {question.seed}"
    with st.container(gap=None):
        show_tiles(images, question.per, alt)
        if question.near:
            _, rows, places = question.neighbours
            photographs = FashionMNIST.load(question.split).images[rows[places[label]]].numpy()
            show_tiles(
                photographs, question.per, f"The {SPLIT_NAMES[question.split]} images nearest to the samples above"
            )


def show_closest(question: Diversity) -> None:
    """The samples nearest to a photograph, over it: where copies would show first."""
    distances, rows, _ = question.neighbours
    order = distances.argsort(kind="stable")[:CLOSEST]
    samples = question.images.numpy()[order]
    photographs = FashionMNIST.load(question.split).images[rows[order]].numpy()
    st.markdown(
        f"**The samples nearest to a {SPLIT_NAMES[question.split]} image**, over that image",
        help="By the Euclidean distance of pixels from 0 to 1. Two photographs of plain garments can be as near. A "
        "copy would agree in its details too, at a distance near 0.",
    )
    heads = [f"{distances[i]:.1f}" for i in order]
    alt = f"{len(order)} samples of {question.model} over the nearest {SPLIT_NAMES[question.split]} images"
    show_tiles(np.concatenate([samples, photographs]), len(order), alt, heads)
    if question.split == "train":
        real = load_floor()
        st.caption(
            f"Half of these samples are nearer than {np.median(distances):.1f} to a training image. **For "
            f"comparison**: half of the test images are nearer than {real['nearest_train']:.1f}, and one in a "
            f"hundred is nearer than {real['nearest_train_1_percent']:.1f}."
        )
    if question.split == "test":
        st.caption(
            "The training split is not on this machine, so these are test images, which no model has seen: copies "
            "cannot show. `python -m genlib train` fetches it, or GENLIB_DATA names its directory."
        )
