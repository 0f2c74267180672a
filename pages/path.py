"""From noise: how does noise become a garment?"""

import streamlit as st

from ui import controls, explain, path
from ui.share import share

controls.page(
    "path",
    "From noise",
    "How does noise become a garment? A flow has learned an arrow at every point; move the slider and follow it.",
)
entry = controls.model_picker("integrates")
seed = controls.seed_control()
label = controls.class_control()


@st.fragment
def studio() -> None:
    """Picture, place, settings and exports: a change reruns this alone."""
    picture, place = st.container(), st.container()
    request = path.controls_row(entry, seed, label)
    with place:
        request = path.placed(request)
    with picture:
        path.show_place(request)
    share("path", request.query, request.code, request.downloads())
    path.show_whole(request)


studio()
path.show_settings(entry)
explain.how_it_works(entry)
