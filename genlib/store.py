"""Models on disk: safetensors and JSON, checked before they are used. Nothing is ever unpickled.

A model's directory, shipped or the outcome of a run, holds model.safetensors (matrices in half precision, and beside
a GAN's weights those of its averaged generator under "averaged."), config.json (family, configuration and the
weights' SHA-256), metrics.json, history.json, samples.png, progress.png and README.md.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as build_safetensors
from torch import Tensor

from genlib.errors import GenlibError, parsing, shown
from genlib.io.files import read_file, read_json, write_file, write_json
from genlib.model import Model, keeps_raw, shapes_only
from genlib.models import families, presets

FORMAT = 1
AVERAGED = "averaged."
WEIGHTS_FILE = "model.safetensors"
_HEADER = 1_000_000  # bytes of a safetensors header, at most


def save_model(directory: Path, name: str, model: Model, averaged: dict[str, Tensor]) -> None:
    """Write model.safetensors and config.json; `averaged` holds the averaged generator's tensors by name."""
    state = dict(model.state_dict()) | {AVERAGED + key: value for key, value in averaged.items()}
    data = build_safetensors({key: shipped(value) for key, value in state.items()})
    config = {
        "format": FORMAT,
        "name": name,
        "family": model.family,
        "config": model.config.to_dict(),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    write_file(directory / WEIGHTS_FILE, data)
    write_json(directory / "config.json", config)


def shipped(tensor: Tensor) -> Tensor:
    """Matrices and larger in half precision; vectors (biases, batch-norm statistics) and float64 as they are."""
    dense = tensor.detach().cpu().contiguous()
    return dense.half() if dense.ndim > 1 and dense.dtype == torch.float32 else dense


def read_model(directory: Path, weights: str) -> Model:
    """The model of a directory, checked, on the CPU."""
    described = read_json(directory / "config.json")
    model = described_model(described)
    tensors = _read_tensors(directory / WEIGHTS_FILE, described.get("sha256"), largest_weights(model))
    return _fill(model, tensors, weights)


def described_model(described: dict[str, Any]) -> Model:
    """The model of a config.json without its weights, which takes no memory whatever the sizes it names."""
    if described.get("format") != FORMAT:
        raise GenlibError(f"config.json is of format {shown(described.get('format'))}; this genlib reads {FORMAT}")
    family, config = described.get("family"), described.get("config")
    if not isinstance(family, str) or family not in families() or not isinstance(config, dict):
        raise GenlibError(f"config.json names no known family but {shown(family)}; known: {', '.join(families())}")
    check_names(described)
    model_class = families()[family]
    with shapes_only():
        return model_class(model_class.config_class.from_dict(config))


def check_names(described: dict[str, Any]) -> None:
    """GenlibError where a config.json gives a preset's name to a model of another family."""
    preset = presets().get(str(described.get("name")))
    if preset and preset.family != described.get("family"):
        raise GenlibError(
            f"config.json names {preset.name}, which is a {preset.family} model, but its family is "
            f"{shown(described.get('family'))}"
        )


def largest_weights(model: Model) -> int:
    """Bytes that model.safetensors takes at most: every tensor in full precision, and the header."""
    return _HEADER + sum(tensor.numel() * tensor.element_size() for tensor in _wanted(model).values())


def _wanted(model: Model) -> dict[str, Tensor]:
    """The tensors of a model's file by name: its own, and its averaged generator's."""
    expected = model.state_dict()
    return expected | {AVERAGED + key: value for key, value in expected.items() if key.startswith(_prefixes(model))}


def _prefixes(model: Model) -> tuple[str, ...]:
    return tuple(f"{part}." for part in model.averaged) if keeps_raw(model) else ()


def _read_tensors(path: Path, digest: Any, most: int) -> dict[str, Tensor]:
    data = read_file(path, most)
    if hashlib.sha256(data).hexdigest() != digest:
        raise GenlibError(f"{path.name} is damaged or not the file config.json describes (SHA-256 differs)")
    if int.from_bytes(data[:8], "little") > _HEADER:  # which may name a million tensors of no size
        raise GenlibError(f"{path.name} is not a safetensors file: a header takes at most {_HEADER:,} bytes")
    with parsing(f"{path.name} is not a safetensors file"):
        return parse_safetensors(data)


def _fill(model: Model, tensors: dict[str, Tensor], weights: str) -> Model:
    """Check every tensor against the model built from the config, then assign them in full precision."""
    wanted, prefixes = _wanted(model), _prefixes(model)
    if tensors.keys() != wanted.keys():
        key = min(tensors.keys() ^ wanted.keys())
        raise GenlibError(f"{WEIGHTS_FILE} {'lacks' if key in wanted else 'holds an unknown'} tensor {shown(key)}")
    for key, tensor in tensors.items():
        _check(key, tensor, wanted[key])
    chosen = {
        key: tensors[AVERAGED + key if weights == "averaged" and key.startswith(prefixes) else key].to(value.dtype)
        for key, value in model.state_dict().items()
    }
    model.load_state_dict(chosen, assign=True)
    return model.eval().requires_grad_(False)


def _check(key: str, tensor: Tensor, wanted: Tensor) -> None:
    if tensor.shape != wanted.shape:
        raise GenlibError(f"tensor {key} has shape {shown(tuple(tensor.shape))}, not {tuple(wanted.shape)}")
    halved = wanted.dtype == torch.float32 and tensor.dtype == torch.float16
    if tensor.dtype != wanted.dtype and not halved:
        raise GenlibError(f"tensor {key} holds {tensor.dtype} numbers, not {wanted.dtype}")
    if not tensor.isfinite().all():
        raise GenlibError(f"tensor {key} holds numbers that are not finite")
