"""EM against scikit-learn's GaussianMixture from the same start, and densities against torch's own."""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from torch import Tensor
from torch.distributions import MultivariateNormal

from genlib.layers.em import NEGLIGIBLE, em_step, log_joint, maximise, start_from_kmeans
from genlib.model import Components
from tests.tiny import refused

REGULARISATION = 1e-3
ITERATIONS = 4


def clusters(n: int, d: int, k: int, spread: float) -> Tensor:
    """n points around k centres, each cluster with a covariance of its own, float64 (n, d)."""
    generator = np.random.default_rng(0)
    centres = spread * generator.standard_normal((k, d))
    shapes = generator.standard_normal((k, d, d)) / d**0.5
    rows = [centres[i % k] + shapes[i % k] @ generator.standard_normal(d) for i in range(n)]
    return torch.from_numpy(np.stack(rows))


POINTS = {"overlapping": clusters(600, 4, 3, 1.0), "pruned": clusters(500, 64, 4, 1.5)}
every_set = pytest.mark.parametrize("points", POINTS.values(), ids=POINTS.keys())


def start(points: Tensor) -> Components:
    return start_from_kmeans(points, 4 if points.shape[1] > 50 else 3, REGULARISATION, seed=0)


def fitted_by_sklearn(points: Tensor, mixture: Components) -> GaussianMixture:
    model = GaussianMixture(
        len(mixture.weights),
        tol=0.0,
        max_iter=ITERATIONS,
        reg_covar=REGULARISATION,
        weights_init=mixture.weights.numpy(),
        means_init=mixture.means.numpy(),
        precisions_init=torch.linalg.inv(mixture.covariances).numpy(),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(points.numpy())


def fitted(points: Tensor, iterations: int = ITERATIONS) -> tuple[Components, list[float]]:
    mixture, likelihoods = start(points), []
    for _ in range(iterations):
        mixture, likelihood = em_step(points, mixture, REGULARISATION)
        likelihoods.append(likelihood)
    return mixture, likelihoods


@every_set
def test_parameters_and_likelihood_agree_with_sklearn(points: Tensor) -> None:
    theirs = fitted_by_sklearn(points, start(points))
    ours, likelihoods = fitted(points)
    assert ours.weights.numpy() == pytest.approx(theirs.weights_, abs=1e-8)
    assert ours.means.numpy() == pytest.approx(theirs.means_, abs=1e-7)
    assert ours.covariances.numpy() == pytest.approx(theirs.covariances_, abs=1e-7)
    _, likelihood = em_step(points, ours, REGULARISATION)
    assert likelihood == pytest.approx(theirs.score(points.numpy()), abs=1e-6)
    assert likelihoods[-1] == pytest.approx(theirs.lower_bound_, abs=1e-6)


def test_single_precision_reaches_the_same_likelihood() -> None:
    points = POINTS["pruned"]
    double, single = fitted(points)[1], fitted(points.float())[1]
    assert single == pytest.approx(double, abs=2e-3)


@every_set
def test_log_joint_is_the_density_or_negligible(points: Tensor) -> None:
    mixture, _ = fitted(points, 2)
    exact = torch.stack(
        [
            weight.log() + MultivariateNormal(mean, covariance).log_prob(points)
            for weight, mean, covariance in zip(*mixture, strict=True)
        ],
        dim=1,
    )
    joint = log_joint(points, mixture)
    kept = ~joint.isneginf()
    torch.testing.assert_close(joint[kept], exact[kept], atol=1e-6, rtol=1e-9)
    shortfall = exact.max(1, keepdim=True).values - exact
    assert (shortfall[~kept] >= NEGLIGIBLE).all()


def test_the_second_set_is_really_pruned() -> None:
    joint = log_joint(POINTS["pruned"], fitted(POINTS["pruned"], 2)[0])
    assert joint.isneginf().float().mean() > 0.5
    assert not joint.isneginf().all(1).any()


@every_set
def test_the_likelihood_never_falls(points: Tensor) -> None:
    chance = torch.rand(len(points), 3, dtype=torch.float64)
    mixture, likelihoods = maximise(points, chance / chance.sum(1, keepdim=True), 1e-9), []
    for _ in range(8):
        mixture, likelihood = em_step(points, mixture, 1e-9)
        likelihoods.append(likelihood)
    assert all(after >= before - 1e-9 for before, after in pairwise(likelihoods))
    assert likelihoods[-1] > likelihoods[0]


def test_one_component_is_the_sample_mean_and_covariance() -> None:
    points = POINTS["overlapping"]
    mixture = maximise(points, torch.ones(len(points), 1, dtype=torch.float64), 0.5)
    assert float(mixture.weights) == pytest.approx(1)
    torch.testing.assert_close(mixture.means[0], points.mean(0))
    expected = torch.cov(points.T, correction=0) + 0.5 * torch.eye(4, dtype=torch.float64)
    torch.testing.assert_close(mixture.covariances[0], expected)


def test_kmeans_may_start_from_data_whose_first_rows_are_equal() -> None:
    points = torch.cat([torch.zeros(500, 3), torch.randn(300, 3)])
    assert len(start_from_kmeans(points, 3, REGULARISATION, seed=0).weights) == 3


def test_kmeans_start_is_deterministic_and_a_mixture() -> None:
    points = POINTS["overlapping"]
    first, second = (start_from_kmeans(points, 3, REGULARISATION, seed=5) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert float(first.weights.sum()) == pytest.approx(1)
    assert torch.linalg.eigvalsh(first.covariances).min() > 0


def test_too_few_different_points_are_refused() -> None:
    with refused("3 components need at least 3 different points, not 1"):
        start_from_kmeans(torch.ones(50, 4), 3, REGULARISATION, seed=0)


def test_a_covariance_without_density_is_refused() -> None:
    flat = Components(torch.ones(1), torch.zeros(1, 3), torch.zeros(1, 3, 3))
    with refused("not positive definite; raise the regularisation"):
        log_joint(torch.zeros(2, 3), flat)
