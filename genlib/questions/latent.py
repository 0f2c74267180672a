"""Where does a model keep its classes?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genlib.analysis.latent import Projection, load_fits, outlines, projections, untrained_accuracies
from genlib.data import CLASS_NAMES
from genlib.drawing import scatter
from genlib.images import npz_bytes, png_bytes
from genlib.model import HiddenLayers
from genlib.questions.keeping import kept, loaded
from genlib.questions.question import Figures, Maker, Question, asks, class_field, csv_bytes, model_field, seed_field

VIEWS = ("2-D", "3-D")


@kept(24, "Finding the principal components")
def found_projections(name: str, points: int, seed: int) -> tuple[dict[str, Projection], list[np.ndarray], bool]:
    """Projections by name, the ellipses of a mixture's components in the first, and whether the axes were kept."""
    model, fits = loaded(name), load_fits(name)
    found = projections(model, points, seed, fits=fits)
    if not fits and isinstance(model, HiddenLayers):
        before = untrained_accuracies(model)
        found = {layer: replace(each, untrained=before.get(layer)) for layer, each in found.items()}
    return found, [outline.numpy() for outline in outlines(model, next(iter(found.values())))], bool(fits)


@dataclass(frozen=True)
class Latent(Question):
    """One view: everything that decides what is drawn."""

    NAME = "latent"

    model: str = model_field("hidden_layers", "encodes", "mixture")
    seed: int = seed_field(when="hidden_layers")
    label: str = class_field()
    dims: str = asks(VIEWS[0], "View", choices=VIEWS, flag=False)
    n: int = asks(2_000, "Points", "", 40, 10_000, said="points", key="points", slider=(500, 10_000, 500))

    def slider(self, name: str) -> tuple[int, int, int] | None:
        """What integrates encodes step by step: fewer points."""
        return (500, 1_000, 500) if name == "n" and "integrates" in self.can else super().slider(name)

    def usual(self, name: str) -> Any:
        """What integrates is asked for few points unless told."""
        return 500 if name == "n" and "integrates" in self.can else super().usual(name)

    @property
    def _computed(self) -> tuple[dict[str, Projection], list[np.ndarray], bool]:
        return found_projections(self.model, self.n, self.seed)

    @property
    def found(self) -> dict[str, Projection]:
        """Projections by name."""
        return self._computed[0]

    @property
    def ellipses(self) -> list[np.ndarray]:
        """Outlines of a mixture's components."""
        return self._computed[1]

    @property
    def kept_axes(self) -> bool:
        """Whether the axes are those kept beside the weights, which no seed changes."""
        return self._computed[2]

    @property
    def first(self) -> Projection:
        """Any of the projections: they share pictures and classes."""
        return next(iter(self.found.values()))

    def figures(self) -> Figures:
        """What the page says in numbers, by projection: the share of the variance in two components, and the classes
        told apart by a straight boundary and by the nearest centre in the plane."""
        return {
            name: [float(each.explained[:2].sum()), each.separability, each.visible]
            for name, each in self.found.items()
        }

    def files(self) -> dict[str, Maker]:
        """The scatters, their points and the pictures behind them."""
        name = f"{self.model}-latent"
        return {
            f"{name}.png": lambda: png_bytes(scatter(self._panels, self._classes, self.chosen_class(), self.ellipses)),
            f"{name}.npz": lambda: npz_bytes(**self._arrays()),
            f"{name}.csv": lambda: csv_bytes(_rows(self._panels, self._classes)),
        }

    @property
    def _panels(self) -> dict[str, np.ndarray]:
        return {title: each.coordinates.numpy() for title, each in self.found.items()}

    @property
    def _classes(self) -> np.ndarray:
        return self.first.classes.numpy()

    def _arrays(self) -> dict[str, np.ndarray]:
        arrays = {f"coordinates_{i}": places for i, places in enumerate(self._panels.values(), start=1)}
        return arrays | {"classes": self._classes, "images": self.first.images.numpy()}


def _rows(panels: dict[str, np.ndarray], classes: np.ndarray) -> list[dict[str, object]]:
    """A row for each point: its class and its place on every panel."""
    heads = [f"{name}: component {k + 1}" for name, places in panels.items() for k in range(places.shape[1])]
    table = np.concatenate(list(panels.values()), axis=1)
    return [
        {"class": CLASS_NAMES[label], **{head: f"{value:.5g}" for head, value in zip(heads, row, strict=True)}}
        for label, row in zip(classes, table, strict=True)
    ]
