"""Every family at a size that trains in a blink: real classes, tiny configurations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from genlib.config import Config
from genlib.data import FashionMNIST
from genlib.errors import GenlibError
from genlib.loading import weights_directory
from genlib.model import Model, keeps_raw
from genlib.models import get_preset, presets, released
from genlib.store import save_model
from genlib.training.events import Event
from genlib.training.run import train

QUICK = {"steps": 1, "solver": "euler"}  # ten thousand test images go to noise and back in every evaluation
TINY: dict[str, dict[str, Any]] = {
    "conditional GAN": {
        "latent_size": 6,
        "embedding_size": 4,
        "generator_widths": (16,),
        "discriminator_widths": (16,),
    },
    "relativistic GAN": {"latent_size": 6, "embedding_size": 4, "width": 2, "discriminator_width": 3},
    "distilled flow": {"latent_size": 6, "embedding_size": 4, "width": 2, "discriminator_width": 3, "answers": 20},
    "flow matching": {
        "width": 8,
        "deep_width": 8,
        "deep_blocks": 1,
        "condition_size": 8,
        "class_dropout": 0.5,
        **QUICK,
    },
    "GAN": {"latent_size": 6, "generator_widths": (8, 6), "discriminator_widths": (6, 8)},
    "DCGAN": {"latent_size": 6, "width": 3},
    "VAE": {"latent_size": 3, "width": 4},  # its inner convolutions have several input channels
    "conditional VAE": {"latent_size": 3, "width": 4, "embedding_size": 2, "class_dropout": 0.5},
    "autoencoder": {"width": 4, "latent_channels": 2},
    "AE + mixture": {"components": 2, "tolerance": 0.0},
    "VAE + mixture": {"components": 2, "tolerance": 0.0},
    "mixture": {"components": 2, "tolerance": 0.0},
    "conditional mixture": {"most_components": 2, "tolerance": 0.0},
}
SAME = ("model.safetensors", "config.json", "samples.png", "progress.png")
SEARCH = {"components": 0, "most_components": 2, "tolerance": 0.1}
NAMES = tuple(presets())
ONE_PER_FAMILY = tuple({preset.family: name for name, preset in reversed(presets().items())}.values())
SHIPPED = tuple(name for name in released() if (weights_directory() / name / "config.json").is_file())
DIFFERENT = len(SHIPPED) - 1  # BIC prefers 11 components on the latents of ae-cnn: ae-gmm-best is ae-gmm-11
SHIPPED_PER_FAMILY = tuple({get_preset(name).family: name for name in reversed(SHIPPED)}.values())


def tiny_config(name: str, **changes: Any) -> Config:
    """The preset's configuration shrunk: two epochs of four batches on 200 images."""
    preset = get_preset(name)
    batch = {"batch_size": 50} if hasattr(preset.config, "batch_size") else {}
    search = SEARCH if getattr(preset.config, "components", None) == 0 else {}
    return preset.config.replace(**{"epochs": 2, **batch, **TINY[preset.family], **search, **changes})


def tiny_model(name: str, **changes: Any) -> Model:
    """An untrained model with small layers."""
    return get_preset(name).build(tiny_config(name, **changes)).eval()


def save_tiny(directory: Path, name: str, model: Model | None = None) -> Path:
    """Saves an untrained tiny model, or this one, as a finished run: its average is a copy of its weights."""
    model = model or tiny_model(name)
    if hasattr(model, "log_likelihood"):  # a mixture that was never fitted has none
        model.log_likelihood.fill_(0.0)  # type: ignore[operator,union-attr]
    state = model.state_dict()
    averaged = tuple(f"{part}." for part in model.averaged) if keeps_raw(model) else ()
    save_model(directory, name, model, {k: v.clone() for k, v in state.items() if k.startswith(averaged)})
    return directory


def tiny_training(
    name: str,
    directory: Path,
    data: FashionMNIST,
    resume: bool = False,
    start_from: Path | str | None = None,
    **changes: Any,
) -> Iterator[Event]:
    """A run over in a second."""
    return train(
        name,
        directory,
        tiny_config(name, **changes),
        data=data,
        device="cpu",
        resume=resume,
        distance_samples=50,
        evaluation_samples=50,
        start_from=start_from,
    )


def comparable_history(directory: Path) -> dict[str, Any]:
    """history.json without what depends on the clock and the process."""
    history = json.loads((directory / "history.json").read_text())
    for record in history["epochs"]:
        del record["seconds"], record["peak_memory_mb"]
    return history


def thinned(cases: Iterable[tuple[Any, ...]], kept: Callable[..., bool]) -> list[Any]:
    """Cases for parametrisation, of which `make test` runs those that are kept and `make test-all` every one."""
    return [case if kept(*case) else pytest.param(*case, marks=pytest.mark.slow) for case in cases]


def every_pair(first: Iterable[Any], second: Iterable[Any]) -> list[Any]:
    """All pairs for parametrisation, of which `make test` runs as few as hold every one of either side."""
    one, other = list(first), list(second)
    count = max(len(one), len(other))
    kept = {(one[i % len(one)], other[i % len(other)]) for i in range(count)}
    return thinned(product(one, other), lambda *pair: pair in kept)


def assert_same_model(one: Path, other: Path) -> None:
    for name in SAME:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    assert comparable_history(one) == comparable_history(other)


@contextmanager
def refused(match: str) -> Iterator[pytest.ExceptionInfo[GenlibError]]:
    """What is inside raises a GenlibError of one line that matches."""
    with pytest.raises(GenlibError, match=match) as caught:
        yield caught
    assert "\n" not in str(caught.value)
