"""Moves between mixtures and the search over sizes, on clusters whose answer is known, and on the shipped curves."""

from __future__ import annotations

import math
import re
from itertools import pairwise

import pytest
import torch
from torch import Tensor

import genlib
from genlib.io.files import read_json
from genlib.layers.em import em_step, log_joint, maximise, moments, start_from_kmeans
from genlib.layers.mixture_search import COARSE, FINE, Fit, Search, every_size, one_size
from genlib.layers.split_merge import exchange, merges, splits, with_split
from genlib.loading import model_directory
from genlib.model import Components
from genlib.models import get_preset, presets
from tests.tiny import refused

REGULARISATION = 1e-3
CLUSTERS = 4


def clusters(d: int = 20, each: int = 200) -> Tensor:
    """Four round clusters far from one another, cluster after cluster, float64 (800, d)."""
    generator = torch.Generator().manual_seed(0)
    centres = 6 * torch.randn(CLUSTERS, 1, d, generator=generator, dtype=torch.float64)
    return (centres + torch.randn(CLUSTERS, each, d, generator=generator, dtype=torch.float64)).flatten(0, 1)


def of_groups(points: Tensor, *groups: tuple[int, ...]) -> Components:
    """A mixture whose every component holds the clusters of a group."""
    cluster = torch.arange(len(points)) // (len(points) // CLUSTERS)
    held = torch.stack([torch.isin(cluster, torch.tensor(group)) for group in groups], dim=1)
    return maximise(points, held.to(points), REGULARISATION)


def likelihood(points: Tensor, mixture: Components) -> float:
    return float(log_joint(points, mixture).logsumexp(1).mean())


def test_a_split_gains_what_it_says() -> None:
    points = clusters()
    mixture = of_groups(points, (0, 1), (2,), (3,))
    best, *others = splits(points, mixture, REGULARISATION, seed=0)
    assert best.component == 0
    assert all(split.gain < 0.2 * best.gain for split in others)
    found = with_split(mixture, best)
    assert float(found.weights.sum()) == pytest.approx(1)
    assert likelihood(points, found) - likelihood(points, mixture) == pytest.approx(best.gain, rel=0.02)


def test_a_merge_loses_what_it_says_and_is_the_fit_of_both() -> None:
    points = clusters()
    mixture = of_groups(points, (0,), (1,), (2, 3))
    for merge in merges(mixture):
        groups = [((0,), (1,), (2, 3))[k] for k in merge.pair]
        both = of_groups(points, tuple(sum(groups, ())))
        torch.testing.assert_close(merge.whole.means, both.means)
        torch.testing.assert_close(merge.whole.covariances, both.covariances, atol=1e-4, rtol=1e-3)
    (merge,) = (each for each in merges(mixture) if each.pair == (0, 1))
    lost = likelihood(points, mixture) - likelihood(points, of_groups(points, (0, 1), (2, 3)))
    assert merge.loss == pytest.approx(lost, rel=0.02)
    assert [each.loss for each in merges(mixture)] == sorted(each.loss for each in merges(mixture))


def test_an_exchange_finds_the_clusters_that_em_cannot() -> None:
    points = clusters()
    halves = torch.arange(len(points)) % 2 == 0
    cluster = torch.arange(len(points)) // 200
    held = torch.stack(
        [(cluster == 0) & halves, (cluster == 0) & ~halves, (cluster == 1) | (cluster == 2), cluster == 3], dim=1
    )
    stuck = maximise(points, held.to(points), REGULARISATION)
    for _ in range(20):
        stuck, _ = em_step(points, stuck, REGULARISATION)
    moved = exchange(stuck, splits(points, stuck, REGULARISATION, seed=0), 0.1)
    assert moved is not None
    best = of_groups(points, (0,), (1,), (2,), (3,))
    assert likelihood(points, moved) == pytest.approx(likelihood(points, best), abs=0.3)
    assert exchange(best, splits(points, best, REGULARISATION, seed=0), 0.1) is None


def searched(points: Tensor, fits: list[Fit], moves: int = 5) -> tuple[Search, dict[tuple[str, int], float]]:
    """A search to its end, and the likelihood of each of its fits."""
    search, found = Search(fits, moves, tolerance=1e-4, seed=0), {}
    search.at(0, 0)
    mixture, last = start_from_kmeans(points, 1, REGULARISATION, 0), -math.inf
    while not search.over:
        fit = search.due
        regularisation = fit.factor * REGULARISATION
        start = search.start(points, regularisation)
        last = last if start is None else -math.inf
        mixture, now = em_step(points, start or mixture, regularisation)
        over, last = search.iterated(mixture, now, now - last), now
        if over:
            found[fit.kept, fit.components] = search.best
            search.next_fit()
    return search, found


