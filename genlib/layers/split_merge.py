"""Moves between mixtures that expectation-maximisation cannot make: a component split in two, a pair made one.

EM ends in the nearest optimum, and in many dimensions, where nearly every point belongs to one component alone, it
leaves its start hardly at all. Splitting one component and merging two others moves a whole component to where it
earns more (Ueda, Nakano, Ghahramani and Hinton 2000, Neural Computation 12(9), "SMEM"). What a move gains is told
before it is made, from the points of the components concerned, each point counted to its likeliest component.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import NamedTuple

import torch
from torch import Tensor

from genlib.layers.em import em_step, log_joint, maximise, start_from_kmeans
from genlib.model import Components

ITERATIONS = 6  # of EM within a component that is tried in halves


class Split(NamedTuple):
    """A component, its two halves (weights sum to 1), and what they gain, in nats a sample of all points."""

    component: int
    halves: Components
    gain: float


class Merge(NamedTuple):
    """A pair of components, the one Gaussian of their mean and covariance, and the nats a sample that it loses."""

    pair: tuple[int, int]
    whole: Components
    loss: float


def splits(x: Tensor, mixture: Components, regularisation: float, seed: int) -> list[Split]:
    """Each component in two halves by k-means and a few iterations on its own points (N, d), the best gain first.

    One that has too few different points is left out.
    """
    owner, found = log_joint(x, mixture).argmax(1), []
    for k in range(len(mixture.weights)):
        points = x[owner == k]
        if len(points) > 1 and bool((points != points[0]).any()):
            halves, gain = _halves(points, regularisation, seed)
            found.append(Split(k, halves, gain * len(points) / len(x)))
    return sorted(found, key=lambda split: -split.gain)


def _halves(points: Tensor, regularisation: float, seed: int) -> tuple[Components, float]:
    """Two components on points (n, d), and how much better they fit than one does, in nats a point."""
    one = maximise(points, points.new_ones(len(points), 1), regularisation)
    alone = float(log_joint(points, one).double().mean())
    halves, fit = start_from_kmeans(points, 2, regularisation, seed), -math.inf
    for _ in range(ITERATIONS):
        halves, fit = em_step(points, halves, regularisation)
    return halves, fit - alone


def merges(mixture: Components) -> list[Merge]:
    """Every pair of components as one, the smallest loss first."""
    own = _fits(mixture)
    found = []
    for a, b in combinations(range(len(own)), 2):
        whole = _merged(Components(*(part[[a, b]] for part in mixture)))
        found.append(Merge((a, b), whole, float(own[a] + own[b] - _fits(whole)[0])))
    return sorted(found, key=lambda merge: merge.loss)


def _fits(mixture: Components) -> Tensor:
    """What each component adds to the log-likelihood a sample, where it has its points to itself, (K,), less what
    every mixture has in common: weight (log weight - log |covariance| / 2)."""
    weights = mixture.weights.double()
    return weights * (weights.log() - 0.5 * torch.logdet(mixture.covariances.double()))


def _merged(pair: Components) -> Components:
    """One Gaussian of the weight, the mean and the covariance of all the components given."""
    shares = (pair.weights / pair.weights.sum()).double()
    mean = shares @ pair.means.double()
    away = pair.means.double() - mean
    covariance = (shares.view(-1, 1, 1) * pair.covariances.double()).sum(0) + (away.mT * shares) @ away
    return Components(pair.weights.sum(0, keepdim=True), mean.to(pair.means).unsqueeze(0), covariance.unsqueeze(0))


def with_split(mixture: Components, split: Split) -> Components:
    """The mixture with one component more: the halves instead of the whole."""
    return _replaced(mixture, [split.component], _weighted(mixture, split))


def exchange(mixture: Components, halved: list[Split], least: float, place: int = 0) -> Components | None:
    """The mixture with one pair merged and another component split: the move that promises most, or next to most, ...

    `halved` are its `splits`, `place` is that in the order of promise, from 0. None where no such move is left that
    promises `least` nats a sample.
    """
    pairs = merges(mixture)
    moves = [
        (split.gain - merge.loss, split, merge)
        for split in halved
        for merge in pairs
        if split.component not in merge.pair and split.gain - merge.loss >= least
    ]
    if place >= len(moves):
        return None
    _, split, merge = sorted(moves, key=lambda move: -move[0])[place]
    new = Components(*(torch.cat(parts) for parts in zip(merge.whole, _weighted(mixture, split), strict=True)))
    return _replaced(mixture, [split.component, *merge.pair], new)


def _weighted(mixture: Components, split: Split) -> Components:
    return split.halves._replace(weights=split.halves.weights * mixture.weights[split.component])


def _replaced(mixture: Components, gone: list[int], new: Components) -> Components:
    kept = [k for k in range(len(mixture.weights)) if k not in gone]
    return Components(*(torch.cat([old[kept], part.to(old)]) for old, part in zip(mixture, new, strict=True)))
