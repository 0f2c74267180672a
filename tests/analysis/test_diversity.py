"""Diversity of pictures that are known to differ or not, and rows that are what was asked for."""

from __future__ import annotations

import pytest
import torch

from genlib.analysis.diversity import DRAWS, ClassSamples, class_grid, class_samples, diversity
from genlib.data import FashionMNIST
from genlib.metrics.features import load_extractor
from genlib.sampling import generate
from tests.tiny import refused, tiny_model


def test_identical_samples_have_no_diversity(test_split: FashionMNIST) -> None:
    assert diversity(test_split.images[:1].repeat(5, 1, 1)) == pytest.approx(0, abs=1e-4)
    assert diversity(test_split.images[:1]) is None
    assert diversity(test_split.images[:0]) is None


def test_diversity_is_the_mean_distance_of_two(test_split: FashionMNIST) -> None:
    images = test_split.images[:3]
    a, b, c = torch.from_numpy(load_extractor().features(images)).double()
    expected = ((a - b).norm() + (a - c).norm() + (b - c).norm()) / 3
    assert diversity(images) == pytest.approx(float(expected), rel=1e-4)
    assert diversity(images.flip(0)) == pytest.approx(float(expected), rel=1e-4)


def test_a_conditional_model_is_asked_for_each_class() -> None:
    model = tiny_model("cgan-mlp")
    found = class_samples(model, 3, seed=5)
    assert [each.share for each in found] == [1.0] * 10
    for label, each in enumerate(found):
        assert torch.equal(each.images, generate(model, 3, 5, label)[0])


def test_without_labels_the_draws_are_divided_among_the_classes() -> None:
    model = tiny_model("vae-cnn")
    found = class_samples(model, DRAWS, seed=1)
    assert sum(each.share for each in found) == pytest.approx(1)
    assert sum(len(each.images) for each in found) == DRAWS
    for label, each in enumerate(found):
        assert len(each.images) == round(each.share * DRAWS)
        if len(each.images):
            assert (load_extractor().predict(each.images) == label).all()
    for some, every in zip(class_samples(model, 2, seed=1), found, strict=True):
        assert torch.equal(some.images, every.images[:2])


def test_a_class_that_never_comes_is_a_white_row() -> None:
    full, empty = torch.full((5, 28, 28), 7, dtype=torch.uint8), torch.zeros(0, 28, 28, dtype=torch.uint8)
    picture = class_grid([ClassSamples(full, 0.9), ClassSamples(empty, 0.0), ClassSamples(full[:1], 0.1)], 3, scale=1)
    assert picture.shape == (3 * 28 + 2 * 4, 3 * 28 + 2 * 4)
    assert (picture[:28, 64:] == 7).all()
    assert (picture[32:60] == 255).all()
    assert (picture[64:, :28] == 7).all()
    assert (picture[64:, 28:] == 255).all()


def test_bad_questions_are_refused() -> None:
    for per_class in (0, DRAWS + 1, True, 1.5):
        with refused("per_class takes a whole number from 1 to 2000"):
            class_samples(tiny_model("vae-cnn"), per_class)  # type: ignore[arg-type]
