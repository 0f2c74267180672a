"""Inversion and reconstruction: errors fall, beat a new sample of the class, and bad input is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import genlib
from genlib.analysis.inversion import invert
from genlib.analysis.reconstruction import choose, difference, picture, reconstructions, squared_errors
from genlib.data import FashionMNIST
from genlib.metrics.reconstruction import reconstruct
from genlib.model import Model
from genlib.sampling import generate, sample
from tests.tiny import refused, tiny_model


@pytest.fixture(scope="module")
def gan() -> Model:
    return genlib.load("cgan-mlp")


@pytest.fixture(scope="module")
def few(test_split: FashionMNIST) -> FashionMNIST:
    rows = choose(3)
    return FashionMNIST(test_split.images[rows], test_split.labels[rows])


def test_the_error_falls_and_beats_a_new_sample_of_the_class(gan: Model, few: FashionMNIST) -> None:
    """The study drew the new sample and called it a reconstruction."""
    errors = torch.stack([found.errors for found in invert(gan, few.images, few.labels, starts=2, steps=30)])
    assert errors.shape == (3, 3)
    means = errors.mean(1)
    assert means[2] < means[1] < means[0]
    fresh = squared_errors(generate(gan, 3, 1, few.labels)[0], few.images)
    assert errors[-1].median() < fresh.median() / 2


def test_what_is_found_is_what_its_latent_draws(gan: Model, few: FashionMNIST) -> None:
    *_, found = invert(gan, few.images, few.labels, starts=2, steps=10)
    assert found.step == 10
    again = genlib.images.to_uint8(sample(gan, found.z, few.labels))
    assert (again.int() - found.images.int()).abs().max() <= 1
    assert torch.allclose(squared_errors(few.images, found.images), found.errors)


def test_a_search_is_repeatable_and_the_seed_matters(few: FashionMNIST) -> None:
    model = tiny_model("gan-dense-1").requires_grad_(False)
    a, b, c = ([*invert(model, few.images, seed=seed, starts=2, steps=5)][-1] for seed in (0, 0, 1))
    assert torch.equal(a.z, b.z)
    assert torch.equal(a.images, b.images)
    assert not torch.equal(a.z, c.z)


@pytest.mark.parametrize("name", ["cgan-mlp", "gan-cnn", "dcgan-32"])
def test_every_kind_of_gan_can_be_searched(name: str, few: FashionMNIST) -> None:
    model = tiny_model(name).requires_grad_(False)
    first, *_, last = invert(model, few.images, few.labels, starts=2, steps=20)
    assert last.errors.mean() <= first.errors.mean() + 1e-4  # an untrained one is gray wherever it is searched
    assert last.z.shape == (3, *model.latent_shape)


def test_a_search_can_be_left(few: FashionMNIST) -> None:
    search = invert(tiny_model("cgan-mlp").requires_grad_(False), few.images, few.labels, steps=2_000)
    assert next(search).step == 10
    search.close()  # type: ignore[attr-defined]


def test_bad_searches_are_refused(few: FashionMNIST) -> None:
    model = tiny_model("cgan-mlp")
    with refused("a mixture's latent holds a component's number"):
        next(invert(tiny_model("gmm-10"), few.images))
    for labels in (None, few.labels[:2]):
        with refused("needs the class of each image"):
            next(invert(model, few.images, labels))
    with refused("no image to invert"):
        next(invert(model, few.images[:0], few.labels[:0]))
    for value in (0, -1, 65, 2.5, True):
        with refused("starts takes a whole number from 1 to 64"):
            next(invert(model, few.images, few.labels, starts=value))  # type: ignore[arg-type]
    with refused("steps takes a whole number from 1 to 2000"):
        next(invert(model, few.images, few.labels, steps=2_001))


# Reconstruction ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["vae-cnn", "ae-cnn"])
def test_a_model_that_encodes_answers_at_once(name: str, few: FashionMNIST) -> None:
    model = tiny_model(name)
    (found,) = reconstructions(model, few.images)
    assert torch.equal(found.images, reconstruct(model, few.images))
    assert torch.equal(found.errors, squared_errors(few.images, found.images))


def test_any_other_is_searched(few: FashionMNIST) -> None:
    model = tiny_model("cgan-mlp").requires_grad_(False)
    found = list(reconstructions(model, few.images[:1], few.labels[:1]))
    assert [each.step for each in found] == list(range(10, found[0].steps + 1, 10))


def test_too_many_images_are_refused(test_split: FashionMNIST) -> None:
    for images in (test_split.images[:0], test_split.images[:101]):
        with refused("n takes a whole number from 1 to 100"):
            next(reconstructions(tiny_model("vae-cnn"), images))


def test_test_images_are_chosen_in_turn_or_of_one_class(test_split: FashionMNIST) -> None:
    assert test_split.labels[choose(20)].tolist() == [*range(10)] * 2
    assert len(set(choose(100).tolist())) == 100
    sandals = choose(5, first=500, label=5)
    assert (test_split.labels[sandals] == 5).all()
    assert sandals.min() >= 500
    assert choose(1, first=9_999, label=int(test_split.labels[9_999])).tolist() == [9_999]
    assert len(choose(10, first=9_999)) == 10  # round again
    for bad in (0, 101, True):
        with refused("n takes a whole number from 1 to 100"):
            choose(bad)
    with refused("first takes a whole number from 0 to 9999"):
        choose(1, first=10_000)


def test_a_difference_is_white_where_equal_blue_below_and_orange_above() -> None:
    original = torch.full((1, 28, 28), 100, dtype=torch.uint8)
    copy = original.clone()
    copy[0, 0, 0], copy[0, 0, 1] = 255, 0
    colours = difference(original, copy)
    assert colours[0, 5, 5].tolist() == [255, 255, 255]
    orange, blue = colours[0, 0, 0].astype(int), colours[0, 0, 1].astype(int)
    assert orange[0] > orange[2] + 100
    assert blue[2] > blue[0] + 50


def test_the_picture_has_its_rows(few: FashionMNIST) -> None:
    black = torch.zeros_like(few.images)
    made = picture(few.images, black)
    assert made.shape == (3 * 116 - 4, 3 * 116 - 4, 3)
    assert np.array_equal(made[:112:4, :112:4, 0], few.images[0].numpy())
    assert not made[116 : 116 + 112, :112].any()
    fourth = picture(few.images, black, few.images)
    assert np.array_equal(fourth[-112::4, :112:4, 1], few.images[0].numpy())
