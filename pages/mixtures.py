"""Mixtures: what does each Gaussian hold?"""

import streamlit as st

from ui import controls, explain, mixtures
from ui.share import share

controls.page(
    "mixtures", "Mixtures", "What does each Gaussian hold? One component a class would be tidy; nothing asks for it."
)
entry = controls.model_picker("mixture")
seed = controls.seed_control()


@st.fragment
def component() -> None:
    """One component: a change reruns this alone."""
    request = mixtures.controls_row(entry, seed)
    mixtures.show_component(request)
    share("mixtures", request.query, request.code, request.downloads())


components, classes = st.columns([3, 2], gap="medium")
with components:
    mixtures.show_means(entry)
    component()
with classes:
    mixtures.show_classes(entry)
mixtures.show_criterion(entry)
mixtures.show_sizes(entry)
explain.how_it_works(entry)
