"""Images given back by a model: encoded and decoded where it encodes, else searched for in its latents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from genlib.analysis.inversion import STEPS, invert
from genlib.data import FashionMNIST
from genlib.errors import GenlibError, whole
from genlib.images import grid
from genlib.metrics.reconstruction import reconstruct
from genlib.model import N_CLASSES, Decodes, Encodes, Model
from genlib.sampling import cycle_labels

MOST = 100  # images at once
LIGHTER, DARKER = (196.0, 78.0, 0.0), (20.0, 92.0, 168.0)  # orange and blue, told apart with any colour vision
FULL_COLOUR = 0.5  # of the range: the difference from which on a colour is at its strongest


@dataclass(frozen=True)
class Reconstruction:
    """`images` uint8 (N, 28, 28) as given back after `step` of `steps` steps, and the squared error a pixel of each,
    `errors` (N,), pixels in [0, 1].
    """

    images: Tensor
    errors: Tensor
    step: int = 1
    steps: int = 1


def reconstructions(
    model: Model, images: Tensor, labels: Tensor | None = None, seed: int = 0
) -> Iterator[Reconstruction]:
    """Give back uint8 images (N, 28, 28), at most 100; a search yields where it stands, the last item being its end.

    A model that encodes answers at once. Of any other the latents are searched (`invert`): a conditional one needs
    the images' classes, int64 (N,), and `seed` draws the starts. Stop by not asking for more.
    """
    if not 1 <= len(images) <= MOST:
        raise GenlibError(f"n takes a whole number from 1 to {MOST}, not {len(images)}")
    if isinstance(model, Encodes) and isinstance(model, Decodes):
        copies = reconstruct(model, images)
        yield Reconstruction(copies, squared_errors(images, copies))
        return
    for found in invert(model, images, labels, seed):
        yield Reconstruction(found.images, found.errors, found.step, STEPS)


def squared_errors(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared difference a pixel of each pair of uint8 images (N, 28, 28), pixels in [0, 1], (N,)."""
    return ((a.float() - b.float()) / 255).square().mean((1, 2))


def another_of_the_class() -> Tensor:
    """The mean error where another test image of the class is given back instead, by class, (10,).

    Of two images drawn from one class, the mean squared difference is twice the variance.
    """
    test = FashionMNIST.load("test")
    images = test.images.float() / 255
    return torch.stack([2 * images[test.labels == label].var(0).mean() for label in range(N_CLASSES)])


def choose(n: int, first: int = 0, label: int | None = None) -> Tensor:
    """Numbers of n test images, int64 (n,), looked for from number `first` on and round again.

    Of one class, or without a label of the classes 0..9 in turn: the next unused one of each.
    """
    labels = FashionMNIST.load("test").labels
    n = whole("n", n, 1, MOST)
    first = whole("first", first, 0, len(labels) - 1)
    order = torch.arange(len(labels)).roll(-first)
    if label is not None:
        return order[labels[order] == label][:n]
    queues = [iter(order[labels[order] == each][:n].tolist()) for each in range(10)]
    return torch.tensor([next(queues[each]) for each in cycle_labels(n).tolist()])


def signed_colours(difference: Tensor) -> np.ndarray:
    """Differences (N, 28, 28) in [-1, 1] to uint8 (N, 28, 28, 3): blue below zero, white at it, orange above."""
    strength = (difference.abs() / FULL_COLOUR).clamp(max=1).unsqueeze(-1)
    colour = torch.where(difference.unsqueeze(-1) > 0, torch.tensor(LIGHTER), torch.tensor(DARKER))
    return (255 * (1 - strength) + colour * strength).round().to(torch.uint8).numpy()


def difference(originals: Tensor, copies: Tensor) -> np.ndarray:
    """What the copies have too much (orange) or too little of (blue): uint8 images to uint8 (N, 28, 28, 3)."""
    return signed_colours((copies.float() - originals.float()) / 255)


def picture(originals: Tensor, copies: Tensor, fresh: Tensor | None = None) -> np.ndarray:
    """One RGB picture uint8 (H, W, 3): rows of originals, copies and differences, and fresh samples where given."""
    gray = [originals, copies] if fresh is None else [originals, copies, fresh]
    rows = [np.repeat(images.numpy()[..., None], 3, axis=3) for images in gray]
    rows.insert(2, difference(originals, copies))
    tiles = np.concatenate(rows)
    return np.dstack([grid(tiles[..., c], columns=len(originals), scale=4, gap=4) for c in range(3)])
