"""How did a model learn?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genlib.analysis import history as analysis
from genlib.analysis.history import ROW, read_history
from genlib.data import CLASS_NAMES
from genlib.images import gif_bytes, grid, npz_bytes, png_bytes
from genlib.model import unit_of_training
from genlib.questions.keeping import kept
from genlib.questions.question import Maker, Question, asks, csv_bytes, model_field

LAST = 0


@kept(48)
def history(name: str) -> analysis.History:
    """A model's history, read once."""
    return read_history(name)


@dataclass(frozen=True)
class History(Question):
    """One epoch of a model's training: samples of the same noise."""

    NAME = "history"

    model: str = model_field()
    epoch: int = asks(LAST, "Epoch", said="one whose samples were kept; 0: the last", low=LAST, high=1_000_000)

    @property
    def past(self) -> analysis.History:
        """The whole training."""
        return history(self.model)

    @property
    def shown(self) -> int:
        """The epoch whose samples are shown."""
        return self.epoch or self.past.sample_epochs[-1]

    @property
    def unit(self) -> str:
        """What the training counts."""
        return unit_of_training(self.can)

    @property
    def images(self) -> np.ndarray:
        """uint8 (rows * 10, 28, 28)."""
        return self.past.at(self.shown).flatten(0, 1).numpy()

    @property
    def heads(self) -> tuple[str, ...]:
        """The classes over the columns, where each column is one."""
        return CLASS_NAMES if "conditional" in self.can else ()

    @property
    def alt(self) -> str:
        """The picture in words."""
        rows = "; the averaged generator above, the raw one below" if len(self.images) > ROW else ""
        return f"Ten samples of {self.model} after {self.unit} {self.shown}, always from the same noise{rows}"

    def files(self) -> dict[str, Maker]:
        """The epoch's picture and numbers, the whole training as a film and as a table."""
        name = f"{self.model}-{self.unit.replace(' ', '-')}{self.shown}"
        return {
            f"{name}.png": lambda: png_bytes(grid(self.images, ROW, 4, 4)),
            f"{self.model}-training.gif": self._film,
            f"{name}.npz": lambda: npz_bytes(images=self.images),
            f"{self.model}-history.csv": lambda: csv_bytes(self.past.table),
        }

    def _film(self) -> bytes:
        frames = [grid(samples.flatten(0, 1), ROW, 2, 2) for samples in self.past.samples]
        return gif_bytes([*frames, *[frames[-1]] * 10], milliseconds=200)
