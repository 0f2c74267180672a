"""A Gaussian mixture for each class, on the latents of the convolutional autoencoder."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genlib.config import Config, option
from genlib.data import CLASS_NAMES
from genlib.errors import GenlibError
from genlib.layers.conditioning import required
from genlib.layers.em import em_step
from genlib.layers.gaussians import unpack
from genlib.layers.mixture_search import CHOSEN, NOW, Search, count_of, every_size
from genlib.layers.on_latents import OnLatents
from genlib.model import N_CLASSES, Components, Descend, Preset, class_mixture, register
from genlib.program import Program, Value


@dataclass(frozen=True)
class ClassMixtureConfig(Config):
    """An epoch is one EM iteration over the images of one class."""

    epochs: int = option(10_000, "EM iterations at most, those of all classes together", 1, 100_000)
    most_components: int = option(4, "Gaussians of a class at most; BIC says how many", 1, 10)
    regularisation: float = option(1e-4, "added to each variance, as a share of the mean variance", 1e-8, 1.0)
    tolerance: float = option(0.3, "stop when an iteration gains fewer nats a sample", 0.0, 100.0)
    moves: int = option(5, "split-and-merge moves at most, each kept where it gains", 0, 1000)


IDEA = r"""
Two models in turn. An **autoencoder** learns to copy images through 392 latent numbers $z$; then the latents of each
class $y$ get a sum of one to four Gaussians of their own, fitted by **expectation-maximisation**:

$$p(z \mid y) = \sum_j \pi_{yj}\, \mathcal{N}(z \mid \mu_{yj}, \Sigma_{yj})$$

A sample of a class is a point of one of its Gaussians, decoded. How many has a class? As many as the Bayesian
information criterion prefers. Asked for a bit of two classes it takes a Gaussian of the one or of the other, by their
shares: there is nothing between two Gaussians, so a walk between classes jumps.
Sources: Bishop 2006, *Pattern Recognition and Machine Learning*, section 9.2; Schwarz 1978, *Annals of Statistics* 6.
"""


@register(
    "conditional mixture",
    ClassMixtureConfig,
    [
        Preset(
            "cgmm",
            ClassMixtureConfig(),
            "One to four Gaussians for each class on the latents of ae-cnn, as many as BIC prefers.",
        )
    ],
)
class ClassMixture(OnLatents):
    """p(x | y) = sum_j weight_yj N(x | mean_yj, L_yj L_yj^T), fitted to one class after the other.

    A class has `most_components` places; those that BIC does not want stay empty. Asked for several classes with
    shares, it picks a component of one of them, by share times weight: a walk between classes jumps from Gaussian to
    Gaussian, for there is nothing between them.
    """

    idea = IDEA
    base_name = "ae-cnn"
    config: ClassMixtureConfig

    def __init__(self, config: ClassMixtureConfig) -> None:
        super().__init__(config, N_CLASSES * config.most_components, self.base_dimensions())
        nn.init.normal_(self.means)  # before any training, too, each class is its own
        self.add_base()
        self._found: Search | None = None

    def embed_classes(self, y: Tensor) -> Tensor:
        """Labels (N,) or mixtures (N, 10) to the shares of the classes, (N, 10)."""
        return class_mixture(y)

    def shares(self) -> Tensor:
        """What each place has of its class, float32 (10 x most_components,): they sum to 1 for each class."""
        own = self.weights.view(N_CLASSES, -1)
        return (own / own.sum(1, keepdim=True)).flatten()

    def check_weights(self, weights: Tensor) -> None:
        super().check_weights(weights)
        if not (weights.view(N_CLASSES, -1) > 0).any(1).all():
            raise GenlibError("every class of a mixture must have a Gaussian")

    def sizes(self) -> list[int]:
        """How many Gaussians each class has."""
        return (self.weights.view(N_CLASSES, -1) > 0).sum(1).tolist()

    def pick(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """The component of each latent (N, 1 + d), among those in use; of any class where none is asked for."""
        told = class_mixture(y) if y is not None else z.new_full((len(z), N_CLASSES), 1 / N_CLASSES)
        room = self.config.most_components
        cumulative = (told.to(z.device).repeat_interleave(room, 1) * self.shares()).cumsum(1)
        last = (cumulative >= cumulative[:, -1:]).int().argmax(1)  # an empty place is never picked
        places = torch.searchsorted(cumulative, z[:, :1].contiguous(), right=True).squeeze(1).minimum(last)
        return torch.searchsorted(self.used, places)

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.render(self.locate(z, self.pick(z, required(y))))

    def describe(self, program: Program, z: Value, y: Value) -> Value:
        shares = program.constant("shares", self.shares())
        points = program.mixture(z, shares, self.means, self.cholesky, len(self.weights), y)
        return self.describe_rendering(program, points)

    def train_step(self, x: Tensor, y: Tensor, descend: Descend) -> dict[str, Tensor]:
        """One EM iteration on the images of the class that is due; the log-likelihood is theirs."""
        label, every = count_of(self.memory, "class", N_CLASSES - 1), self.points(x, fitting=True)
        points, search = every[y == label], self._search(label, int((y == label).sum()))
        regularisation = self.config.regularisation * self.mean_variance(every)
        start = search.start(points, regularisation)
        before = float(self.log_likelihood) if start is None else -math.inf
        mixture, log_likelihood = em_step(points, start or self._own(label), regularisation)
        self._keep(label, mixture)
        self.log_likelihood.fill_(log_likelihood)
        losses = {"log_likelihood": self.log_likelihood.clone()}
        if search.iterated(mixture, log_likelihood, log_likelihood - before):
            self._end_fit(search, label, len(points))
        return losses

    def _search(self, label: int, images: int) -> Search:
        """Where the fits of a class stand."""
        if not images:
            raise GenlibError(f"no training image shows a {CLASS_NAMES[label]}: every class needs some")
        if "move" not in self.memory:
            self.memory = {key: value for key, value in self.memory.items() if key == "class"}
        if self._found is None or self._found.memory is not self.memory:
            config = self.config
            fits = every_size(max(1, min(config.most_components, images // 2)), coarser=False)
            self._found = Search(fits, config.moves, config.tolerance, config.seed, self.memory)
        if "move" not in self.memory:
            self._found.at(0, 0)
        return self._found

    def _end_fit(self, search: Search, label: int, n: int) -> None:
        """Keep a size where its BIC is the smallest of its class so far; after the last one, go to the next class."""
        bic = self.criterion(search.best, search.due.components, n)
        if bic < search.number("bic", math.inf):
            search.keep(CHOSEN, search.kept(NOW))
            search.note(bic=bic)
        search.next_fit()
        if search.over:
            self._keep(label, search.kept(CHOSEN))
            self.memory = {"class": torch.tensor(label + 1)}
            self.finished.fill_(label + 1 == N_CLASSES)

    def _places(self, label: int) -> slice:
        room = self.config.most_components
        return slice(label * room, (label + 1) * room)

    def _own(self, label: int) -> Components:
        """The mixture of a class, weights that sum to 1."""
        places = self._places(label)
        used = self.weights[places] > 0
        factors = unpack(self.cholesky[places][used], self.dimensions)
        return Components(self.weights[places][used] * N_CLASSES, self.means[places][used], factors @ factors.mT)

    def _keep(self, label: int, mixture: Components) -> None:
        """Classes are equally frequent, in the data and where none is asked for."""
        places = self._places(label)
        self.keep(mixture._replace(weights=mixture.weights / N_CLASSES), places.start, self.config.most_components)
