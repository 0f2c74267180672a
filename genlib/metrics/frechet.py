"""The Frechet distance between two Gaussians fitted to features (Heusel et al. 2017, arXiv:1706.08500, eq. 6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genlib.errors import GenlibError


@dataclass(frozen=True)
class Gaussian:
    """Mean (d,) and unbiased covariance (d, d), float64."""

    mean: np.ndarray
    covariance: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray) -> Gaussian:
        """Fit to features (N, d), N at least 2."""
        if len(features) < 2:
            raise GenlibError(f"a covariance needs at least 2 samples, not {len(features)}")
        values = np.asarray(features, dtype=np.float64)
        return cls(values.mean(axis=0), np.cov(values, rowvar=False).reshape(values.shape[1], -1))


class RunningGaussian:
    """The same fit from features that come in parts: only sums are kept."""

    def __init__(self, width: int) -> None:
        self.n = 0.0
        self.total = np.zeros(width)
        self.products = np.zeros((width, width))

    def add(self, features: np.ndarray) -> None:
        """Take features (N, d) into the sums."""
        values = np.asarray(features, dtype=np.float64)
        self.n += len(values)
        self.total += values.sum(axis=0)
        self.products += values.T @ values

    def fit(self) -> Gaussian:
        """The Gaussian of everything added."""
        if self.n < 2:
            raise GenlibError(f"a covariance needs at least 2 samples, not {self.n:.0f}")
        mean = self.total / self.n
        return Gaussian(mean, (self.products - self.n * np.outer(mean, mean)) / (self.n - 1))


def frechet_distance(a: Gaussian, b: Gaussian) -> float:
    """|mean_a - mean_b|^2 + tr(A + B - 2 (A B)^1/2), never negative, 0 for equal Gaussians.

    tr (A B)^1/2 is the sum of the square roots of the eigenvalues of A^1/2 B A^1/2, which is symmetric and
    positive semi-definite: no complex root, no regulariser for singular covariances.
    """
    values, vectors = np.linalg.eigh(a.covariance)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ b.covariance @ root).clip(min=0)).sum()
    difference = a.mean - b.mean
    distance = difference @ difference + np.trace(a.covariance) + np.trace(b.covariance) - 2 * cross
    return max(float(distance), 0.0)
