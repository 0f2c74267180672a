"""Diversity: how different are a model's samples, and are they new?"""

import streamlit as st

from ui import controls, diversity, explain
from ui.share import share

controls.page(
    "diversity",
    "Diversity",
    "How different are a model's samples of one class, and are they new? A row that repeats itself is a warning.",
)
entry = controls.model_picker()
seed = controls.seed_control()
request = diversity.controls_row(entry, seed)

rows, figures = st.columns([3, 2], gap="medium")
with rows:
    diversity.show_rows(request)
    share("diversity", request.query, request.code, request.downloads())
with figures:
    diversity.show_spread(request)
    diversity.show_closest(request)

explain.how_it_works(entry)
