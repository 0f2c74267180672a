"""How well a discriminator tells real images from fakes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from genlib.data import FashionMNIST
from genlib.errors import GenlibError, shown, whole
from genlib.images import from_uint8
from genlib.loading import load
from genlib.model import N_CLASSES, Discriminates, Model
from genlib.sampling import BATCH, generate

MOST = 10_000
NORMS = ("running", "batch")


@dataclass(frozen=True)
class Judgement:
    """Images uint8 (N, 28, 28) on either side with the probability of being real that each was given, (N,) in [0, 1].

    Classes int64 (N,) are those of the data set, and for fakes those asked for: None without labels.
    """

    real: Tensor
    fake: Tensor
    real_scores: Tensor
    fake_scores: Tensor
    real_classes: Tensor
    fake_classes: Tensor | None

    def accuracy(self, threshold: float = 0.5) -> dict[str, float]:
        """Shares judged rightly: of the real images, of the fakes, and of both together."""
        if not 0 <= threshold <= 1:
            raise GenlibError(f"threshold takes 0 to 1, not {shown(threshold)}")
        right = {"real": self.real_scores >= threshold, "fake": self.fake_scores < threshold}
        shares = {side: float(hits.double().mean()) for side, hits in right.items()}
        return {"overall": float(torch.cat(list(right.values())).double().mean()), **shares}

    def pies(self, threshold: float = 0.5) -> dict[str, float]:
        """The study's three pies: shares judged rightly by their titles."""
        return dict(zip(("Overall", "Real images", "Fakes"), self.accuracy(threshold).values(), strict=True))

    def class_accuracy(self, fake_classes: Tensor, threshold: float = 0.5) -> dict[str, Tensor]:
        """Shares judged rightly by class, (10,) for either side, nan for a class without images.

        `fake_classes` int64 (N,) are the fakes' classes: those asked for, or those a classifier sees.
        """
        right = {
            "real": (self.real_classes, self.real_scores >= threshold),
            "fake": (fake_classes, self.fake_scores < threshold),
        }
        return {
            side: torch.stack([hits[classes == label].double().mean() for label in range(N_CLASSES)])
            for side, (classes, hits) in right.items()
        }

    def roc(self) -> tuple[Tensor, Tensor]:
        """False and true positive rates over all thresholds, (T + 1,) each for T distinct scores, (0, 0) to (1, 1)."""
        from sklearn.metrics import roc_curve

        scores = torch.cat([self.real_scores, self.fake_scores])
        real = torch.cat([torch.ones_like(self.real_scores), torch.zeros_like(self.fake_scores)])
        false_positive, true_positive, _ = roc_curve(real, scores, drop_intermediate=False)
        return torch.from_numpy(false_positive).float(), torch.from_numpy(true_positive).float()

    def area(self) -> float:
        """Area under the ROC curve: how often a real image scores above a fake; 0.5 is guessing."""
        false_positive, true_positive = self.roc()
        return float(torch.trapezoid(true_positive.double(), false_positive.double()))


def batch_norms(model: Model) -> list[nn.Module]:
    """The discriminator's batch-norm layers."""
    modules = getattr(model, "discriminator", nn.Identity()).modules()
    return [module for module in modules if isinstance(module, nn.modules.batchnorm._BatchNorm)]


def judge(name: str | Path, n: int = 2_000, seed: int = 0, norm: str = "running") -> Judgement:
    """Show the discriminator of a trained model the first n test images and n fakes of a seed.

    The fakes are the *raw* generator's, the one it trained against, and the discriminator is in evaluation mode: no
    dropout, batch norm on running statistics. A conditional model is asked for the test images' own classes.

    With norm "batch" batch norm normalises by the statistics of the images at hand, in batches of either kind alone,
    as in training. Running statistics trail the weights, and a small lag moves all scores alike: of dcgan-32, 0.06
    standard deviations a channel move the mean logit of real images and fakes by 1.4.
    """
    if norm not in NORMS:
        raise GenlibError(f"norm takes {' or '.join(NORMS)}, not {norm!r}")
    n = whole("n", n, 1, MOST)
    model = load(name, weights="raw")
    if not isinstance(model, Discriminates):
        raise GenlibError(f"{name} has no discriminator: judging needs a GAN")
    test = FashionMNIST.load("test")
    real, classes = test.images[:n], test.labels[:n]
    conditional = hasattr(model, "embed_classes")
    fake, _ = generate(model, n, seed, classes if conditional else None)
    if norm == "batch":
        _forget_running_statistics(model, name)
    return Judgement(
        real=real,
        fake=fake,
        real_scores=_scores(model, real, classes),
        fake_scores=_scores(model, fake, classes),
        real_classes=classes,
        fake_classes=classes if conditional else None,
    )


def _forget_running_statistics(model: Model, name: str | Path) -> None:
    """Without running statistics batch norm takes the batch's own, in evaluation mode too."""
    layers = batch_norms(model)
    if not layers:
        raise GenlibError(f"the discriminator of {name} has no batch norm: it judges in one way only")
    for layer in layers:
        layer.running_mean = layer.running_var = None  # type: ignore[assignment]


@torch.inference_mode()
def _scores(model: Discriminates, images: Tensor, classes: Tensor) -> Tensor:
    count = -(-len(images) // BATCH)  # of equal size: a small last batch has statistics of its own
    parts = zip(images.tensor_split(count), classes.tensor_split(count), strict=True)
    return torch.cat([model.discriminate(from_uint8(x), y) for x, y in parts])
