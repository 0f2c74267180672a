"""Which epochs are looked at, and what a look costs the test split: nothing."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from genlib.data import FashionMNIST
from genlib.images import from_uint8
from genlib.metrics.features import load_extractor
from genlib.metrics.frechet import Gaussian, frechet_distance
from genlib.model import Looks
from genlib.sampling import generate
from genlib.stages import finish
from genlib.training.diagnostics import Diagnostics, logged_epochs
from tests.tiny import tiny_model


@pytest.mark.parametrize("total", [1, 15, 60])
def test_a_short_run_logs_every_epoch(total: int) -> None:
    assert logged_epochs(total, (1, 5)) == list(range(1, total + 1))


@pytest.mark.parametrize("total", [61, 100, 150, 1000, 10_000])
def test_a_long_run_logs_sixty_well_spread_epochs(total: int) -> None:
    milestones = (1, 17, 55, 1_000_000)
    epochs = logged_epochs(total, milestones)
    assert 50 <= len(epochs) <= Looks.epochs
    assert epochs == sorted(set(epochs))
    assert {1, 2, 3, 4, 5, 17, 55, total} <= set(epochs)
    assert epochs[-1] == total
    gaps = [after - before for before, after in pairwise(epochs)]
    assert max(gaps) <= 1 + total / 50


def test_the_distance_is_to_the_training_split(small_data: FashionMNIST) -> None:
    model = tiny_model("vae-cnn")
    diagnostics, extractor = Diagnostics(model, small_data, samples=60), load_extractor()
    fakes = generate(model, 60, seed=2**32 - 1)[0]
    expected = frechet_distance(Gaussian.of(extractor.features(fakes)), extractor.train)
    assert finish(diagnostics.distance(model)) == pytest.approx(expected, rel=1e-3)
    assert finish(diagnostics.distance(model)) == finish(diagnostics.distance(model))


def test_a_row_has_one_sample_a_class(small_data: FashionMNIST) -> None:
    model = tiny_model("cgan-mlp")
    row = Diagnostics(model, small_data, samples=20).row(model)
    assert row.shape == (10, 28, 28)
    assert len(row.unique(dim=0)) == 10


def test_accuracies_count_right_judgements(small_data: FashionMNIST, monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge that calls everything real is right about all real images and about no fake."""
    model = tiny_model("cgan-mlp")
    monkeypatch.setattr(type(model), "discriminate", lambda self, x, y: x.new_ones(len(x)))
    record = Diagnostics(model, small_data, samples=20).every_epoch(model, torch.device("cpu"))
    assert record == {"accuracy_train": 1.0, "accuracy_test": 1.0, "accuracy_fake": 0.0}


def test_the_reconstruction_error_is_in_units_of_gray(small_data: FashionMNIST) -> None:
    """Black for every image: the error is the mean square of the pixels in [0, 1]."""
    model = tiny_model("vae-cnn")
    model.decode = lambda z: z.new_full((len(z), 1, 28, 28), -1.0)  # type: ignore[assignment]
    test = FashionMNIST.load("test")
    expected = ((from_uint8(test.images[:2000]) + 1) / 2).square().mean()
    record = Diagnostics(model, small_data, samples=20).every_epoch(model, torch.device("cpu"))
    assert record == {"mse_test": pytest.approx(float(expected), rel=1e-5)}
