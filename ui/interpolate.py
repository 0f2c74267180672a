"""The Interpolate page: examples to walk between, and how even a walk is, in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from genlib.analysis.interpolation import EQUAL
from genlib.charts.interpolate import changes
from genlib.data import CLASS_NAMES
from genlib.questions.interpolate import SHOWN, STEPS, Interpolate, label_number_walk, unevenness, walk
from ui import questions

__all__ = ["CLASS_NAMES", "SHOWN", "STEPS", "changes", "label_number_walk", "walk"]
NUMBERS_HELP = (
    "Class numbers are names, not quantities: half-way from 6 (Shirt) to 4 (Coat) is 5 (Sandal), half-way from 0 "
    "(T-shirt/top) to 3 (Dress) rounds to 2 (Pullover). The walk above mixes the classes in the model's embedding."
)
JUMPS = (
    "This walk jumps. The model has Gaussians for each class and none between them. Asked for a mix of two classes, "
    "it takes a Gaussian of one of them; the shares are the chances of each."
)


def controls_row(question: Any) -> Any:
    """What to walk between, and how."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        question = replace(question, between=questions.control(question, "between", 0))
        question = questions.with_controls(question, start=135, end=135)
        if question.between == "classes":
            with st.container(horizontal=True, width="content", gap="small", key="examples"):
                for a, b in (("T-shirt/top", "Dress"), ("Shirt", "Coat")):
                    st.button(f"{a} → {b}", on_click=_choose, args=(a, b), help="An example of the studies")
        question = questions.with_controls(question, seed2=140, a=150, b=150, rows=160)
        if question.between != "classes" and "mixture" in question.can:
            st.caption("A mixture walks straight, in its own space.")
            question = replace(question, path="straight")
        elif "mixture" in question.can:
            st.caption(JUMPS)
            question = replace(question, path="straight")
        else:
            question = questions.with_controls(question, path=0)
    return question


def _choose(start: str, end: str) -> None:
    st.session_state["from"], st.session_state["to"] = start, end


def evenness(question: Interpolate) -> str:
    """What equal steps in feature space have changed, in words; nothing where they were not asked for."""
    if question.equal == EQUAL[0]:
        return ""
    now, before = unevenness(question), unevenness(replace(question, equal=EQUAL[0]))
    return (
        f"To a classifier these steps differ by {now:.0%} of their mean (coefficient of variation); "
        f"with equal steps in the input it would be {before:.0%}."
    )
