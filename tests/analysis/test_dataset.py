"""The data set's analysis against numpy: means, histograms, components by SVD, and who is drawn at random."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from genlib.analysis import dataset
from genlib.analysis.dataset import class_statistics, pixel_components, pixel_histogram, random_rows
from genlib.data import FashionMNIST
from tests.tiny import refused


def test_the_classes_of_the_test_split_are_even(test_split: FashionMNIST) -> None:
    assert class_statistics(test_split).counts.tolist() == [1_000] * 10


def test_means_and_deviations_are_those_of_each_class(small_data: FashionMNIST) -> None:
    found = class_statistics(small_data)
    images, labels = small_data.images.numpy(), small_data.labels.numpy()
    for k in range(10):
        own = images[labels == k]
        assert found.counts[k] == len(own)
        assert np.allclose(found.means[k], own.mean(axis=0))
        assert np.allclose(found.deviations[k], own.std(axis=0))
    shown = found.pictures()
    assert (shown.shape, shown.dtype) == ((20, 28, 28), torch.uint8)
    assert torch.equal(shown[:10], found.means.round().to(torch.uint8))
    assert shown[10:].max() == 255


def test_a_class_without_images_is_black(small_data: FashionMNIST) -> None:
    kept = small_data.labels != 3
    found = class_statistics(FashionMNIST(small_data.images[kept], small_data.labels[kept]))
    assert found.counts[3] == found.means[3].max() == found.deviations[3].max() == 0


def test_the_histogram_counts_every_pixel(small_data: FashionMNIST, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "CHUNK", 64)
    found = pixel_histogram(small_data.images)
    assert np.array_equal(found, np.bincount(small_data.images.numpy().ravel(), minlength=256))


def test_components_are_those_of_the_singular_value_decomposition(
    small_data: FashionMNIST, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "CHUNK", 64)  # several chunks, the last incomplete
    found = pixel_components(small_data.images, 6)
    pixels = small_data.images.numpy().reshape(200, 784) / 255
    centred = pixels - pixels.mean(axis=0)
    _, values, directions = np.linalg.svd(centred, full_matrices=False)
    assert np.allclose(found.mean.flatten(), pixels.mean(axis=0))
    expected = directions[:6] * np.sign(directions[np.arange(6), np.abs(directions[:6]).argmax(axis=1)])[:, None]
    assert np.allclose(found.components.flatten(1), expected, atol=1e-8)
    assert np.allclose(found.coordinates, centred @ expected.T, atol=1e-5)
    assert np.allclose(found.shares[:200], values**2 / (values**2).sum(), atol=1e-9)
    assert float(found.shares.sum()) == pytest.approx(1)


def test_component_pictures_are_gray_where_nothing_changes(small_data: FashionMNIST) -> None:
    found = pixel_components(small_data.images, 3)
    shown = found.pictures()
    assert (shown.shape, shown.dtype) == ((3, 28, 28), torch.uint8)
    assert shown.flatten(1).max(1).values.tolist() == [255] * 3  # the largest entry is positive
    assert (shown[found.components.abs() < 1e-9].int() - 127).abs().max() <= 1


def test_too_few_images_or_components_are_refused(small_data: FashionMNIST) -> None:
    for images, count in ((small_data.images[:1], 1), (small_data.images, 0), (small_data.images, 785)):
        with refused("two images and a count from 1 to 784"):
            pixel_components(images, count)


def test_random_rows_take_the_classes_in_turn(test_split: FashionMNIST) -> None:
    rows = random_rows(test_split.labels, 35, seed=4)
    assert test_split.labels[rows].tolist() == [i % 10 for i in range(35)]
    assert len(rows.unique()) == 35
    assert torch.equal(random_rows(test_split.labels, 12, seed=4), rows[:12])
    assert not torch.equal(random_rows(test_split.labels, 35, seed=5), rows)


def test_random_rows_of_one_class(test_split: FashionMNIST) -> None:
    rows = random_rows(test_split.labels, 1_000, seed=0, label=8)
    assert (test_split.labels[rows] == 8).all()
    assert len(rows.unique()) == 1_000
    with refused("from 1 to 1000"):
        random_rows(test_split.labels, 1_001, seed=0, label=8)
    with refused("seed takes"):
        random_rows(test_split.labels, 5, seed=-1)
