"""What each figure of metrics.json is called, how it is written and what it means: one table for every place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

REAL, RANDOM = "real training images", "random pixels"  # what stands beside the models in every table


@dataclass(frozen=True)
class Figure:
    """One figure: its title, the head of its column, how it is written (`format`), what it means in plain words.

    `better` says by which one model can beat another ("lower" or "higher"), `log` where a chart needs a logarithmic
    axis, `scale` is 100 where pages write per cent. `note` is what a model card adds to the title.
    """

    title: str
    short: str
    form: str
    meaning: str
    better: str | None = None
    log: bool = False
    scale: float = 1
    note: str = ""

    @property
    def label(self) -> str:
        """Title and note."""
        return f"{self.title}, {self.note}" if self.note else self.title

    def text(self, value: float) -> str:
        """A value as pages write it."""
        return f"{self.scale * value:.1f} %" if self.scale == 100 else format(value, self.form)


def written(figures: Mapping[str, Any], key: str, absent: str = "") -> str:
    """A figure as text; `absent` where it does not apply."""
    value = figures.get(key)
    return absent if value is None else format(value, FIGURES[key].form)


FIGURES = {
    "fd": Figure(
        "Frechet distance",
        "FD",
        ".2f",
        "How far the samples are from the test photographs as a whole, as a classifier of garments sees both. Counts "
        "both poor pictures and missing kinds.",
        "lower",
        log=True,
        note="in genlib's features",
    ),
    "fd_second": Figure(
        "Distance, second opinion",
        "2nd FD",
        ".2f",
        "The Frechet distance as another classifier sees it, of another kind. Its scale is its own: compare it down "
        "the column only. One model is called better than another only where both agree.",
        "lower",
        log=True,
    ),
    "fd_raw": Figure(
        "Raw Frechet distance",
        "raw FD",
        ".2f",
        "The same for a GAN's last weights instead of their average over the last steps. Of one sample seed.",
        "lower",
        log=True,
    ),
    "kid": Figure(
        "Kernel distance",
        "KID",
        "z.4f",
        "The same question with another ruler (cubic polynomial kernel), unbiased: real images score 0 within noise.",
        "lower",
    ),
    "precision": Figure(
        "Precision",
        "precision",
        ".3f",
        "Share of the samples that lie among the real images: are the pictures plausible?",
        "higher",
        scale=100,
        note="samples among real images",
    ),
    "recall": Figure(
        "Recall",
        "recall",
        ".3f",
        "Share of the real images that lie among the samples: is every kind of garment drawn?",
        "higher",
        scale=100,
        note="real images among samples",
    ),
    "density": Figure(
        "Density",
        "density",
        ".3f",
        "Precision that counts how many real images a sample lies close to, and forgives outliers; may exceed 1.",
        "higher",
    ),
    "coverage": Figure(
        "Coverage",
        "coverage",
        ".3f",
        "Share of the real images with a sample in their immediate neighbourhood: recall that forgives outliers.",
        "higher",
        scale=100,
    ),
    "class_consistency": Figure(
        "Class consistency",
        "class",
        ".3f",
        "How often the classifier sees the class that was asked for. Only for models that take a class.",
        "higher",
        scale=100,
        note="seen as the class asked for",
    ),
    "balance_kl": Figure(
        "Class imbalance",
        "balance",
        ".3f",
        "How unevenly the ten classes are drawn, in nats: 0 is even, 2.3 is one class alone. Only for models that take "
        "no class.",
        "lower",
        log=True,
        note="KL from uniform, nats",
    ),
    "cas": Figure(
        "Classification accuracy score",
        "CAS",
        ".3f",
        "How well a classifier that saw nothing but samples does on real test images. Only for models that take a "
        "class. Of one sample seed.",
        "higher",
        scale=100,
    ),
    "nearest_train": Figure(
        "Nearest training image",
        "nearest",
        ".2f",
        "Median distance from a sample to the training image most like it. Far below the test images' own: copies. Of "
        "one sample seed.",
        note="median distance",
    ),
    "near_copies": Figure(
        "Near copies",
        "copies",
        ".4f",
        "Share of the samples nearer to a training image than 99 % of the test images are; 1 % would be natural. Of "
        "one sample seed.",
        scale=100,
        note="share nearer to one than 99 % of test images",
    ),
    "mse": Figure(
        "Reconstruction error",
        "MSE",
        ".4f",
        "Squared error per pixel of test images encoded and decoded. Only for models that encode.",
        "lower",
        log=True,
        note="squared error a pixel",
    ),
    "ssim": Figure(
        "Structural similarity",
        "SSIM",
        ".3f",
        "Likeness of test images and their reconstructions; 1 is equal. Only for models that encode.",
        "higher",
        note="of reconstructions",
    ),
    "parameters": Figure("Parameters", "parameters", ",d", "Numbers that training set.", log=True),
    "ms_64": Figure(
        "64 samples, ms",
        "ms / 64",
        ".1f",
        "Milliseconds for 64 samples on the processor they were measured on.",
        log=True,
    ),
    "train_seconds": Figure(
        "Training, s",
        "seconds",
        ",.0f",
        "Seconds of training, not always on the same machine. For a mixture on latents, of the mixture alone: its "
        "encoder, which counts in its size, was trained before.",
        log=True,
    ),
    "train_epochs": Figure("Epochs", "epochs", "d", "Passes over the training images; for mixtures, EM iterations."),
    "peak_memory_mb": Figure("Peak memory, MB", "MB", ",.0f", "The most memory that training held."),
    "components": Figure("Components", "components", "d", "Gaussians in a mixture."),
    "log_likelihood": Figure(
        "Log-likelihood",
        "log-lik.",
        ".2f",
        "Nats per training image, in the space of the mixture: compare like with like.",
        note="nats an image of the training split",
    ),
    "bic": Figure("BIC", "BIC", ".4g", "Likelihood against number of parameters; lower is better on the same data."),
    "steps": Figure("Steps", "steps", "d", "From noise to image, as it was measured. Only for models that integrate."),
    "guidance": Figure(
        "Guidance", "guidance", ".1f", "How far the class pulled, as it was measured. Only for models that integrate."
    ),
    "protocol": Figure(
        "Protocol", "protocol", "d", "The version of these measurements; the third has a second opinion."
    ),
    "samples": Figure("Samples", "samples", "d", "Samples a seed, measured for three seeds."),
}
COSTS = {"parameters": "size", "ms_64": "time to sample", "train_seconds": "time to train"}
TRAINED = ("fd", "fd_second", "precision", "recall", "coverage", "class_consistency", "mse")  # in several trainings
QUALITIES = tuple(key for key, figure in FIGURES.items() if figure.better)
