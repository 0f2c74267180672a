"""What Gaussian mixtures share: parameters, sampling, EM one iteration a step, and the choice of their size by BIC."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genlib import noise
from genlib.config import Config, option
from genlib.errors import GenlibError
from genlib.images import from_uint8
from genlib.layers.em import CHUNK, em_step, log_joint, start_from_kmeans
from genlib.model import Components, Descend, Model
from genlib.program import Program, Value

COARSER = 10.0  # the second regularisation of a search, in units of the first


@dataclass(frozen=True)
class MixtureConfig(Config):
    """An epoch is one EM iteration over the whole training split."""

    epochs: int = option(150, "EM iterations at most", 1, 10_000)
    components: int = option(10, "Gaussians in the mixture; 0: as many as BIC prefers", 0, 50)
    most_components: int = option(20, "where a search by BIC ends", 1, 50)
    regularisation: float = option(1e-4, "added to each variance, as a share of the mean variance", 1e-8, 1.0)
    tolerance: float = option(1e-3, "stop when an iteration gains fewer nats a sample", 0.0, 100.0)


class GaussianMixture(Model):
    """p(x) = sum_k weight_k N(x | mean_k, L_k L_k^T) on points of a space of its own.

    A latent is a uniform number, which picks the component by cumulative weight, then d normals. With
    `components=0` the run first fits 1, 2, ..., `most_components` components, then as many again with ten times the
    regularisation, since that may decide which size wins, and ends by fitting the size of the smallest BIC =
    -2 log L + p log N (Schwarz 1978) under the configured one. A family gives `points`, `render` and
    `describe_rendering`.
    """

    config: MixtureConfig
    weights: Tensor
    means: Tensor
    cholesky: Tensor
    log_likelihood: Tensor
    finished: Tensor
    bic: Tensor
    fit: Tensor

    def __init__(self, config: MixtureConfig, dimensions: int) -> None:
        super().__init__(config)
        self.dimensions = d = dimensions
        self.searches = config.components == 0
        k = config.most_components if self.searches else config.components
        self.register_buffer("weights", torch.full((k,), 1 / k))
        self.register_buffer("means", torch.full((k, d), 0.5))
        self.register_buffer("cholesky", _packed_diagonal(0.1, k, d))
        self.register_buffer("log_likelihood", torch.tensor(-torch.inf, dtype=torch.float64))
        self.register_buffer("finished", torch.tensor(False))
        if self.searches:
            self.register_buffer("bic", torch.zeros(2, k, dtype=torch.float64))
            self.register_buffer("fit", torch.tensor([0, -1]))  # the fit that is due, and the one under way
        self._factors: Tensor | None = None

    @abstractmethod
    def points(self, x: Tensor, fitting: bool = False) -> Tensor:
        """Images (N, 1, 28, 28) to points (N, d); `fitting` where the mixture is to be fitted to them."""

    @abstractmethod
    def render(self, points: Tensor) -> Tensor:
        """Points (N, d) to images (N, 1, 28, 28)."""

    @abstractmethod
    def describe_rendering(self, program: Program, points: Value) -> Value:
        """`render` as operations of a program."""

    def describe(self, program: Program, z: Value) -> Value:
        points = program.mixture(z, self.weights, self.means, self.cholesky, self.active)
        return self.describe_rendering(program, points)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (1 + self.dimensions,)

    @property
    def converged(self) -> bool:  # type: ignore[override]
        return bool(self.finished)

    @property
    def active(self) -> int:
        """Gaussians in use: a search keeps room for the most it may need."""
        return int((self.weights > 0).sum()) if self.searches else len(self.weights)

    def draw_latent(self, n: int, seed: int, start: int = 0) -> Tensor:
        rows = [
            np.concatenate([[stream.random()], stream.standard_normal(self.dimensions)])
            for stream in noise.streams(seed, n, start)
        ]
        return torch.from_numpy(np.stack(rows)).float()

    def temper(self, z: Tensor, temperature: float) -> Tensor:
        return torch.cat([z[:, :1], z[:, 1:] * temperature], dim=1)

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.render(self.locate(z))

    def pick(self, z: Tensor) -> Tensor:
        """The component each latent (N, 1 + d) is drawn from, int64 (N,)."""
        cumulative = self.weights[: self.active].cumsum(0)
        return torch.searchsorted(cumulative, z[:, 0].contiguous(), right=True).clamp(max=self.active - 1)

    def shifted(self, z: Tensor, shift: Tensor) -> Tensor:
        return torch.cat([z[:, :1], (z + shift)[:, 1:]], dim=1)  # the first number picks the component

    def locate(self, z: Tensor, chosen: Tensor | None = None) -> Tensor:
        chosen, factors = self.pick(z) if chosen is None else chosen, self.factors()
        points = self.means[chosen]
        for k in chosen.unique().tolist():
            rows = chosen == k
            points[rows] += z[rows, 1:] @ factors[k].T  # (n_k, d)
        return points

    def factors(self) -> Tensor:
        """The covariances' lower Cholesky factors, (K, d, d), unpacked once."""
        if self._factors is None or self._factors.device != self.cholesky.device:
            self._factors = _unpack(self.cholesky[: self.active], self.dimensions)
        return self._factors

    def components(self) -> Components:
        factors = self.factors()
        return Components(self.weights[: self.active], self.means[: self.active], factors @ factors.mT)

    def posterior(self, x: Tensor) -> Tensor:
        return log_joint(self.points(x), self.components()).softmax(1)

    def train_step(self, x: Tensor, y: Tensor, descend: Descend) -> dict[str, Tensor]:
        """One EM iteration on the whole split; the log-likelihood is that of the mixture it starts from."""
        points = self.points(x, fitting=True)
        components, factor = self._due()
        regularisation = factor * self.config.regularisation * float(points.var(0).mean())
        if self._begins():
            mixture = start_from_kmeans(points, components, regularisation, self.config.seed)
            self.log_likelihood.fill_(-torch.inf)
        else:
            mixture = self.components()
        mixture, log_likelihood = em_step(points, mixture, regularisation)
        self._keep(mixture)
        settled = log_likelihood - float(self.log_likelihood) < self.config.tolerance
        self.log_likelihood.fill_(log_likelihood)
        if settled:
            self._end_fit(len(points))
        return {"log_likelihood": self.log_likelihood.clone()}

    def _due(self) -> tuple[int, float]:
        """The number of Gaussians and the factor on the regularisation of the fit that is due."""
        if not self.searches:
            return self.config.components, 1.0
        row, column = divmod(int(self.fit[0]), self.config.most_components)
        if row < len(self.bic):
            return column + 1, (1.0, COARSER)[row]
        return int(self.bic[0].argmin()) + 1, 1.0

    def _begins(self) -> bool:
        if not self.searches:
            return bool(self.log_likelihood.isneginf())
        begins = bool(self.fit[0] != self.fit[1])
        self.fit[1] = self.fit[0]
        return begins

    def _end_fit(self, n: int) -> None:
        if self.searches and self.fit[0] < self.bic.numel():
            self.bic.view(-1)[self.fit[0]] = self._criterion(float(self.log_likelihood), n)
            self.fit[0] += 1
        else:
            self.finished.fill_(True)

    def _criterion(self, log_likelihood: float, n: int) -> float:
        """BIC of the fit to n points: -2 log L + p log n, in nats."""
        return -2 * n * log_likelihood + _free_parameters(self.active, self.dimensions) * math.log(n)

    @torch.no_grad()
    def measurements(self, images: Tensor) -> dict[str, Any]:
        """What the fit says of itself, for metrics.json; BIC by component count where it was searched.

        The log-likelihood is computed anew, in float64, of the mixture as it is kept; those behind the BIC curve are
        EM's own, in float32, of the mixtures that its last iterations start from.
        """
        points, mixture = self.points(from_uint8(images), fitting=True), self.components()
        parts = points.split(CHUNK)
        total = sum(float(log_joint(part.double(), mixture).logsumexp(1).sum()) for part in parts)
        log_likelihood = total / len(points)
        found: dict[str, Any] = {
            "components": self.active,
            "log_likelihood": log_likelihood,
            "bic": self._criterion(log_likelihood, len(points)),
        }
        if self.searches:
            curve = [[value or None for value in row] for row in self.bic.tolist()]
            shares = [self.config.regularisation, COARSER * self.config.regularisation]
            found["bic_curve"] = {"regularisation": shares, "bic": curve}
        return found

    def _keep(self, mixture: Components) -> None:
        k = len(mixture.weights)
        self.weights.zero_()[:k] = mixture.weights
        self.means.zero_()[:k] = mixture.means
        self.cholesky.zero_()[:k] = _pack(torch.linalg.cholesky(mixture.covariances.double()))
        self._factors = None

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *rest: Any) -> None:
        weights = state_dict.get(f"{prefix}weights", self.weights)
        if (weights < 0).any() or abs(float(weights.sum()) - 1) > 1e-3:
            raise GenlibError("the mixture's weights are no distribution: none below 0, 1 in all")
        super()._load_from_state_dict(state_dict, prefix, *rest)
        self._factors = None

    def parameter_count(self) -> int:
        """Those of the mixture (for a search that has not been run: of its largest) and of what it stands on."""
        k = len(self.weights) if self.weights.is_meta else self.active
        return super().parameter_count() + _free_parameters(k, self.dimensions)


def _free_parameters(k: int, d: int) -> int:
    """K - 1 weights, K means and K symmetric covariances."""
    return k - 1 + k * d + k * d * (d + 1) // 2


def _packed_diagonal(value: float, k: int, d: int) -> Tensor:
    """`_pack` of K times `value` on the diagonal, by operations that cost nothing where a model has only shapes."""
    packed = torch.zeros(k, d * (d + 1) // 2)
    packed[:, torch.tensor([i * (i + 3) // 2 for i in range(d)])] = value
    return packed


def _pack(factors: Tensor) -> Tensor:
    """Lower triangles (K, d, d) row by row as (K, d (d + 1) / 2)."""
    rows, columns = torch.tril_indices(*factors.shape[1:], device=factors.device)
    return factors[:, rows, columns].float()


def _unpack(packed: Tensor, d: int) -> Tensor:
    rows, columns = torch.tril_indices(d, d, device=packed.device)
    factors = packed.new_zeros(len(packed), d, d)
    factors[:, rows, columns] = packed
    return factors
