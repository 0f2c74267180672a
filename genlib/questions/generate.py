"""What does a model draw from noise?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from genlib.analysis.directions import load_directions
from genlib.data import CLASS_NAMES
from genlib.errors import GenlibError
from genlib.images import npz_bytes, picture, png_bytes
from genlib.model import Conditional, HiddenLayers, Mixture, keeps_raw
from genlib.questions.keeping import kept, loaded
from genlib.questions.question import (
    EVERY_CLASS,
    Maker,
    Question,
    asks,
    class_field,
    guidance_field,
    model_field,
    seed_field,
    solver_field,
    steps_field,
    temperature_field,
)
from genlib.sampling import MAX_SAMPLES, cycle_labels, generate

UNMIXED = "Nothing"
SMALL_LATENT = 16
REACH = 2.0  # thumbnails beside a slider show this many standard deviations
MOST_STEPS = 3.0
PATH = ("steps", "solver", "guidance")  # of what integrates


@kept(64)
def basis(name: str) -> tuple[Tensor, tuple[str, ...]]:
    """Steps in latent space (k, d) worth a slider each: strongest directions, or a small latent's own numbers; and
    what each is called.
    """
    model = loaded(name)
    if isinstance(model, HiddenLayers):
        found = load_directions(name)
        return found.steps, found.names
    size = math.prod(model.latent_shape)
    small = size <= SMALL_LATENT and not isinstance(model, Mixture)
    steps = torch.eye(size, dtype=torch.float32)[: size if small else 0]
    return steps, tuple(f"Latent {i}" for i in range(1, len(steps) + 1))


@kept(128)
def thumbnails(name: str, weights: str, label: int | None) -> np.ndarray:
    """uint8 (k, 2, 28, 28): the most typical picture moved by -2 and by +2 along each step of `basis`."""
    model, (steps, _) = loaded(name, weights), basis(name)
    if not len(steps):
        return np.empty((0, 2, 28, 28), np.uint8)
    y = (label or 0) if isinstance(model, Conditional) else None
    ends = [generate(model, 1, 0, y, 0.0, sign * REACH * step)[0][0] for step in steps for sign in (-1, 1)]
    return torch.stack(ends).view(len(steps), 2, 28, 28).numpy()


@kept(512)
def drawn(asked: Generate) -> np.ndarray:
    """The samples, uint8 (n, 28, 28)."""
    model, path = loaded(asked.model, asked.weights), {name: getattr(asked, name) for name in PATH}
    return generate(model, asked.n, asked.seed, asked.classes, asked.temperature, asked.shift, **path)[0].numpy()


@dataclass(frozen=True)
class Generate(Question):
    """One grid of samples: everything that decides its pixels."""

    NAME = "generate"
    COMMAND = "sample"
    DEFAULTS: ClassVar[Mapping[str, Any]] = {"n": 64}

    model: str = model_field()
    seed: int = seed_field()
    label: str = class_field(when="conditional")
    temperature: float = temperature_field(
        "Scales the noise. 0: the most typical picture; 1: as trained; above: bolder and odder.", 1_000.0
    )
    n: int = asks(40, "Pictures", "", 1, MAX_SAMPLES, slider=(1, 100, 1))
    weights: str = asks(
        "averaged",
        "Generator",
        "The average of the generator's weights over its last steps, or the last weights themselves.",
        choices=("averaged", "raw"),
        when=lambda asked: keeps_raw(loaded(asked.model)),
    )
    mix: str = asks(
        UNMIXED,
        "Mix with",
        "Blends in the class embedding.",
        said="another class, whose embedding is blended in",
        choices=(UNMIXED, *CLASS_NAMES),
        when=lambda asked: asked.label != EVERY_CLASS and "conditional" in asked.can,
    )
    share: float = asks(
        0.5,
        "Share of it",
        "",
        *(0.0, 1.0),
        said="how much of the other class: 0 none, 1 all",
        slider=(0.0, 1.0, 0.05),
        when=lambda asked: asked.mix != UNMIXED and asked.applies("mix"),
    )
    moves: tuple[float, ...] = asks(
        (), "Moves", "how far along each named direction, in standard deviations: 0,2,-1", -10.0, 10.0, key="d"
    )
    steps: int | None = steps_field()
    solver: str | None = solver_field()
    guidance: float | None = guidance_field()

    @property
    def classes(self) -> Tensor | int | None:
        """What `generate` takes as a label: a class, or mixtures (n, 10) of two."""
        label = self.chosen_class()
        if label is None or not self.applies("share"):
            return label
        mixture = torch.zeros(10)
        mixture[label] += 1 - self.share
        mixture[CLASS_NAMES.index(self.mix)] += self.share
        return mixture.expand(self.n, -1)

    @property
    def shift(self) -> Tensor | None:
        """The moves added up in latent space; None where there are none."""
        if not any(self.moves):
            return None
        steps, names = basis(self.model)
        if len(self.moves) > len(steps):
            raise GenlibError(f"moves takes at most {len(names)} numbers of {self.model}, not {len(self.moves)}")
        return torch.tensor(self.moves, dtype=steps.dtype) @ steps[: len(self.moves)]

    @property
    def images(self) -> np.ndarray:
        """The samples, uint8 (n, 28, 28)."""
        return drawn(self)

    @property
    def _cycles(self) -> bool:
        return self.label == EVERY_CLASS and "conditional" in self.can

    @property
    def heads(self) -> tuple[str, ...]:
        """The classes over the columns, where they are the classes in turn."""
        return CLASS_NAMES[: self.n] if self._cycles else ()

    @property
    def alt(self) -> str:
        """The picture in words."""
        told = f"{self.n} samples {self._what} by {self.model}, seed {self.seed}"
        told += ", raw weights" if self.weights == "raw" else ""
        told += f", temperature {self.temperature:g}" if self.temperature != 1 else ""
        told += "".join(f", {name} {getattr(self, name)}" for name in PATH if getattr(self, name) is not None)
        return told + (", moved" if any(self.moves) else "")

    @property
    def _what(self) -> str:
        if "conditional" not in self.can:
            return "as drawn"
        if self.label == EVERY_CLASS:
            return "of the ten classes in turn"
        if self.mix == UNMIXED:
            return f"of class {self.label}"
        return f"of {100 - 100 * self.share:.0f} % {self.label} and {100 * self.share:.0f} % {self.mix}"

    def files(self) -> dict[str, Maker]:
        """The picture and its numbers."""
        name = f"{self.model}-seed{self.seed}"
        return {
            f"{name}.png": lambda: png_bytes(picture(self.images, columns=min(self.n, 10))),
            f"{name}.npz": lambda: npz_bytes(**self._arrays()),
        }

    def _arrays(self) -> dict[str, np.ndarray]:
        arrays = {"images": self.images}
        if self._cycles:
            arrays["labels"] = cycle_labels(self.n).numpy()
        elif isinstance(label := self.classes, int):
            arrays["labels"] = np.full(self.n, label, dtype=np.int64)
        return arrays
