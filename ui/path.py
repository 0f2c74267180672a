"""The From noise page: a flow's way from noise to garment, and what its steps and its guidance are worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from genlib.drawing import CLASS_COLOURS
from genlib.errors import GenlibError
from genlib.metrics.floor import load_floor
from genlib.metrics.settings import Measured
from genlib.questions.keeping import loaded
from genlib.questions.trajectory import Trajectory, settings
from ui import questions
from ui.pictures import ABOVE, show_chart, show_tiles
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
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Are more steps better?** Frechet distance, lower is better")
        steps_chart(name)
    with right:
        st.markdown("**What does guidance buy?** Shares, higher is better")
        guidance_chart(name)
    st.caption(
        f"Each point: three sets of {found.samples:,} samples against the test images, with the standard deviation "
        f"between the sets, solver {found.solver}. {found.samples:,} photographs in their place score a distance of "
        f"{floor['fd']:.2f}, precision {floor['precision']:.0%} and recall {floor['recall']:.0%}. So few samples make "
        "distances larger than the leaderboard's: compare within these charts only."
    )


def steps_chart(name: str) -> None:
    """Distance by steps, a flow's students and photographs beside it; nothing where it was not measured."""
    found = settings(name)
    rows_ = found.by_steps(loaded(name).config.guidance) if found else []
    if not found or not rows_:
        return
    students = found.students()
    steps, floor = [row.steps for row in rows_], load_floor(found.samples)["fd"]
    traces = [_line(rows_, "fd", steps, rows_[0].model, 0)]
    traces += [_line([each], "fd", [1], f"{each.model}, one evaluation", i) for i, each in enumerate(students, start=1)]
    real = {"mode": "lines", "name": "photographs", "line": {"color": CLASS_COLOURS[8], "dash": "dot"}}
    traces.append({"type": "scatter", "x": [steps[0], steps[-1]], "y": [floor] * 2, **real})
    told = ", ".join(f"{row.figures['fd']:.2f} at {row.steps}" for row in rows_)
    told += "".join(f"; {row.model} {row.figures['fd']:.2f} in one" for row in students)
    x = {"type": "log", "title": "steps", "tickvals": steps}
    y = {"type": "log", "tickvals": [0.3, 1, 3, 10], "rangemode": "tozero"}
    alt = f"Frechet distance by steps: {told}; photographs {floor:.2f}"
    show_chart(traces, alt, 300, x, y, showlegend=True, legend=ABOVE)


def guidance_chart(name: str) -> None:
    """Precision, recall and how often the class is seen, by guidance; nothing where it was not measured."""
    found = settings(name)
    rows_ = found.by_guidance(loaded(name).config.steps) if found else []
    if not rows_:
        return
    names = {"precision": "precision", "recall": "recall", "class_consistency": "seen as the class asked for"}
    x = [row.guidance for row in rows_]
    traces = [_line(rows_, key, x, name, i) for i, (key, name) in enumerate(names.items())]
    told = "; ".join(
        f"at {row.guidance:g}: precision {row.figures['precision']:.0%}, recall {row.figures['recall']:.0%}, "
        f"seen as asked {row.figures['class_consistency']:.0%}"
        for row in rows_
    )
    y = {"range": [0, 1.02], "tickformat": ".0%", "rangemode": "tozero"}
    alt = f"Precision and recall by guidance, {told}"
    show_chart(traces, alt, 300, {"title": "guidance", "tickvals": x}, y, showlegend=True, legend=ABOVE)


def _line(found: list[Measured], key: str, x: list, name: str, colour: int) -> dict:
    spread = [row.spread[key] for row in found]
    return {
        "type": "scatter",
        "x": x,
        "y": [row.figures[key] for row in found],
        "error_y": {"array": spread, "thickness": 1},
        "mode": "lines+markers",
        "name": name,
        "line": {"color": CLASS_COLOURS[colour]},
        "customdata": [row.evaluations for row in found],
        "hovertemplate": "%{y:.3f}, %{customdata} evaluations of the network a sample",
    }
