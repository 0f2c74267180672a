"""What each figure of metrics.json is called, how it is written and what it means in plain words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One column: its title, how it is written, what it means; `better` where one model can beat another by it."""

    title: str
    form: str  # as d3 and Streamlit's number columns understand it
    meaning: str
    better: str | None = None
    log: bool = False
    scale: float = 1


FIGURES = {
    "fd": Figure(
        "Frechet distance",
        "%.2f",
        "How far the samples are from the test photographs as a whole, as a classifier of garments sees both. Counts "
        "both poor pictures and missing kinds.",
        "lower",
        log=True,
    ),
    "fd_second": Figure(
        "Distance, second opinion",
        "%.2f",
        "The Frechet distance as another classifier sees it, of another kind. Its scale is its own: compare it down "
        "the column only. One model is called better than another only where both agree.",
        "lower",
        log=True,
    ),
    "fd_raw": Figure(
        "Raw Frechet distance",
        "%.2f",
        "The same for a GAN's last weights instead of their average over the last steps.",
        "lower",
        log=True,
    ),
    "kid": Figure(
        "Kernel distance",
        "%.4f",
        "The same question with another ruler (cubic polynomial kernel), unbiased: real images score 0 within noise.",
        "lower",
    ),
    "precision": Figure(
        "Precision",
        "%.1f %%",
        "Share of the samples that lie among the real images: are the pictures plausible?",
        "higher",
        scale=100,
    ),
    "recall": Figure(
        "Recall",
        "%.1f %%",
        "Share of the real images that lie among the samples: is every kind of garment drawn?",
        "higher",
        scale=100,
    ),
    "density": Figure(
        "Density",
        "%.2f",
        "Precision that counts how many real images a sample lies close to, and forgives outliers; may exceed 1.",
        "higher",
    ),
    "coverage": Figure(
        "Coverage",
        "%.1f %%",
        "Share of the real images with a sample in their immediate neighbourhood: recall that forgives outliers.",
        "higher",
        scale=100,
    ),
    "class_consistency": Figure(
        "Class consistency",
        "%.1f %%",
        "How often the classifier sees the class that was asked for. Only for models that take a class.",
        "higher",
        scale=100,
    ),
    "balance_kl": Figure(
        "Class imbalance",
        "%.3f",
        "How unevenly the ten classes are drawn, in nats: 0 is even, 2.3 is one class alone. Only for models that take "
        "no class.",
        "lower",
        log=True,
    ),
    "cas": Figure(
        "Classification accuracy score",
        "%.1f %%",
        "How well a classifier that saw nothing but samples does on real test images. Only for models that take a "
        "class.",
        "higher",
        scale=100,
    ),
    "nearest_train": Figure(
        "Nearest training image",
        "%.2f",
        "Median distance from a sample to the training image most like it. Far below the test images' own: copies.",
    ),
    "near_copies": Figure(
        "Near copies",
        "%.1f %%",
        "Share of the samples nearer to a training image than 99 % of the test images are; 1 % would be natural.",
        scale=100,
    ),
    "mse": Figure(
        "Reconstruction error",
        "%.4f",
        "Squared error per pixel of test images encoded and decoded. Only for models that encode.",
        "lower",
        log=True,
    ),
    "ssim": Figure(
        "Structural similarity",
        "%.3f",
        "Likeness of test images and their reconstructions; 1 is equal. Only for models that encode.",
        "higher",
    ),
    "parameters": Figure("Parameters", "localized", "Numbers that training set.", log=True),
    "ms_64": Figure(
        "64 samples, ms", "%.1f", "Milliseconds for 64 samples on the processor they were measured on.", log=True
    ),
    "train_seconds": Figure(
        "Training, s",
        "localized",
        "Seconds of training, on one machine or another. For a mixture on latents the mixture's alone: its encoder, "
        "which its size counts, was trained before.",
        log=True,
    ),
    "train_epochs": Figure("Epochs", "%d", "Passes over the training images; for mixtures, EM iterations."),
    "peak_memory_mb": Figure("Peak memory, MB", "localized", "The most memory that training held."),
    "components": Figure("Components", "%d", "Gaussians in a mixture."),
    "log_likelihood": Figure(
        "Log-likelihood", "%.1f", "Nats per training image, in the space of the mixture: compare like with like."
    ),
    "bic": Figure("BIC", "%.3g", "Likelihood against number of parameters; lower is better on the same data."),
    "steps": Figure("Steps", "%d", "From noise to image, as it was measured. Only for models that integrate."),
    "guidance": Figure(
        "Guidance", "%.1f", "How far the class pulled, as it was measured. Only for models that integrate."
    ),
    "protocol": Figure("Protocol", "%d", "The version of these measurements; the third has a second opinion."),
    "samples": Figure("Samples", "%d", "Samples a seed, measured for three seeds."),
}
COSTS = {"parameters": "size", "ms_64": "time to sample", "train_seconds": "time to train"}
QUALITIES = tuple(key for key, figure in FIGURES.items() if figure.better)
