"""Latent space: where does a model keep its classes?"""

import streamlit as st

from ui import controls, explain, latent
from ui.share import share

controls.page(
    "latent",
    "Latent space",
    "Where does a model keep its classes? Each point is a picture, placed by what the model knows it by.",
)
entry = controls.model_picker("hidden_layers", "encodes", "mixture")
seed = controls.seed_control() if "hidden_layers" in entry.capabilities else 0
label = controls.class_control()
request = latent.controls_row(entry, seed, label)


@st.fragment
def plots() -> None:
    """The scatters and the pictures of the points that are selected: a selection reruns this alone."""
    selected: dict[int, None] = {}
    for place, name in zip(st.columns(len(request.found)), request.found, strict=True):
        with place:
            selected |= dict.fromkeys(latent.show_scatter(request, name))
    latent.show_pictures(request, list(selected))
    st.caption(latent.what_is_shown(request))
    share("latent", request.query, request.code, request.downloads())


plots()
explain.how_it_works(entry)
