"""Reconstruct: can a model give back a picture it is shown?"""

import streamlit as st

from ui import controls, explain, reconstruct, search
from ui.share import share

controls.page(
    "reconstruct",
    "Reconstruct",
    "Can a model give back a picture it is shown? Those that encode answer at once; a GAN's noise must be searched.",
)
entry = controls.model_picker("encodes", "discriminates")
seed = controls.seed_control() if reconstruct.uses_seed(entry) else 0
request = reconstruct.controls_row(entry, seed, controls.class_control())
request = reconstruct.with_own_image(request)

found = search.follow(request)
st.caption(request.legend)
share("reconstruct", request.query, request.code, request.downloads(found))
search.error_by_class(request, found)
reconstruct.how_it_works(entry)
explain.how_it_works(entry)
