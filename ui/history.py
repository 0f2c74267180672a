"""The Training history page: the epoch under the scrubber, its samples, and every curve with a marker there."""

from __future__ import annotations

from dataclasses import replace
from html import escape

import streamlit as st

from genlib.charts.history import Moment
from genlib.errors import GenlibError
from genlib.questions.history import History, history
from ui import settings, zoo
from ui.controls import BOUND
from ui.pictures import show_chart
from ui.words import capitalised, line_of

LEGEND = '<span style="white-space: nowrap; font-size: .8rem"><b style="color: {}">{}</b> {} <b>{}</b></span>&ensp;'


def history_or_stop(entry: zoo.Entry) -> None:
    """Go on where there is a history, or say why there is none and how to get it back."""
    try:
        history(entry.name)
    except GenlibError as error:
        st.warning(
            f"{entry.name} has no training history: {line_of(error)}. {entry.remedy}",
            icon=":material/broken_image:",
        )
        settings.keep("history", settings.SHARED)
        st.stop()


def scrubber(entry: zoo.Entry, question: History) -> History:
    """The slider over the epochs whose samples were kept; the last unless moved."""
    epochs = question.past.sample_epochs
    epoch = epochs[0]
    if len(epochs) > 1:
        epoch = st.select_slider(capitalised(entry.unit), epochs, value=epochs[-1], key="epoch", **BOUND)
    return replace(question, epoch=epoch)


def show_charts(moment: Moment) -> None:
    """The curves side by side, each under its figures at the scrubber's epoch, which are its legend too."""
    panels = moment.panels
    for place, panel in zip(st.columns(len(panels), gap="medium") if panels else (), panels, strict=True):
        with place:
            here = panel.written_at(moment.epoch)
            st.markdown(f"**{panel.title}**")
            named = [(curve.colour, "●", escape(curve.name), text) for curve, text in here]
            if panel.photographs is not None:
                named.append(("inherit", "┄", "photographs", format(panel.photographs, panel.form)))
            st.html(" ".join(LEGEND.format(*each) for each in named))
            show_chart(moment.chart(panel), key=f"chart-{panel.title}")
