"""Can a GAN's own judge tell real from fake?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from genlib.analysis.discriminator import NORMS, Judgement, batch_norms, judge
from genlib.data import CLASS_NAMES
from genlib.drawing import pies
from genlib.images import npz_bytes, png_bytes
from genlib.metrics.features import load_extractor
from genlib.questions.keeping import kept, loaded
from genlib.questions.question import Figures, Maker, Question, asks, csv_bytes, model_field, seed_field

AREA = "area"


@kept(24, "The discriminator is judging")
def judged(name: str, n: int, seed: int, norm: str) -> tuple[Judgement, torch.Tensor]:
    """The judgement, and the fakes' classes: those asked for, else those genlib's classifier sees."""
    found = judge(name, n, seed, norm)
    classes = load_extractor().predict(found.fake) if found.fake_classes is None else found.fake_classes
    return found, classes


@dataclass(frozen=True)
class Discriminator(Question):
    """One judgement under one threshold."""

    NAME = "discriminator"

    model: str = model_field("discriminates")
    seed: int = seed_field()
    threshold: float = asks(
        0.5,
        "Threshold",
        "An image is called real from this probability on.",
        *(0.0, 1.0),
        slider=(0.0, 1.0, 0.05),
    )
    n: int = asks(
        2_000,
        "Images of each kind",
        "test images, and as many fakes",
        1,
        10_000,
        key="images",
        slider=(500, 10_000, 500),
    )
    norm: str = asks(
        NORMS[0],
        "Batch norm",
        said="statistics of batch norm",
        choices=NORMS,
        when=lambda asked: bool(batch_norms(loaded(asked.model))),
    )

    @property
    def _judged(self) -> tuple[Judgement, torch.Tensor]:
        return judged(self.model, self.n, self.seed, self.norm)

    @property
    def found(self) -> Judgement:
        """What the discriminator said."""
        return self._judged[0]

    @property
    def fake_classes(self) -> torch.Tensor:
        """Classes of the fakes."""
        return self._judged[1]

    @property
    def shares(self) -> dict[str, float]:
        """The three pies."""
        return self.found.pies(self.threshold)

    def figures(self) -> Figures:
        """What the page says in numbers: the shares judged rightly, and the area under the ROC curve."""
        return {title: [share] for title, share in [*self.shares.items(), (AREA, self.found.area())]}

    def files(self) -> dict[str, Maker]:
        """The pies, and every image with its score."""
        name = f"{self.model}-discriminator"
        return {
            f"{name}.png": lambda: png_bytes(pies(self.shares)),
            f"{name}.npz": lambda: npz_bytes(**self._arrays()),
            f"{name}.csv": lambda: csv_bytes(_rows(self._arrays())),
        }

    def _arrays(self) -> dict[str, np.ndarray]:
        return {
            "real": self.found.real.numpy(),
            "fake": self.found.fake.numpy(),
            "real_scores": self.found.real_scores.numpy(),
            "fake_scores": self.found.fake_scores.numpy(),
            "real_classes": self.found.real_classes.numpy(),
            "fake_classes": self.fake_classes.numpy(),
        }


def _rows(arrays: dict[str, np.ndarray]) -> list[dict[str, object]]:
    """A row for each image: its side, its class and its score."""
    return [
        {"side": side, "class": CLASS_NAMES[label], "probability of real": f"{score:.5f}"}
        for side in ("real", "fake")
        for label, score in zip(arrays[f"{side}_classes"], arrays[f"{side}_scores"], strict=True)
    ]
