"""The live page within Streamlit: its engine, the addresses of the models' files, and which stand side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.runtime import exists, get_instance

from genlib.errors import GenlibError
from genlib.live.export import PROGRAM_FILE, WEIGHTS_FILE, exported
from genlib.models import students_of
from genlib.zoo.figures import written
from ui import controls, settings, zoo
from ui.static import STATIC, source
from ui.words import line_of, plain

KEYS = (
    "n",
    "temperature",
    "moves",
    "at",
    "walk",
    "nfe",
    "guidance",
    "taken",
)  # of address.js
PICTURES_FIRST = STATIC / "studio" / "live.css"
REFUSED = "refused beside"  # in the session: the models that stand beside the first, and why others of a link do not
MOST_BESIDE = 3  # models beside the first, as static/live/page.js
Source = dict[str, object]  # of a model, as static/live/pane.js

_mount = st.components.v2.component(
    "genlib_live", html='<div class="live"></div>', css=source("live/page.css"), js=source("studio/live.js")
)


def beside_control(entry: zoo.Entry) -> list[zoo.Entry]:
    """Up to three more models; a line for each of a link's that cannot be among them."""
    models = {name: each for name, each in zoo.usable().items() if name != entry.name}
    _seat_the_models_of_the_address(entry, list(models))
    notes = st.container()  # always there, so that what comes below keeps its place
    names = controls.beside_control(list(models), MOST_BESIDE)
    seated, lines = st.session_state.get(REFUSED, ([], []))
    for line in lines if names == seated else []:
        notes.warning(line)
    return [models[name] for name in names]


def _seat_the_models_of_the_address(entry: zoo.Entry, models: list[str]) -> None:
    """Put right what Streamlit would, which drops what is no control's from the address as well."""
    given = settings.asked("beside")
    asked = [name for name in dict.fromkeys(given) if name != entry.name]
    known = [name for name in asked if name in models]
    seated = known[:MOST_BESIDE]
    if seated == given or settings.settings().settled:
        return
    strange = [plain(name[:60]) for name in asked if name not in zoo.entries()][: MOST_BESIDE + 1]
    lines = [f"{name} is not a model of this studio." for name in strange]
    if late := known[MOST_BESIDE:]:
        lines.append(f"At most {MOST_BESIDE + 1} models stand side by side; left out: {', '.join(late)}.")
    st.session_state[REFUSED] = seated, lines
    settings.correct("beside", seated)


def live(entries: Sequence[zoo.Entry], seed: int, label: int | None) -> None:
    """The grids and their controls; one line for a model that has no program or whose files are damaged."""
    models: list[Source] = []
    refused: list[str] = []
    for place, entry in enumerate(entries):
        try:
            models.append(_source(entry, f"live-{place}"))
        except GenlibError as error:
            refused.append(f"{entry.name}: {line_of(error)}")
    if models:
        _mount(key="live", data={"models": models, "seed": seed, "label": label})
    for line in refused:  # below, so that the grids keep their place
        st.warning(line)
    if any({"conditional", "mixture"} <= set(entry.capabilities) for entry in entries):
        st.caption(
            "Between two classes a mixture's garments jump: each class has Gaussians of its own, and none lie between."
        )


def _source(entry: zoo.Entry, place: str) -> Source:
    found: Source = {"name": entry.name, "distance": written(entry.metrics, "fd"), **_files(entry.name, place)}
    for student in students_of(entry.name):
        if student in zoo.usable():
            found["student"] = {"name": student, **_files(student, f"{place}-student")}
    return found


def _files(name: str, place: str) -> dict[str, str]:
    files = exported(name)
    return {"program": _address(files / PROGRAM_FILE, place), "weights": _address(files / WEIGHTS_FILE, place)}


def _address(file: Path, place: str) -> str:
    """Where the browser finds a file as long as this session lasts and no other takes its place."""
    kind = "application/json" if file.suffix == ".json" else "application/octet-stream"
    if not exists():
        return file.name
    return get_instance().media_file_mgr.add(str(file), kind, f"{place}-{file.name}").lstrip("/")
