"""The Frechet Inception distance (Heusel et al. 2017, arXiv:1706.08500), for those who need its scale.

Inception was trained on colour photographs of a thousand other things: between models of gray garments genlib's own
distance says more. The network and its weights are torch-fidelity's, the distance torchmetrics': both are optional.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genlib.data import FashionMNIST
from genlib.errors import GenlibError, whole
from genlib.loading import load
from genlib.metrics.scores import FEWEST
from genlib.sampling import generate

BATCH = 50
MISSING = "the Inception distance needs torchmetrics and torch-fidelity: pip install 'genlib[inception]'"
WEIGHTS = "weights-inception-2015-12-05-6726825d.pth of the torch-fidelity release v0.2.0"
Progress = Callable[[int], object]


def inception_distance(
    name: str | Path,
    n: int = 10_000,
    seed: int = 0,
    weights: str | Path | None = None,
    progress: Progress = lambda images: None,
) -> float:
    """The distance of a model's n samples from the first n test images, gray as RGB, bilinear to 299 x 299.

    `weights` is a file of the network's weights, which else are downloaded once to torch's cache; `progress` receives
    how many images the network has seen. Ten thousand samples take an hour or so on a CPU. Raises GenlibError, in one
    line, where a package or the weights cannot be had.
    """
    test = FashionMNIST.load("test").images
    n = whole("n", n, FEWEST, len(test))
    metric, seen = _metric(None if weights is None else Path(weights)), 0
    for images, real in ((test[:n], True), (generate(load(name), n, seed)[0], False)):
        for part in images.split(BATCH):
            metric.update(part[:, None].expand(-1, 3, -1, -1), real=real)
            seen += len(part)
            progress(seen)
    return float(metric.compute())


def _metric(weights: Path | None) -> Any:
    """torchmetrics' distance on the network, resized as TensorFlow 1 did for the first published distances."""
    try:
        import torch_fidelity  # noqa: F401
        from torchmetrics.image.fid import FrechetInceptionDistance
    except ImportError as error:
        raise GenlibError(MISSING) from error
    if weights is not None:
        _check(weights)
    try:
        return FrechetInceptionDistance(
            feature=2048, feature_extractor_weights_path=None if weights is None else str(weights), antialias=False
        )
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise GenlibError(
            f"Inception's weights cannot be downloaded: {reason}; give a file of them, {WEIGHTS}, with "
            "--inception-weights"
        ) from error
    except RuntimeError as error:
        raise GenlibError(f"{weights} does not fit the Inception network: {str(error).splitlines()[0]}") from error


def _check(path: Path) -> None:
    """Only tensors by name, before torch-fidelity opens the file in a way that would run what is hidden in it."""
    try:
        found = torch.load(path, weights_only=True)
    except OSError as error:
        raise GenlibError(f"cannot read {path}: {error.strerror}") from error
    except (RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise GenlibError(f"{path} is no file of weights") from error
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise GenlibError(f"{path} is no file of weights")
