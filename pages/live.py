"""Live: what does a model draw, here and now, under the hand?"""

import streamlit as st

from ui import controls, explain, live, settings

controls.page(
    "live", "Live", "Drag the point on the wheel: the model runs in your browser and the garments follow your hand."
)
entry = controls.model_picker()
seed = controls.seed_control()
beside = live.beside_control(entry)
st.html(live.PICTURES_FIRST)
label = controls.class_control() if any("conditional" in each.capabilities for each in (entry, *beside)) else None
settings.keep("live", (*settings.SHARED, "beside"), loose=live.KEYS)


@st.fragment
def studio() -> None:
    """Mounted once; a rerun hands it other models, another seed or class."""
    live.live([entry, *beside], seed, label)


studio()
explain.how_it_works(entry)
