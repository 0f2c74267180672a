"""The way from noise to garment: where samples of a flow are at each step, and the end expected from there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from genlib.errors import GenlibError, whole
from genlib.images import to_uint8
from genlib.model import Integrates, Model, single_precision
from genlib.sampling import asked_classes, device_of, path_options

MOST = 100  # samples whose ways are kept at once
MOST_ROWS = 20  # of them in a picture


@dataclass(frozen=True)
class Way:
    """Points on the way of n samples, noise first.

    `times` (p,) fall from 1, the noise, to 0, the image. `images` uint8 (p, n, 28, 28) are the points themselves, with
    what lies beyond black and white cut off, and `expected` the ends that the model expects from there, as sharp as it
    is sure. `labels` (n,) are the classes asked for.
    """

    times: tuple[float, ...]
    images: Tensor
    expected: Tensor
    labels: Tensor | None


@torch.inference_mode()
def trace(
    model: Model,
    n: int = 1,
    seed: int = 0,
    label: int | str | None = None,
    *,
    steps: int | None = None,
    solver: str | None = None,
    guidance: float | None = None,
) -> Way:
    """The way of `generate`'s first n samples (1 to 100) of a seed, with its options.

    The last points are the samples that `generate` draws. GenlibError where a model does not integrate, or is given
    what it does not take.
    """
    if not isinstance(model, Integrates):
        raise GenlibError(f"a {model.family} model draws in one step: only a flow has a way from noise to image")
    n, options = whole("n", n, 1, MOST), path_options(model, steps, solver, guidance)
    y, device = asked_classes(model, n, label, 0), device_of(model)
    model.eval()
    with single_precision():
        z = model.draw_latent(n, seed).to(device)
        points = list(model.trajectory(z, None if y is None else y.to(device), **options))
    return Way(
        tuple(point.time for point in points),
        torch.stack([to_uint8(point.x) for point in points]),
        torch.stack([to_uint8(point.expected) for point in points]),
        y,
    )


def rows(images: Tensor | np.ndarray, expected: Tensor | np.ndarray) -> np.ndarray:
    """Two rows a sample for a picture: points (p, n, 28, 28) over the ends expected from them, (n * 2 * p, 28, 28)."""
    both = np.stack([np.asarray(images), np.asarray(expected)])
    return both.transpose(2, 0, 1, 3, 4).reshape(-1, 28, 28)
