"""One question asked of any model: its pictures of a seed and, where one is wanted, of a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from genlib.metrics.features import load_extractor
from genlib.model import Model
from genlib.sampling import generate

DRAWS = 100


@dataclass(frozen=True)
class Answer:
    """`images` uint8 (m, 28, 28), and the number of samples looked through where the class was searched by sight.

    `found` of those `draws` were of the class, and the first of them are the images; None where it was not searched.
    """

    images: Tensor
    found: int | None = None
    draws: int | None = None


def sighted(model: Model, seed: int) -> tuple[Tensor, Tensor]:
    """The first 100 samples of a seed, uint8 (100, 28, 28), and the class the classifier sees in each, int64 (100,)."""
    images, _ = generate(model, DRAWS, seed)
    return images, load_extractor().predict(images)


def of_class(images: Tensor, classes: Tensor, label: int, n: int) -> Answer:
    """The first n of those images in which the class was seen."""
    chosen = images[classes == label]
    return Answer(chosen[:n], len(chosen), len(images))


def rows(answers: Sequence[Answer], n: int) -> Tensor:
    """Answers as rows of n images, uint8 (len(answers) * n, 28, 28); what did not come is black."""
    table = torch.zeros(len(answers), n, 28, 28, dtype=torch.uint8)
    for row, answer in zip(table, answers, strict=True):
        row[: len(answer.images)] = answer.images
    return table.flatten(0, 1)
