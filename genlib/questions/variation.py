"""Which pixels of a class does a model vary most, beside the photographs'?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from genlib.analysis.diversity import class_samples
from genlib.data import CLASS_NAMES, FashionMNIST
from genlib.images import grid, npz_bytes, png_bytes
from genlib.questions.keeping import kept, loaded
from genlib.questions.question import (
    EVERY_CLASS,
    Figures,
    Maker,
    Question,
    asks,
    class_field,
    csv_bytes,
    model_field,
    seed_field,
)

SIDES = PHOTOGRAPHS, SAMPLES = ("photographs", "samples")


@kept(64, "Drawing samples of each class")
def deviations(name: str, n: int, seed: int) -> Tensor:
    """Standard deviation of each pixel by class, 0 to 255: of test images, then of samples, float64 (2, 10, 28, 28).

    Up to `n` of either; a class of which the model draws none has zeros.
    """
    test = FashionMNIST.load("test")
    photographs = [test.images[test.labels == label][:n] for label in range(len(CLASS_NAMES))]
    samples = [each.images for each in class_samples(loaded(name), n, seed)]
    empty = torch.zeros(28, 28, dtype=torch.float64)
    sides = [
        [each.double().std(0, correction=0) if len(each) else empty for each in side] for side in (photographs, samples)
    ]
    return torch.stack([torch.stack(side) for side in sides])


@dataclass(frozen=True)
class Variation(Question):
    """How much each pixel varies within a class: photographs above, samples below, white where most."""

    NAME = "variation"

    model: str = model_field()
    seed: int = seed_field()
    label: str = class_field()
    n: int = asks(100, "Pictures a class", "samples a class, and as many test images", 2, 1_000, slider=(20, 200, 20))

    @property
    def _found(self) -> Tensor:
        found = deviations(self.model, self.n, self.seed)
        label = self.chosen_class()
        return found if label is None else found[:, label : label + 1]

    @property
    def heads(self) -> tuple[str, ...]:
        """The classes over the columns."""
        return CLASS_NAMES if self.label == EVERY_CLASS else (self.label,)

    @property
    def images(self) -> np.ndarray:
        """The photographs' deviations, then the samples', uint8 (2 * classes, 28, 28): both on one scale."""
        found = self._found
        return (found * (255 / found.max().clamp(min=1e-9))).round().to(torch.uint8).flatten(0, 1).numpy()

    @property
    def alt(self) -> str:
        """The picture in words."""
        shown = "each class" if self.label == EVERY_CLASS else self.label
        return f"How much each pixel of {shown} varies: above in test images, below in samples of {self.model}"

    def figures(self) -> Figures:
        """What the page says in numbers: the mean deviation of a pixel by side and class, in gray levels, 0 to 255."""
        found = deviations(self.model, self.n, self.seed).mean((2, 3)).tolist()
        return dict(zip(SIDES, found, strict=True))

    def files(self) -> dict[str, Maker]:
        """The picture, the deviations as numbers, and their means by class."""
        name = f"{self.model}-variation-seed{self.seed}"
        return {
            f"{name}.png": lambda: png_bytes(grid(self.images, len(self.heads), 4, 4)),
            f"{name}.npz": lambda: npz_bytes(images=self.images, deviations=self._found.numpy()),
            f"{name}.csv": lambda: csv_bytes(self._table()),
        }

    def _table(self) -> list[dict[str, object]]:
        """A row for each class: the mean deviation of its pixels, in gray levels from 0 to 255."""
        label, figures = self.chosen_class(), self.figures()
        return [
            {"class": CLASS_NAMES[i], **{side: f"{figures[side][i]:.2f}" for side in SIDES}}
            for i in (range(len(CLASS_NAMES)) if label is None else [label])
        ]
