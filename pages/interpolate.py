"""Interpolate: what lies between two pictures?"""

import streamlit as st

from ui import controls, draw, explain, interpolate, pictures
from ui.share import share

controls.page(
    "interpolate", "Interpolate", "What lies between two pictures? A good model turns one smoothly into the other."
)
entry = controls.model_picker()
seed = controls.seed_control()
request = interpolate.controls_row(entry, seed)
if request.between == "seeds" and "conditional" in entry.capabilities:
    request = interpolate.within_class(request, controls.class_control())


@st.fragment
def position() -> None:
    """The frame, and under it the slider: a move reruns this alone."""
    picture = st.container(width=280)
    at = st.slider("Position", 0, interpolate.STEPS - 1, 50, format="%d %%", key="at", **controls.BOUND)
    alt = f"{entry.name}, {at} % of the way from {request.names[0]} to {request.names[1]}"
    play = st.toggle("Play", key="play", help="There and back, for ever", **controls.BOUND)
    with picture:
        if play:
            pictures.show_animation(frames, f"{entry.name}, {request.names[0]} to {request.names[1]} and back")
        else:
            pictures.show_tiles(frames[at : at + 1], 1, alt, caption=alt)
    share("interpolate", request.query | {"at": at, "play": play}, request.code, request.downloads(frames, changes))


if request.between == "random pairs":
    rows = draw.pairs(entry.name, seed, request.rows, 10, request.path, request.equal)
    alt = f"{request.rows} walks between random pairs of samples of {entry.name}, seed {seed}: one a row"
    pictures.show_tiles(rows, 10, alt, caption=alt)
    share("interpolate", request.query, request.code, interpolate.pair_downloads(request, rows))
else:
    frames, changes = request.walk()
    frame, strip = st.columns([1, 3], gap="medium")
    with frame:
        position()
    with strip:
        st.markdown(f"**{request.names[0]}** → **{request.names[1]}**")
        shown = frames[:: (interpolate.STEPS - 1) // (interpolate.SHOWN - 1)]
        pictures.show_tiles(shown, interpolate.SHOWN, f"From {request.names[0]} to {request.names[1]} in 11 steps")
        if request.between == "classes":
            numbers, visited = draw.label_number_walk(entry.name, request.ends, seed, interpolate.SHOWN)
            st.markdown("**Label midpoint**: the study's way, averaging class *numbers*", help=interpolate.NUMBERS_HELP)
            heads = [interpolate.CLASS_NAMES[number] for number in visited]
            pictures.show_tiles(numbers, interpolate.SHOWN, "The classes whose numbers lie between", heads)
        st.markdown("**Step-to-step change**: a spike would be a jump between modes")
        pictures.line_chart(
            range(1, len(changes) + 1),
            100 * changes,
            "step",
            "change, % of range",
            f"Pixel change of each step from {request.names[0]} to {request.names[1]}",
        )
        if evenness := interpolate.evenness(request, frames):
            st.caption(evenness)

explain.how_it_works(entry)
