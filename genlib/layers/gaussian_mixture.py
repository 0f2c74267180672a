"""A mixture of a given size, or of the size that BIC prefers, fitted by EM one iteration a step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from genlib.config import Config, option
from genlib.errors import GenlibError
from genlib.layers.em import em_step, moments
from genlib.layers.gaussians import Gaussians
from genlib.layers.mixture_search import CHOSEN, COARSER, NOW, Fit, Search, every_size, one_size
from genlib.model import Descend
from genlib.program import Program, Value


@dataclass(frozen=True)
class MixtureConfig(Config):
    """An epoch is one EM iteration over the whole training split."""

    epochs: int = option(150, "EM iterations at most", 1, 100_000)
    components: int = option(10, "Gaussians in the mixture; 0: as many as BIC prefers", 0, 50)
    most_components: int = option(20, "where a search by BIC ends", 1, 50)
    regularisation: float = option(1e-4, "added to each variance, as a share of the mean variance", 1e-8, 1.0)
    tolerance: float = option(1e-3, "stop when an iteration gains fewer nats a sample", 0.0, 100.0)
    moves: int = option(0, "split-and-merge moves at most, each kept where it gains; 0: none", 0, 1000)


class GaussianMixture(Gaussians):
    """One mixture of the whole split.

    With `components=0` the run fits 1, 2, ..., `most_components` components, each under the configured regularisation
    and under ten times that, since it may decide which size wins, and ends with the fit of the smallest BIC under the
    configured one. A given number of components is fitted as in that search, after 1, 2, ... of them, or with
    `moves=0` by itself.
    """

    config: MixtureConfig
    bic: Tensor
    fit: Tensor

    def __init__(self, config: MixtureConfig, dimensions: int) -> None:
        self.searches = config.components == 0
        room = config.most_components if self.searches else config.components
        super().__init__(config, room, dimensions)
        if self.searches:
            self.register_buffer("bic", torch.zeros(2, room, dtype=torch.float64))
            self.register_buffer("fit", torch.tensor([0, -1]))  # fits that are done, and the one under way
        self._found: Search | None = None
        self._moments: tuple[Tensor, Tensor | None] | None = None

    def describe(self, program: Program, z: Value) -> Value:
        points = program.mixture(z, self.weights, self.means, self.cholesky, self.active)
        return self.describe_rendering(program, points)

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.render(self.locate(z))

    def check_weights(self, weights: Tensor) -> None:
        super().check_weights(weights)
        if weights[int(weights.count_nonzero()) :].any():
            raise GenlibError("the components of a mixture must stand before its empty places")

    def pick(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        cumulative = self.weights[: self.active].cumsum(0)
        return torch.searchsorted(cumulative, z[:, 0].contiguous(), right=True).clamp(max=self.active - 1)

    def train_step(self, x: Tensor, y: Tensor, descend: Descend) -> dict[str, Tensor]:
        """One EM iteration on the whole split; the log-likelihood is that of the mixture it starts from."""
        points, search = self.points(x, fitting=True), self._search()
        regularisation = search.due.factor * self.config.regularisation * self.mean_variance(points)
        start = search.start(points, regularisation)
        before = float(self.log_likelihood) if start is None else -math.inf
        mixture, log_likelihood = em_step(points, start or self.components(), regularisation, self._moments_of(points))
        self.keep(mixture)
        self.log_likelihood.fill_(log_likelihood)
        losses = {"log_likelihood": self.log_likelihood.clone()}
        if self.searches:
            self.fit[1] = search.done
        if search.iterated(mixture, log_likelihood, log_likelihood - before):
            self._end_fit(search, len(points))
        return losses

    def _moments_of(self, points: Tensor) -> Tensor | None:
        """The moments of the split, which are the same in every iteration."""
        if self._moments is None or self._moments[0] is not points:
            self._moments = points, moments(points)
        return self._moments[1]

    def _search(self) -> Search:
        """Where the fits stand. A run without such a memory goes on with its only fit, or searches anew."""
        if "move" not in self.memory:
            self.memory = {}
        if self._found is None or self._found.memory is not self.memory:
            config = self.config
            self._found = Search(self._fits(), config.moves, config.tolerance, config.seed, self.memory)
        if not self.memory:
            self._found.at(0, 0)
            self._found.note(iterations=float(len(self._found.fits) == 1 and not self.log_likelihood.isneginf()))
        return self._found

    def _fits(self) -> list[Fit]:
        config = self.config
        if self.searches:
            return every_size(config.most_components)
        return every_size(config.components, coarser=False) if config.moves else one_size(config.components)

    def _end_fit(self, search: Search, n: int) -> None:
        """Count the best of the fit under way; after the last one, stand on the mixture that is to be shown."""
        best, shown = search.best, search.due.kept
        if self.searches:
            shown = CHOSEN
            self._count(search, n)
        search.next_fit()
        if search.over:
            self.keep(search.kept(shown))
            self.log_likelihood.fill_(best)
            self.finished.fill_(True)

    def _count(self, search: Search, n: int) -> None:
        """Enter a fit into the curves, and keep it where its BIC is the smallest so far."""
        k, row = search.due.components, search.due.row
        curve = search.memory.get("curve", torch.zeros_like(self.bic)).clone()
        if curve.shape != self.bic.shape or not curve.isfinite().all():
            raise GenlibError("the checkpoint's memory.curve is no curve of likelihoods; it cannot be resumed")
        curve[row, k - 1] = search.best
        search.memory["curve"] = curve
        self.bic[row, k - 1] = self.criterion(search.best, k, n)
        self.fit[0] = search.done + 1
        if not row and bool((self.bic[0, : k - 1] > self.bic[0, k - 1]).all()):
            search.keep(CHOSEN, search.kept(NOW))

    def measurements(self, images: Tensor) -> dict[str, Any]:
        """What the fit says of itself, and the curves where its size was searched.

        Those are of EM's own likelihoods, in float32, of the mixtures that its last iterations start from.
        """
        found = super().measurements(images)
        if self.searches:
            shares = [self.config.regularisation, COARSER * self.config.regularisation]
            found["bic_curve"] = {"regularisation": shares, "bic": _rows(self.bic)}
            found["bic_curve"] |= {"log_likelihood": _rows(self.memory["curve"])} if "curve" in self.memory else {}
        return found


def _rows(curves: Tensor) -> list[list[float | None]]:
    """Curves as JSON has them, None where a search has not been."""
    return [[value or None for value in row] for row in curves.tolist()]