def test_more_components_never_fit_worse() -> None:
    points = clusters(d=18).float()
    _, found = searched(points, every_size(6))
    for kept in (FINE, COARSE):
        fits = [found[kept, k] for k in range(1, 7)]
        assert all(more >= fewer for fewer, more in pairwise(fits))
        assert fits[3] - fits[2] > 1 > fits[4] - fits[3]  # four clusters, and then noise


def test_every_start_is_moved_on_from_and_a_size_alone_is_fitted_as_in_a_search() -> None:
    points = clusters(d=18).float()
    _, found = searched(points, every_size(4))
    _, alone = searched(points, every_size(4, coarser=False))
    assert alone == {key: fit for key, fit in found.items() if key[0] == FINE}
    for start in ("split", "kmeans"):
        fits = [*every_size(3, coarser=False), Fit(4, 1.0, (start,))]
        assert found[FINE, 4] >= searched(points, fits)[1][FINE, 4]


def test_a_search_that_is_stopped_goes_on_to_the_same_end() -> None:
    points = clusters(d=18, each=60).float()
    whole, _ = searched(points, every_size(3))
    again = Search(every_size(3), 5, 1e-4, 0)
    again.at(0, 0)
    mixture, last = start_from_kmeans(points, 1, REGULARISATION, 0), -math.inf
    while not again.over:
        again = Search(every_size(3), 5, 1e-4, 0, {key: value.clone() for key, value in again.memory.items()})
        regularisation = again.due.factor * REGULARISATION
        start = again.start(points, regularisation)
        last = last if start is None else -math.inf
        mixture, now = em_step(points, start or mixture, regularisation)
        over, last = again.iterated(mixture, now, now - last), now
        if over:
            again.next_fit()
    assert all(torch.equal(a, b) for a, b in zip(whole.kept(FINE), again.kept(FINE), strict=True))


def test_moves_improve_a_fit_of_one_size() -> None:
    points = clusters(d=18).float()
    alone = [searched(points, one_size(4), moves=0)[1][FINE, 4] for _ in range(2)]
    assert alone[0] == alone[1]
    assert searched(points, one_size(4))[1][FINE, 4] >= alone[0]


def test_few_different_points_are_refused() -> None:
    with refused("2 components need at least 2 different points, not 1"):
        searched(torch.ones(50, 18), every_size(2))


def test_an_iteration_by_moments_is_the_same() -> None:
    points = clusters(d=6)
    mixture = of_groups(points, (0, 1), (2,), (3,))
    new, fit = em_step(points, mixture, REGULARISATION)
    joint = log_joint(points, mixture)
    expected = maximise(points, joint.softmax(1), REGULARISATION)
    assert fit == pytest.approx(float(joint.logsumexp(1).mean()))
    for a, b in zip(new, expected, strict=True):
        torch.testing.assert_close(a, b)
    assert moments(clusters(d=18)) is None


MIXTURES = [name for name, preset in presets().items() if hasattr(preset.config, "tolerance")]


@pytest.mark.parametrize("name", MIXTURES)
def test_the_stopping_rule_is_small_against_the_price_of_a_component(name: str) -> None:
    """An iteration that is not worth another one gains less than a hundredth of what a component costs in BIC."""
    config, d = get_preset(name).config, {"gmm": 784, "ae-": 392, "cgm": 392, "vae": 8}[name[:3]]
    n = 6_000 if name == "cgmm" else 60_000
    price = (1 + d + d * (d + 1) / 2) * math.log(n) / (2 * n)
    assert config.tolerance < 0.01 * price  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["ae-gmm-best", "vae-gmm-best"])
def test_the_shipped_likelihoods_rise_with_every_component(name: str) -> None:
    curve = read_json(model_directory(name) / "metrics.json")["bic_curve"]
    for fits in curve["log_likelihood"]:
        assert len(fits) == 20
        assert all(more > fewer for fewer, more in pairwise(fits))


@pytest.mark.parametrize("name", ["ae-gmm-best", "vae-gmm-best"])
def test_the_summary_says_how_many_bic_prefers(name: str) -> None:
    found = read_json(model_directory(name) / "metrics.json")["components"]
    summary = get_preset(name).summary
    assert f"among 1 to 20: {found}" in summary
    for twin in re.findall(r"the same ones as (\S+)\.", summary):
        ours, its = (genlib.generate(genlib.load(each), 20)[0] for each in (name, twin))
        assert (ours == its).all()


@pytest.mark.parametrize("name", ["ae-gmm-2", "ae-gmm-11", "ae-gmm-18", "vae-gmm-2", "vae-gmm-11", "vae-gmm-18"])
def test_a_shipped_size_fits_as_well_as_in_the_search(name: str) -> None:
    alone = read_json(model_directory(name) / "metrics.json")
    search = read_json(model_directory(f"{name.rpartition('-')[0]}-best") / "metrics.json")["bic_curve"]
    assert alone["log_likelihood"] == pytest.approx(search["log_likelihood"][0][alone["components"] - 1], rel=1e-3)
