"""Can a model give back a picture that it is shown?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from genlib.analysis.own_image import BACKGROUNDS, POLARITIES, Crop, OwnImage, fit
from genlib.analysis.reconstruction import (
    MOST,
    Reconstruction,
    another_of_the_class,
    choose,
    picture,
    reconstructions,
    squared_errors,
)
from genlib.data import CLASS_NAMES, FashionMNIST
from genlib.errors import GenlibError
from genlib.images import npz_bytes, png_bytes
from genlib.io.files import read_file
from genlib.io.photo import MAX_MEGABYTES, Photo, read_photo
from genlib.metrics.features import load_extractor
from genlib.metrics.reconstruction import reconstruct
from genlib.questions.keeping import kept, loaded
from genlib.questions.question import Maker, Question, asks, class_field, csv_bytes, model_field, seed_field
from genlib.sampling import generate

MEASURED, FEW = 1_000, 100  # test images behind the errors by class of a model that encodes: at once, or step by step
SOURCES = ("test images", "your own file", "your drawing")


@kept(32)
def prepared(asked: Reconstruct) -> OwnImage:
    """The picture of one's own as the models see it."""
    if len(asked.crop) not in (0, 3):
        raise GenlibError(f"crop takes x, y and size, three numbers, not {len(asked.crop)}")
    photo = asked.photo or read_photo(read_file(Path(asked.file), MAX_MEGABYTES << 20))
    crop = Crop(*asked.crop) if asked.crop else None
    return fit(photo, asked.polarity, crop, asked.contrast, asked.background)


@kept(64)
def new_samples(name: str, seed: int, labels: tuple[int, ...]) -> Tensor:
    """The first samples of a seed, of these classes, uint8 (N, 28, 28)."""
    return generate(loaded(name), len(labels), seed, labels)[0]


@kept(64)
def given_back(asked: Reconstruct) -> Reconstruction:
    """The reconstruction, searched to its end."""
    *_, found = reconstructions(loaded(asked.model), asked.images, asked.labels, asked.seed)
    return found


@kept(64)
def mean_errors(name: str, count: int) -> dict[int, float]:
    """The mean error of each class over the first test images, of a model that encodes."""
    test = FashionMNIST.load("test")
    images, labels = test.images[:count], test.labels[:count]
    errors = squared_errors(images, reconstruct(loaded(name), images))
    return {label: float(errors[labels == label].mean()) for label in range(len(CLASS_NAMES))}


@kept(1)
def others_errors() -> list[float]:
    """The mean error of another photograph of the class in the image's place, by class."""
    return another_of_the_class().tolist()


@dataclass(frozen=True)
class Reconstruct(Question):
    """Test images, or one picture of one's own, over what a model makes of them and what differs."""

    NAME = "reconstruct"

    model: str = model_field("encodes", "discriminates")
    seed: int = seed_field(when=lambda asked: asked.is_searched)
    of: str = asks(SOURCES[0], "Of", choices=SOURCES, flag=False)
    label: str = class_field()
    first: int = asks(
        0,
        "From test image",
        "The images are looked for from this number on: one of each class, or all of the chosen class.",
        *(0, 9_999),
        when=lambda asked: asked.of == SOURCES[0] and not asked.file,
    )
    n: int = asks(
        10,
        "Images",
        "",
        *(1, MOST),
        said="test images, the classes in turn",
        key="count",
        slider=(1, 10, 1),
        when=lambda asked: asked.of == SOURCES[0] and not asked.file,
    )
    polarity: str = asks(
        POLARITIES[0],
        "Light and dark",
        "The models know light garments on black, so a garment on a light background is inverted. Automatic: where the "
        "garment is darker than what is around it.",
        choices=POLARITIES,
        when=lambda asked: asked.of != SOURCES[0] or bool(asked.file),
    )
    fresh: bool = asks(
        False,
        "New samples of the class",
        "What the study showed as reconstructions: other garments of the same class, drawn without looking at the "
        "image. They are no reconstructions.",
        said="new samples of the class in place of reconstructions, as the study showed them",
        when="conditional",
    )
    file: str = asks("", "File", said="a photograph of your own in place of test images", key=False)
    crop: tuple[float, ...] = asks(
        (),
        "Crop",
        *("", 0.0, 2.0),
        said="x,y,size of the square taken of it, shares of the picture; about the garment unless given",
        key=False,
        when=lambda asked: bool(asked.file),
    )
    contrast: float = asks(
        1.0,
        "Contrast",
        "",
        0.1,
        10.0,
        said="of the photograph: above 1 stronger",
        key=False,
        when=lambda asked: bool(asked.file),
    )
    background: str = asks(
        BACKGROUNDS[0],
        "Background",
        said="of the photograph",
        choices=BACKGROUNDS,
        key=False,
        when=lambda asked: bool(asked.file),
    )
    photo: Photo | None = asks(  # noqa: RUF009 - what the file holds, where it is read already
        None, "", key=False, flag=False, when=lambda asked: False
    )

    @property
    def is_searched(self) -> bool:
        """Whether latents are searched for, from random starts; a model that encodes leaves nothing to chance."""
        return "encodes" not in self.can

    @property
    def rows(self) -> Tensor:
        """Numbers of the test images."""
        return choose(self.n, self.first, self.chosen_class())

    @property
    def images(self) -> Tensor:
        """The originals, uint8 (N, 28, 28)."""
        return prepared(self).image[None] if self.file else FashionMNIST.load("test").images[self.rows]

    @property
    def labels(self) -> Tensor:
        """int64 (N,); of one's own picture the class chosen, else the one the classifier sees."""
        if not self.file:
            return FashionMNIST.load("test").labels[self.rows]
        label = self.chosen_class()
        return load_extractor().predict(self.images) if label is None else torch.tensor([label])

    @property
    def samples(self) -> Tensor | None:
        """New samples of the images' classes, what the study called a reconstruction, where asked for."""
        if not (self.fresh and self.applies("fresh")):
            return None
        return new_samples(self.model, self.seed, tuple(self.labels.tolist()))

    @property
    def heads(self) -> list[str]:
        """The class over each column."""
        return [CLASS_NAMES[label] for label in self.labels]

    @property
    def measured(self) -> int:
        """How many test images are behind `mean_errors`: fewer where a model encodes step by step."""
        return FEW if "integrates" in self.can else MEASURED

    def files(self, found: Reconstruction | None = None) -> dict[str, Maker]:
        """The rows as a picture, the images and errors as numbers and as a table.

        `found` is where a search stands; it goes on to its end unless that is given.
        """
        name = f"{self.model}-reconstruction"
        return {
            f"{name}.png": lambda: png_bytes(picture(self.images, (found or given_back(self)).images, self.samples)),
            f"{name}.npz": lambda: npz_bytes(**self._arrays(found or given_back(self))),
            f"{name}.csv": lambda: csv_bytes(self._table(found or given_back(self))),
        }

    def _arrays(self, found: Reconstruction) -> dict[str, np.ndarray]:
        arrays = {"images": self.images, "reconstructions": found.images, "errors": found.errors, "labels": self.labels}
        arrays |= {} if self.samples is None else {"new_samples": self.samples}
        return {name: array.numpy() for name, array in arrays.items()}

    def _table(self, found: Reconstruction) -> list[dict[str, object]]:
        numbers = [None] if self.file else self.rows.tolist()
        rows = zip(numbers, self.heads, found.errors, strict=True)
        return [{"test_image": i, "class": head, "error": f"{error:.6f}"} for i, head, error in rows]
