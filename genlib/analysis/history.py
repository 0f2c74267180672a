"""What a model's training recorded: its figures epoch by epoch, and the samples it drew on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genlib.errors import GenlibError, parsing, shown
from genlib.images import read_png
from genlib.io.files import within
from genlib.loading import model_directory
from genlib.model import Looks
from genlib.zoo.files import read_records

SIDE = 28
ROW = 10  # samples in a row
OLDER = {"samples": Looks.samples}  # what a history that does not say so is of


@dataclass(frozen=True)
class History:
    """`table`: a row for each epoch, {epoch, loss_<name>..., seconds, peak_memory_mb} and what else it measured.

    `samples` uint8 (E, rows, 10, 28, 28) are drawn from the same noise after each of the epochs `sample_epochs` (E):
    one row, or for a model that keeps an average the averaged generator's and then the raw one's.
    """

    table: list[dict[str, Any]]
    sample_epochs: tuple[int, ...]
    samples: Tensor
    looks: Mapping[str, Any] = field(default_factory=lambda: OLDER)  # behind each distance

    @property
    def measured(self) -> str:
        """What each distance is of, in words: "5,000 samples"."""
        count = f"{self.looks['samples']:,} samples"
        steps, solver = self.looks.get("steps"), str(self.looks.get("solver", "")).capitalize()
        return f"{count} of {steps} {solver} steps" if steps else count

    def at(self, epoch: int) -> Tensor:
        """The samples drawn after an epoch, uint8 (rows, 10, 28, 28). GenlibError where none were kept."""
        if epoch not in self.sample_epochs:
            kept = ", ".join(map(str, self.sample_epochs))
            raise GenlibError(f"no samples were kept of epoch {epoch}; epochs with samples: {kept}")
        return self.samples[self.sample_epochs.index(epoch)]

    def curve(self, key: str) -> tuple[list[int], list[float]]:
        """The epochs at which a column was measured, and its values; both empty where it never was."""
        points = [(row["epoch"], row[key]) for row in self.table if row.get(key) is not None]
        return [epoch for epoch, _ in points], [value for _, value in points]


def read_history(name: str | Path) -> History:
    """The history of a trained model, given by preset name or directory.

    Raises GenlibError, in one line, where history.json or progress.png is missing, damaged or not of one run.
    """
    directory = model_directory(name)
    recorded, sprite = read_records(directory), read_png(directory / "progress.png")
    table, epochs = [_flat(record) for record in recorded["epochs"]], tuple(recorded["sample_epochs"])
    known = [row["epoch"] for row in table]
    if sorted(set(known)) != known or sorted(set(epochs)) != list(epochs) or not set(epochs) <= set(known):
        raise GenlibError(f"{directory / 'history.json'} is not that of one epoch after another")
    tiles = _tiles(sprite, len(epochs), directory / "progress.png")
    return History(table, epochs, tiles, recorded.get("looks", OLDER))


def history_so_far(directory: Path, records: list[dict[str, Any]], pictures: dict[int, str]) -> History | None:
    """The history of a run under way: records of its epochs, and the files with samples by epoch.

    None before the first samples. Raises GenlibError where a picture or a record is damaged, or a picture lies
    outside of the directory.
    """
    if not pictures:
        return None
    places = [within(directory, path) for path in pictures.values()]
    strips = [_tiles(read_png(place), 1, place) for place in places]
    with parsing(f"{directory} holds no training's records"):
        return History([_flat(record) for record in records], tuple(pictures), torch.cat(strips))


def _tiles(sprite: np.ndarray, epochs: int, path: Path) -> Tensor:
    """A picture's rows of samples, uint8 (epochs, rows, 10, 28, 28)."""
    rows = sprite.shape[1] // (SIDE * ROW)
    if not epochs or rows < 1 or sprite.shape != (epochs * SIDE, rows * ROW * SIDE):
        raise GenlibError(f"{path} does not hold the samples of {epochs} epochs")
    tiles = torch.from_numpy(sprite.copy()).view(epochs, SIDE, rows, ROW, SIDE)
    return tiles.permute(0, 2, 3, 1, 4).contiguous()


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """A record with each of its losses in a column of its own."""
    losses = {f"loss_{name}": value for name, value in record["losses"].items()}
    return {"epoch": int(record["epoch"])} | losses | {k: v for k, v in record.items() if k not in ("epoch", "losses")}


def smooth(values: list[float], window: int = 5) -> list[float]:
    """The mean of each value and its neighbours, `window` values in all (odd), fewer towards the ends."""
    if window < 1 or window % 2 == 0:
        raise GenlibError(f"window takes an odd whole number, not {shown(window)}")
    reach = window // 2
    widths = [min(reach, i, len(values) - 1 - i) for i in range(len(values))]
    return [mean(values[i - width : i + width + 1]) for i, width in enumerate(widths)]
