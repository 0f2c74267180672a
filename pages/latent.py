"""Latent space: where does a model keep its classes?"""

import streamlit as st

from ui import controls, explain, latent, questions

controls.page(
    "latent",
    "Latent space",
    "Where does a model keep its classes? Each point is a picture, placed by the numbers that the model describes it "
    "with.",
)
question = questions.own_controls(questions.seed_and_class(questions.asked("Latent")), dims=0, n=200)


@st.fragment
def plots() -> None:
    """The scatters and the pictures of the points that are selected: a selection reruns this alone."""
    selected: dict[int, None] = {}
    for place, name in zip(st.columns(len(question.found)), question.found, strict=True):
        with place:
            selected |= dict.fromkeys(latent.show_scatter(question, name))
    latent.show_pictures(question, list(selected))
    st.caption(latent.what_is_shown(question))
    questions.share_question(question)


plots()
explain.how_it_works(questions.entry_of(question))
