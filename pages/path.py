"""From noise: how does noise become a garment?"""

import streamlit as st

from ui import controls, explain, path, questions

controls.page(
    "path",
    "From noise",
    "How does noise become a garment? A flow has learned an arrow at every point; move the slider and follow it.",
)
asked = questions.seed_and_class(questions.asked("Trajectory"))


@st.fragment
def studio() -> None:
    """Picture, place, settings and exports: a change reruns this alone."""
    picture, place = st.container(), st.container()
    question = questions.own_controls(asked, steps=170, solver=0, guidance=170)
    with place:
        question = path.placed(question)
    with picture:
        path.show_place(question)
    questions.share_question(question)
    path.show_whole(question)


studio()
path.show_settings(asked.model)
explain.how_it_works(questions.entry_of(asked))
