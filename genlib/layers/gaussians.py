"""Gaussians in a space of their own: parameters, sampling, the live program, what a fit says of itself."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genlib import noise
from genlib.config import Config
from genlib.errors import GenlibError
from genlib.images import from_uint8
from genlib.layers.em import CHUNK, cholesky, log_joint
from genlib.model import Components, Model
from genlib.program import Program, Value


class Gaussians(Model):
    """p(x) = sum_k weight_k N(x | mean_k, L_k L_k^T) on points of a space of its own, with room for some components.

    A latent is a uniform number, which picks the component by cumulative weight, then d normals. A family gives
    `points`, `render`, `describe_rendering` and the training.
    """

    weights: Tensor
    means: Tensor
    cholesky: Tensor
    log_likelihood: Tensor
    finished: Tensor

    def __init__(self, config: Config, room: int, dimensions: int) -> None:
        super().__init__(config)
        self.dimensions = d = dimensions
        self.register_buffer("weights", torch.full((room,), 1 / room))
        self.register_buffer("means", torch.full((room, d), 0.5))
        self.register_buffer("cholesky", _packed_diagonal(0.1, room, d))
        self.register_buffer("log_likelihood", torch.tensor(-torch.inf, dtype=torch.float64))
        self.register_buffer("finished", torch.tensor(False))
        self._factors: Tensor | None = None
        self._spread: tuple[Tensor, float] | None = None

    @abstractmethod
    def points(self, x: Tensor, fitting: bool = False) -> Tensor:
        """Images (N, 1, 28, 28) to points (N, d); `fitting` where the mixture is to be fitted to them."""

    @abstractmethod
    def render(self, points: Tensor) -> Tensor:
        """Points (N, d) to images (N, 1, 28, 28)."""

    @abstractmethod
    def describe_rendering(self, program: Program, points: Value) -> Value:
        """`render` as operations of a program."""

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (1 + self.dimensions,)

    @property
    def converged(self) -> bool:  # type: ignore[override]
        return bool(self.finished)

    @property
    def used(self) -> Tensor:
        """The places of the components in use, int64 (K,): there is room for the most that may be needed."""
        return (self.weights > 0).nonzero().squeeze(1)

    @property
    def active(self) -> int:
        """Gaussians in use."""
        return len(self.used)

    def draw_latent(self, n: int, seed: int, start: int = 0) -> Tensor:
        rows = [
            np.concatenate([[stream.random()], stream.standard_normal(self.dimensions)])
            for stream in noise.streams(seed, n, start)
        ]
        return torch.from_numpy(np.stack(rows)).float()

    def temper(self, z: Tensor, temperature: float) -> Tensor:
        return torch.cat([z[:, :1], z[:, 1:] * temperature], dim=1)

    def shifted(self, z: Tensor, shift: Tensor) -> Tensor:
        return torch.cat([z[:, :1], (z + shift)[:, 1:]], dim=1)  # the first number picks the component

    @abstractmethod
    def pick(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """The component each latent (N, 1 + d) is drawn from, among those in use, int64 (N,); y as for `sample`."""

    def locate(self, z: Tensor, chosen: Tensor | None = None) -> Tensor:
        chosen, factors = self.pick(z) if chosen is None else chosen, self.factors()
        points = self.means[self.used][chosen]
        for k in chosen.unique().tolist():
            rows = chosen == k
            points[rows] += z[rows, 1:] @ factors[k].T  # (n_k, d)
        return points

    def factors(self) -> Tensor:
        """The lower Cholesky factors of the covariances in use, (K, d, d), unpacked once."""
        if self._factors is None or self._factors.device != self.cholesky.device:
            self._factors = unpack(self.cholesky[self.used], self.dimensions)
        return self._factors

    def components(self) -> Components:
        factors = self.factors()
        return Components(self.weights[self.used], self.means[self.used], factors @ factors.mT)

    def posterior(self, x: Tensor) -> Tensor:
        return log_joint(self.points(x), self.components()).softmax(1)

    def mean_variance(self, points: Tensor) -> float:
        """The unit of the regularisation; every iteration is on the same points."""
        if self._spread is None or self._spread[0] is not points:
            self._spread = points, float(points.var(0).mean())
        return self._spread[1]

    def criterion(self, log_likelihood: float, k: int, n: int) -> float:
        """BIC of a fit of k components to n points: -2 log L + p log n, in nats (Schwarz 1978)."""
        return -2 * n * log_likelihood + _free_parameters(k, self.dimensions) * math.log(n)

    @torch.no_grad()
    def measurements(self, images: Tensor) -> dict[str, Any]:
        """What the fit says of itself, for metrics.json, computed anew in float64 of the mixture as it is kept."""
        points, mixture = self.points(from_uint8(images), fitting=True), self.components()
        parts = points.split(CHUNK)
        total = sum(float(log_joint(part.double(), mixture).logsumexp(1).sum()) for part in parts)
        log_likelihood = total / len(points)
        return {
            "components": self.active,
            "log_likelihood": log_likelihood,
            "bic": self.criterion(log_likelihood, self.active, len(points)),
        }

    def keep(self, mixture: Components, start: int = 0, room: int | None = None) -> None:
        """Write a mixture into the places from `start` on; the rest of the `room` there is left empty."""
        room, k = room or len(self.weights), len(mixture.weights)
        for own, values in (
            (self.weights, mixture.weights),
            (self.means, mixture.means),
            (self.cholesky, _pack(cholesky(mixture.covariances))),
        ):
            own[start : start + room] = 0
            own[start : start + k] = values
        self._factors = None

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *rest: Any) -> None:
        self.check_weights(state_dict.get(f"{prefix}weights", self.weights))
        super()._load_from_state_dict(state_dict, prefix, *rest)
        self._factors = None

    def check_weights(self, weights: Tensor) -> None:
        """GenlibError where weights (room,) of a file are none to draw by."""
        if not ((weights >= 0).all() and abs(float(weights.sum()) - 1) <= 1e-3):  # nor a NaN
            raise GenlibError("the weights of a mixture must be non-negative and sum to 1")

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


def unpack(packed: Tensor, d: int) -> Tensor:
    """Lower triangles (K, d (d + 1) / 2), row by row, as (K, d, d)."""
    rows, columns = torch.tril_indices(d, d, device=packed.device)
    factors = packed.new_zeros(len(packed), d, d)
    factors[:, rows, columns] = packed
    return factors
