"""Training history: how did a model learn?"""

import streamlit as st

from ui import controls, explain, history, pictures
from ui.share import share

controls.page(
    "history",
    "Training history",
    "How did a model learn? Move the slider: the noise stays, the model learns.",
)
entry = controls.model_picker()
past = history.history_or_stop(entry)


@st.fragment
def studio() -> None:
    """Scrubber, samples and curves: a move reruns this alone."""
    moment = history.scrubber(entry, past)
    pictures.show_tiles(moment.images, history.ROW, moment.alt, moment.heads, caption=moment.alt)
    history.show_charts(moment)
    share("history", moment.query, moment.code, moment.downloads())
    st.caption(moment.reading)


studio()
explain.how_it_works(entry)
