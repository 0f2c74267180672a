"""The Discriminator page: what it shows of the judgements."""

from __future__ import annotations

import streamlit as st

from genlib.charts.discriminator import by_class, pies, roc, scores
from genlib.data import CLASS_NAMES
from genlib.questions.discriminator import AREA, Discriminator
from genlib.questions.trainings import other_figures
from ui.pictures import show_tiles
from ui.trainings import NOT_MEASURED, both

__all__ = ["by_class", "pies", "roc", "scores"]
SHOWN = 10  # pictures of either extreme
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


def trained_again(question: Discriminator) -> str:
    """What the discriminators of the model's other trainings say."""
    others, usual = other_figures(question), Discriminator.defaults()
    if not others:
        return NOT_MEASURED
    told = {title: [each[title][0] for each in others] for title in others[0]}
    shares = ", ".join(f"{title.lower()} {both(values, '.1%')}" for title, values in told.items() if title != AREA)
    norm = ", running averages" if question.applies("norm") else ""
    return (
        f"**Trained again** from other seeds, it judges rightly: {shares}; the area under the ROC curve is "
        f"{both(told[AREA], '.3f')} (threshold {usual['threshold']}, {usual['n']:,} images of each kind{norm})."
    )


def show_extremes(question: Discriminator) -> None:
    """The fakes it takes for real and the real images it takes for fakes."""
    found = question.found
    for title, images, given, classes, ascending in (
        ("The fakes that fool it most", found.fake, found.fake_scores, question.fake_classes.numpy(), False),
        ("The real images it doubts most", found.real, found.real_scores, found.real_classes.numpy(), True),
    ):
        order = given.argsort(descending=not ascending, stable=True)[:SHOWN].numpy()
        heads = [f"{CLASS_NAMES[classes[i]]} {100 * float(given[i]):.0f} %" for i in order]
        st.markdown(f"**{title}**, with the probability of being real that it gave them")
        show_tiles(images.numpy()[order], SHOWN, f"{title}, {question.model}: {', '.join(heads)}", heads)
