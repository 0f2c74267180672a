"""The Generate page's sliders along the directions of a model's latents."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from genlib.questions.generate import MOST_STEPS, Generate, basis, thumbnails
from ui.controls import BOUND
from ui.pictures import tiles_png
from ui.words import plain

THUMBNAIL = 48  # pixels wide on the screen


def move_sliders(question: Generate) -> Generate:
    """A slider for each direction, between the pictures at its two ends."""
    label, (steps, names) = question.chosen_class(), basis(question.model)
    ends = thumbnails(question.model, question.weights, label)
    if not len(ends):
        mixture = "mixture" in question.can
        drawn = "the choice of a component and numbers" if mixture else f"{steps.shape[1]} numbers"
        st.caption(
            f"This model's latent is {drawn} of noise. They have no sliders of their own; the temperature scales them "
            f"all."
        )
        return question
    about = "The numbers of this model's latent, one by one."
    if "hidden_layers" in question.can:
        about = (
            "The directions in which this generator's first hidden layer varies most (GANSpace), named after what "
            "changes; a number where that is not clear."
        )
    st.caption(f"{about} In standard deviations; the pictures show -2 and +2.")
    moves = []
    for i, (name, (low, high)) in enumerate(zip(names, ends, strict=True), start=1):
        with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="small"):
            st.image(tiles_png(low[None], 1, 2, 0), width=THUMBNAIL, alt=f"{name} at -2")
            moves.append(st.slider(plain(name), -MOST_STEPS, MOST_STEPS, 0.0, 0.1, format="%.1f", key=f"d{i}", **BOUND))
            st.image(tiles_png(high[None], 1, 2, 0), width=THUMBNAIL, alt=f"{name} at +2")
    return replace(question, moves=tuple(moves))
