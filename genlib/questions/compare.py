"""What does every model answer to one seed and class?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genlib.analysis.same_question import DRAWS, Answer, of_class, rows, sighted
from genlib.errors import GenlibError
from genlib.images import grid, npz_bytes, png_bytes
from genlib.model import Conditional
from genlib.questions.generate import Generate
from genlib.questions.keeping import kept, loaded
from genlib.questions.question import EVERY_CLASS, Maker, Question, asks, class_field, csv_bytes, seed_field
from genlib.zoo.catalogue import list_models, list_runs, trained

EVERY_FAMILY = "Every family"
BY_SIGHT, AS_DRAWN = "picked by sight", "as drawn"
FIGURES = {"frechet_distance": "fd", "ms_64": "ms_64", "parameters": "parameters"}


@kept(256)
def looked_at(name: str, seed: int) -> tuple[Tensor, Tensor]:
    """The first samples of a seed and the classes seen in them: once for all classes."""
    return sighted(loaded(name), seed)


def zoo() -> dict[str, dict[str, Any]]:
    """Every shipped model as the zoo lists it, best distance first within a family, then every finished run."""
    there = trained()
    shipped = [model for model in list_models() if model["name"] in there]
    shipped.sort(key=lambda model: (model["family"].casefold(), (model["metrics"] or {}).get("fd", math.inf)))
    return {model["name"]: model for model in [*shipped, *list_runs()]}


@dataclass(frozen=True)
class Compare(Question):
    """A row of samples of each model."""

    NAME = "compare"

    seed: int = seed_field()
    label: str = class_field()
    each: int = asks(10, "Pictures each", "", 1, 100, said="pictures of each model", slider=(5, 20, 5))
    family: str = asks(EVERY_FAMILY, "Family", said="ask the models of one family alone")
    unlabelled: str = asks(
        BY_SIGHT,
        "Models without classes",
        f"They cannot be asked for a class. Picked by sight: of the seed's first {DRAWS} samples, those in which "
        "genlib's classifier sees the class. As drawn: whatever comes.",
        said="what they answer for a class",
        choices=(BY_SIGHT, AS_DRAWN),
        when=lambda asked: asked.label != EVERY_CLASS,
    )

    def choices(self, name: str) -> tuple[str, ...]:
        """The families that are here."""
        if name != "family":
            return super().choices(name)
        return EVERY_FAMILY, *dict.fromkeys(model["family"] for model in zoo().values())

    def asks_of(self, family: str) -> bool:
        """Whether the models of a family are asked."""
        return self.family in (EVERY_FAMILY, family)

    @property
    def models(self) -> list[str]:
        """The models asked by name: those whose files are whole."""
        if self.family not in self.choices("family"):
            raise GenlibError(f"family takes {' or '.join(self.choices('family'))}, not {self.family!r}")
        return [name for name, model in zoo().items() if self.asks_of(model["family"]) and _loads(name)]

    def answer(self, name: str) -> Answer:
        """One model's pictures."""
        label, told = self.chosen_class(), isinstance(loaded(name), Conditional)
        if label is not None and not told and self.unlabelled == BY_SIGHT:
            return of_class(*looked_at(name, self.seed), label, self.each)
        drawn = Generate(name, self.seed, self.label if told else EVERY_CLASS, n=self.each)
        return Answer(torch.from_numpy(drawn.images))

    def files(self, models: Sequence[str] = ()) -> dict[str, Maker]:
        """All pictures, a model a row, and the table of figures; of these models where some are named."""
        name = f"compare-seed{self.seed}"
        return {
            f"{name}.png": lambda: png_bytes(grid(self._rows(models or self.models), self.each, 4, 4)),
            f"{name}.npz": lambda: npz_bytes(**self._arrays(models or self.models)),
            f"{name}.csv": lambda: csv_bytes(self._table(models or self.models)),
        }

    def _rows(self, models: Sequence[str]) -> Tensor:
        return rows([self.answer(name) for name in models], self.each)

    def _arrays(self, models: Sequence[str]) -> dict[str, np.ndarray]:
        return {"images": self._rows(models).numpy(), "models": np.array(models)}

    def _table(self, models: Sequence[str]) -> list[dict[str, object]]:
        """A row for each model: its figures, and how often the class was seen where it was looked for."""
        described, found = zoo(), []
        for name in models:
            metrics, answer = described[name]["metrics"] or {}, self.answer(name)
            figures = {head: metrics.get(key) for head, key in FIGURES.items()}
            row = {"model": name, "family": described[name]["family"], **figures}
            found.append({**row, "found": answer.found, "draws": answer.draws})
        return found


def _loads(name: str) -> bool:
    try:
        loaded(name)
    except GenlibError:
        return False
    return True
