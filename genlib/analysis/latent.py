"""Principal components of what a model knows an image by: hidden layers, latents, mixture space."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import pad

from genlib.analysis.principal import linear_accuracy, nearest_mean_accuracy, principal_components
from genlib.data import FashionMNIST
from genlib.errors import GenlibError, whole
from genlib.images import from_uint8, to_uint8
from genlib.io.fields import SHARE, Kind, list_of, table_of
from genlib.io.files import read_json
from genlib.io.tensor_file import read_tensors, write_tensors
from genlib.loading import load, model_directory, own_directory
from genlib.metrics.features import load_extractor
from genlib.model import Conditional, Encodes, HiddenLayers, Mixture, Model, untrained
from genlib.sampling import BATCH, cycle_labels, device_of, sample

POINTS = 2_000
AXES = 3
FITTED = 4_000  # axes, shares and accuracies are those of the first so many points
FILE = "projections.safetensors"
LARGEST_FITS = 20_000_000  # bytes; those of a convolution's layer are a hundred thousand


@dataclass(frozen=True)
class Fit:
    """Principal components fitted to points of known classes.

    `mean` (d,) and `axes` (k, d) place any point; `explained` (k,) are shares of the variance. `separability` is the
    accuracy of a linear classifier on the full points and `visible` that of the nearest class mean in the plane of the
    first two components, each fitted on the first half of the points and measured on the second. `untrained` holds both
    for the same layer before any training, where that is known: a layer that is told the class tells it at once.
    """

    mean: Tensor
    axes: Tensor
    explained: Tensor
    separability: float
    visible: float
    untrained: tuple[float, float] | None = None

    def place(self, points: Tensor) -> Tensor:
        """Coordinates (N, k) of points (N, d); GenlibError where they are of another size."""
        if points.shape[1:] != self.mean.shape:
            raise GenlibError(f"this fit is of {len(self.mean)} numbers a point, not of {points.shape[1]}")
        return (points - self.mean) @ self.axes.T


@dataclass(frozen=True, kw_only=True)
class Projection(Fit):
    """Points on principal components: their own (of the first 4,000), or those of an earlier fit.

    `coordinates` (N, k); `classes` int64 (N,); `images` uint8 (N, 28, 28), the picture behind each point. `asked` says
    whether the classes were asked for or are given by the data set; else they are what genlib's classifier sees.
    """

    coordinates: Tensor
    classes: Tensor
    images: Tensor
    asked: bool

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


def hidden_projections(
    model: Model, n: int = POINTS, seed: int = 0, k: int = AXES, fits: Mapping[str, Fit] | None = None
) -> dict[str, Projection]:
    """The generator's first hidden layer before and after its non-linearity, over the first n samples of a seed.

    By the layer's own name, before first. Classes cycle for a conditional model. A layer with a fit in `fits`
    (`load_fits`) is placed on its axes, which takes no fitting; k is then that fit's.
    """
    if not isinstance(model, HiddenLayers):
        raise GenlibError("this needs a model that shows its hidden layers")
    z = model.draw_latent(_count(n), seed)
    y = cycle_labels(n) if isinstance(model, Conditional) else None
    layers: dict[str, _Points] = {}
    images, device = [], device_of(model)
    for start in range(0, n, BATCH):
        part, label = z[start : start + BATCH], None if y is None else y[start : start + BATCH]
        images.append(to_uint8(sample(model, part, label)))
        with torch.inference_mode():
            found = model.hidden_layers(part.to(device), None if label is None else label.to(device))
        for name, value in list(found.items())[:2]:
            layers.setdefault(name, _Points(k, (fits or {}).get(name))).add(value.flatten(1).cpu())
    pictures = torch.cat(images)
    classes = load_extractor().predict(pictures) if y is None else y
    return {name: points.projection(classes, pictures, y is not None) for name, points in layers.items()}


def untrained_accuracies(model: Model, n: int = POINTS) -> dict[str, tuple[float, float]]:
    """What a linear classifier and the nearest centre in the plane get right on the layers of `hidden_projections`
    before any training, by layer: the model's own configuration with the initial weights of its seed.

    None for a model that is told no class: what its first noise shows has none.
    """
    if not isinstance(model, Conditional):
        return {}
    found = hidden_projections(untrained(type(model), model.config).eval(), n)
    return {layer: (each.separability, each.visible) for layer, each in found.items()}


def encoded_projection(model: Model, n: int = POINTS, k: int = AXES) -> Projection:
    """The latents of the first n test images of a model that encodes, or their points in a mixture's space."""
    if not isinstance(model, Encodes | Mixture):
        raise GenlibError("this needs a model that encodes images, or a mixture")
    test = FashionMNIST.load("test")
    images, classes = test.images[: _count(n)], test.labels[:n]
    place: Callable[[Tensor], Tensor] = model.encode if isinstance(model, Encodes) else model.points
    points = _Points(k)
    with torch.inference_mode():
        for part in images.split(BATCH):
            points.add(place(from_uint8(part).to(device_of(model))).flatten(1).cpu())
    return points.projection(classes, images, True)


def projections(
    model: Model, n: int = POINTS, seed: int = 0, k: int = AXES, fits: Mapping[str, Fit] | None = None
) -> dict[str, Projection]:
    """What a model knows images by, by name: its first hidden layer after and before the non-linearity, or the place of
    test images in its latent or mixture space (which no seed changes).
    """
    if isinstance(model, HiddenLayers):
        return dict(reversed(hidden_projections(model, n, seed, k, fits).items()))
    name = "test images among the Gaussians" if isinstance(model, Mixture) else "latents of test images"
    return {name: encoded_projection(model, n, k)}


