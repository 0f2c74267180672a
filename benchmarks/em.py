"""Seconds an iteration of expectation-maximisation: `genlib.layers.em.em_step` against scikit-learn's GaussianMixture.

Same points (dequantised training pixels in [0, 1], as gmm-10 has them), same k-means start, same regulariser, ten
full covariances. genlib computes in float32 with float64 factorisations; scikit-learn in float64 and in float32.
Iterations are taken in turns, one each, so that iteration i is paired with iteration i. scikit-learn's is one
`_e_step` and one `_m_step`, what its `fit` repeats; calling `fit` itself would add a closing E-step to each figure.
"""

from __future__ import annotations

import time
from statistics import median

import numpy as np
import numpy.typing as npt
import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor

from benchmarks.report import in_turns, print_table, ratio
from genlib.data import FashionMNIST
from genlib.layers.em import em_step, start_from_kmeans
from genlib.model import Components
from genlib.models import get_preset

COMPONENTS = 10
QUICK_ROWS = 10_000
ITERATIONS = 3


class Genlib:
    """genlib's iterations from a start; log-likelihoods are of the mixture each iteration begins with."""

    def __init__(self, points: Tensor, start: Components, regularisation: float) -> None:
        self.points, self.mixture, self.regularisation = points, start, regularisation
        self.log_likelihoods: list[float] = []

    def iterate(self) -> float:
        """One iteration's seconds."""
        started = time.perf_counter()
        self.mixture, log_likelihood = em_step(self.points, self.mixture, self.regularisation)
        seconds = time.perf_counter() - started
        self.log_likelihoods.append(log_likelihood)
        return seconds


class ScikitLearn:
    """scikit-learn's iterations from the same start, given as it keeps it: weights, means, P = L^-T in float64."""

    def __init__(self, points: Tensor, start: Components, regularisation: float, dtype: npt.DTypeLike) -> None:
        self.points: npt.NDArray[np.floating] = points.numpy().astype(dtype)
        self.mixture = GaussianMixture(COMPONENTS, reg_covar=regularisation)
        factors = torch.linalg.cholesky(start.covariances.double())
        inverse = torch.linalg.solve_triangular(factors, torch.eye(factors.shape[1]).double(), upper=False)
        self.mixture.weights_ = start.weights.numpy().astype(dtype)
        self.mixture.means_ = start.means.numpy().astype(dtype)
        self.mixture.precisions_cholesky_ = np.ascontiguousarray(inverse.mT.numpy().astype(dtype))
        self.log_likelihoods: list[float] = []

    def iterate(self) -> float:
        """One iteration's seconds."""
        started = time.perf_counter()
        log_likelihood, log_responsibilities = self.mixture._e_step(self.points)
        self.mixture._m_step(self.points, log_responsibilities)
        seconds = time.perf_counter() - started
        self.log_likelihoods.append(float(log_likelihood))
        return seconds


def run(quick: bool) -> None:
    """Print the table."""
    points = _points(QUICK_ROWS if quick else None)
    regularisation = getattr(get_preset("gmm-10").config, "regularisation", 1e-4) * float(points.var(0).mean())
    start = start_from_kmeans(points, COMPONENTS, regularisation, seed=0)
    if not quick:
        minutes = _expected_seconds(points, start, regularisation) / 60
        print(f"\nem: {len(points):,} rows, about {minutes:.0f} minutes more; --quick takes {QUICK_ROWS:,}", flush=True)
    fits = _fits(points, start, regularisation)
    seconds = in_turns({name: fit.iterate for name, fit in fits.items()}, ITERATIONS)
    ours = seconds["genlib, float32"]
    print_table(
        f"em: seconds an iteration, {len(points):,} x {points.shape[1]} points, {COMPONENTS} full covariances",
        ("fit", "seconds (median)", "genlib is faster by (min-max)", *_after()),
        [
            (
                name,
                median(seconds[name]),
                "" if isinstance(fit, Genlib) else ratio(seconds[name], ours),
                *(f"{value:.4f}" for value in fit.log_likelihoods),
            )
            for name, fit in fits.items()
        ],
        f"{ITERATIONS} interleaved iterations; log-likelihoods are means in nats a sample",
    )


def _fits(points: Tensor, start: Components, regularisation: float) -> dict[str, Genlib | ScikitLearn]:
    return {
        "genlib, float32": Genlib(points, start, regularisation),
        "scikit-learn, float64": ScikitLearn(points, start, regularisation, np.float64),
        "scikit-learn, float32": ScikitLearn(points, start, regularisation, np.float32),
    }


def _expected_seconds(points: Tensor, start: Components, regularisation: float) -> float:
    """From one iteration of each on the first rows: an iteration's time grows with the rows."""
    seconds = sum(fit.iterate() for fit in _fits(points[:QUICK_ROWS], start, regularisation).values())
    return seconds * ITERATIONS * len(points) / QUICK_ROWS


def _points(rows: int | None) -> Tensor:
    """The first rows of the training split, all without: (level + u) / 256 with u uniform, float32 (N, 784)."""
    images = FashionMNIST.load("train").images[:rows].flatten(1)
    return (images + torch.rand(images.shape, generator=torch.Generator().manual_seed(0))) / 256


def _after() -> list[str]:
    return [f"log-lik. after {i}" for i in range(ITERATIONS)]
