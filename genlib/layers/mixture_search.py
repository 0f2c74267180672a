"""The way of a mixture's fits to their optimum: which start is due, which fit so far is the best.

One size is fitted from several starts. Each is iterated until an iteration gains less than the tolerance; from there,
split-and-merge moves go on until three in a row gain nothing, each given up once it cannot reach what it came from. The
best of all that is the fit. A size starts from the best fit of one component less, split, so that more components never
fit worse, and from k-means; with the coarser regularisation, from the finer one's fit.

Where it stands is all in `memory`, tensors that a checkpoint holds: they are replaced, never written to.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from genlib.errors import GenlibError
from genlib.layers.em import start_from_kmeans
from genlib.layers.split_merge import Split, exchange, splits, with_split
from genlib.model import Components

COARSER = 10.0  # the second regularisation of a search, in units of the first
FAIR = 10  # iterations that every start has
PATIENCE = 3  # moves in a row that may gain nothing, the most promising first
HORIZON = 10  # after them, a fit that ten more gains like its last would not bring to the best is given up
FINE, COARSE, CHOSEN = "fine", "coarse", "chosen"  # mixtures that are kept
NOW, HERE = "now", "here"  # the best of the fit under way, and of its start under way


@dataclass(frozen=True)
class Fit:
    """One size under one regularisation, by the names of its starts."""

    components: int
    factor: float
    starts: tuple[str, ...]
    kept: str = FINE  # the name under which its best is kept

    @property
    def row(self) -> int:
        """Of the BIC curves."""
        return int(self.kept == COARSE)


def one_size(components: int) -> list[Fit]:
    """One fit, from k-means alone."""
    return [Fit(components, 1.0, ("kmeans",))]


def every_size(most: int, coarser: bool = True) -> list[Fit]:
    """Those of 1, 2, ..., `most` components, each under both regularisations or under the first alone."""
    found = []
    for k in range(1, most + 1):
        found.append(Fit(k, 1.0, ("split", "kmeans") if k > 1 else ("kmeans",)))
        if coarser:
            found.append(Fit(k, COARSER, ("fine", "split") if k > 1 else ("fine",), COARSE))
    return found


def number_of(memory: Mapping[str, Tensor], key: str, default: float) -> float:
    """A number of a memory; GenlibError where a checkpoint has something else there."""
    if key not in memory:
        return default
    if memory[key].numel() != 1 or memory[key].isnan():
        raise GenlibError(f"the checkpoint's memory.{key} is no number; it cannot be resumed")
    return float(memory[key])


def count_of(memory: Mapping[str, Tensor], key: str, most: int = 2**31) -> int:
    """A whole number of a memory, 0 where it has none of that name."""
    value = number_of(memory, key, 0)
    if not (0 <= value <= most and value == int(value)):
        known = f"{value:g}, not a whole number to {most}"
        raise GenlibError(f"the checkpoint's memory.{key} is {known}; it cannot be resumed")
    return int(value)


@dataclass
class Search:
    """Where the fits stand, and what is to be iterated next.

    In `memory`: the fit under way, its start, and the move from there, 0 for the start itself; its iterations; whether
    no move was left ("idle"), and how many in a row gained nothing ("vain"); the best log-likelihood from this start
    ("here"), of the fit ("best") and of the last one under each regularisation; the mixtures of these.
    """

    fits: list[Fit]
    moves: int  # at most, from a start
    tolerance: float
    seed: int
    memory: dict[str, Tensor] = field(default_factory=dict)
    _halved: tuple[Tensor, list[Split]] | None = None  # the splits of the mixture with these means

    def number(self, key: str, default: float) -> float:
        """A number of the memory."""
        return number_of(self.memory, key, default)

    def count(self, key: str) -> int:
        """A whole number of the memory, 0 where it has none of that name."""
        return count_of(self.memory, key)

    def note(self, **numbers: float) -> None:
        """Keep numbers in the memory."""
        self.memory.update({key: torch.tensor(value, dtype=torch.float64) for key, value in numbers.items()})

    def at(self, fit: int, start: int, move: int = 0) -> None:
        """Go there: the next iteration is its first."""
        self.note(fit=fit, start=start, move=move, iterations=0, idle=0)

    @property
    def done(self) -> int:
        """Fits that are done."""
        return self.count("fit")

    @property
    def due(self) -> Fit:
        """The fit under way; the last one, once all are over."""
        return self.fits[min(self.done, len(self.fits) - 1)]

    @property
    def over(self) -> bool:
        """Whether every fit is done."""
        return self.done >= len(self.fits)

    @property
    def best(self) -> float:
        """The log-likelihood of the best so far of the fit under way."""
        return self.number("best", -math.inf)

    def kept(self, name: str) -> Components:
        """A mixture that was kept."""
        parts = [f"{name}.{part}" for part in Components._fields]
        if lacking := [part for part in parts if part not in self.memory]:
            raise GenlibError(f"the checkpoint's memory lacks {lacking[0]}; it cannot be resumed")
        mixture = Components(*(self.memory[part] for part in parts))
        k, d = [*mixture.means.shape, 0, 0][:2]
        if [tuple(part.shape) for part in mixture] != [(k,), (k, d), (k, d, d)]:
            raise GenlibError(f"the checkpoint's memory.{name} is no mixture; it cannot be resumed")
        return mixture

    def keep(self, name: str, mixture: Components) -> None:
        """Keep a mixture under a name, in single precision."""
        self.memory.update({f"{name}.{part}": tensor.float() for part, tensor in mixture._asdict().items()})

    def start(self, x: Tensor, regularisation: float) -> Components | None:
        """The mixture to iterate from where a start or a move begins, None where one is under way."""
        if self.number("iterations", 0):
            return None
        if self.count("move"):
            return self._moved(x, regularisation)
        name = self.due.starts[count_of(self.memory, "start", len(self.due.starts) - 1)]
        if name == "kmeans":
            return start_from_kmeans(x, self.due.components, regularisation, self.seed)
        return self.kept(FINE) if name == "fine" else self._from_split(x, regularisation)

    def _moved(self, x: Tensor, regularisation: float) -> Components:
        """What is best from this start, after the move that is due; as it is where none is left."""
        best = self.kept(HERE)
        halved, place = self._splits(x, best, regularisation), self.count("vain")
        moved = exchange(best, halved, HORIZON * self.tolerance, place)
        self.note(idle=moved is None)
        return moved or best

    def _from_split(self, x: Tensor, regularisation: float) -> Components:
        smaller = self.kept(self.due.kept)
        found = self._splits(x, smaller, regularisation)
        if not found:
            k = self.due.components
            raise GenlibError(f"{k} components need at least {k} different points, not {k - 1}")
        return with_split(smaller, found[0])

    def _splits(self, x: Tensor, mixture: Components, regularisation: float) -> list[Split]:
        """The splits of a mixture, which the end of one fit and the beginning of the next both ask for."""
        if self._halved is None or self._halved[0] is not mixture.means:
            self._halved = mixture.means, splits(x, mixture, regularisation, self.seed)
        return self._halved[1]

    def iterated(self, mixture: Components, log_likelihood: float, gain: float) -> bool:
        """Take note of an iteration; whether the fit under way is over."""
        iterations, move = self.count("iterations") + 1, self.count("move")
        here = self.number("here", -math.inf) if move else -math.inf
        self.note(iterations=iterations)
        hopeless = iterations >= FAIR and log_likelihood + HORIZON * gain < here
        if gain >= self.tolerance and not hopeless and not self.number("idle", 0):
            return False
        better = log_likelihood > here + (self.tolerance if move else 0.0)
        if better:
            self.keep(HERE, mixture)
            self.note(here=log_likelihood)
        self.note(vain=0 if better else self.number("vain", 0) + 1)
        start = self.count("start")
        if self._goes_on(move):
            self.at(self.done, start, move + 1)
            return False
        if self.number("here", -math.inf) > self.best:
            self.keep(NOW, self.kept(HERE))
            self.note(best=self.number("here", -math.inf))
        self.at(self.done, start + 1)
        return self._ends_before(start + 1)

    def _goes_on(self, moves: int) -> bool:
        """Whether another move is to be tried, after so many from this start."""
        able = self.due.components > 2 and self.due.kept == FINE  # a move takes three components
        tired = bool(self.number("idle", 0)) or self.number("vain", 0) >= PATIENCE
        return able and not tired and moves < self.moves

    def _ends_before(self, start: int) -> bool:
        """Whether the start of that number is not to be tried: there is none, or a split is not needed."""
        fit = self.due
        last = self.number(f"last.{fit.kept}", -math.inf)
        return start >= len(fit.starts) or (fit.starts[start] == "split" and self.best >= last)

    def next_fit(self) -> None:
        """Go to the next size with the best of this one."""
        self.keep(self.due.kept, self.kept(NOW))
        self.note(**{f"last.{self.due.kept}": self.best})
        del self.memory["best"]
        self.at(self.done + 1, 0)
