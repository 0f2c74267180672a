"""Variation: which pixels of a class does a model vary most, beside the photographs'?"""

import streamlit as st

from ui import controls, explain, pictures, questions, variation

controls.page(
    "variation",
    "Variation",
    "Which pixels vary most within a class? The white ones: above in photographs, below in samples.",
)
question = questions.own_controls(questions.seed_and_class(questions.asked("Variation")), n=200)
pictures.show_tiles(question.images, len(question.heads), question.alt, question.heads, caption=question.alt)
st.caption(variation.means(question))
questions.share_question(question)
explain.how_it_works(questions.entry_of(question))
