"""Mixtures: what does each Gaussian hold?"""

import streamlit as st

from ui import controls, explain, mixtures, pictures, questions

controls.page(
    "mixtures",
    "Mixtures",
    "What does each Gaussian hold? One class each would be tidy, but nothing in the training asks for it.",
)
asked = questions.seed_and_class(questions.asked("Mixtures"))
entry = questions.entry_of(asked)


@st.fragment
def component() -> None:
    """One component: a change reruns this alone."""
    question = questions.own_controls(asked, component=140, temperature=200)
    mixtures.show_component(question)
    questions.share_question(question)


components, classes = st.columns([3, 2], gap="medium")
with components:
    mixtures.show_means(entry)
    component()
with classes:
    pictures.show_chart(mixtures.classes(entry.name))
mixtures.show_criterion(entry)
mixtures.show_sizes(entry)
explain.how_it_works(entry)
