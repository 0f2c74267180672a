"""Dataset: what do the models learn from?"""

import streamlit as st

from ui import controls, dataset, explain, pictures, questions

controls.page(
    "dataset", "Dataset", "What do the models learn from? 70,000 small gray photographs of garments in ten classes."
)
asked = questions.own_controls(questions.asked("Dataset"), view=0, split=0, n=150, image=140)
question = questions.seed_and_class(asked)
dataset.say_what_is_missing(question)


def picture() -> None:
    """The view's tiles."""
    pictures.show_tiles(question.tiles, question.columns, question.alt, question.heads, caption=question.alt)


if question.view == "components":
    plane, directions = st.columns([3, 2], gap="medium")
    with plane:
        pictures.show_chart(dataset.plane(question))
    with directions:
        picture()
        pictures.show_chart(dataset.shares(question))
else:
    picture()
if question.view == "classes":
    counts, histogram = st.columns(2, gap="medium")
    with counts:
        pictures.show_chart(dataset.counts(question))
    with histogram:
        pictures.show_chart(dataset.gray_levels(question))
questions.share_question(question)
explain.about("Fashion-MNIST", dataset.ABOUT)
