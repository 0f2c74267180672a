"""A model as the site shows it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from genlib.analysis.history import History, read_history
from genlib.loading import model_directory
from genlib.model import Preset
from genlib.models import get_preset
from genlib.zoo.catalogue import summary_of
from genlib.zoo.entry import capitalised, how_good
from genlib.zoo.files import SAID_OF_EACH, read_described, read_metrics
from genlib.zoo.trainings import PICTURE


@dataclass(frozen=True)
class Shown:
    """A model and what is shipped of it, each file read once. GenlibError, in one line, where one is damaged."""

    name: str
    directory: Path

    @classmethod
    def of(cls, name: str) -> Shown:
        """By any name that `load` takes; a directory is shown under its last part."""
        directory = model_directory(name)
        return cls(Path(name).resolve().name if Path(name).is_dir() else name, directory)

    @property
    def folder(self) -> str:
        """Where its files lie in the site."""
        return f"models/{re.sub(r'[^A-Za-z0-9._-]', '-', self.name)}"

    @property
    def page(self) -> str:
        """Its own page in the site."""
        return f"{self.folder}/index.html"

    @cached_property
    def described(self) -> dict[str, Any]:
        """config.json."""
        return read_described(self.directory)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """metrics.json."""
        return read_metrics(self.directory, SAID_OF_EACH)

    @cached_property
    def history(self) -> History:
        """history.json and progress.png."""
        return read_history(self.directory)

    @cached_property
    def pictures(self) -> list[str]:
        """The files of pictures that it has."""
        return ["samples.png", "progress.png", *([PICTURE] if (self.directory / PICTURE).is_file() else [])]

    @cached_property
    def preset(self) -> Preset:
        """What it was trained as."""
        return get_preset(self.described["name"])

    @property
    def summary(self) -> str:
        """What it is, in a sentence."""
        return summary_of(self.described)

    @property
    def about(self) -> str:
        """What it is, how good, how big."""
        return f"{capitalised(self.preset.family)}. {self.summary} {how_good(self.metrics)}"


def best_first(models: Iterable[Shown]) -> list[Shown]:
    """By Frechet distance."""
    return sorted(models, key=lambda model: float(model.metrics["fd"]))


def by_family(models: Iterable[Shown]) -> list[tuple[str, list[Shown]]]:
    """The families in the order of their best model, each with its models, best first."""
    found: dict[str, list[Shown]] = {}
    for model in best_first(models):
        found.setdefault(model.preset.family, []).append(model)
    return list(found.items())
