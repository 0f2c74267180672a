"""Expectation-maximisation for Gaussian mixtures with full covariances (Dempster, Laird and Rubin 1977).

Equations are Bishop, "Pattern Recognition and Machine Learning" (2006), section 9.2.2. What is ours is the E-step's
order of work. With y = P_k^T (x - mean_k) and P_k upper triangular, |y|^2 grows block by block of dimensions, so
const_k - |y|^2 / 2 so far is an upper bound on a point's log-density. A point leaves component k as soon as that
bound falls NEGLIGIBLE nats below the best density it already has: what is skipped is below e^-40 of a
responsibility, less than float32 (or float64) can add to it. High-dimensional mixtures have nearly hard
assignments, so most of the K densities of a point are never finished, and the M-step sums over what is left.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from genlib.errors import GenlibError
from genlib.model import Components

NEGLIGIBLE = 40.0
FIRST_BLOCK = 48
CHUNK = 10_000
FEW = 16  # dimensions up to which an iteration is two products with the points' second moments


class _Densities(NamedTuple):
    """What the E-step needs of a mixture: log weight + log normaliser (K,), means (K, d), P (K, d, d)."""

    constants: Tensor
    means: Tensor
    precision_factors: Tensor


def cholesky(covariances: Tensor) -> Tensor:
    """Lower factors of covariances (K, d, d), in float64; GenlibError where one is not positive definite."""
    factors, failed = torch.linalg.cholesky_ex(covariances.double())
    if failed.any():
        raise GenlibError("a covariance is not positive definite; raise the regularisation")
    return factors


def _densities(mixture: Components, dtype: torch.dtype) -> _Densities:
    """Factorised in float64: cov = L L^T, P = L^-T, log |P| = -sum log diag L (Bishop, eq. 2.43)."""
    d = mixture.means.shape[1]
    factors = cholesky(mixture.covariances)
    identity = torch.eye(d, dtype=torch.float64, device=factors.device).expand_as(factors)
    inverse = torch.linalg.solve_triangular(factors, identity, upper=False)
    log_determinants = factors.diagonal(dim1=1, dim2=2).log().sum(1)
    constants = mixture.weights.double().log() - 0.5 * d * math.log(2 * math.pi) - log_determinants
    return _Densities(constants.to(dtype), mixture.means.to(dtype), inverse.mT.contiguous().to(dtype))


def _blocks(d: int) -> list[tuple[int, int]]:
    """Doubling blocks of dimensions: (0, 48), (48, 96), (96, 192), ..., d."""
    edges = [0]
    while edges[-1] < d:
        edges.append(min(d, max(FIRST_BLOCK, 2 * edges[-1])))
    return list(pairwise(edges))


def _squares(x: Tensor, densities: _Densities, k: int, start: int, end: int) -> Tensor:
    """What dimensions start, ..., end - 1 of y add to |y|^2 of component k, for points (n, >= end): (n,)."""
    factor = densities.precision_factors[k, :end, start:end]
    return torch.addmm(densities.means[k, :end] @ factor, x[:, :end], factor, beta=-1).square().sum(1)


def _finish(x: Tensor, densities: _Densities, k: int, squares: Tensor, floor: Tensor) -> Tensor:
    """log(weight_k N(x | k)) of points (n, d) whose first block is in `squares` (n,); -inf where below `floor` (n,)."""
    constant, result = densities.constants[k], torch.full_like(floor, -torch.inf)
    active = torch.arange(len(x), device=x.device)
    for start, end in _blocks(x.shape[1])[1:]:
        points = x if len(active) == len(x) else x[active, :end]
        squares = squares + _squares(points, densities, k, start, end)
        alive = constant - 0.5 * squares > floor[active]
        active, squares = active[alive], squares[alive]
    result[active] = constant - 0.5 * squares
    return result


def _log_joint_chunk(x: Tensor, densities: _Densities) -> Tensor:
    """log(weight_k N(x | k)) of points (n, d), (n, K): each point's likeliest component first, the rest pruned."""
    n, k_total, first = len(x), len(densities.constants), _blocks(x.shape[1])[0][1]
    front = x[:, :first].contiguous()
    squares = torch.stack([_squares(front, densities, k, 0, first) for k in range(k_total)], dim=1)
    bounds = densities.constants - 0.5 * squares
    guess, best = bounds.argmax(1), x.new_full((n,), -torch.inf)
    joint = x.new_full((n, k_total), -torch.inf)
    for guessed in (True, False):
        for k in range(k_total):
            floor = best - NEGLIGIBLE
            rows = (((guess == k) == guessed) & (bounds[:, k] > floor)).nonzero().squeeze(1)
            joint[rows, k] = _finish(x[rows], densities, k, squares[rows, k], floor[rows])
            best = torch.maximum(best, joint[:, k])
    return joint


def log_joint(x: Tensor, mixture: Components) -> Tensor:
    """log(weight_k N(x | mean_k, cov_k)) for points x (N, d), (N, K), in x's dtype; -inf where negligible."""
    order = _widest_first(x)
    if order is None:
        densities = _densities(mixture, x.dtype)
        return torch.cat([_log_joint_chunk(part, densities) for part in x.split(CHUNK)])
    covariances = mixture.covariances[:, order][:, :, order]
    densities = _densities(Components(mixture.weights, mixture.means[:, order], covariances), x.dtype)
    return torch.cat([_log_joint_chunk(part[:, order], densities) for part in x.split(CHUNK)])


