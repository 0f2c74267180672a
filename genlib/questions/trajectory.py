"""How does noise become a garment?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from genlib.analysis.path import MOST_ROWS, rows, trace
from genlib.data import CLASS_NAMES
from genlib.errors import GenlibError, whole
from genlib.images import gif_bytes, grid, npz_bytes, png_bytes
from genlib.metrics.settings import Settings, load_settings
from genlib.questions.keeping import kept, loaded
from genlib.questions.question import (
    EVERY_CLASS,
    Maker,
    Question,
    asks,
    class_field,
    csv_bytes,
    guidance_field,
    model_field,
    seed_field,
    solver_field,
    steps_field,
)
from genlib.solvers import MOST_STEPS

WHOLE = -1  # the whole way, not one place on it


@kept(16)
def settings(name: str) -> Settings | None:
    """What was measured of a model's settings; None where nothing is kept. GenlibError where it is damaged."""
    return load_settings(name)


@kept(64, "Following the flow")
def points(
    name: str, n: int, seed: int, label: int | None, steps: int | None, solver: str | None, guidance: float | None
) -> tuple[tuple[float, ...], np.ndarray, np.ndarray]:
    """Times, the points uint8 (p, n, 28, 28) and the ends expected from them."""
    way = trace(loaded(name), n, seed, label, steps=steps, solver=solver, guidance=guidance)
    return way.times, way.images.numpy(), way.expected.numpy()


@dataclass(frozen=True)
class Trajectory(Question):
    """Samples on their way, over the ends that the model expects from there: at one place, or all along."""

    NAME = "path"
    DEFAULTS: ClassVar[Mapping[str, Any]] = {"n": 4}

    model: str = model_field("integrates")
    seed: int = seed_field()
    label: str = class_field(when="conditional")
    steps: int | None = steps_field()
    solver: str | None = solver_field()
    guidance: float | None = guidance_field()
    at: int = asks(WHOLE, "Steps taken", "", WHOLE, MOST_STEPS, said="after how many steps; -1: at each, a column each")
    n: int = asks(10, "Samples", "", 1, MOST_ROWS, key=False)

    def slider(self, name: str) -> tuple[Any, Any, Any] | None:
        """There are as many places as steps."""
        return (0, self.value("steps"), 1) if name == "at" else super().slider(name)

    def usual(self, name: str) -> Any:
        """Half of the way."""
        return self.value("steps") // 2 if name == "at" else super().usual(name)

    @property
    def way(self) -> tuple[tuple[float, ...], np.ndarray, np.ndarray]:
        """Times, points and expected ends of all the way."""
        options = self.steps, self.solver, self.guidance
        return points(self.model, self.n, self.seed, self.chosen_class(), *options)

    @property
    def images(self) -> np.ndarray:
        """The points over the ends expected: (2 * n, 28, 28) at one place; two rows a sample for the whole way."""
        times, images, expected = self.way
        if self.at == WHOLE:
            return rows(images, expected)
        place = whole("at", self.at, 0, len(times) - 1)
        return np.concatenate([images[place], expected[place]])

    @property
    def columns(self) -> int:
        """A sample each; for the whole way a point each."""
        return len(self.way[0]) if self.at == WHOLE else self.n

    @property
    def heads(self) -> tuple[str, ...]:
        """The classes over the columns of one place, where they are the classes in turn."""
        return CLASS_NAMES if self.label == EVERY_CLASS else ()

    @property
    def said(self) -> str:
        """The place in words."""
        steps = self.value("steps")
        if self.at == 0:
            return (
                "Time 1: pure noise. Below it, what the model expects to come of it: the mean of everything possible."
            )
        if self.at == steps:
            return "Time 0: the samples."
        return (
            f"Time {self.way[0][self.at]:.2f}, after {self.at} of {steps} steps. Below, what the model expects from "
            "here."
        )

    @property
    def measured(self) -> Settings | None:
        """What is kept of this model's settings, where it is whole."""
        try:
            return settings(self.model)
        except GenlibError:
            return None

    def files(self) -> dict[str, Maker]:
        """The picture and its numbers, the whole way as a film, and what was measured of steps and guidance."""
        name = f"{self.model}-way-seed{self.seed}"
        files = {
            f"{name}.png": lambda: png_bytes(grid(self.images, self.columns, 4, 4)),
            f"{name}.gif": self._film,
            f"{name}.npz": lambda: npz_bytes(images=self.images),
        }
        found = self.measured
        return files | ({f"{self.model}-settings.csv": lambda: csv_bytes(_table(found))} if found else {})

    def _film(self) -> bytes:
        _, images, expected = self.way
        frames = [grid(np.concatenate(pair), self.n, 3, 3) for pair in zip(images, expected, strict=True)]
        return gif_bytes([*frames, *[frames[-1]] * 8], milliseconds=200)


def _table(found: Settings) -> list[dict[str, object]]:
    """Every setting with its figures and their spread."""
    return [
        {
            **{"model": row.model, "steps": row.steps, "guidance": row.guidance, "evaluations": row.evaluations},
            **row.figures,
            **{f"{key}_spread": value for key, value in row.spread.items()},
        }
        for row in found.rows
    ]
