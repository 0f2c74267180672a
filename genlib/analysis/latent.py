"""Principal components of what a model knows an image by: hidden layers, latents, mixture space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from genlib.data import FashionMNIST
from genlib.errors import GenlibError
from genlib.images import from_uint8, to_uint8
from genlib.metrics.features import load_extractor
from genlib.model import Conditional, Encodes, HiddenLayers, Mixture, Model
from genlib.sampling import BATCH, cycle_labels, sample

POINTS = 2_000


@dataclass(frozen=True)
class Projection:
    """Points on their principal components.

    `coordinates` (N, k); `explained` (k,) shares of the variance; `classes` int64 (N,); `images` uint8 (N, 28, 28), the
    picture behind each point. `asked` says whether the classes were asked for or are given by the data set; else they
    are what genlib's classifier sees. `separability` is the accuracy of a linear classifier on the full points and
    `visible` that of the nearest class mean in the plane of the first two components, each fitted on the first half of
    the points and measured on the second.
    """

    coordinates: Tensor
    explained: Tensor
    classes: Tensor
    images: Tensor
    asked: bool
    separability: float
    visible: float
    mean: Tensor
    axes: Tensor


def principal_components(points: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Points (N, d) to coordinates (N, k), explained shares (k,), mean (d,) and axes (k, d), largest variance first.

    By the singular values of the centred points; each axis points to where its largest entry is positive.
    """
    most = min(points.shape)
    if not 1 <= k <= most:
        raise GenlibError(f"{len(points)} points of {points.shape[1]} numbers have 1 to {most} components, not {k}")
    mean = points.mean(0)
    centred = points - mean
    _, s, axes = torch.linalg.svd(centred, full_matrices=False)
    axes = axes[:k]
    largest = axes.gather(1, axes.abs().argmax(1, keepdim=True))
    axes = axes * torch.where(largest < 0, -1.0, 1.0)
    return centred @ axes.T, (s.square() / s.square().sum().clamp(min=1e-30))[:k], mean, axes


def hidden_projections(model: Model, n: int = POINTS, seed: int = 0, k: int = 3) -> dict[str, Projection]:
    """The generator's first hidden layer before and after its non-linearity, over the first n samples of a seed.

    By the layer's own name, before first. Classes cycle for a conditional model.
    """
    if not isinstance(model, HiddenLayers):
        raise GenlibError("this needs a model that shows its hidden layers")
    z = model.draw_latent(_count(n), seed)
    y = cycle_labels(n) if isinstance(model, Conditional) else None
    layers: dict[str, list[Tensor]] = {}
    images = []
    for start in range(0, n, BATCH):
        part, label = z[start : start + BATCH], None if y is None else y[start : start + BATCH]
        images.append(to_uint8(sample(model, part, label)))
        with torch.inference_mode():
            for name, value in list(model.hidden_layers(part, label).items())[:2]:
                layers.setdefault(name, []).append(value.flatten(1))
    pictures = torch.cat(images)
    classes = load_extractor().predict(pictures) if y is None else y
    return {name: _projection(torch.cat(parts), classes, pictures, k, y is not None) for name, parts in layers.items()}


def encoded_projection(model: Model, n: int = POINTS, k: int = 3) -> Projection:
    """The latents of the first n test images of a model that encodes, or their points in a mixture's space."""
    if not isinstance(model, Encodes | Mixture):
        raise GenlibError("this needs a model that encodes images, or a mixture")
    test = FashionMNIST.load("test")
    images, classes = test.images[: _count(n)], test.labels[:n]
    place: Callable[[Tensor], Tensor] = model.encode if isinstance(model, Encodes) else model.points
    with torch.inference_mode():
        points = torch.cat([place(from_uint8(part)).flatten(1) for part in images.split(BATCH)])
    return _projection(points, classes, images, k, True)


def _count(n: int) -> int:
    if isinstance(n, bool) or not isinstance(n, int) or not 20 <= n <= 10_000:
        raise GenlibError(f"n takes a whole number from 20 to 10000, not {n!r}")
    return n


def _projection(points: Tensor, classes: Tensor, images: Tensor, k: int, asked: bool) -> Projection:
    k = min(k, *points.shape)
    coordinates, explained, mean, axes = principal_components(points, k)
    separability = linear_accuracy(points, classes)
    visible = nearest_mean_accuracy(coordinates[:, :2], classes)
    return Projection(coordinates, explained, classes, images, asked, separability, visible, mean, axes)


def linear_accuracy(points: Tensor, classes: Tensor) -> float:
    """Accuracy on the second half of the points of linear discriminant analysis fitted on the first.

    The covariance is shrunk (Ledoit and Wolf 2004); points wider than 200 are first reduced to 200 components.
    """
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.pipeline import make_pipeline

    half = len(points) // 2
    x, y = points.numpy(), classes.numpy()
    if len(set(y[:half].tolist())) < 2:
        return float((y[half:] == y[0]).mean())
    reduce = PCA(min(200, half, x.shape[1]), random_state=0)
    fitted = make_pipeline(reduce, LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))
    return float(fitted.fit(x[:half], y[:half]).score(x[half:], y[half:]))


def nearest_mean_accuracy(points: Tensor, classes: Tensor) -> float:
    """Accuracy on the second half of the points (N, d) of the class whose mean over the first half is nearest."""
    half = len(points) // 2
    present = classes[:half].unique()
    means = torch.stack([points[:half][classes[:half] == label].mean(0) for label in present])
    nearest = present[torch.cdist(points[half:], means).argmin(1)]
    return float((nearest == classes[half:]).double().mean())
