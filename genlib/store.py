"""Models on disk: safetensors and JSON, checked before they are used. Nothing is ever unpickled.

A model's directory, shipped or the outcome of a run, holds model.safetensors (matrices in half precision, and beside
a GAN's weights those of its averaged generator under "averaged."), config.json (family, configuration and the
weights' SHA-256), metrics.json, history.json, samples.png, progress.png and README.md.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as build_safetensors
from torch import Tensor

from genlib.errors import GenlibError
from genlib.files import read_json, runs_directory, write_file, write_json
from genlib.model import Model, families, get_preset, resolve_device

FORMAT = 1
AVERAGED = "averaged."
WEIGHTS_FILE = "model.safetensors"


def weights_directory() -> Path:
    """Where shipped models live: $GENLIB_WEIGHTS, else weights/ beside the package."""
    given = os.environ.get("GENLIB_WEIGHTS")
    return Path(given) if given else Path(__file__).resolve().parent.parent / "weights"


def model_directory(name: str | Path) -> Path:
    """The directory of a preset's name, of runs/ID or of a path: GenlibError where it holds no model."""
    directory = Path(name)
    if directory.parts[:1] == ("runs",) and not directory.is_dir():
        directory = runs_directory().joinpath(*directory.parts[1:])
    if not (os.sep in str(name) or directory.is_dir()):
        directory = weights_directory() / get_preset(str(name)).name
    if not (directory / "config.json").is_file():
        raise GenlibError(f"{name} has no trained weights at {directory}; train it: python -m genlib train {name}")
    return directory


def save_model(directory: Path, name: str, model: Model, averaged: dict[str, Tensor]) -> None:
    """Write model.safetensors and config.json; `averaged` holds the averaged generator's tensors by name."""
    state = dict(model.state_dict()) | {AVERAGED + key: value for key, value in averaged.items()}
    data = build_safetensors({key: _shipped(value) for key, value in state.items()})
    config = {
        "format": FORMAT,
        "name": name,
        "family": model.family,
        "config": model.config.to_dict(),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    write_file(directory / WEIGHTS_FILE, data)
    write_json(directory / "config.json", config)


def _shipped(tensor: Tensor) -> Tensor:
    """Matrices and larger in half precision; vectors (biases, batch-norm statistics) and float64 as they are."""
    dense = tensor.detach().cpu().contiguous()
    return dense.half() if dense.ndim > 1 and dense.dtype == torch.float32 else dense


def load(name: str | Path, weights: str = "averaged", device: str = "cpu") -> Model:
    """A trained model, by preset name or directory, ready to sample from.

    `weights` chooses a GAN's generator: "averaged" over the last steps (it samples better) or "raw", the one the
    discriminator trained against; a family that keeps no average has one set of weights. Raises GenlibError, naming
    the file in one line, where one is missing, truncated, altered, of wrong shape or not finite.
    """
    if weights not in ("averaged", "raw"):
        raise GenlibError(f'weights takes "averaged" or "raw", not {weights!r}')
    directory = model_directory(name)
    try:
        model = _load(directory, weights)
    except GenlibError as error:
        raise GenlibError(f"{directory}: {error}") from error
    return model.to(resolve_device(device), memory_format=torch.channels_last)  # type: ignore[call-overload]


def _load(directory: Path, weights: str) -> Model:
    described = read_json(directory / "config.json")
    if described.get("format") != FORMAT:
        raise GenlibError(f"config.json is of format {described.get('format')!r}; this genlib reads {FORMAT}")
    family, config = described.get("family"), described.get("config")
    if not isinstance(family, str) or family not in families() or not isinstance(config, dict):
        raise GenlibError(f"config.json names no known family but {family!r}; known: {', '.join(families())}")
    model_class = families()[family]
    with torch.device("meta"):
        model = model_class(model_class.config_class.from_dict(config))
    tensors = _read_tensors(directory / WEIGHTS_FILE, described.get("sha256"))
    return _fill(model, tensors, weights)


def _read_tensors(path: Path, digest: Any) -> dict[str, Tensor]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise GenlibError(f"{path.name} cannot be read: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise GenlibError(f"{path.name} is damaged or not the file config.json describes (SHA-256 differs)")
    try:
        return parse_safetensors(data)
    except SafetensorError as error:
        raise GenlibError(f"{path.name} is not a safetensors file: {error}") from error


def _fill(model: Model, tensors: dict[str, Tensor], weights: str) -> Model:
    """Check every tensor against the model built from the config, then assign them in full precision."""
    expected = model.state_dict()
    prefixes = tuple(f"{part}." for part in model.averaged)
    wanted = expected | {AVERAGED + key: value for key, value in expected.items() if key.startswith(prefixes)}
    if tensors.keys() != wanted.keys():
        key = min(tensors.keys() ^ wanted.keys())
        raise GenlibError(f"{WEIGHTS_FILE} {'lacks' if key in wanted else 'holds an unknown'} tensor {key}")
    for key, tensor in tensors.items():
        if tensor.shape != wanted[key].shape:
            raise GenlibError(f"tensor {key} has shape {tuple(tensor.shape)}, not {tuple(wanted[key].shape)}")
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise GenlibError(f"tensor {key} holds numbers that are not finite")
    chosen = {
        key: tensors[AVERAGED + key if weights == "averaged" and key.startswith(prefixes) else key].to(value.dtype)
        for key, value in expected.items()
    }
    model.load_state_dict(chosen, assign=True)
    return model.eval().requires_grad_(False)
