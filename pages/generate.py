"""Generate: what does a model draw from noise?"""

import streamlit as st

from ui import controls, explain, generate, pictures, questions

controls.page(
    "generate", "Generate", "What does a model draw from noise? Move a slider and watch the same garments change."
)
asked = questions.seed_and_class(questions.asked("Generate"))


@st.fragment
def studio() -> None:
    """Controls, picture and exports: a slider reruns this alone."""
    widths = {"temperature": 165, "n": 150, "weights": 0, "mix": 150, "share": 150}
    question = questions.own_controls(asked, **widths, steps=150, solver=0, guidance=150)
    picture, sliders = st.columns([5, 2], gap="medium")
    with sliders:
        question = generate.move_sliders(question)
    with picture:
        pictures.show_tiles(question.images, min(question.n, 10), question.alt, question.heads, caption=question.alt)
        questions.share_question(question)


studio()
explain.how_it_works(questions.entry_of(asked))
