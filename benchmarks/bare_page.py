"""The least Streamlit page that could do the studio's job: one slider, one network call, one st.image, no cache.

`?draw=interpolate` shows one picture between two latents under a "Position" slider, any other address a grid of
`n` samples under a "Temperature" slider. The sliders have the studio's steps and the pictures its pixels.
"""

import streamlit as st
import torch

from genlib.images import grid, to_uint8
from genlib.loading import load
from genlib.model import Conditional
from genlib.sampling import generate, sample

model = st.cache_resource(load)(st.query_params["model"])
if st.query_params.get("draw") == "interpolate":
    share = st.slider("Position", 0, 100, 50) / 100
    start, end = model.draw_latent(2, 0)
    y = torch.zeros(1, dtype=torch.int64) if isinstance(model, Conditional) else None
    frame = to_uint8(sample(model, torch.lerp(start, end, share)[None], y))
    st.image(grid(frame, 1, scale=4), width=280)
else:
    temperature = st.slider("Temperature", 0.0, 2.0, 1.0, 0.05)
    images, _ = generate(model, int(st.query_params["n"]), temperature=temperature)
    st.image(grid(images, 10, scale=4, gap=4), width="stretch")
