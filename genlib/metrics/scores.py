"""What one set of images scores against the test split: the part of the protocol that needs no model."""

from __future__ import annotations

import statistics
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from genlib.data import FashionMNIST
from genlib.data.sources import cache_directory
from genlib.errors import GenlibError
from genlib.io.tensor_file import read_tensors, write_tensors
from genlib.metrics.classification import balance_divergence, class_consistency
from genlib.metrics.coverage import DENSITY_K, PRECISION_K, Neighbourhoods, measure_coverage
from genlib.metrics.features import load_extractor
from genlib.metrics.frechet import Gaussian, frechet_distance
from genlib.metrics.kernel import kernel_distance, within

FEWEST = 10  # images of a distance


class Looked(NamedTuple):
    """What both extractors see in images: features (N, 128) each, and the classes that the first one sees (N,)."""

    first: Tensor
    second: Tensor
    classes: Tensor

    @classmethod
    def of(cls, parts: list[Looked]) -> Looked:
        """Several sets as one."""
        return cls(*(torch.cat(column) for column in zip(*parts, strict=True)))


def look(images: Tensor) -> Looked:
    """uint8 images (N, 28, 28) through both extractors."""
    first, classes = load_extractor("first").look(images)
    second = load_extractor("second").features(images)
    return Looked(torch.from_numpy(first), torch.from_numpy(second), classes)


def score_set(looked: Looked, labels: Tensor | None = None) -> dict[str, float]:
    """The figures of one set, of 10 images or more.

    Frechet distances by both extractors; kernel distance, precision, recall, density and coverage by the first; how
    often the class seen is the label, or without labels how far the classes seen are from balance.
    """
    real = real_neighbourhoods()
    size = min(len(looked.first), len(real.points))
    kid, kid_se = kernel_distance(looked.first[:size], real.points[:size], _within_real(size))
    measured = {**distances(looked), "kid": kid, "kid_se": kid_se}
    measured |= vars(measure_coverage(real, Neighbourhoods.of(looked.first)))
    if labels is None:
        return measured | {"balance_kl": balance_divergence(looked.classes)}
    return measured | {"class_consistency": class_consistency(looked.classes, labels)}


@lru_cache(maxsize=4)
def _within_real(size: int) -> Tensor:
    return within(real_neighbourhoods().points[:size])


def distances(looked: Looked) -> dict[str, float]:
    """The Frechet distances from the test split that each extractor sees."""
    sides = {"fd": ("first", looked.first), "fd_second": ("second", looked.second)}
    return {
        key: frechet_distance(Gaussian.of(features.numpy()), load_extractor(name).test)
        for key, (name, features) in sides.items()
    }


def over_sets(measured: list[dict[str, float]]) -> dict[str, Any]:
    """Means, with the standard deviations between the sets under `spread` and those of the distances by name."""
    columns = {key: [one[key] for one in measured] for key in measured[0]}
    means: dict[str, Any] = {key: statistics.mean(values) for key, values in columns.items()}
    spread = {key: statistics.stdev(values) for key, values in columns.items() if key != "kid_se"}
    return means | {"fd_std": spread["fd"], "fd_second_std": spread["fd_second"], "spread": spread}


@lru_cache(maxsize=1)
def real_neighbourhoods() -> Neighbourhoods:
    """The first extractor's features of the test split, (10000, 128), with their neighbourhoods.

    They take seconds, so genlib's cache keeps them, where it can be written, under the extractor's hash.
    """
    extractor = load_extractor("first")
    path = cache_directory() / f"test-features-{extractor.sha256[:16]}.safetensors"
    radii = (PRECISION_K, DENSITY_K)
    with suppress(GenlibError, KeyError):
        kept, _ = read_tensors(path)
        found = Neighbourhoods(kept["points"], {k: kept[f"radius.{k}"] for k in radii})
        if found.points.shape == (10_000, 128) and all(tensor.isfinite().all() for tensor in kept.values()):
            return found
    features = torch.from_numpy(extractor.features(FashionMNIST.load("test").images))
    found = Neighbourhoods.of(features)
    with suppress(GenlibError, OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_tensors(path, {"points": found.points} | {f"radius.{k}": found.radii[k] for k in radii}, {})
    return found
