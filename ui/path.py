"""The From noise page: a flow's way from noise to garment, and what its steps and its guidance are worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from genlib.drawing import CLASS_COLOURS
from genlib.errors import GenlibError, without_places
from genlib.metrics.floor import load_floor
from genlib.metrics.settings import Measured
from genlib.questions.keeping import loaded
from genlib.questions.trajectory import Trajectory, settings
from ui import questions
from ui.pictures import STILL, show_tiles


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
        st.warning(without_places(str(error)), icon=":material/broken_image:")
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
    from ui.charts import go

    found = settings(name)
    rows_ = found.by_steps(loaded(name).config.guidance) if found else []
    if not found or not rows_:
        return
    floor = load_floor(found.samples)["fd"]
    figure = go.Figure()
    figure.add_scatter(**_line(rows_, "fd", [row.steps for row in rows_], name=rows_[0].model, colour=0))
    for i, student in enumerate(found.students(), start=1):
        figure.add_scatter(**_line([student], "fd", [1], name=f"{student.model}, one evaluation", colour=i))
    real = {"color": CLASS_COLOURS[8], "dash": "dot"}
    figure.add_scatter(x=[rows_[0].steps, rows_[-1].steps], y=[floor] * 2, mode="lines", name="photographs", line=real)
    figure.update_xaxes(type="log", title="steps", tickvals=[row.steps for row in rows_])
    _lay_out(figure)
    figure.update_yaxes(type="log", tickvals=[0.3, 1, 3, 10])
    told = ", ".join(f"{row.figures['fd']:.2f} at {row.steps}" for row in rows_)
    told += "".join(f"; {row.model} {row.figures['fd']:.2f} in one" for row in found.students())
    st.plotly_chart(figure, config=STILL, alt=f"Frechet distance by steps: {told}; photographs {floor:.2f}")


def guidance_chart(name: str) -> None:
    """Precision, recall and how often the class is seen, by guidance; nothing where it was not measured."""
    from ui.charts import go

    found = settings(name)
    rows_ = found.by_guidance(loaded(name).config.steps) if found else []
    figure = go.Figure()
    names = {"precision": "precision", "recall": "recall", "class_consistency": "seen as the class asked for"}
    for i, (key, name) in enumerate(names.items()):
        figure.add_scatter(**_line(rows_, key, [row.guidance for row in rows_], name=name, colour=i))
    figure.update_xaxes(title="guidance", tickvals=[row.guidance for row in rows_])
    _lay_out(figure)
    figure.update_yaxes(range=[0, 1.02], tickformat=".0%")
    told = "; ".join(
        f"at {row.guidance:g}: precision {row.figures['precision']:.0%}, recall {row.figures['recall']:.0%}, "
        f"seen as asked {row.figures['class_consistency']:.0%}"
        for row in rows_
    )
    st.plotly_chart(figure, config=STILL, alt=f"Precision and recall by guidance, {told}")


def _line(found: list[Measured], key: str, x: list, name: str, colour: int) -> dict:
    spread = [row.spread[key] for row in found]
    return {
        "x": x,
        "y": [row.figures[key] for row in found],
        "error_y": {"array": spread, "thickness": 1},
        "mode": "lines+markers",
        "name": name,
        "line": {"color": CLASS_COLOURS[colour]},
        "customdata": [row.evaluations for row in found],
        "hovertemplate": "%{y:.3f}, %{customdata} evaluations of the network a sample",
    }


def _lay_out(figure) -> None:
    figure.update_layout(
        height=300,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    figure.update_yaxes(rangemode="tozero")
