"""The strongest directions of a generator (GANSpace: Harkonen et al. 2020, arXiv:2004.02546)."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from genlib.errors import GenlibError
from genlib.io.fields import NUMBER, TEXT, list_of, read_fields
from genlib.io.files import read_json, write_file
from genlib.loading import load, model_directory, own_directory
from genlib.model import Conditional, HiddenLayers, Model
from genlib.noise import MAX_SEED
from genlib.sampling import cycle_labels, device_of, generate
from genlib.store import described_model
from genlib.zoo.files import read_described

LATENTS = 2_000
COUNT = 5
FILE = "directions.json"
STOPS = (-2.0, -1.0, 0.0, 1.0, 2.0)  # standard deviations that a picture shows


@dataclass(frozen=True)
class Directions:
    """Steps in latent space (k, d), one standard deviation each, and what each of them changes to the eye."""

    steps: Tensor
    names: tuple[str, ...]


@torch.inference_mode()
def strongest_directions(model: Model, count: int = COUNT) -> Tensor:
    """Steps in latent space (count, d), each moving the first hidden layer one standard deviation along a component.

    Principal components of the layer after its non-linearity over 2,000 latents, brought back to the latent by least
    squares (arXiv:2004.02546, section 2.2). Class means are taken out first: what the class does is the class
    control's business, and no latent could reproduce it. Signs are fixed so that the largest entry is positive.
    """
    if not isinstance(model, HiddenLayers):
        raise GenlibError("directions need a model that shows its hidden layers")
    z = model.draw_latent(LATENTS, MAX_SEED)
    y = cycle_labels(LATENTS) if isinstance(model, Conditional) else None
    device = device_of(model)
    hidden = list(model.hidden_layers(z.to(device), None if y is None else y.to(device)).values())[1].flatten(1).cpu()
    groups = y if y is not None else torch.zeros(LATENTS, dtype=torch.int64)
    for group in groups.unique():
        hidden[groups == group] -= hidden[groups == group].mean(0)
    coordinates = _leading_scores(hidden, count)
    directions = torch.linalg.lstsq(coordinates, z.flatten(1)).solution
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    return directions * largest.sign()


def _leading_scores(hidden: Tensor, count: int) -> Tensor:
    """Scores (N, count) of the first principal components of centred rows (N, w), unit variance each.

    From the smaller of the two products of the matrix with itself: a convolution's 12,544 columns are too many for
    its singular values.
    """
    n, width = hidden.shape
    if width <= n:
        scores = hidden @ torch.linalg.eigh(hidden.T @ hidden).eigenvectors.flip(1)[:, :count]
    else:
        scores = torch.linalg.eigh(hidden @ hidden.T).eigenvectors.flip(1)[:, :count]
    return scores / scores.norm(dim=0) * n**0.5


def load_directions(name: str | Path) -> Directions:
    """The directions kept beside a model's weights; without any for these very weights, fitted now and numbered.

    They are those of the averaged generator where there is one, and serve the raw one too.
    """
    directory = model_directory(name)
    try:
        kept, described = read_fields(directory / FILE, _FIELDS, _FIELDS), read_described(directory)
        size = math.prod(described_model(described).latent_shape)
        if kept["sha256"] == described["sha256"] and _fit(kept["steps"], kept["names"], size):
            return Directions(torch.tensor(kept["steps"], dtype=torch.float32), tuple(kept["names"]))
    except GenlibError:
        pass  # none kept, or not in one piece: they can be fitted again
    steps = strongest_directions(load(name))
    return Directions(steps, tuple(f"Direction {i}" for i in range(1, len(steps) + 1)))


_FIELDS = {"sha256": TEXT, "names": list_of(TEXT), "steps": list_of(list_of(NUMBER))}


def _fit(steps: list[list[float]], names: list[str], size: int) -> bool:
    """Whether each name has a step through a latent of that size."""
    return 0 < len(steps) == len(names) and all(len(step) == size for step in steps)


def keep_directions(name: str | Path, names: Sequence[str]) -> Directions:
    """Fit a model's directions and keep them beside its weights, a name each."""
    directory = own_directory(name)
    if len(names) != COUNT or not all(text.strip() for text in names):
        raise GenlibError(f"{COUNT} directions take a name each, not {list(names)!r}")
    steps = strongest_directions(load(name))
    kept = {
        "names": list(names),
        "sha256": read_json(directory / "config.json")["sha256"],
        "steps": [[round(value, 5) for value in step] for step in steps.tolist()],
    }
    write_file(directory / FILE, (json.dumps(kept) + "\n").encode())
    return load_directions(name)


def direction_walks(model: Model, steps: Tensor, samples: int = 4, seed: int = 0) -> Tensor:
    """A seed's first samples moved by -2, -1, 0, 1 and 2 along each step, uint8 (k * samples * 5, 28, 28).

    Rows of five: all samples along the first step, then along the second. Conditional models take the classes in turn.
    """
    moved = torch.stack([generate(model, samples, seed, shift=stop * step)[0] for step in steps for stop in STOPS])
    return moved.view(len(steps), len(STOPS), samples, 28, 28).transpose(1, 2).reshape(-1, 28, 28)
