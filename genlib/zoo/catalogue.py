"""The zoo as a list: what there is, what it can do, and what was measured of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genlib.errors import GenlibError
from genlib.io.fields import TEXT, read_fields
from genlib.io.files import may_look_into, runs_directory
from genlib.loading import SHIPPED, weights_directory
from genlib.metrics.floor import load_floor, load_random
from genlib.model import Preset, capabilities, shapes_only
from genlib.models import get_preset, presets, released
from genlib.store import check_names
from genlib.zoo.figures import FIGURES, RANDOM, REAL, written
from genlib.zoo.files import CONFIG_FILE, DESCRIBED, METRICS_FILE, SAID_OF_EACH, read_described, read_metrics


def list_models() -> list[dict[str, Any]]:
    """Every preset: {name, family, capabilities, parameters, trained_epochs, metrics, sha256}.

    `sha256` (of model.safetensors), `trained_epochs` and `metrics` are None while no weights are shipped.
    """
    return [_entry(preset) for preset in presets().values()]


def trained() -> list[str]:
    """The names of the shipped models whose training is over and whose weights are here."""
    return [name for name in released() if (weights_directory() / name / "config.json").is_file()]


def all_trained() -> list[str]:
    """`trained`, for what is to be done with every one; GenlibError where there is none."""
    if not (names := trained()):
        raise GenlibError(f"no trained model is in {weights_directory()}; GENLIB_WEIGHTS names a directory of models")
    return names


def list_runs() -> list[dict[str, Any]]:
    """Every finished run of the runs' directory, as `list_models` has models, and its preset and changed settings.

    A run is named runs/ID, and `load` takes that name. One with damaged files is left out, for `Queue.jobs` says what
    is wrong with it; so is the run that a shipped model comes from.
    """
    shipped = {_shipped(preset)[1] for preset in presets().values()}
    names = sorted(runs_directory().glob("[!.]*"))
    places = [path for path in names if TEXT.fits(path.name) and may_look_into(path)]
    found = [_run(path) for path in places if (path / METRICS_FILE).is_file()]
    return [run for run in found if run and run["sha256"] not in shipped]


def _run(directory: Path) -> dict[str, Any] | None:
    try:
        described, metrics = read_described(directory), read_metrics(directory, SAID_OF_EACH)
        check_names(described)
        preset = get_preset(described["name"])
        return {
            "name": f"runs/{directory.name}",
            "family": preset.family,
            "capabilities": capabilities(preset.model_class),
            "parameters": metrics["parameters"],
            "trained_epochs": metrics["train_epochs"],
            "metrics": metrics,
            "sha256": described["sha256"],
            "preset": preset.name,
            "settings": changed_settings(preset, described["config"]),
        }
    except GenlibError:
        return None


def changed_settings(preset: Preset, config: dict[str, Any]) -> dict[str, Any]:
    """The fields of a configuration, as JSON has it, that differ from the preset's own."""
    own = preset.config.to_dict()
    return {key: value for key, value in config.items() if own.get(key) != value}


def summary_of(described: Mapping[str, Any]) -> str:
    """A model in a sentence, from its config.json: the preset's own, which is of its settings, or what was changed."""
    preset = get_preset(described["name"])
    return preset.summary if is_presets(described) else run_in_words(preset.name, changed_of(described))


def differs_of(described: Mapping[str, Any]) -> str:
    """Where a model differs from its study; empty where its settings are not those that this is told of."""
    return get_preset(described["name"]).differs if is_presets(described) else ""


def is_presets(described: Mapping[str, Any]) -> bool:
    """Whether what is told of a preset holds: of its own settings, and of the model that ships, which may be older.

    That one is beside the package, whatever $GENLIB_WEIGHTS is.
    """
    return not changed_of(described) or described["sha256"] == _digest(SHIPPED / described["name"])


def changed_of(described: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a config.json that differ from the preset's own."""
    return changed_settings(get_preset(described["name"]), described["config"])


def run_in_words(name: str, settings: Mapping[str, Any]) -> str:
    """A run of a preset and its changed settings in a sentence."""
    return f"A run of {name} with {settings_in_words(settings)}."


def settings_in_words(settings: Mapping[str, Any]) -> str:
    """Changed settings in words."""
    words = [f"{key.replace('_', ' ')} {value}" for key, value in settings.items()]
    return ", ".join(words) or "its own settings"


def markdown_table(short: bool = False) -> str:
    """The zoo as a Markdown table below real images and random pixels: every measure, for docs/models.md; or, `short`,
    six columns for the README, best Frechet distance first.
    """
    columns, weights = (_SHORT, "weights") if short else (COLUMNS, "../weights")
    heads = ["model", "family", *(FIGURES[key].title if short else FIGURES[key].short for key in columns)]
    rows = [heads, ["---"] * len(heads)]
    shipped = [model for model in list_models() if model["metrics"]]
    if short:
        shipped.sort(key=lambda model: model["metrics"].get("fd", math.inf))
    if shipped:
        rows.append([f"*{REAL}*", "", *(written(load_floor(), key) for key in columns)])
        rows.append([f"*{RANDOM}*", "", *(written(load_random(), key) for key in columns)])
    for model in shipped:
        cells = [written(model["metrics"], key) for key in columns]
        rows.append([f"[`{model['name']}`]({weights}/{model['name']}/README.md)", model["family"], *cells])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def scale_of_distance(metrics: Mapping[str, Any]) -> str:
    """What a model's Frechet distance is to be read against, and what other trainings of the model score."""
    ends = f"photographs score {written(load_floor(), 'fd')}, random pixels {load_random()['fd']:.0f}"
    others = [f"{fd:.2f}" for fd in (metrics.get("fd_trainings") or [])[1:]]
    return f"{ends}; trained anew: {' and '.join(others)}" if others else ends


_SHORT = ("fd", "fd_second", "recall", "parameters")
COLUMNS = (  # of figures, in the whole table
    *("fd", "fd_second", "fd_raw", "kid", "precision", "recall", "density", "coverage", "class_consistency", "cas"),
    *("balance_kl", "nearest_train", "mse", "ssim", "parameters", "ms_64", "train_epochs"),
)


def _entry(preset: Preset) -> dict[str, Any]:
    metrics, digest = _shipped(preset)
    known = metrics or {}  # which may be of an older protocol, or lack one
    return {
        "name": preset.name,
        "family": preset.family,
        "capabilities": capabilities(preset.model_class),
        "parameters": known.get("parameters") or _count_parameters(preset),
        "trained_epochs": known.get("train_epochs"),
        "metrics": metrics,
        "sha256": digest,
    }


def _count_parameters(preset: Preset) -> int:
    with shapes_only():
        return preset.build().parameter_count()


def _digest(directory: Path) -> str | None:
    """The SHA-256 of a model's weights, None where no model is there."""
    try:
        return str(read_fields(directory / CONFIG_FILE, DESCRIBED, ("sha256",))["sha256"])
    except GenlibError:
        return None


def _shipped(preset: Preset) -> tuple[dict[str, Any] | None, str | None]:
    directory = weights_directory() / preset.name
    if preset.in_training:
        return None, None
    try:
        metrics = read_metrics(directory)
    except GenlibError:
        return None, None
    digest = _digest(directory)
    return (metrics, digest) if digest else (None, None)
