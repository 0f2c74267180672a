"""Home: what this is, and the zoo as cards."""

import streamlit as st

from ui import controls, pictures, settings, zoo
from ui.words import capitalised

controls.page(
    "home",
    "genlib",
    "Generative image models on Fashion-MNIST, side by side: GANs, variational autoencoders, mixtures and flows, all "
    "trained by us and measured in the same way. **Every garment below was drawn by a model**; open one, and it "
    "follows your hand.",
)

st.caption(zoo.DISTANCE)
families: dict[str, list[zoo.Entry]] = {}
for entry in zoo.usable().values():
    families.setdefault("trained here" if entry.is_run else entry.family, []).append(entry)

nearest_first = sorted(families.items(), key=lambda family: min(each.metrics.get("fd", 1e9) for each in family[1]))
cards = [(capitalised(family), entry) for family, members in nearest_first for entry in members]
with st.container(key="zoo"):
    for family, entry in cards:
        with st.container(border=True, height="stretch"):
            pictures.show_tiles(pictures.strip(entry.name, 20), 5, f"20 samples of {entry.name}")
            st.page_link(
                "pages/live.py",
                label=f"**{entry.name}**",
                icon=":material/touch_app:",
                query_params={"model": entry.name},
            )
            st.caption(f"**{family}.** {entry.summary}")
            st.caption(entry.figures)

if not families:
    st.info("No trained weights are here yet. Train a model: `python -m genlib train vae-cnn`")

settings.keep("home", ())
