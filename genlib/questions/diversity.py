"""How different are a model's samples of one class, and are they new?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from genlib.analysis.diversity import ClassSamples, class_grid, class_samples, diversity
from genlib.data import CLASS_NAMES, FashionMNIST
from genlib.images import npz_bytes, png_bytes
from genlib.metrics.memorisation import nearest
from genlib.questions.keeping import kept, loaded
from genlib.questions.question import Figures, Maker, Question, asks, csv_bytes, model_field, seed_field

DIVERSITY, SHARE = "diversity", "share of draws"
MEASURED = 100  # samples a class behind the figures


@kept(24, "Drawing samples of each class")
def drawn(name: str, seed: int, count: int) -> list[ClassSamples]:
    """Samples of each class, by class."""
    return class_samples(loaded(name), count, seed)


@kept(24, "Measuring how far they spread")
def spreads(name: str, seed: int) -> list[float | None]:
    """The diversity of each class."""
    return [diversity(each.images) for each in drawn(name, seed, MEASURED)]


@kept(1, "Measuring the test images")
def real_spreads() -> list[float | None]:
    """The diversity of test images of each class."""
    test = FashionMNIST.load("test")
    return [diversity(test.images[test.labels == label][:MEASURED]) for label in range(10)]


@kept(64, "Searching for the nearest photographs")
def nearest_photographs(question: Diversity) -> tuple[np.ndarray, np.ndarray]:
    """Distances and rows of the split nearest to the samples of the rows, class by class."""
    distances, rows = nearest(question.images, FashionMNIST.load(question.split).images)
    return distances.numpy(), rows.numpy()


@dataclass(frozen=True)
class Diversity(Question):
    """Rows of samples, a class a row."""

    NAME = "diversity"

    model: str = model_field()
    seed: int = seed_field()
    per: int = asks(10, "Pictures a class", "", 1, 20, said="samples a class", flag="n", slider=(4, 20, 1))
    near: bool = asks(False, "Nearest photographs", "Under each sample, the image nearest to it.", flag=False)

    @property
    def found(self) -> list[ClassSamples]:
        """Samples by class, as many as are shown."""
        count = self.per if "conditional" in self.can else MEASURED  # without classes, all come of the same draws
        return [ClassSamples(each.images[: self.per], each.share) for each in drawn(self.model, self.seed, count)]

    @property
    def images(self) -> torch.Tensor:
        """All samples shown, class by class, uint8 (N, 28, 28)."""
        return torch.cat([each.images for each in self.found])

    @property
    def split(self) -> str:
        """Where the nearest photographs are looked for."""
        return "train" if FashionMNIST.trouble("train") is None else "test"

    @property
    def neighbours(self) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """Distances and rows of the nearest photographs of all samples shown, and their places class by class."""
        distances, rows = nearest_photographs(self)
        counts = [len(each.images) for each in self.found]
        return distances, rows, np.split(np.arange(len(rows)), np.cumsum(counts)[:-1])

    def figures(self) -> Figures:
        """What the page says in numbers: the diversity of each class, and its share of the draws."""
        return {DIVERSITY: spreads(self.model, self.seed), SHARE: [each.share for each in self.found]}

    def files(self) -> dict[str, Maker]:
        """The rows as a picture and as numbers, and the figures by class."""
        name = f"{self.model}-diversity-seed{self.seed}"
        return {
            f"{name}.png": lambda: png_bytes(class_grid(self.found, self.per)),
            f"{name}.npz": lambda: npz_bytes(**self._arrays()),
            f"{name}.csv": lambda: csv_bytes(self._table()),
        }

    def _arrays(self) -> dict[str, np.ndarray]:
        distances, rows, places = self.neighbours
        return {
            "images": self.images.numpy(),
            "classes": np.repeat(np.arange(10), [len(place) for place in places]),
            f"nearest_{self.split}_image": rows,
            "nearest_distance": distances,
        }

    def _table(self) -> list[dict[str, object]]:
        """A row for each class: how often it came and how far it spreads."""
        own, real = spreads(self.model, self.seed), real_spreads()
        return [
            {"class": name, SHARE: each.share, DIVERSITY: a, "diversity of test images": b}
            for name, each, a, b in zip(CLASS_NAMES, self.found, own, real, strict=True)
        ]
