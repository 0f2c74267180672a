"""Discriminator: can a GAN's own judge tell real from fake?"""

import streamlit as st

from ui import controls, discriminator, explain, pictures, questions

controls.page(
    "discriminator",
    "Discriminator",
    "Can the discriminator still tell real from fake? When a GAN's two networks are in balance, it is often wrong.",
)
asked = questions.seed_and_class(questions.asked("Discriminator"))


@st.fragment
def studio() -> None:
    """Everything follows the threshold, and reruns alone."""
    question = questions.own_controls(asked, threshold=200, n=200, norm=0)
    pictures.show_chart(discriminator.pies(question))
    st.caption(discriminator.WHAT_IS_JUDGED)
    if question.applies("norm"):
        st.caption(discriminator.LAG)
    st.caption(discriminator.trained_again(question))
    questions.share_question(question)
    left, right = st.columns(2, gap="medium")
    with left:
        pictures.show_chart(discriminator.scores(question))
    with right:
        pictures.show_chart(discriminator.roc(question))
    pictures.show_chart(discriminator.by_class(question))
    discriminator.show_extremes(question)


studio()
explain.how_it_works(questions.entry_of(asked))
