"""Training history: how did a model learn?"""

import streamlit as st

from ui import controls, explain, history, pictures, questions

controls.page(
    "history",
    "Training history",
    "How did a model learn? Move the slider: the noise stays, the model learns.",
)
asked = questions.asked("History")
entry = questions.entry_of(asked)
history.history_or_stop(entry)


@st.fragment
def studio() -> None:
    """Scrubber, samples and curves: a move reruns this alone."""
    question = history.scrubber(entry, asked)
    moment = history.Moment(entry, question.past, question.shown)
    pictures.show_tiles(question.images, 10, question.alt, question.heads, caption=question.alt)
    history.show_charts(moment)
    questions.share_question(question)
    st.caption(moment.reading)


studio()
explain.how_it_works(entry)
