"""Discriminator: can a GAN's own judge tell real from fake?"""

import streamlit as st

from ui import controls, discriminator, explain
from ui.share import share

controls.page(
    "discriminator",
    "Discriminator",
    "Can the judge still tell real from fake? A well balanced game ends with a judge that is often wrong.",
)
entry = controls.model_picker("discriminates")
seed = controls.seed_control()


@st.fragment
def studio() -> None:
    """Everything follows the threshold, and reruns alone."""
    request = discriminator.controls_row(entry, seed)
    discriminator.show_pies(request)
    st.caption(discriminator.WHAT_IS_JUDGED)
    if request.norm:
        st.caption(discriminator.LAG)
    share("discriminator", request.query, request.code, request.downloads())
    left, right = st.columns(2, gap="medium")
    with left:
        discriminator.show_histogram(request)
    with right:
        discriminator.show_roc(request)
    discriminator.show_classes(request)
    discriminator.show_extremes(request)


studio()
explain.how_it_works(entry)
