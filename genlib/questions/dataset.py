"""What do the models learn from?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genlib.analysis import dataset as analysis
from genlib.data import CLASS_NAMES, FashionMNIST
from genlib.images import grid, npz_bytes, png_bytes
from genlib.metrics.memorisation import nearest
from genlib.questions.keeping import kept
from genlib.questions.question import EVERY_CLASS, Maker, Question, asks, class_field, csv_bytes, seed_field

VIEWS = ("images", "classes", "components", "neighbours")
SPLITS = ("test", "train")
NAMES = {"test": "test split", "train": "training split"}
COMPONENTS = 10
NEIGHBOURS = 9


@kept(2)
def statistics(split: str) -> analysis.ClassStatistics:
    """Mean and variation by class."""
    return analysis.class_statistics(FashionMNIST.load(split))


@kept(2)
def histogram(split: str) -> list[int]:
    """Pixels by gray level, in 32 bars of eight levels."""
    return analysis.pixel_histogram(FashionMNIST.load(split).images).view(32, 8).sum(1).tolist()


@kept(2, "Finding the principal components")
def components(split: str) -> analysis.PixelComponents:
    """Principal components of the pixels."""
    return analysis.pixel_components(FashionMNIST.load(split).images, COMPONENTS)


@kept(256, "Comparing with every image")
def neighbours(split: str, image: int) -> tuple[list[float], list[int]]:
    """Distances and numbers of the images most like one, itself left out."""
    images = FashionMNIST.load(split).images
    distances, rows = nearest(images[[image]], images, NEIGHBOURS + 1)
    others = (rows[0] != image).nonzero().squeeze(1)[:NEIGHBOURS]
    return distances[0, others].tolist(), rows[0, others].tolist()


@dataclass(frozen=True)
class Dataset(Question):
    """One view of one split; where the training split is not here, of the test split instead."""

    NAME = "dataset"

    view: str = asks("images", "Show", said="what is drawn", choices=VIEWS)
    split: str = asks("test", "Split", said="whose images", choices=SPLITS)
    n: int = asks(40, "Pictures", "", 1, 100, slider=(1, 100, 1), when=lambda asked: asked.view == "images")
    seed: int = seed_field(when=lambda asked: asked.view == "images")
    label: str = class_field(when=lambda asked: asked.view == "images")
    image: int = asks(0, "Image", "0 to 9,999", 0, 9_999, when=lambda asked: asked.view == "neighbours")

    @property
    def shown(self) -> str:
        """What is shown: the split asked for where its files are here and sound."""
        return self.split if FashionMNIST.trouble(self.split) is None else "test"

    @property
    def data(self) -> FashionMNIST:
        """The split's images and labels."""
        return FashionMNIST.load(self.shown)

    @property
    def rows(self) -> list[int]:
        """The images shown by their numbers, where the view shows images of the split."""
        if self.view == "neighbours":
            return [self.image, *neighbours(self.shown, self.image)[1]]
        return analysis.random_rows(self.data.labels, self.n, self.seed, self.chosen_class()).tolist()

    @property
    def tiles(self) -> np.ndarray:
        """The view's picture as tiles uint8 (N, 28, 28)."""
        if self.view == "classes":
            return statistics(self.shown).pictures().numpy()
        if self.view == "components":
            return components(self.shown).pictures().numpy()
        return self.data.images[self.rows].numpy()

    @property
    def columns(self) -> int:
        """How many of them stand in a row."""
        return 5 if self.view == "components" else min(10, len(self.tiles))

    @property
    def heads(self) -> tuple[str, ...]:
        """What stands over the columns."""
        if self.view == "neighbours":
            distances, rows = neighbours(self.shown, self.image)
            labels = self.data.labels
            near = [f"{CLASS_NAMES[labels[row]]} {d:.1f}" for d, row in zip(distances, rows, strict=True)]
            return (f"this: {CLASS_NAMES[labels[self.image]]}", *near)
        if self.view == "classes" or (self.view == "images" and self.label == EVERY_CLASS):
            return CLASS_NAMES[: self.columns]
        return ()

    @property
    def alt(self) -> str:
        """The picture in words."""
        name = NAMES[self.shown]
        if self.view == "images":
            kind = "the classes in turn" if self.label == EVERY_CLASS else self.label
            return f"{self.n} images of the {name} drawn at random, {kind}, seed {self.seed}"
        if self.view == "classes":
            return f"The mean of all images of each class in the {name}; below, where they vary, white the most"
        if self.view == "components":
            return f"The {COMPONENTS} directions in which images of the {name} vary most: gray is no change"
        named = f"{self.image} of the {name} ({CLASS_NAMES[self.data.labels[self.image]]})"
        return f"Image {named} and the {NEIGHBOURS} images most like it, with their distances"

    def files(self) -> dict[str, Maker]:
        """The picture, its numbers, and the view's table, made when asked for."""
        name = f"fashion-mnist-{self.shown}-{self.view}"
        return {
            f"{name}.png": lambda: png_bytes(grid(self.tiles, self.columns, 4, 4)),
            f"{name}.npz": lambda: npz_bytes(images=self.tiles),
            f"{name}.csv": lambda: csv_bytes(self._table()),
        }

    def _table(self) -> list[dict[str, object]]:
        labels = self.data.labels
        if self.view == "classes":
            counts = statistics(self.shown).counts.tolist()
            return [{"class": name, "images": count} for name, count in zip(CLASS_NAMES, counts, strict=True)]
        if self.view == "components":
            points = components(self.shown).coordinates.tolist()
            return [
                {"image": i, "class": CLASS_NAMES[labels[i]]} | {f"pc{j}": round(x, 4) for j, x in enumerate(point, 1)}
                for i, point in enumerate(points)
            ]
        return [{"image": row, "class": CLASS_NAMES[labels[row]]} for row in self.rows]
