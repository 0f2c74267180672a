"""Sample i's noise depends on (seed, i) alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from genlib import noise
from tests.tiny import refused


@pytest.mark.parametrize(("start", "n"), [(0, 1), (0, 7), (5, 3), (29, 1)])
def test_rows_are_the_same_at_any_start_and_batch_size(start: int, n: int) -> None:
    assert torch.equal(noise.normal(3, n, 8, start), noise.normal(3, 30, 8)[start : start + n])


def test_a_shorter_row_is_the_beginning_of_a_longer_one() -> None:
    assert torch.equal(noise.normal(0, 4, 3), noise.normal(0, 4, 10)[:, :3])


def test_seeds_and_samples_differ() -> None:
    rows = torch.cat([noise.normal(seed, 20, 8) for seed in (0, 1, 2, noise.MAX_SEED)])
    assert len(rows.unique(dim=0)) == 80


def test_the_numbers_never_change() -> None:
    """Every shared link and golden sample rests on these."""
    expected = torch.tensor([[0.059911035, 0.0155596342, -1.16443849], [1.50533032, 0.5184232, 0.12157429]])
    assert torch.equal(noise.normal(0, 2, 3), expected)


def test_rows_are_standard_normal() -> None:
    values = noise.normal(1, 2000, 20).double()
    assert abs(values.mean()) < 0.02
    assert abs(values.var() - 1) < 0.03
    assert torch.corrcoef(values.T).fill_diagonal_(0).abs().max() < 0.1


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    noise.normal(0, 5, 5)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.0, True, "7", None])
def test_a_bad_seed_is_refused(seed: Any) -> None:
    with refused("seed takes a whole number from 0 to 4294967295"):
        noise.normal(seed, 1, 1)


def test_a_derived_seed_is_of_a_position() -> None:
    """Of a seed alone it would be that of position 0."""
    with pytest.raises(TypeError, match="position"):
        noise.derive_seed(0)  # type: ignore[call-arg]


def test_derived_seeds_never_change() -> None:
    """Every training that is resumed, and the initial weights of a seed, rest on these."""
    found = [noise.derive_seed(*told) for told in ((0, 0), (0, 1), (7, 2, 3), (2**32 - 1, 3, 10**6))]
    assert found == [7896617691693857887, 2918264622725855778, 1684239238610986860, 2056798058559560056]


def test_derived_seeds_differ_by_position() -> None:
    seeds = {noise.derive_seed(seed, stream, step) for seed in range(5) for stream in range(4) for step in range(50)}
    assert len(seeds) == 1000
    assert all(0 <= seed < 2**63 for seed in seeds)
