"""Trained models for the pages: what is there, what it can do, loaded once and kept."""

from __future__ import annotations

import gc
import threading
from typing import Any

import streamlit as st

from genlib.errors import GenlibError
from genlib.loading import load, model_directory, weights_directory
from genlib.model import Model
from genlib.models import get_preset, released
from genlib.store import WEIGHTS_FILE
from genlib.zoo.catalogue import list_models, list_runs, run_in_words, scale_of_distance
from genlib.zoo.entry import Entry
from ui.words import line_of

DISTANCE = (
    "The Frechet distance says how far a model's pictures are from the test photographs, as a classifier of garments "
    f"sees both: 0 is perfect, {scale_of_distance({})}."
)
_HASHES: dict[str, str] = {}  # of the weights that the server has seen, by model
_HASHES_LOCK = threading.Lock()


@st.cache_data(ttl=30, show_spinner=False)
def entries() -> dict[str, Entry]:
    """Every shipped model by name, best Frechet distance first within a family, then every finished run."""
    there = [name for name in released() if (weights_directory() / name).is_dir()]
    models = [model for model in list_models() if model["name"] in there]
    runs = list_runs()
    _forget_replaced({model["name"]: model["sha256"] for model in [*models, *runs]})
    shipped = sorted(map(_shipped_entry, models), key=_order)
    return {entry.name: entry for entry in [*shipped, *map(_run_entry, runs)]}


def _forget_replaced(hashes: dict[str, str]) -> None:
    """Everything kept goes once the weights behind a name are others: pictures are kept by the model's name."""
    with _HASHES_LOCK:
        replaced = any(_HASHES.get(name, digest) != digest for name, digest in hashes.items())
        _HASHES.update(hashes)
    if replaced:
        st.cache_data.clear()
        st.cache_resource.clear()


def _order(entry: Entry) -> tuple[str, float]:
    return entry.family.casefold(), entry.metrics.get("fd", float("inf"))


def _shipped_entry(described: dict[str, Any]) -> Entry:
    preset, problem = get_preset(described["name"]), None
    try:
        load_model(preset.name)
    except GenlibError as error:
        problem = line_of(error)
    return Entry.of(described, preset.summary, problem)


def _run_entry(described: dict[str, Any]) -> Entry:
    summary = run_in_words(described["preset"], described["settings"])
    return Entry.of(described, summary, _looked_at(described["name"], described["sha256"], _stamp(described["name"])))


@st.cache_data(max_entries=500, show_spinner=False)
def _looked_at(name: str, sha256: str, stamp: tuple[int, int]) -> str | None:
    """The line that says why a run's model does not load; runs are many, so none is kept."""
    try:
        load(name)
    except GenlibError as error:
        return line_of(error)
    return None


def _stamp(name: str) -> tuple[int, int]:
    """By which a run's weights are looked at again once their file is another one."""
    try:
        found = (model_directory(name) / WEIGHTS_FILE).stat()
    except (GenlibError, OSError):
        return 0, 0
    return found.st_mtime_ns, found.st_size


def usable(*capabilities: str) -> dict[str, Entry]:
    """Models that loaded and, where some are named, have one of the capabilities."""
    return {
        name: entry
        for name, entry in entries().items()
        if entry.problem is None and (not capabilities or set(capabilities) & set(entry.capabilities))
    }


@st.cache_resource(max_entries=48, show_spinner=False)
def load_model(name: str, weights: str = "averaged") -> Model:
    """A model in memory, shared by every session and never changed.

    Streamlit collects garbage after every run of a script. With torch's hundred thousand objects to walk that takes
    longer than the picture, so what is loaded by now, and stays, is taken out of the collector's sight.
    """
    model = load(name, weights)
    gc.collect()
    gc.freeze()
    return model


def show_problems() -> None:
    """Say which models are out of order, why, and how to get them back."""
    for entry in entries().values():
        if entry.problem:
            st.warning(
                f"{entry.name} is not available: {entry.problem}. {entry.remedy}",
                icon=":material/broken_image:",
            )
