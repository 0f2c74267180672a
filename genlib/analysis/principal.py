"""Principal components of points, and how far a line or a plane tells their classes apart."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from genlib.errors import GenlibError

EXACT = 1_024  # numbers a point up to which its components are exact
POWERS = 8  # of the scatter matrix, where they are not
CHUNK = 2_000


def principal_components(points: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Points (N, d) to coordinates (N, k), explained shares (k,), mean (d,) and axes (k, d), largest variance first.

    Each axis points to where its largest entry is positive. Above 1,024 dimensions the axes are found by powers of a
    random subspace (Halko, Martinsson and Tropp 2011, arXiv:0909.4061), scikit-learn's.
    """
    most = min(points.shape)
    if not 1 <= k <= most:
        raise GenlibError(f"{len(points)} points of {points.shape[1]} numbers have 1 to {most} components, not {k}")
    mean = points.mean(0)
    centred = points - mean
    if points.shape[1] <= EXACT:
        axes = exact_axes(points.split(CHUNK), k)[1].to(points.dtype)
    else:
        from sklearn.utils.extmath import randomized_svd

        _, _, found = randomized_svd(centred.numpy(), k, n_iter=POWERS, random_state=0)
        axes = _signed(torch.from_numpy(found))
    coordinates = centred @ axes.T
    explained = coordinates.double().square().sum(0) / centred.double().square().sum().clamp(min=1e-30)
    return coordinates, explained.float(), mean, axes


def exact_axes(parts: Sequence[Tensor], k: int) -> tuple[Tensor, Tensor, Tensor]:
    """Points in parts (n, d) to their mean (d,), k axes (k, d) and the variance along each of all d, in float64.

    Eigenvectors of the scatter matrix, which is summed part by part: memory grows with d, not with the points.
    """
    total = sum(len(part) for part in parts)
    mean = torch.stack([part.double().sum(0) for part in parts]).sum(0) / total
    scatter = torch.zeros(len(mean), len(mean), dtype=torch.float64)
    for part in parts:
        centred = part.double() - mean
        scatter += centred.T @ centred
    values, vectors = torch.linalg.eigh(scatter / total)
    return mean, _signed(vectors.flip(1).T[:k]), values.flip(0).clamp(min=0)


def _signed(axes: Tensor) -> Tensor:
    """Axes (k, d), each turned to where its largest entry is positive."""
    largest = axes.gather(1, axes.abs().argmax(1, keepdim=True))
    return axes * torch.where(largest < 0, -1.0, 1.0)


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
    """Accuracy on the second half of the points (N, d) of the class whose mean over the first half is nearest.

    scikit-learn's NearestCentroid says the same, but refuses points that are all alike and warns of constant numbers.
    """
    half = len(points) // 2
    present = classes[:half].unique()
    means = torch.stack([points[:half][classes[:half] == label].mean(0) for label in present])
    nearest = present[torch.cdist(points[half:], means).argmin(1)]
    return float((nearest == classes[half:]).double().mean())