def _widest_first(x: Tensor) -> Tensor | None:
    """The dimensions by falling variance, which decide soonest; None where they are about equally wide."""
    if len(x) < 2:
        return None
    variances = x[:CHUNK].var(0, correction=0)
    if variances.max() < 4 * variances.min():
        return None
    return variances.argsort(descending=True, stable=True)


def maximise(x: Tensor, responsibilities: Tensor, regularisation: float) -> Components:
    """The M-step (Bishop, eqs. 9.24 to 9.26): points (N, d) and responsibilities (N, K) to the new mixture.

    `regularisation`, in squared units of x, is added to every variance.
    """
    sums = responsibilities.double().sum(0) + 10 * torch.finfo(torch.float64).eps
    means, covariances = [], []
    for k, total in enumerate(sums):
        rows = responsibilities[:, k].nonzero().squeeze(1)
        points, r = x[rows], responsibilities[rows, k]
        mean = ((r @ points).double() / total).to(x.dtype)
        scatter = torch.zeros(x.shape[1], x.shape[1], dtype=torch.float64, device=x.device)
        for part, weight in zip(points.split(CHUNK), r.split(CHUNK), strict=True):
            centred = (part - mean) * weight.sqrt().unsqueeze(1)
            scatter += (centred.mT @ centred).double()
        scatter /= total
        scatter.diagonal().add_(regularisation)
        means.append(mean)
        covariances.append(scatter)
    return Components((sums / sums.sum()).to(x.dtype), torch.stack(means), torch.stack(covariances))


def em_step(
    x: Tensor, mixture: Components, regularisation: float, known: Tensor | None = None
) -> tuple[Components, float]:
    """One E-step and one M-step on points (N, d): the new mixture, and the old one's mean log-likelihood in nats.

    `known` are the points' `moments`, for those who iterate.
    """
    known = moments(x) if known is None else known
    if known is not None:
        return _step_by_moments(known, mixture, regularisation, x.dtype)
    joint = log_joint(x, mixture)
    totals = joint.logsumexp(1)
    return maximise(x, (joint - totals.unsqueeze(1)).exp(), regularisation), float(totals.double().mean())


def moments(x: Tensor) -> Tensor | None:
    """1, the coordinates and their products x_i x_j with i <= j, of points (n, d): float64 (n, 1 + d + d (d + 1) / 2).

    None where there are too many dimensions for them.
    """
    if x.shape[1] > FEW:
        return None
    rows, columns = torch.triu_indices(x.shape[1], x.shape[1], device=x.device)
    x = x.double()
    return torch.cat([x.new_ones(len(x), 1), x, x[:, rows] * x[:, columns]], dim=1)


def _step_by_moments(
    known: Tensor, mixture: Components, regularisation: float, dtype: torch.dtype
) -> tuple[Components, float]:
    """`em_step` by the sufficient statistics (n, m), float64: both its halves are one matrix product.

    log(weight_k N(x | k)) = const_k + (S^-1 mean) x - sum_ij S^-1_ij x_i x_j / 2 is linear in the moments, and their
    sums weighted by the responsibilities are all that the new mixture asks of the points.
    """
    constants, means, factors = _densities(mixture, known.dtype)
    d = means.shape[1]
    rows, columns = torch.triu_indices(d, d, device=known.device)
    precisions = factors @ factors.mT
    linear = (precisions @ means.unsqueeze(2)).squeeze(2)
    twice = torch.where(rows == columns, 0.5, 1.0)  # an off-diagonal product stands for two
    natural = torch.cat(
        [(constants - 0.5 * (linear * means).sum(1)).unsqueeze(1), linear, -precisions[:, rows, columns] * twice], dim=1
    )
    joint = known @ natural.T
    totals = joint.logsumexp(1)
    sums = (joint - totals.unsqueeze(1)).exp().T @ known  # (K, m)
    counts = sums[:, :1] + 10 * torch.finfo(torch.float64).eps
    new_means = sums[:, 1 : d + 1] / counts
    seconds = known.new_zeros(len(counts), d, d)
    seconds[:, rows, columns] = seconds[:, columns, rows] = sums[:, d + 1 :] / counts
    covariances = seconds - new_means.unsqueeze(2) * new_means.unsqueeze(1)
    covariances.diagonal(dim1=1, dim2=2).add_(regularisation)
    weights = (counts / counts.sum()).squeeze(1)
    return Components(weights.to(dtype), new_means.to(dtype), covariances), float(totals.mean())


def start_from_kmeans(x: Tensor, k: int, regularisation: float, seed: int) -> Components:
    """The mixture of k-means' clusters, scikit-learn's own start (one thread: its sums depend on their order)."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    distinct = len(torch.unique(x[: 100 * k], dim=0))
    distinct = distinct if distinct >= k else len(torch.unique(x, dim=0))  # some rows are enough to tell, mostly
    if distinct < k:
        raise GenlibError(f"{k} components need at least {k} different points, not {distinct}")
    with threadpool_limits(limits=1):
        labels = KMeans(k, n_init=1, random_state=seed).fit(x.cpu().numpy()).labels_
    hard = torch.nn.functional.one_hot(torch.as_tensor(labels, dtype=torch.int64), k)
    return maximise(x, hard.to(x), regularisation)
