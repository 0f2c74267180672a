"""A run's whole state in one safetensors file: tensors, and everything else as JSON in its header.

One file, written to a temporary name, flushed and renamed: the newest checkpoint is never a torn one.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genlib.config import Config
from genlib.errors import GenlibError, shown
from genlib.io.fields import NUMBER, TABLE, TEXT, WHOLE, at_least, list_of, misfit, table_of
from genlib.io.files import make_directory
from genlib.io.tensor_file import read_tensors, write_tensors
from genlib.zoo.files import RECORD

VERSION = 1
FACTS = {  # of a run
    "step": WHOLE,
    "history": list_of(RECORD),
    "seconds": at_least(0),
    "peak": at_least(0),
    "sums": table_of(NUMBER),
}
CHECKPOINT_SECONDS = 60.0
SAID_LATER = {"preset": TEXT, "config": TABLE, "images": WHOLE, "moments": WHOLE}  # an older checkpoint lacks these


def checkpoint_seconds() -> float:
    """Between two checkpoints: $GENLIB_CHECKPOINT_SECONDS, 60 unless set. GenlibError for what is no such number."""
    text = os.environ.get("GENLIB_CHECKPOINT_SECONDS", "").strip()
    try:
        seconds = float(text or CHECKPOINT_SECONDS)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise GenlibError(f"GENLIB_CHECKPOINT_SECONDS takes a number of seconds from 0, not {text[:40]!r}")
    return seconds


def write_checkpoint(path: Path, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
    """Write tensors (any device and memory format) and JSON-able facts."""
    make_directory(path.parent)
    write_tensors(path, tensors, {"version": VERSION, **facts})


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and facts, or GenlibError where the file is damaged or of another version."""
    try:
        tensors, facts = read_tensors(path)
    except GenlibError as error:
        raise GenlibError(f"checkpoint {path} is damaged and cannot be resumed: {error}") from error
    if facts.get("version") != VERSION:
        raise GenlibError(f"checkpoint {path} is of version {shown(facts.get('version'))}; this genlib reads {VERSION}")
    return tensors, facts


def check_facts(path: Path, facts: dict[str, Any]) -> None:
    """GenlibError unless the facts are those of a run, each of its kind, and agree with one another."""
    wrong = misfit(facts, FACTS | SAID_LATER, FACTS)
    if not wrong and [record["epoch"] for record in facts["history"]] != list(range(1, len(facts["history"]) + 1)):
        wrong = "its history is not that of one epoch after another"
    if not wrong and not all("seconds" in record for record in facts["history"]):
        wrong = "its history does not say how long an epoch took"
    if wrong:
        raise GenlibError(f"checkpoint {path} is damaged and cannot be resumed: {wrong}")


def check_run(path: Path, facts: dict[str, Any], preset: str, config: Config, images: int | None = None) -> None:
    """GenlibError, naming what differs, for a checkpoint of another run; one of an older genlib says less of its own.

    `images` are those to train on, where they are known. An extended run has more epochs than its checkpoint.
    """
    wanted = {"preset": preset, "training images": images} | config.to_dict()
    found = {"preset": facts.get("preset", preset), "training images": facts.get("images", images)}
    if "config" in facts and found["preset"] == preset:
        found |= type(config).from_dict(facts["config"]).to_dict()
    for key, value in found.items():
        if value != wanted[key] and key != "epochs" and wanted[key] is not None:
            raise GenlibError(
                f"checkpoint {path} is that of a run with {key} {value}, and this one has {wanted[key]}; resume it as "
                "it was, or start anew"
            )


def check_weights(path: Path, part: str, found: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> None:
    """GenlibError for a tensor of another type than the model's, which would be converted, or one that is not finite
    where the untrained model's is.

    Of a missing one, or one of another shape, the model's own reading tells.
    """
    for key, weight in own.items():
        value = found.get(key, weight)
        wrong = f"of {value.dtype}, not {weight.dtype}" if value.dtype != weight.dtype else ""
        if wrong or (weight.isfinite().all() and not value.isfinite().all()):
            raise GenlibError(
                f"checkpoint {path} is damaged and cannot be resumed: {part}.{key} is {wrong or 'not finite'}"
            )


def optimizer_tensors(name: str, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """An optimiser's state as named tensors."""
    return {
        f"optimizer.{name}.{index}.{key}": value
        for index, parameter in enumerate(_parameters(optimizer))
        for key, value in optimizer.state[parameter].items()
    }


def is_moment(key: str) -> bool:
    """Whether a checkpoint's tensor is of an optimiser's state."""
    return key.startswith("optimizer.")


def check_moments(name: str, optimizer: torch.optim.Optimizer) -> None:
    """GenlibError unless an optimiser that has taken steps has its state whole: without it, it would begin anew."""
    kept = [set(optimizer.state.get(parameter, ())) for parameter in _parameters(optimizer)]
    every = set().union(*kept)
    if not every:
        raise GenlibError(f"the checkpoint lacks the moments of the optimiser {name}; it cannot be resumed")
    for index, keys in enumerate(kept):
        if keys and keys != every:
            raise GenlibError(
                f"the checkpoint lacks optimizer.{name}.{index}.{min(every - keys)}; it cannot be resumed"
            )


def restore_optimizer(name: str, optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put an optimiser's state back, each moment in its parameter's memory format.

    The file holds dense tensors; a fused kernel that walks moments and channels_last weights by raw offsets would
    pair the wrong numbers without a word. GenlibError for a moment of another type or shape, which it would read past
    its end.
    """
    for index, parameter in enumerate(_parameters(optimizer)):
        prefix = f"optimizer.{name}.{index}."
        for key, value in tensors.items():
            if key.startswith(prefix):
                counts = key == f"{prefix}step"
                like = torch.zeros((), dtype=torch.float32) if counts else parameter.detach()
                if value.shape != like.shape:
                    wanted, found = tuple(like.shape), tuple(value.shape)
                    raise GenlibError(f"the checkpoint's {key} has shape {found}, not {wanted}; it cannot be resumed")
                if value.dtype != like.dtype:
                    raise GenlibError(
                        f"the checkpoint's {key} is of {value.dtype}, not {like.dtype}; it cannot be resumed"
                    )
                place = torch.empty_like(like, dtype=value.dtype, device=parameter.device)
                optimizer.state[parameter][key.removeprefix(prefix)] = place.copy_(value)


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]
