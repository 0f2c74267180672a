"""A trained model as a reader meets it: what it is, how good, how big."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genlib.metrics.evaluation import EVALUATION_SAMPLES
from genlib.model import Preset, capabilities, keeps_raw, unit_of_training
from genlib.models import families
from genlib.zoo.catalogue import scale_of_distance
from genlib.zoo.figures import written
from genlib.zoo.files import SAID_OF_EACH


@dataclass(frozen=True)
class Entry:
    """A model of the zoo or a run; `problem` is the one line that says why its weights do not load, where they do not.

    `metrics` has every figure that each model has, or is empty.
    """

    name: str
    family: str
    summary: str
    capabilities: tuple[str, ...]
    metrics: Mapping[str, Any]
    problem: str | None = None

    @classmethod
    def of(cls, described: Mapping[str, Any], summary: str, problem: str | None = None) -> Entry:
        """From what `list_models` or `list_runs` says of it."""
        metrics = described["metrics"] or {}
        known = metrics if metrics.keys() >= set(SAID_OF_EACH) else {}
        can = tuple(described["capabilities"])
        return cls(described["name"], described["family"], summary, can, known, problem)

    @classmethod
    def of_run(cls, name: str, preset: Preset) -> Entry:
        """A run that is no model yet."""
        return cls(name, preset.family, preset.summary, tuple(capabilities(preset.model_class)), {})

    @property
    def is_run(self) -> bool:
        """Trained here, not shipped."""
        return self.name.startswith("runs/")

    @property
    def remedy(self) -> str:
        """What to do about damaged files."""
        return "Delete it on the Train page." if self.is_run else f"`git checkout weights/{self.name}` restores it."

    @property
    def averaged(self) -> bool:
        """Whether its generator is the average of its last steps."""
        return keeps_raw(families()[self.family])

    @property
    def unit(self) -> str:
        """What its training counts."""
        return unit_of_training(self.capabilities)

    @property
    def few(self) -> str:
        """What is to be said behind a distance that was measured on fewer samples than the protocol's."""
        return of_few(self.metrics)

    @property
    def figures(self) -> str:
        """How good, how big, how long trained, for a card; empty where the figures are missing."""
        if not self.metrics:
            return ""
        count = self.metrics["parameters"]
        size = f"{count / 1e6:.1f} M parameters" if count >= 50_000 else f"{count / 1e3:.1f} k parameters"
        trained = f"{self.metrics['train_epochs']:,} {self.unit}s"
        return f"Frechet distance **{self.metrics['fd']:.1f}**{self.few} · {size} · {trained}"

    @property
    def caption(self) -> str:
        """One line for a picker, in Markdown: what it is, how good, how big."""
        said = f"**{capitalised(self.family)}.** {self.summary}"
        return f"{said} {how_good(self.metrics)}" if self.metrics else said


def capitalised(text: str) -> str:
    """With a capital first letter; the others stay, since a family may be called GAN."""
    return text[:1].upper() + text[1:]


def of_few(metrics: Mapping[str, Any]) -> str:
    """What is to be said behind a distance that was measured on fewer samples than the protocol's."""
    samples = metrics.get("samples", EVALUATION_SAMPLES)
    return f" of {samples:,} samples" if samples < EVALUATION_SAMPLES else ""


def how_good(metrics: Mapping[str, Any]) -> str:
    """The distance, what it is to be read against, and the size."""
    scale = scale_of_distance(metrics)
    if few := of_few(metrics):
        floor = metrics.get("floor") or {}
        number = f"{floor['samples']:,} " if "samples" in floor else ""
        scale = f"a quick look, biased upwards: {number}real photographs score {metrics['fd_floor']:.2f}"
    return f"Frechet distance {written(metrics, 'fd')}{few} ({scale}); {metrics['parameters']:,} parameters."
