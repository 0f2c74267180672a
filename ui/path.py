"""The From noise page: a flow's way from noise to garment, and what its steps and its guidance are worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from genlib.charts.trajectory import by_guidance, by_steps
from genlib.errors import GenlibError
from genlib.metrics.floor import load_floor
from genlib.questions.trajectory import Trajectory, settings
from ui import questions
from ui.pictures import show_chart, show_tiles
from ui.words import line_of


def placed(question: Any) -> Any:
    """The slider along the way: how many steps have been taken."""
    if st.session_state.get("at", 0) > question.value("steps"):
        st.session_state["at"] = question.value("steps")
    return questions.with_controls(question, at=0)


def show_place(question: Trajectory) -> None:
    """The samples where the slider stands, over the ends expected from there."""
    alt = f"Ten samples of {question.model} on their way, and the ends expected. {question.said}"
    show_tiles(question.images, question.columns, alt, question.heads, caption=question.said)


def show_whole(question: Trajectory) -> None:
    """The first sample's whole way as a strip."""
    times, images, expected = question.way
    chosen = np.linspace(0, len(times) - 1, min(len(times), 11)).round().astype(int)
    st.markdown("**One garment, the whole way.** Above where it is, below what the model expects from there.")
    alt = f"The first sample of {question.model} at {len(chosen)} of its points, from noise to image"
    heads = [f"{times[i]:.2f}" for i in chosen]
    show_tiles(np.concatenate([images[chosen, 0], expected[chosen, 0]]), len(chosen), alt, heads)


def show_settings(name: str) -> None:
    """Steps against distance, guidance against precision and recall, as they were measured and kept."""
    try:
        found = settings(name)
        floor = load_floor(found.samples) if found else {}
    except GenlibError as error:
        st.warning(line_of(error), icon=":material/broken_image:")
        return
    if found is None:
        st.caption(
            f"How good {name} is at other settings was not measured: `genlib path {name} --keep` does, in half an hour."
        )
        return
    for place, chart in zip(st.columns(2, gap="medium"), (by_steps(name), by_guidance(name)), strict=True):
        with place:
            if chart is not None:
                show_chart(chart)
    st.caption(
        f"Each point: three sets of {found.samples:,} samples against the test images, with the standard deviation "
        f"between the sets, solver {found.solver}. {found.samples:,} photographs in their place score a distance of "
        f"{floor['fd']:.2f}, precision {floor['precision']:.0%} and recall {floor['recall']:.0%}. So few samples make "
        "distances larger than the leaderboard's: compare within these charts only."
    )
