"""Interpolate: what lies between two pictures?"""

import streamlit as st

from ui import controls, explain, interpolate, pictures, questions

controls.page(
    "interpolate", "Interpolate", "What lies between two pictures? A good model turns one smoothly into the other."
)
asked = questions.seed_and_class(questions.asked("Interpolate"))
question = interpolate.controls_row(asked)
if question.between == "seeds":
    question = questions.class_of(question)
entry, names = questions.entry_of(question), question.names if question.between != "random pairs" else ()


@st.fragment
def position() -> None:
    """The frame, and under it the slider: a move reruns this alone."""
    picture = st.container(width=280)
    at = st.slider("Position", 0, interpolate.STEPS - 1, 50, format="%d %%", key="at", **controls.BOUND)
    alt = f"{entry.name}, {at} % of the way from {names[0]} to {names[1]}"
    play = st.toggle("Play", key="play", help="There and back, for ever", **controls.BOUND)
    with picture:
        if play:
            pictures.show_animation(frames, f"{entry.name}, {names[0]} to {names[1]} and back")
        else:
            pictures.show_tiles(frames[at : at + 1], 1, alt, caption=alt)
    questions.share_question(question, at=at, play=play)


if question.between == "random pairs":
    question = questions.with_controls(question, equal=0)
    alt = f"{question.rows} walks between random pairs of samples of {entry.name}, seed {question.seed}: one a row"
    pictures.show_tiles(question.strip, 10, alt, caption=alt)
    questions.share_question(question)
else:
    frame, strip = st.columns([1, 3], gap="medium")
    walked = strip.container()
    with strip:
        question = questions.with_controls(question, equal=0)
        if evenness := interpolate.evenness(question):
            st.caption(evenness)
    frames, _ = interpolate.walk(question)
    with frame:
        position()
    with walked:
        st.markdown(f"**{names[0]}** → **{names[1]}**")
        pictures.show_tiles(question.strip, interpolate.SHOWN, f"From {names[0]} to {names[1]} in 11 steps")
        if question.between == "classes":
            numbers, visited = interpolate.label_number_walk(entry.name, question.ends, question.seed)
            st.markdown("**Label midpoint**: the study's way, averaging class *numbers*", help=interpolate.NUMBERS_HELP)
            heads = [interpolate.CLASS_NAMES[number] for number in visited]
            pictures.show_tiles(numbers, interpolate.SHOWN, "The classes whose numbers lie between", heads)
        pictures.show_chart(interpolate.changes(question))

explain.how_it_works(entry)
