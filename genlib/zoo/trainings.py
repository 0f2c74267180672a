"""Other trainings of a model, the same settings from other seeds: how far another training would have moved a figure.

Figures alone are kept of them, in the model's metrics.json, and ten samples of each in trainings.png.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from genlib.errors import GenlibError
from genlib.images import grid, png_bytes
from genlib.io.files import write_file, write_json
from genlib.loading import load, model_directory, own_directory
from genlib.metrics.evaluation import MEASURED_BY
from genlib.sampling import generate
from genlib.zoo.card import write_card
from genlib.zoo.figures import TRAINED
from genlib.zoo.files import CONFIG_FILE, METRICS_FILE, OF_TRAININGS, SAID_OF_EACH, read_described, read_metrics

PICTURE = OF_TRAININGS[0]
SAMPLES = 10


def keep_trainings(name: str | Path, runs: Sequence[str | Path]) -> dict[str, Any]:
    """Keep the figures of finished runs beside a model's own, in place of those kept before; returns its metrics.json.

    `fd_trainings` and its like begin with the model's own figure. Raises GenlibError for a run of another preset or
    with another setting than its seed, a seed that is there twice, or figures of another protocol or fewer samples.
    """
    directory = own_directory(name)
    own = read_metrics(directory, SAID_OF_EACH)
    places = [directory, *map(model_directory, runs)]
    if len(places) < 2:
        raise GenlibError("give the directory of at least one other run")
    seeds = [_seed_of(place, directory) for place in places]
    if len(set(seeds)) < len(seeds):
        raise GenlibError(f"two of these trainings have the same seed: {', '.join(map(str, seeds))}")
    measured = [own, *(_figures_of(place, own) for place in places[1:])]
    kept = {"training_seeds": seeds, "training_devices": [each.get("train_device") for each in measured]}
    for key in TRAINED:
        values = [each.get(key) for each in measured]
        if None not in values:
            kept[f"{key}_trainings"] = values
    before = {key: value for key, value in own.items() if not key.endswith("_trainings")}
    rows = torch.cat([generate(load(place), SAMPLES)[0] for place in places])
    write_card(directory, before | kept)
    write_file(directory / PICTURE, png_bytes(grid(rows, columns=SAMPLES)))
    write_json(directory / METRICS_FILE, before | kept)
    return before | kept


def _seed_of(place: Path, directory: Path) -> int:
    """The seed of a training, every other setting of which must be the model's own."""
    theirs, ours = read_described(place), read_described(directory)
    if theirs["name"] != ours["name"]:
        raise GenlibError(f"{place} is a {theirs['name']}, not another training of {ours['name']}")
    for key in sorted((theirs["config"].keys() & ours["config"].keys()) - {"seed"}):
        if theirs["config"][key] != ours["config"][key]:
            raise GenlibError(f"{place} has {key}={theirs['config'][key]} where {directory} has {ours['config'][key]}")
    try:
        return int(theirs["config"]["seed"])
    except (KeyError, TypeError, ValueError) as error:
        raise GenlibError(f"{place / CONFIG_FILE} names no seed") from error


def _figures_of(place: Path, own: dict[str, Any]) -> dict[str, Any]:
    if not (place / METRICS_FILE).is_file():
        raise GenlibError(f"{place} is not a finished run: it was not measured")
    figures = read_metrics(place, SAID_OF_EACH)
    for key in ("samples", *MEASURED_BY):
        if figures.get(key) != own.get(key):
            raise GenlibError(f"{place} was measured with {key} {figures.get(key)}, the model with {own.get(key)}")
    return figures
