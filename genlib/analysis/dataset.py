"""The data set itself: what its classes look like, how bright its pixels are, in which directions they vary."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from genlib.analysis.principal import exact_axes
from genlib.data import CLASS_NAMES, FashionMNIST
from genlib.errors import GenlibError, whole
from genlib.noise import check_seed, derive_seed

CHUNK = 10_000


@dataclass(frozen=True)
class ClassStatistics:
    """By class: `counts` int64 (10,), and the pixels' `means` and `deviations`, float64 (10, 28, 28), 0 to 255."""

    counts: Tensor
    means: Tensor
    deviations: Tensor

    def pictures(self) -> Tensor:
        """uint8 (20, 28, 28): the ten means, then the ten deviations, the largest of which is white."""
        stretched = self.deviations * (255 / self.deviations.max().clamp(min=1e-9))
        return torch.cat([self.means, stretched]).round().to(torch.uint8)


def class_statistics(data: FashionMNIST) -> ClassStatistics:
    """Counts, mean images and standard deviations by class; a class without images has zeros."""
    counts = torch.bincount(data.labels, minlength=len(CLASS_NAMES))
    means, deviations = torch.zeros(2, len(CLASS_NAMES), *data.images.shape[1:], dtype=torch.float64)
    for k in counts.nonzero().squeeze(1).tolist():
        images = data.images[data.labels == k].double()
        means[k], deviations[k] = images.mean(0), images.std(0, correction=0)
    return ClassStatistics(counts, means, deviations)


def pixel_histogram(images: Tensor) -> Tensor:
    """How many pixels of uint8 images have each of the 256 gray levels, int64 (256,)."""
    parts = [torch.bincount(part.flatten().long(), minlength=256) for part in images.split(CHUNK)]
    return torch.stack(parts).sum(0)


@dataclass(frozen=True)
class PixelComponents:
    """Principal components of pixels in [0, 1].

    `mean` (28, 28); `components` (k, 28, 28) of length 1, strongest first, signs fixed so that the largest entry is
    positive; `shares` (784,) of the variance that each direction explains; `coordinates` (N, k) of the images. All
    float64, coordinates float32.
    """

    mean: Tensor
    components: Tensor
    shares: Tensor
    coordinates: Tensor

    def pictures(self) -> Tensor:
        """The components as uint8 (k, 28, 28): mid gray is no change, white and black the largest either way."""
        largest = self.components.abs().amax((1, 2), keepdim=True)
        return (127.5 + 127.5 * self.components / largest).round().to(torch.uint8)


def pixel_components(images: Tensor, count: int = 10) -> PixelComponents:
    """Principal component analysis of uint8 images (N, 28, 28) by their covariance, summed in chunks."""
    size = images[0].numel()
    if len(images) < 2 or not 1 <= count <= size:
        raise GenlibError(f"components need two images and a count from 1 to {size}, not {len(images)} and {count}")
    pixels = images.flatten(1).split(CHUNK)
    mean, axes, variances = exact_axes(pixels, count)
    coordinates = torch.cat([((part.double() - mean) / 255 @ axes.T).float() for part in pixels])
    shares = variances / variances.sum().clamp(min=1e-12)
    shape = images.shape[1:]
    return PixelComponents(mean.view(shape) / 255, axes.view(-1, *shape), shares, coordinates)


def random_rows(labels: Tensor, n: int, seed: int, label: int | None = None) -> Tensor:
    """Rows int64 (n,) of n different images: of one class, or of the ten classes in turn.

    The first of them are the same for any n. Raises GenlibError where there are not enough images.
    """
    shuffled = []
    for k in range(len(CLASS_NAMES)) if label is None else [label]:
        rows = (labels == k).nonzero().squeeze(1)
        generator = torch.Generator().manual_seed(derive_seed(check_seed(seed), k))
        shuffled.append(rows[torch.randperm(len(rows), generator=generator)])
    fewest = min(map(len, shuffled))
    n = whole("n", n, 1, fewest * len(shuffled))
    return torch.stack([rows[:fewest] for rows in shuffled], dim=1).flatten()[:n]
