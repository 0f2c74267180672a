"""Trained models for the pages: what is there, what it can do, loaded once and kept."""

from __future__ import annotations

import gc
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from genlib.errors import GenlibError
from genlib.loading import load, model_directory, weights_directory
from genlib.metrics.evaluation import EVALUATION_SAMPLES
from genlib.model import Model, keeps_raw, unit_of_training
from genlib.models import families, get_preset, released
from genlib.store import WEIGHTS_FILE
from genlib.zoo.catalogue import list_models, list_runs, scale_of_distance
from genlib.zoo.figures import written
from genlib.zoo.files import SAID_OF_EACH
from ui.words import line_of

_HASHES: dict[str, str] = {}  # of the weights that the server has seen, by model
_HASHES_LOCK = threading.Lock()


@dataclass(frozen=True)
class Entry:
    """A model with weights that loaded, or the one line that says why it did not."""

    name: str
    family: str
    summary: str
    capabilities: tuple[str, ...]
    metrics: dict[str, Any]
    problem: str | None = None

    @property
    def is_run(self) -> bool:
        """Trained here, not shipped."""
        return self.name.startswith("runs/")

    @property
    def remedy(self) -> str:
        """What to do about damaged files."""
        return "Delete it on the Train page." if self.is_run else f"`git checkout weights/{self.name}` restores it."

    @property
    def averaged(self) -> bool:
        """Whether its generator is the average of its last steps."""
        return keeps_raw(families()[self.family])

    @property
    def unit(self) -> str:
        """What its training counts."""
        return unit_of_training(self.capabilities)

    @property
    def few(self) -> str:
        """What is to be said behind a distance that was measured on fewer samples than the protocol's."""
        samples = self.metrics.get("samples", EVALUATION_SAMPLES)
        return f" of {samples:,} samples" if samples < EVALUATION_SAMPLES else ""

    @property
    def figures(self) -> str:
        """How good, how big, how long trained, for a card; empty where the figures are missing."""
        if not self.metrics:
            return ""
        count = self.metrics["parameters"]
        size = f"{count / 1e6:.1f} M parameters" if count >= 50_000 else f"{count / 1e3:.1f} k parameters"
        trained = f"{self.metrics['train_epochs']:,} {self.unit}s"
        return f"Frechet distance **{self.metrics['fd']:.1f}**{self.few} · {size} · {trained}"

    @property
    def caption(self) -> str:
        """One line for a picker: what it is, how good, how big."""
        family = self.family[0].upper() + self.family[1:]
        if not self.metrics:
            return f"**{family}.** {self.summary}"
        floor = self.metrics.get("floor") or {}
        scale = scale_of_distance(self.metrics)
        if self.few:
            number = f"{floor['samples']:,} " if "samples" in floor else ""
            scale = f"a quick look, biased upwards: {number}real photographs score {self.metrics['fd_floor']:.2f}"
        return (
            f"**{family}.** {self.summary} Frechet distance {written(self.metrics, 'fd')}{self.few} ({scale}); "
            f"{self.metrics['parameters']:,} parameters."
        )


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
    return _entry(described, preset.summary, problem)


def _run_entry(described: dict[str, Any]) -> Entry:
    summary = f"A run of {described['preset']} with {told(described['settings'])}."
    return _entry(described, summary, _looked_at(described["name"], described["sha256"], _stamp(described["name"])))


def _entry(described: dict[str, Any], summary: str, problem: str | None) -> Entry:
    metrics = described["metrics"] or {}
    return Entry(
        name=described["name"],
        family=described["family"],
        summary=summary,
        capabilities=tuple(described["capabilities"]),
        metrics=metrics if metrics.keys() >= set(SAID_OF_EACH) else {},
        problem=problem,
    )


def told(settings: Mapping[str, Any]) -> str:
    """Changed settings in words."""
    words = [f"{key.replace('_', ' ')} {value}" for key, value in settings.items()]
    return ", ".join(words) or "its own settings"


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
