"""Home: what this is, and the zoo as cards."""

import streamlit as st

from ui import controls, draw, pictures, zoo

controls.page(
    "home",
    "genlib",
    "Generative image models on Fashion-MNIST, side by side: GANs, variational autoencoders and mixtures, each trained "
    "for real and measured in the same way. **Every garment below was drawn by a model**; open one to play with it.",
)

st.page_link("pages/live.py", label="**Play**: a model in your browser, under your hand", icon=":material/touch_app:")

families: dict[str, list[zoo.Entry]] = {}
for entry in zoo.usable().values():
    families.setdefault("trained here" if entry.is_run else entry.family, []).append(entry)

nearest_first = sorted(families.items(), key=lambda family: min(each.metrics.get("fd", 1e9) for each in family[1]))
for place, (family, members) in zip(
    [column for _ in range(0, len(families), 3) for column in st.columns(3)], nearest_first, strict=False
):
    with place:
        st.markdown(f"#### {family[0].upper()}{family[1:]}")
        for entry in members:
            with st.container(border=True):
                pictures.show_tiles(draw.strip(entry.name, 20), 5, f"20 samples of {entry.name}")
                st.page_link(
                    "pages/generate.py",
                    label=f"**{entry.name}**",
                    icon=":material/auto_awesome:",
                    query_params={"model": entry.name},
                )
                st.caption(entry.summary)
                st.caption(entry.figures)

if not families:
    st.info("No trained weights are here yet. Train a model: `python -m genlib train vae-cnn`")

st.caption(
    "The Frechet distance says how far a model's pictures are from the test photographs, as a classifier of garments "
    "sees both: 0 is perfect, and 10,000 training photographs score 0.05."
)
