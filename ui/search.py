"""A reconstruction while it is found: rows of pictures that get better, kept once finished, and errors by class."""

from __future__ import annotations

from collections import OrderedDict
from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genlib.analysis.reconstruction import Reconstruction, difference, reconstructions, squared_errors
from genlib.charts.reconstruct import errors as chart_of
from genlib.data import CLASS_NAMES
from genlib.questions.keeping import loaded
from genlib.questions.reconstruct import Reconstruct, mean_errors, others_errors
from ui import pictures

KEPT = 64  # finished searches


@st.cache_resource(max_entries=1, show_spinner=False)
def _finished() -> OrderedDict[tuple, Reconstruction]:
    """The last searches that came to their end, for all sessions."""
    return OrderedDict()


def _key(question: Reconstruct) -> tuple:
    """Everything that decides the reconstruction."""
    return question.model, question.seed, question.images.numpy().tobytes(), question.labels.numpy().tobytes()


def follow(question: Reconstruct) -> Reconstruction:
    """The rows, while they get better: a search can be stopped, and what it reached stays."""
    bar, place = st.empty(), st.empty()
    found = _finished().get(_key(question)) or _stopped(_key(question))
    if found is None:
        found = _search(question, bar, place)
    else:
        _show(place, question, found)
    if found.step < found.steps:
        with bar.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"Stopped at step {found.step} of {found.steps}.")
            st.button("Search again", key="again", on_click=st.session_state.pop, args=("stopped", None))
    return found


def _stopped(key: tuple) -> Reconstruction | None:
    """What this visitor's search had reached when it was stopped."""
    state = st.session_state
    reached, found = state.get("reached", (None, None))
    return found if state.get("stopped") == reached == key else None


def _search(question: Reconstruct, bar: DeltaGenerator, place: DeltaGenerator) -> Reconstruction:
    """Search to the end, which is kept for all, or until it is stopped; a model that encodes is at its end at once."""
    key, state, finished = _key(question), st.session_state, _finished()
    if question.is_searched:
        with bar.container(horizontal=True, vertical_alignment="center"):
            progress = st.progress(0.0, f"Searching the noise of {question.model}")
            st.button("Stop searching", key="stop", on_click=state.__setitem__, args=("stopped", key))
    for found in reconstructions(loaded(question.model), question.images, question.labels, question.seed):
        state["reached"] = key, found
        _show(place, question, found)
        if state.get("stopped") == key:
            return found
        if found.steps > 1:
            progress.progress(found.step / found.steps, f"Step {found.step} of {found.steps}")
    bar.empty()
    finished[key] = found
    while len(finished) > KEPT:
        finished.popitem(last=False)
    return found


def _show(place: DeltaGenerator, question: Reconstruct, found: Reconstruction) -> None:
    """Rows of originals, reconstructions with their errors, differences, and new samples where asked for.

    A single image stands beside what became of it.
    """
    images, samples = question.images.numpy(), question.samples
    single = len(images) == 1
    columns = 1 if single else max(len(images), 5)
    shown = f"{len(images)} {'picture of your own' if question.file else 'test images'}"
    errors = [f"{error:.4f}" for error in found.errors]
    lighter = "Reconstruction minus original: orange where it is lighter, blue where it is darker"
    rows = [
        ("Original", question.heads, images, f"{shown}, the originals"),
        ("Reconstruction, its error", errors, found.images.numpy(), f"{shown} reconstructed by {question.model}"),
        ("Difference", [" "] if single else [], difference(question.images, found.images), lighter),
    ]
    if samples is not None:
        others = [f"{error:.4f}" for error in squared_errors(question.images, samples)]
        alt = f"New samples of {question.model} of the same classes, seed {question.seed}"
        rows.append(("New sample of the class, no reconstruction; its error", others, samples.numpy(), alt))
    with place.container(horizontal=single, gap="medium" if single else "small"):
        for title, heads, tiles, alt in rows:
            with st.container(width=170 if single else "stretch", gap="small"):
                _heads(title, heads, columns)
                pictures.show_tiles(tiles, columns, alt)


def _heads(title: str, heads: list[str], columns: int) -> None:
    cells = "".join(f"<span>{escape(head)}</span>" for head in [*heads, *[""] * (columns - len(heads))])
    row = f'<div class="genlib-heads">{cells}</div>' if heads else ""
    st.html(f'<div style="font-weight: 600; font-size: .9rem">{escape(title)}</div>{row}')


def error_by_class(question: Reconstruct, found: Reconstruction) -> None:
    """Bars of the mean error of each class: over many test images at once, or over those searched."""
    if not question.is_searched:
        errors = mean_errors(question.model, question.measured)
        title = f"**Error by class**, mean over the first {question.measured:,} test images"
    elif not question.file and question.chosen_class() is None and question.n > 1:
        errors = {label: float(found.errors[question.labels == label].mean()) for label in question.labels.tolist()}
        title = "**Error by class**, of the images above: one of each class, so read it with care"
    else:
        return
    pictures.show_chart(chart_of(question.model, errors, title))
    others = others_errors()
    told = ", ".join(f"{CLASS_NAMES[label]} {others[label]:.3f}" for label in errors)
    st.caption(f"**For comparison**, the error of another photograph of the class in the image's place: {told}.")
