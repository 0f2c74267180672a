"""What a run measures of itself at the end of an epoch, for its history: nothing of it feeds back into training.

The test split decides nothing: distances are to the training split's statistics, and the discriminator's accuracy on
test images is only there to show overfitting.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from genlib.data import FashionMNIST
from genlib.images import from_uint8, to_uint8
from genlib.metrics.features import load_extractor
from genlib.metrics.frechet import RunningGaussian, frechet_distance
from genlib.model import Conditional, Decodes, Discriminates, Encodes, Integrates, Looks, Model
from genlib.sampling import BATCH, cycle_labels, sample
from genlib.stages import Stages

SEED = 2**32 - 1  # its latents are no one's default picture
JUDGED = 2_000
ROW, SIDE = 10, 28  # samples in a row, pixels of one


def logged_epochs(total: int, milestones: tuple[int, ...], most: int = Looks.epochs) -> list[int]:
    """The epochs whose distance and samples are kept: the first five, the milestones, the last, an even rest."""
    if total <= most:
        return list(range(1, total + 1))
    chosen = {1, 2, 3, 4, 5, total, *(m for m in milestones if 1 <= m <= total)}
    free = most - len(chosen)
    return sorted(chosen | {round(1 + (total - 1) * (i + 1) / (free + 1)) for i in range(free)})


class Diagnostics:
    """Fixed latents and images, drawn once a run."""

    def __init__(self, model: Model, train: FashionMNIST, samples: int | None = None) -> None:
        self.samples = samples = model.looks.samples if samples is None else samples
        self._z = model.draw_latent(max(samples, ROW), SEED)
        self._y = cycle_labels(len(self._z)) if isinstance(model, Conditional) else None
        self._train = train
        self._test = FashionMNIST.load("test")

    def _fakes(self, model: Model, n: int) -> Iterator[Tensor]:
        """The fixed latents' samples, 250 after another."""
        y = self._y
        for i in range(0, n, BATCH):
            rows = slice(i, min(i + BATCH, n))
            yield to_uint8(sample(model, self._z[rows], None if y is None else y[rows], **model.looks.options))

    def row(self, model: Model) -> Tensor:
        """Ten samples from the fixed noise, one a class where there are classes, uint8 (10, 28, 28)."""
        return next(self._fakes(model, ROW))

    def distance(self, model: Model) -> Stages[float]:
        """Frechet distance of the fixed latents' samples from the training split; yields the share that is drawn."""
        extractor = load_extractor()
        features = RunningGaussian(len(extractor.train.mean))
        for images in self._fakes(model, self.samples):
            features.add(extractor.features(images))
            yield features.n / self.samples
        return frechet_distance(features.fit(), extractor.train)

    @torch.inference_mode()
    def every_epoch(self, model: Model, device: torch.device) -> dict[str, Any]:
        """What is cheap: the discriminator's accuracies, and the reconstruction error on test images of an encoder that
        takes one step."""
        model.eval()
        record: dict[str, Any] = {}
        if isinstance(model, Discriminates):
            record |= self._accuracies(model, device)
        if isinstance(model, Encodes) and isinstance(model, Decodes) and not isinstance(model, Integrates):
            x = from_uint8(self._test.images[:JUDGED]).to(device)
            record["mse_test"] = float(((model.decode(model.encode(x)) - x) / 2).square().mean())
        return record

    def _accuracies(self, model: Any, device: torch.device) -> dict[str, float]:
        """Share judged rightly of 2,000 training images, test images and fakes of the raw generator."""
        n = min(JUDGED, len(self._train), self.samples)
        fakes = torch.cat(list(self._fakes(model, n)))
        sets = {
            "train": (self._train.images[:n], self._train.labels[:n], True),
            "test": (self._test.images[:n], self._test.labels[:n], True),
            "fake": (fakes, self._y[:n] if self._y is not None else self._test.labels[:n], False),
        }
        return {
            f"accuracy_{name}": float(
                ((model.discriminate(from_uint8(x).to(device), y.to(device)) >= 0.5) == real).float().mean()
            )
            for name, (x, y, real) in sets.items()
        }
