"""What lies between two pictures?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from genlib.analysis import interpolation
from genlib.analysis.interpolation import EQUAL, PATHS
from genlib.data import CLASS_NAMES, FashionMNIST
from genlib.images import gif_bytes, grid, npz_bytes, png_bytes
from genlib.noise import MAX_SEED
from genlib.questions.keeping import kept, loaded
from genlib.questions.question import (
    Maker,
    Question,
    asks,
    class_field,
    csv_bytes,
    model_field,
    seed_field,
)

STEPS = 101  # frames of a walk: one a per cent
SHOWN = 11  # of them in the strip
A_ROW = 10  # of a walk between random pairs
MODES = {"classes": "conditional", "seeds": None, "test images": "encodes", "random pairs": None}
EQUAL_HELP = (
    "Input: even steps through the noise or the mix of classes. Features: steps that look equally large to a "
    "classifier, measured on a finer walk and laid out anew."
)


@kept(128)
def walk(asked: Interpolate) -> tuple[np.ndarray, np.ndarray]:
    """Frames uint8 (101, 28, 28) and the changes (100,) between them, between two classes, seeds or test images."""
    model, (a, b) = loaded(asked.model), asked.ends
    if asked.between == "classes":
        found = interpolation.class_walk(model, asked.seed, a, b, STEPS, asked.equal)
    elif asked.between == "seeds":
        found = interpolation.seed_walk(model, (a, b), STEPS, asked.path, asked.only_class, asked.equal)
    else:
        images = FashionMNIST.load("test").images[[a, b]]
        found = interpolation.image_walk(model, images, STEPS, asked.path, asked.equal)
    return found.images.numpy(), found.changes.numpy()


@kept(64)
def pairs(asked: Interpolate) -> np.ndarray:
    """Rows of walks between random pairs, uint8 (rows * steps, 28, 28)."""
    model = loaded(asked.model)
    walks = interpolation.pair_walks(model, asked.seed, asked.rows, asked.steps, asked.path, asked.equal)
    return torch.cat([each.images for each in walks]).numpy()


@kept(128)
def unevenness(asked: Interpolate) -> float:
    """How much a walk's steps differ in feature space: coefficient of variation."""
    return interpolation.unevenness(torch.from_numpy(walk(asked)[0]))


@kept(128)
def label_number_walk(name: str, ends: tuple[int, int], seed: int) -> tuple[np.ndarray, list[int]]:
    """Frames of the studies' averaged label numbers, and the labels they visit."""
    found, labels = interpolation.label_number_walk(loaded(name), seed, *ends, SHOWN)
    return found.images.numpy(), labels.tolist()


def _between(*modes: str) -> Any:
    return lambda asked: asked.between in modes


def _end(default: str, label: str, said: str) -> Any:
    """A class where a walk between two begins or ends."""
    key = label.lower()
    return asks(default, label, said=said, choices=CLASS_NAMES, key=key, flag=key, when=_between("classes"))


@dataclass(frozen=True)
class Interpolate(Question):
    """One walk, or rows of walks between random pairs of samples."""

    NAME = "interpolate"
    DEFAULTS: ClassVar[Mapping[str, Any]] = {"between": "random pairs"}

    model: str = model_field()
    seed: int = seed_field()
    between: str = asks("classes", "Between", said="what the ends are", choices=tuple(MODES))
    start: str = _end(CLASS_NAMES[0], "From", "the class it begins with")
    end: str = _end(CLASS_NAMES[3], "To", "the class it ends with")
    seed2: int = asks(9, "To seed", "", 0, MAX_SEED, said="where it ends, between seeds", when=_between("seeds"))
    label: str = class_field(when=lambda asked: asked.between == "seeds" and "conditional" in asked.can)
    a: int = asks(
        0, "From test image", "", 0, 9_999, said="the test image it begins with", when=_between("test images")
    )
    b: int = asks(1, "To test image", "", 0, 9_999, said="the test image it ends with", when=_between("test images"))
    rows: int = asks(
        5, "Rows", said="pairs, one a row", low=1, high=1_000, slider=(1, 10, 1), when=_between("random pairs")
    )
    steps: int = asks(A_ROW, "Pictures a row", low=2, high=1_000, key=False, when=_between("random pairs"))
    path: str = asks(
        PATHS[0],
        "Path",
        "Spherical keeps the length of the noise typical all the way; straight passes nearer the centre.",
        choices=PATHS,
        when=lambda asked: asked.between != "classes",
    )
    equal: str = asks(EQUAL[0], "Equal steps in", EQUAL_HELP, choices=EQUAL)

    def choices(self, name: str) -> tuple[str, ...]:
        """Ends are those that the model has."""
        if name != "between":
            return super().choices(name)
        return tuple(mode for mode, needs in MODES.items() if needs is None or needs in self.can)

    def usual(self, name: str) -> Any:
        """The first kind of ends that the model has."""
        return self.choices(name)[0] if name == "between" else super().usual(name)

    @property
    def ends(self) -> tuple[int, int]:
        """Numbers of the classes, seeds or test images at the two ends."""
        if self.between == "classes":
            return CLASS_NAMES.index(self.start), CLASS_NAMES.index(self.end)
        return (self.seed, self.seed2) if self.between == "seeds" else (self.a, self.b)

    @property
    def only_class(self) -> int | None:
        """Between seeds a conditional model stays in one class; "every class" is then the first."""
        return (self.chosen_class() or 0) if "conditional" in self.can else None

    @property
    def names(self) -> tuple[str, str]:
        """What the walk's two ends are."""
        a, b = self.ends
        if self.between == "classes":
            return self.start, self.end
        if self.between == "seeds":
            of_class = "" if self.only_class is None else f" ({CLASS_NAMES[self.only_class]})"
            return f"seed {a}{of_class}", f"seed {b}{of_class}"
        labels = FashionMNIST.load("test").labels
        return f"test image {a} ({CLASS_NAMES[labels[a]]})", f"test image {b} ({CLASS_NAMES[labels[b]]})"

    @property
    def strip(self) -> np.ndarray:
        """Eleven frames of the walk, uint8 (11, 28, 28); of random pairs, all their rows."""
        if self.between == "random pairs":
            return pairs(self)
        return walk(self)[0][:: (STEPS - 1) // (SHOWN - 1)]

    def files(self) -> dict[str, Maker]:
        """Strip or rows and their numbers; of a walk also the animation and the changes."""
        name = f"{self.model}-{self.between.replace(' ', '-')}"
        random = self.between == "random pairs"
        columns = self.steps if random else SHOWN
        files: dict[str, Maker] = {f"{name}.png": lambda: png_bytes(grid(self.strip, columns, 4, 4))}
        if random:
            return files | {f"{name}.npz": lambda: npz_bytes(images=self.strip)}
        return files | {
            f"{name}.gif": lambda: there_and_back(walk(self)[0]),
            f"{name}.npz": lambda: npz_bytes(images=walk(self)[0]),
            f"{name}.csv": lambda: csv_bytes(_table(walk(self)[1])),
        }


def there_and_back(frames: np.ndarray) -> bytes:
    """A walk as a GIF that plays there and back for ever: every fourth of its frames, eight times enlarged."""
    moving = [grid(frame[None], 1, 8) for frame in frames[::4]]
    return gif_bytes([*moving, *moving[-2:0:-1]])


def _table(changes: np.ndarray) -> list[dict[str, object]]:
    ends = enumerate(changes, 1)
    return [{"position": f"{i / len(changes):.4f}", "change": f"{change:.6f}"} for i, change in ends]
