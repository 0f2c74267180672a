"""How different a model's samples of one class are, and whether they are new."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from genlib.errors import whole
from genlib.images import grid
from genlib.metrics.features import load_extractor
from genlib.model import N_CLASSES, Conditional, Model
from genlib.sampling import generate

DRAWS = 2_000


@dataclass(frozen=True)
class ClassSamples:
    """Samples uint8 (m, 28, 28) of one class, and how often the class came among `draws` samples (1 if asked for)."""

    images: Tensor
    share: float


def class_samples(model: Model, per_class: int, seed: int = 0) -> list[ClassSamples]:
    """The first `per_class` samples of a seed in each of the ten classes.

    A conditional model is asked for the class. Of any other, class means what genlib's classifier sees, by rejection
    among 2,000 draws: a class may come up short or empty, and `share` says how often it came.
    """
    per_class = whole("per_class", per_class, 1, DRAWS)
    if isinstance(model, Conditional):
        return [ClassSamples(generate(model, per_class, seed, label)[0], 1.0) for label in range(N_CLASSES)]
    images, _ = generate(model, DRAWS, seed)
    seen = load_extractor().predict(images)
    return [
        ClassSamples(images[seen == label][:per_class], float((seen == label).double().mean()))
        for label in range(N_CLASSES)
    ]


def diversity(images: Tensor) -> float | None:
    """Mean distance between two different images, uint8 (m, 28, 28), in the classifier's feature space.

    0 where all are the same; None for fewer than two images.
    """
    if len(images) < 2:
        return None
    features = torch.from_numpy(load_extractor().features(images)).double()
    return float(torch.nn.functional.pdist(features).mean())


def class_grid(found: list[ClassSamples], columns: int, scale: int = 4) -> np.ndarray:
    """A row of up to `columns` samples for each class as one picture uint8 (H, W); what a class lacks is white."""
    white = torch.full((columns, 28, 28), 255, dtype=torch.uint8)
    tiles = torch.cat([torch.cat([each.images, white])[:columns] for each in found])
    return grid(tiles, columns, scale, gap=4)
