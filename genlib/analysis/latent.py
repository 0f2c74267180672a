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
FITTED = 4_000  # axes, shares and accuracies are those of the first so many points
EXACT = 1_024  # numbers a point up to which its components are exact


@dataclass(frozen=True)
class Projection:
    """Points on their principal components.

    `coordinates` (N, k); `explained` (k,) shares of the variance; `classes` int64 (N,); `images` uint8 (N, 28, 28), the
    picture behind each point. `asked` says whether the classes were asked for or are given by the data set; else they
    are what genlib's classifier sees. The axes are fitted to the first 4,000 points. Of these, `separability` is the
    accuracy of a linear classifier on the full points and `visible` that of the nearest class mean in the plane of the
    first two components, each fitted on the first half and measured on the second. `mean` (d,) and `axes` (k, d) place
    any other point.
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

    def ellipse(self, mean: Tensor, covariance: Tensor, deviations: float = 2.0, corners: int = 64) -> Tensor:
        """Outline (corners, 2) of a Gaussian of mean (d,), covariance (d, d) in the plane of the first two components.

        Its projection on the axes A is N(A (mean - m), A covariance A^T); the outline is at `deviations` of these.
        """
        plane = self.axes[:2].double()
        values, vectors = torch.linalg.eigh(plane @ covariance.double() @ plane.T)
        angle = torch.linspace(0, 2 * torch.pi, corners, dtype=torch.float64)
        circle = torch.stack([angle.cos(), angle.sin()], dim=1)
        outline = circle * (deviations * values.clamp(min=0).sqrt()) @ vectors.T
        return (outline + plane @ (mean - self.mean).double()).float()


def principal_components(points: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Points (N, d) to coordinates (N, k), explained shares (k,), mean (d,) and axes (k, d), largest variance first.

    Each axis points to where its largest entry is positive. Above 1,024 dimensions the axes are found by subspace
    iteration (Halko, Martinsson and Tropp 2011, arXiv:0909.4061, algorithm 4.4).
    """
    most = min(points.shape)
    if not 1 <= k <= most:
        raise GenlibError(f"{len(points)} points of {points.shape[1]} numbers have 1 to {most} components, not {k}")
    mean = points.mean(0)
    centred = points - mean
    axes = _exact_axes(centred, k) if points.shape[1] <= EXACT else _iterated_axes(centred, k)
    largest = axes.gather(1, axes.abs().argmax(1, keepdim=True))
    axes = axes * torch.where(largest < 0, -1.0, 1.0)
    coordinates = centred @ axes.T
    explained = coordinates.double().square().sum(0) / centred.double().square().sum().clamp(min=1e-30)
    return coordinates, explained.float(), mean, axes


def _exact_axes(centred: Tensor, k: int) -> Tensor:
    """Eigenvectors of the scatter matrix (d, d), in double precision."""
    x = centred.double()
    return torch.linalg.eigh(x.T @ x)[1].T.flip(0)[:k].to(centred.dtype)


def _iterated_axes(centred: Tensor, k: int, rounds: int = 8) -> Tensor:
    """Powers of the scatter matrix on a random subspace of a few more dimensions than are wanted."""
    generator = torch.Generator().manual_seed(0)
    width = min(k + 10, *centred.shape)
    basis = torch.randn(centred.shape[1], width, generator=generator, dtype=centred.dtype)
    for _ in range(rounds):
        basis = torch.linalg.qr(centred.T @ (centred @ basis))[0]
    _, _, inner = torch.linalg.svd(centred @ basis, full_matrices=False)
    return (inner @ basis.T)[:k]


