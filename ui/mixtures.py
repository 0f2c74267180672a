"""The Mixtures page: components as pictures, what each holds, and how many there should be."""

from __future__ import annotations

import streamlit as st

from genlib.charts.mixtures import classes, criterion
from genlib.data import CLASS_NAMES, FashionMNIST
from genlib.questions.mixtures import COLUMNS, SAMPLES, Mixtures, held
from ui import zoo
from ui.pictures import show_chart, show_tiles, strip
from ui.zoo import load_model

__all__ = ["classes"]
BEST = "-best"


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


def show_component(question: Mixtures) -> None:
    """Samples of one component, and the test images it is surest of."""
    found, place = held(question.model), question.component - 1
    rows, total = found.typical[place], int(found.classes[place].sum())
    st.markdown(f"**Samples of component {question.component}**")
    alt = f"{SAMPLES} samples of component {question.component} of {question.model}, seed {question.seed}"
    show_tiles(question.images, COLUMNS, alt)
    if not total:
        st.caption("No test image is given to it.")
        return
    st.markdown(f"**The test images it is surest of**, of the {total:,} it holds")
    alt = f"{len(rows)} test images that component {question.component} of {question.model} is surest of"
    show_tiles(FashionMNIST.load("test").images[rows].numpy(), COLUMNS, alt)


def _relatives(entry: zoo.Entry) -> list[zoo.Entry]:
    """The family's models, few components first, the choice of BIC last."""
    members = [each for each in zoo.usable("mixture").values() if each.family == entry.family]
    return sorted(members, key=lambda each: (each.name.endswith(BEST), _size(each)))


def _size(entry: zoo.Entry) -> int:
    return len(load_model(entry.name).components().weights)  # type: ignore[operator]


def show_criterion(entry: zoo.Entry) -> None:
    """BIC over the number of components, where the family searched for the best."""
    st.markdown(
        "**How many Gaussians?** The Bayesian information criterion: lower is better",
        help="-2 log L + p log N: twice the misfit plus a price for each of the p free parameters, in nats.",
    )
    if "conditional" in entry.capabilities:
        sizes = load_model(entry.name).sizes()  # type: ignore[operator]
        told = ", ".join(f"{name} {size}" for name, size in zip(CLASS_NAMES, sizes, strict=True))
        st.caption(f"Each class was searched by itself, and has as many Gaussians as BIC prefers for it: {told}.")
        return
    searched = [each for each in _relatives(entry) if each.metrics.get("bic_curve")]
    if not searched:
        known = entry.metrics.get("bic")
        told = "" if known is None else f", with a BIC of {known:,.0f}"
        st.caption(f"{entry.name} was fitted at one size{told}; there is no search over 1 to 20 for its family.")
        return
    show_chart(criterion(searched[-1].name, searched[-1].metrics))


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
        show_tiles(strip(each.name, SAMPLES), SAMPLES, f"{SAMPLES} samples of {each.name}")
