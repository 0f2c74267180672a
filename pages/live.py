"""Live: what does a model draw, here and now, under the hand?"""

import streamlit as st

from ui import controls, explain, live, settings

controls.page(
    "live", "Live", "Drag the point on the wheel: the model runs in your browser and the garments follow your hand."
)
entry = controls.model_picker()
seed = controls.seed_control()
label = controls.class_control() if "conditional" in entry.capabilities else None
settings.keep("live", settings.SHARED, loose=live.KEYS)


@st.fragment
def studio() -> None:
    """Mounted once; a rerun hands it another model, seed or class."""
    live.live(entry, seed, label)


studio()
explain.how_it_works(entry)
