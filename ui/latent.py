"""The Latent space page: scatters that answer a selection with pictures."""

from __future__ import annotations

import numpy as np
import streamlit as st

from genlib.analysis.latent import Projection
from genlib.charts.latent import scatter
from genlib.data import CLASS_NAMES
from genlib.questions.latent import Latent
from genlib.questions.question import EVERY_CLASS
from genlib.questions.trainings import other_figures
from ui.pictures import TOOLS, show_chart, show_tiles
from ui.trainings import NOT_MEASURED, both
from ui.words import capitalised, figure

FORMS = (".0%", ".1%", ".1%")  # of a share of the variance, of what is told apart by a boundary, by the centre
SHOWN = 40  # pictures of a selection
HELP = (
    "Principal components are the directions in which the points vary most; their share of the variance says how much "
    "of the whole cloud this view shows. *A straight boundary* is a linear classifier on all of a point's numbers; "
    "*nearest centre in this plane* uses only what you see. Each learns on half of the (first 4,000) points and is "
    "tested on the other half; guessing would be right in 10 %."
)


def what_is_shown(question: Latent) -> str:
    """What a point and its colour are, and how sure the figures are."""
    return _points_and_colours(question) + ("" if other_figures(question) else f" {NOT_MEASURED}")


def _points_and_colours(question: Latent) -> str:
    if "hidden_layers" in question.can:
        about = "Samples of the generator, by its first hidden layer after and before the non-linearity."
        if question.kept_axes:
            about += " Axes and figures are those of 2,000 samples of seed 0: they stay as you change the seed."
        if "conditional" in question.can:
            return f"{about} Colour: the class that was asked for."
        return f"{about} It takes no class: colour is what genlib's classifier sees in each sample."
    where = "among the mixture's Gaussians" if "mixture" in question.can else "as the encoder places them"
    return f"Test images {where}. Colour: their class."


def show_scatter(question: Latent, name: str) -> list[int]:
    """One projection with its figures; the rows of the points that are selected."""
    projection = question.found[name]
    st.markdown(f"**{capitalised(name)}**")
    chart, rows = scatter(question, name)
    options = {"config": TOOLS, "key": f"scatter-{name}"}
    selected: list[int] = []
    if question.dims == "2-D":
        points = show_chart(chart, on_select="rerun", **options).selection.points
        selected = [int(rows[each["curve_number"]][each["point_index"]]) for each in points]
    else:
        show_chart(chart, **options)
    k = int(question.dims[0])
    explained = figure(float(projection.explained[:k].sum()), ".0%")
    boundary, centre = (figure(share, ".1%") for share in (projection.separability, projection.visible))
    st.markdown(
        f"{explained} of the variance in {k} components. Classes told apart: **{boundary}** by a straight boundary, "
        f"**{centre}** by the nearest centre in the plane.{_before(projection)}{trained_again(question, name)}",
        help=HELP,
    )
    return selected


def _before(projection: Projection) -> str:
    """What an untrained network tells apart, where a class that the layer is told would tell itself."""
    if projection.untrained is None:
        return ""
    boundary, centre = (figure(share, ".1%") for share in projection.untrained)
    return f" Before any training: {boundary} and {centre}, since the layer is told the class."


def trained_again(question: Latent, name: str) -> str:
    """What the model's other trainings tell apart."""
    others = [each[name] for each in other_figures(question)]
    if not others:
        return ""
    explained, boundary, centre = (
        both(values, form) for values, form in zip(zip(*others, strict=True), FORMS, strict=True)
    )
    return (
        f" Trained again from other seeds: {explained} of the variance in 2 components; {boundary} by a boundary, "
        f"{centre} by the centre."
    )


def show_pictures(question: Latent, selected: list[int]) -> None:
    """The pictures of a selection; before there is one, the most central of each class or across the chosen class."""
    images, classes = question.first.images.numpy(), question.first.classes.numpy()
    real = "hidden_layers" not in question.can
    what = "test images" if real else "samples"
    selected = [row for row in selected if row < len(images)]
    if selected:
        shown = selected[:: -(-len(selected) // SHOWN)]
        counts = np.bincount(classes[selected], minlength=10)
        told = ", ".join(f"{CLASS_NAMES[i]} {counts[i]}" for i in counts.argsort()[::-1] if counts[i])
        few = f", every {-(-len(selected) // SHOWN)}th shown" if len(shown) < len(selected) else ""
        caption = f"{len(selected)} {what} selected{few}: {told}"
        show_tiles(images[shown], 20 if len(shown) > 10 else 10, caption, caption=caption)
        return
    hint = "Drag over the points to see their pictures." if question.dims == "2-D" else "In 2-D, select points."
    if question.label == EVERY_CLASS:
        central = [_from_the_centre(question.first, label)[:1] for label in range(10)]
        present = [label for label in range(10) if len(central[label])]
        caption = f"The {what} nearest each class's centre. {hint}"
        heads = [CLASS_NAMES[label] for label in present]
        show_tiles(images[np.concatenate(central)], max(1, len(present)), caption, heads, caption=caption)
    elif len(rows := _from_the_centre(question.first, CLASS_NAMES.index(question.label))):
        spread = rows[np.linspace(0, len(rows) - 1, min(20, len(rows))).astype(int)]
        caption = f"{question.label}: {what} from the class's centre to its edge. {hint}"
        show_tiles(images[spread], len(spread), caption, caption=caption)
    else:
        st.info(f"None of these {question.n} {what} is seen as {question.label}.")


def _from_the_centre(projection: Projection, label: int) -> np.ndarray:
    """Rows of one class, nearest its centre first."""
    rows = np.flatnonzero(projection.classes.numpy() == label)
    places = projection.coordinates.numpy()[rows]
    if not len(rows):
        return rows
    return rows[np.linalg.norm(places - places.mean(0), axis=1).argsort(kind="stable")]
