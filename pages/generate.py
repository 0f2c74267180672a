"""Generate: what does a model draw from noise?"""

import streamlit as st

from ui import controls, draw, explain, generate, pictures
from ui.share import share

controls.page(
    "generate", "Generate", "What does a model draw from noise? Move a slider and watch the same garments change."
)
entry = controls.model_picker()
seed = controls.seed_control()
label = controls.class_control() if "conditional" in entry.capabilities else None


@st.fragment
def studio() -> None:
    """Controls, picture and exports: a slider reruns this alone."""
    request = generate.controls_row(entry, seed, label)
    picture, sliders = st.columns([5, 2], gap="medium")
    with sliders:
        request = generate.move_sliders(entry, request)
    images = draw.samples(*request.arguments)
    with picture:
        pictures.show_tiles(images, min(request.n, 10), request.alt, request.heads, caption=request.alt)
        share("generate", request.query, request.code, request.downloads(images))


studio()
explain.how_it_works(entry)
