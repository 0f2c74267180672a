"""The model whose weights a run begins with, where it does not begin anew."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genlib.config import Config, GradientConfig
from genlib.errors import GenlibError
from genlib.io.files import write_json
from genlib.loading import load, model_directory
from genlib.model import Model, Preset, shapes_only
from genlib.training.loop import Run
from genlib.zoo.files import METRICS_FILE, RUN_FILE, read_described, read_run


@dataclass(frozen=True)
class Origin:
    """A model by the name it was asked for and its weights' SHA-256."""

    name: str
    sha256: str

    @classmethod
    def of(cls, name: str | Path, preset: Preset, config: Config) -> Origin:
        """The model of a name that `load` takes; GenlibError where there is none, or where a model of that preset and
        configuration cannot begin with its weights.
        """
        known = cls(name if isinstance(name, str) else os.path.abspath(name), _digest(name))  # a path stays one
        with shapes_only():
            model = preset.build(config)
        _fitting(known.name, preset.name, model)
        return known

    def check(self, directory: Path, checkpoint: Path) -> None:
        """GenlibError where a run has begun in another way."""
        begun = checkpoint.is_file() or (directory / METRICS_FILE).is_file()
        if not begun or not (directory / RUN_FILE).is_file():
            return
        if (known := read_run(directory).get("start_from")) != asdict(self):
            how = f"with the weights of {known['name']}" if known else "with new weights"
            raise GenlibError(f"{directory} began {how}; --start-from is for a new run")

    def note(self, directory: Path) -> None:
        """Keep it in run.json."""
        write_json(directory / RUN_FILE, read_run(directory) | {"start_from": asdict(self)})


def begin_from(run: Run, origin: dict[str, Any]) -> None:
    """Give a new run the weights of its origin, raw where those are kept; the average begins with them."""
    name = origin["name"]
    if _digest(name) != origin["sha256"]:
        raise GenlibError(f"{name} is not the model that the run began with (SHA-256 differs)")
    found = _fitting(name, run.preset.name, run.model)
    with torch.no_grad():
        for model in (run.model, run.average.model if run.average else run.model):
            model.load_state_dict(found)


def _digest(name: str | Path) -> str:
    return read_described(model_directory(name))["sha256"]


def _fitting(name: str, preset: str, model: Model) -> dict[str, Tensor]:
    """The raw weights of the model of that name; GenlibError where `model`, of that preset, cannot begin with them."""
    if not isinstance(model.config, GradientConfig):
        raise GenlibError(f"{preset} is fitted by expectation-maximisation, which takes no weights to start from")
    found, wanted = load(name, weights="raw").state_dict(), model.state_dict()
    for key in sorted(found.keys() | wanted.keys()):
        shapes = [tuple(state[key].shape) if key in state else None for state in (found, wanted)]
        if shapes[0] != shapes[1]:
            raise GenlibError(
                f"{name} does not fit {preset}: {key} has shape {shapes[0] or 'none'}, not {shapes[1] or 'none'}; "
                "--start-from takes a model of the same family and sizes"
            )
    return found
