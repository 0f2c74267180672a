"""What does each Gaussian of a mixture hold?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from genlib.analysis.components import Contents, by_weight, component_samples, contents
from genlib.data import CLASS_NAMES
from genlib.errors import whole
from genlib.images import grid, npz_bytes, png_bytes
from genlib.questions.keeping import kept, loaded
from genlib.questions.question import Maker, Question, asks, csv_bytes, model_field, seed_field, temperature_field

COLUMNS = 10
SAMPLES = 20
TYPICAL = 10


@kept(12, "Giving each test image to its component")
def held(name: str) -> Contents:
    """Components, heaviest first, with what they hold of the test split."""
    return contents(loaded(name), typical=TYPICAL)


@kept(128)
def samples(name: str, place: int, seed: int, temperature: float) -> np.ndarray:
    """Samples of the component at a place by weight, from 1, uint8 (20, 28, 28)."""
    model = loaded(name)
    order = by_weight(model)
    k = int(order[whole("component", place, 1, len(order)) - 1])
    return component_samples(model, k, SAMPLES, seed, temperature).numpy()


@dataclass(frozen=True)
class Mixtures(Question):
    """One component by its place by weight, and how its samples are drawn."""

    NAME = "mixtures"

    model: str = model_field("mixture")
    seed: int = seed_field()
    component: int = asks(1, "Component", said="its number, the heaviest first", low=1)
    temperature: float = temperature_field("Scales the noise around the mean. 0: the mean itself; 1: as fitted.", 2.0)

    def bounds(self, name: str) -> tuple[Any, Any]:
        """There are as many places as components."""
        return (1, len(held(self.model).weights)) if name == "component" else super().bounds(name)

    @property
    def images(self) -> np.ndarray:
        """Samples of the component."""
        return samples(self.model, self.component, self.seed, self.temperature)

    def files(self) -> dict[str, Maker]:
        """The component's samples, with the means and the table of all components."""
        name = f"{self.model}-component{self.component}"
        return {
            f"{name}.png": lambda: png_bytes(grid(self.images, COLUMNS, 4, 4)),
            f"{name}.npz": lambda: npz_bytes(**self._arrays()),
            f"{self.model}-components.csv": lambda: csv_bytes(_table(held(self.model))),
        }

    def _arrays(self) -> dict[str, np.ndarray]:
        found = held(self.model)
        arrays = {"means": found.means, "weights": found.weights, "classes": found.classes}
        return {"images": self.images} | {name: array.numpy() for name, array in arrays.items()}


def _table(found: Contents) -> list[dict[str, object]]:
    """A row for each component: its weight and the test images it holds by class."""
    return [
        {"component": i, "weight": f"{weight:.5f}"} | dict(zip(CLASS_NAMES, counts, strict=True))
        for i, (weight, counts) in enumerate(zip(found.weights.tolist(), found.classes.tolist(), strict=True), start=1)
    ]