def outlines(model: Model, projection: Projection) -> list[Tensor]:
    """The 2 sigma ellipses (64, 2) of a mixture's components in the plane of a projection; none of other models."""
    if not isinstance(model, Mixture):
        return []
    _, means, covariances = (part.cpu() for part in model.components())
    return [projection.ellipse(mean, covariance) for mean, covariance in zip(means, covariances, strict=True)]


def load_fits(name: str | Path) -> dict[str, Fit]:
    """The fits of a generator's hidden layers kept beside its weights, by layer; none where none fit these weights.

    They are those of the averaged generator, fitted to 2,000 samples of seed 0.
    """
    directory = model_directory(name)
    try:
        tensors, facts = read_tensors(directory / FILE, LARGEST_FITS)
        if facts["sha256"] != read_json(directory / "config.json")["sha256"]:
            return {}
        if not _ACCURACIES.fits(facts["accuracies"]):
            return {}
        return {layer: _fit(layer, tensors, accuracies) for layer, accuracies in facts["accuracies"].items()}
    except (GenlibError, LookupError, ValueError):
        return {}  # none kept, or not in one piece: they can be fitted again


_ACCURACIES = table_of(Kind("two shares, or four", lambda value: list_of(SHARE).fits(value) and len(value) in (2, 4)))


def _fit(layer: str, tensors: Mapping[str, Tensor], accuracies: list[float]) -> Fit:
    """One layer's fit; ValueError where its parts do not belong together."""
    mean, axes, explained = (tensors[f"{layer}/{part}"].float() for part in ("mean", "axes", "explained"))
    finite = all(part.isfinite().all() for part in (mean, axes, explained))
    if mean.ndim != 1 or axes.shape != (AXES, len(mean)) or explained.shape != (AXES,) or not finite:
        raise ValueError("not a fit")
    separability, visible, *before = accuracies
    return Fit(mean, axes, explained, separability, visible, (before[0], before[1]) if before else None)


def keep_fits(name: str | Path) -> dict[str, Fit]:
    """Fit the principal components of a generator's hidden layers and keep them beside its weights, in half precision.

    A convolution's 12,544 numbers a point take 100 kB a layer, and a second or two to fit.
    """
    directory = own_directory(name)
    model = load(name)
    found, before = hidden_projections(model), untrained_accuracies(model)
    tensors = {}
    for layer, fit in found.items():
        tensors[f"{layer}/mean"] = fit.mean.half()
        tensors[f"{layer}/axes"] = fit.axes.half()
        tensors[f"{layer}/explained"] = fit.explained
    accuracies = {layer: [fit.separability, fit.visible, *before.get(layer, ())] for layer, fit in found.items()}
    facts = {"sha256": read_json(directory / "config.json")["sha256"], "accuracies": accuracies}
    write_tensors(directory / FILE, tensors, facts)
    return load_fits(name)


def _count(n: int) -> int:
    """Of points: half of the fewest still fit a classifier of ten classes."""
    n = whole("n", n, 40, 10_000)
    return n


_Components = tuple[Tensor, Tensor, Tensor, Tensor]  # coordinates, shares explained, mean, axes


def _widened(k: int, coordinates: Tensor, explained: Tensor, mean: Tensor, axes: Tensor) -> _Components:
    """Principal components of points with fewer than k numbers, with axes of zeros beside them: flat in a picture."""
    more = k - len(axes)
    return pad(coordinates, (0, more)), pad(explained, (0, more)), mean, pad(axes, (0, 0, 0, more))


class _Points:
    """Points as they come: the first are kept whole to fit the axes, of the rest only their place on them.

    A convolutional layer has 12,544 numbers a point: ten thousand of them would fill the memory of a small machine.
    With a fit at hand none is kept.
    """

    def __init__(self, k: int, fit: Fit | None = None) -> None:
        self.k, self.fit = k, fit
        self.kept: list[Tensor] = []
        self.placed: list[Tensor] = []
        self.fitted: _Components | None = None

    def add(self, points: Tensor) -> None:
        if not points.isfinite().all():
            raise GenlibError("this model's weights lead to numbers that are not finite")
        if self.fit:
            self.placed.append(self.fit.place(points))
        elif self.fitted is None and BATCH * len(self.kept) < FITTED:
            self.kept.append(points)
        else:
            _, _, mean, axes = self._principal()
            self.placed.append((points - mean) @ axes.T)

    def _principal(self) -> _Components:
        if self.fitted is None:
            points = torch.cat(self.kept)
            self.kept = [points]
            self.fitted = _widened(self.k, *principal_components(points, min(self.k, *points.shape)))
        return self.fitted

    def projection(self, classes: Tensor, images: Tensor, asked: bool) -> Projection:
        fit, coordinates = self.fit, self.placed
        if fit is None:
            fitted, explained, mean, axes = self._principal()
            seen, coordinates = classes[: len(fitted)], [fitted, *self.placed]
            accuracies = linear_accuracy(self.kept[0], seen), nearest_mean_accuracy(fitted[:, :2], seen)
            fit = Fit(mean, axes, explained, *accuracies)
        return Projection(**vars(fit), coordinates=torch.cat(coordinates), classes=classes, images=images, asked=asked)
