"""Gaussian mixture on pixels, fitted by expectation-maximisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genlib import noise
from genlib.config import Config, option
from genlib.em import Gaussians, em_step, log_joint, start_from_kmeans
from genlib.model import Components, Descend, Model, Preset, register

PIXELS = 28 * 28


@dataclass(frozen=True)
class PixelMixtureConfig(Config):
    """An epoch is one EM iteration over the whole training split."""

    epochs: int = option(150, "EM iterations at most", 1, 10_000)
    components: int = option(10, "Gaussians in the mixture", 1, 50)
    regularisation: float = option(1e-4, "added to each variance, as a share of the mean variance", 1e-8, 1.0)
    tolerance: float = option(1e-3, "stop when an iteration gains fewer nats a sample", 0.0, 100.0)


@register(
    "mixture",
    PixelMixtureConfig,
    [
        Preset(
            "gmm-10",
            PixelMixtureConfig(),
            "Ten Gaussians with full covariance, straight on the 784 pixels.",
            milestones=(1, 10, 50, 100, 150),
        )
    ],
)
class PixelMixture(Model):
    """p(x) = sum_k weight_k N(x | mean_k, L_k L_k^T) on pixels in [0, 1].

    Gray levels are dequantised for the fit, p = (level + u) / 256 with u uniform (Theis, van den Oord and Bethge
    2016, arXiv:1511.01844, section 3.1): densities of discrete data have no maximum. A latent is a uniform number,
    which picks the component by cumulative weight, then 784 normals.
    """

    config: PixelMixtureConfig
    weights: Tensor
    means: Tensor
    cholesky: Tensor
    log_likelihood: Tensor
    finished: Tensor

    def __init__(self, config: PixelMixtureConfig) -> None:
        super().__init__(config)
        k = config.components
        self.register_buffer("weights", torch.full((k,), 1 / k))
        self.register_buffer("means", torch.full((k, PIXELS), 0.5))
        self.register_buffer("cholesky", 0.1 * _pack(torch.eye(PIXELS).expand(k, PIXELS, PIXELS)))
        self.register_buffer("log_likelihood", torch.tensor(-torch.inf, dtype=torch.float64))
        self.register_buffer("finished", torch.tensor(False))
        self._factors: Tensor | None = None

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (1 + PIXELS,)

    @property
    def converged(self) -> bool:  # type: ignore[override]
        return bool(self.finished)

    def draw_latent(self, n: int, seed: int, start: int = 0) -> Tensor:
        rows = [
            np.concatenate([[stream.random()], stream.standard_normal(PIXELS)])
            for stream in noise.streams(seed, n, start)
        ]
        return torch.from_numpy(np.stack(rows)).float()

    def temper(self, z: Tensor, temperature: float) -> Tensor:
        return torch.cat([z[:, :1], z[:, 1:] * temperature], dim=1)

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.render(self.locate(z))

    def pick(self, z: Tensor) -> Tensor:
        """The component each latent (N, 785) is drawn from, int64 (N,)."""
        last = len(self.weights) - 1
        return torch.searchsorted(self.weights.cumsum(0), z[:, 0].contiguous(), right=True).clamp(max=last)

    def locate(self, z: Tensor) -> Tensor:
        chosen, factors = self.pick(z), self.factors()
        points = self.means[chosen]
        for k in chosen.unique().tolist():
            rows = chosen == k
            points[rows] += z[rows, 1:] @ factors[k].T  # (n_k, 784)
        return points

    def render(self, points: Tensor) -> Tensor:
        levels = (points * 256 - 0.5) / 255  # the middle of a level's bin is the level
        return (levels.clamp(0, 1) * 2 - 1).view(-1, 1, 28, 28)

    def factors(self) -> Tensor:
        """The covariances' lower Cholesky factors, (K, 784, 784), unpacked once."""
        if self._factors is None or self._factors.device != self.cholesky.device:
            self._factors = _unpack(self.cholesky)
        return self._factors

    def components(self) -> Components:
        factors = self.factors()
        return Components(self.weights, self.means, factors @ factors.mT)

    def posterior(self, x: Tensor) -> Tensor:
        joint = log_joint(_points(x, 0.5), Gaussians(*self.components()))
        return joint.softmax(1)

    def train_step(self, x: Tensor, y: Tensor, descend: Descend) -> dict[str, Tensor]:
        """One EM iteration on the whole split; the log-likelihood is that of the mixture it starts from."""
        generator = torch.Generator().manual_seed(noise.derive_seed(self.config.seed, 1))
        points = _points(x, torch.rand(len(x), PIXELS, generator=generator).to(x.device))
        regularisation = self.config.regularisation * float(points.var(0).mean())
        if self.log_likelihood.isneginf():
            mixture = start_from_kmeans(points, self.config.components, regularisation, self.config.seed)
        else:
            mixture = Gaussians(*self.components())
        mixture, log_likelihood = em_step(points, mixture, regularisation)
        self._keep(mixture)
        self.finished.fill_(log_likelihood - float(self.log_likelihood) < self.config.tolerance)
        self.log_likelihood.fill_(log_likelihood)
        return {"log_likelihood": self.log_likelihood.clone()}

    def _keep(self, mixture: Gaussians) -> None:
        self.weights.copy_(mixture.weights)
        self.means.copy_(mixture.means)
        self.cholesky.copy_(_pack(torch.linalg.cholesky(mixture.covariances.double())))
        self._factors = None

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *rest: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *rest)
        self._factors = None

    def parameter_count(self) -> int:
        """K - 1 weights, K means and K symmetric covariances."""
        k = self.config.components
        return k - 1 + k * PIXELS + k * PIXELS * (PIXELS + 1) // 2


def _points(x: Tensor, dither: Tensor | float) -> Tensor:
    """Images in [-1, 1] to points (N, 784) in [0, 1]: (level + dither) / 256."""
    return ((x.flatten(1) + 1) * 127.5 + dither) / 256


def _pack(factors: Tensor) -> Tensor:
    """Lower triangles (K, d, d) row by row as (K, d (d + 1) / 2)."""
    rows, columns = torch.tril_indices(*factors.shape[1:], device=factors.device)
    return factors[:, rows, columns].float()


def _unpack(packed: Tensor) -> Tensor:
    rows, columns = torch.tril_indices(PIXELS, PIXELS, device=packed.device)
    factors = packed.new_zeros(len(packed), PIXELS, PIXELS)
    factors[:, rows, columns] = packed
    return factors