def hidden_projections(model: Model, n: int = POINTS, seed: int = 0, k: int = 3) -> dict[str, Projection]:
    """The generator's first hidden layer before and after its non-linearity, over the first n samples of a seed.

    By the layer's own name, before first. Classes cycle for a conditional model.
    """
    if not isinstance(model, HiddenLayers):
        raise GenlibError("this needs a model that shows its hidden layers")
    z = model.draw_latent(_count(n), seed)
    y = cycle_labels(n) if isinstance(model, Conditional) else None
    layers: dict[str, _Points] = {}
    images = []
    for start in range(0, n, BATCH):
        part, label = z[start : start + BATCH], None if y is None else y[start : start + BATCH]
        images.append(to_uint8(sample(model, part, label)))
        with torch.inference_mode():
            for name, value in list(model.hidden_layers(part, label).items())[:2]:
                layers.setdefault(name, _Points(k)).add(value.flatten(1))
    pictures = torch.cat(images)
    classes = load_extractor().predict(pictures) if y is None else y
    return {name: points.projection(classes, pictures, y is not None) for name, points in layers.items()}


def encoded_projection(model: Model, n: int = POINTS, k: int = 3) -> Projection:
    """The latents of the first n test images of a model that encodes, or their points in a mixture's space."""
    if not isinstance(model, Encodes | Mixture):
        raise GenlibError("this needs a model that encodes images, or a mixture")
    test = FashionMNIST.load("test")
    images, classes = test.images[: _count(n)], test.labels[:n]
    place: Callable[[Tensor], Tensor] = model.encode if isinstance(model, Encodes) else model.points
    points = _Points(k)
    with torch.inference_mode():
        for part in images.split(BATCH):
            points.add(place(from_uint8(part)).flatten(1))
    return points.projection(classes, images, True)


def projections(model: Model, n: int = POINTS, seed: int = 0, k: int = 3) -> dict[str, Projection]:
    """What a model knows images by, by name: its first hidden layer after and before the non-linearity, or the place of
    test images in its latent or mixture space (which no seed changes).
    """
    if isinstance(model, HiddenLayers):
        return dict(reversed(hidden_projections(model, n, seed, k).items()))
    name = "test images among the Gaussians" if isinstance(model, Mixture) else "latents of test images"
    return {name: encoded_projection(model, n, k)}


def outlines(model: Model, projection: Projection) -> list[Tensor]:
    """The 2 sigma ellipses (64, 2) of a mixture's components in the plane of a projection; none of other models."""
    if not isinstance(model, Mixture):
        return []
    _, means, covariances = model.components()
    return [projection.ellipse(mean, covariance) for mean, covariance in zip(means, covariances, strict=True)]


def _count(n: int) -> int:
    """Of points: half of the fewest still fit a classifier of ten classes."""
    if isinstance(n, bool) or not isinstance(n, int) or not 40 <= n <= 10_000:
        raise GenlibError(f"n takes a whole number from 40 to 10000, not {n!r}")
    return n


class _Points:
    """Points as they come: the first are kept whole to fit the axes, of the rest only their place on them.

    A convolutional layer has 12,544 numbers a point: ten thousand of them would fill the memory of a small machine.
    """

    def __init__(self, k: int) -> None:
        self.k = k
        self.kept: list[Tensor] = []
        self.placed: list[Tensor] = []
        self.fitted: tuple[Tensor, Tensor, Tensor, Tensor] | None = None

    def add(self, points: Tensor) -> None:
        if not points.isfinite().all():
            raise GenlibError("this model's weights lead to numbers that are not finite")
        if self.fitted is None and BATCH * len(self.kept) < FITTED:
            self.kept.append(points)
        else:
            _, _, mean, axes = self._fit()
            self.placed.append((points - mean) @ axes.T)

    def _fit(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        if self.fitted is None:
            points = torch.cat(self.kept)
            self.kept = [points]
            self.fitted = principal_components(points, min(self.k, *points.shape))
        return self.fitted

    def projection(self, classes: Tensor, images: Tensor, asked: bool) -> Projection:
        coordinates, explained, mean, axes = self._fit()
        seen = classes[: len(coordinates)]
        separability = linear_accuracy(self.kept[0], seen)
        visible = nearest_mean_accuracy(coordinates[:, :2], seen)
        coordinates = torch.cat([coordinates, *self.placed])
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
