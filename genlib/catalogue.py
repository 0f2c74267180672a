"""The zoo as a list: what there is, what it can do, and what was measured of it."""

from __future__ import annotations

from typing import Any

import torch

from genlib.errors import GenlibError
from genlib.model import Preset, capabilities, presets
from genlib.store import read_json, weights_directory


def list_models() -> list[dict[str, Any]]:
    """Every preset: {name, family, capabilities, parameters, trained_epochs, metrics, sha256}.

    `sha256` (of model.safetensors), `trained_epochs` and `metrics` are None while no weights are shipped.
    """
    return [_entry(preset) for preset in presets().values()]


def markdown_table() -> str:
    """The zoo as a Markdown table, for the README."""
    rows = ["| model | family | FD | raw FD | parameters | 64 samples | epochs |", "|---|---|---|---|---|---|---|"]
    for model in list_models():
        if metrics := model["metrics"]:
            name = f"[`{model['name']}`](weights/{model['name']}/README.md)"
            raw = "" if metrics["fd_raw"] is None else f"{metrics['fd_raw']:.2f}"
            rows.append(
                f"| {name} | {model['family']} | {metrics['fd']:.2f} | {raw} "
                f"| {model['parameters']:,} | {metrics['ms_64']:.0f} ms | {metrics['train_epochs']} |"
            )
    return "\n".join(rows)


def _entry(preset: Preset) -> dict[str, Any]:
    with torch.device("meta"):
        parameters = preset.build().parameter_count()
    metrics, digest = _shipped(preset)
    return {
        "name": preset.name,
        "family": preset.family,
        "capabilities": capabilities(preset.model_class),
        "parameters": metrics["parameters"] if metrics else parameters,
        "trained_epochs": metrics["train_epochs"] if metrics else None,
        "metrics": metrics,
        "sha256": digest,
    }


def _shipped(preset: Preset) -> tuple[dict[str, Any] | None, str | None]:
    directory = weights_directory() / preset.name
    try:
        return read_json(directory / "metrics.json"), read_json(directory / "config.json")["sha256"]
    except (GenlibError, KeyError):
        return None, None
