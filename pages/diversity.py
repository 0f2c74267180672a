"""Diversity: how different are a model's samples, and are they new?"""

import streamlit as st

from ui import controls, diversity, explain, pictures, questions

controls.page(
    "diversity",
    "Diversity",
    "How different are a model's samples of one class, and are they new? A row that repeats itself is a warning.",
)
question = questions.own_controls(questions.seed_and_class(questions.asked("Diversity")), per=200, near=0)

rows, figures = st.columns([3, 2], gap="medium")
with rows:
    diversity.show_rows(question)
    questions.share_question(question)
with figures:
    pictures.show_chart(diversity.spread(question))
    st.caption(diversity.trained_again(question))
    diversity.show_closest(question)

explain.how_it_works(questions.entry_of(question))
