"""What components hold: every test image once, the likeliest first, and samples of one component alone."""

from __future__ import annotations

import torch

from genlib.analysis.components import component_samples, contents
from genlib.data import FashionMNIST
from genlib.images import from_uint8, to_uint8
from genlib.model import Model
from tests.tiny import refused, tiny_model


def spread_mixture() -> Model:
    """Three components whose means are different test images, the second the heaviest."""
    model = tiny_model("gmm-10", components=3)
    images = FashionMNIST.load("test").images[[0, 1, 2]]
    model.means.copy_(model.points(from_uint8(images)))  # type: ignore[union-attr, operator]
    model.weights.copy_(torch.tensor([0.3, 0.5, 0.2]))  # type: ignore[union-attr]
    return model


def test_each_test_image_is_counted_once(test_split: FashionMNIST) -> None:
    found = contents(spread_mixture(), 300)
    assert torch.equal(found.classes.sum(0), test_split.labels[:300].bincount(minlength=10))


def test_components_come_by_weight() -> None:
    found = contents(spread_mixture(), 300)
    assert found.order.tolist() == [1, 0, 2]
    assert torch.allclose(found.weights, torch.tensor([0.5, 0.3, 0.2]))
    images = FashionMNIST.load("test").images[[1, 0, 2]]
    assert (found.means.int() - images.int()).abs().max() <= 1


def test_typical_images_are_held_and_the_surest_come_first(test_split: FashionMNIST) -> None:
    model = spread_mixture()
    found = contents(model, 200, typical=7)
    posterior = model.posterior(from_uint8(test_split.images[:200]))[:, found.order]  # type: ignore[operator]
    for k, rows in enumerate(found.typical):
        assert len(rows) == min(7, int(found.classes[k].sum()))
        assert (posterior[rows].argmax(1) == k).all()
        assert (posterior[rows, k].diff() <= 0).all()
    assert all(k in rows for k, rows in zip((1, 0, 2), found.typical, strict=True))  # the means themselves


def test_samples_of_a_component_are_its_own() -> None:
    model = spread_mixture()
    for k in range(3):
        z = model.draw_latent(6, 4)
        z[:, 0] = torch.tensor([0.0, 0.3, 0.8])[k] + 1e-4
        expected = to_uint8(model.sample(z))
        assert (component_samples(model, k, 6, 4).int() - expected.int()).abs().max() <= 1
        mean = to_uint8(model.render(model.means[k : k + 1]))[0]  # type: ignore[operator, index]
        assert (component_samples(model, k, 2, 4, 0.0).int() - mean.int()).abs().max() <= 1


def test_a_component_of_hardly_any_weight_can_be_drawn() -> None:
    model = spread_mixture()
    model.weights.copy_(torch.tensor([0.5, 1e-9, 0.5 - 1e-9]))  # type: ignore[operator, union-attr]
    mean = to_uint8(model.render(model.means[1:2]))[0]  # type: ignore[operator, index]
    assert (component_samples(model, 1, 2, 4, 0.0).int() - mean.int()).abs().max() <= 1


def test_latent_mixtures_hold_images_too() -> None:
    found = contents(tiny_model("vae-gmm-2"), 50)
    assert int(found.classes.sum()) == 50
    assert found.means.shape == (2, 28, 28)


def test_bad_questions_are_refused() -> None:
    with refused("need a mixture"):
        contents(tiny_model("vae-cnn"))
    with refused("need a mixture"):
        component_samples(tiny_model("vae-cnn"), 0, 3)
    for n in (0, 10_001, True, 2.0):
        with refused("n takes a whole number from 1 to 10000"):
            contents(tiny_model("gmm-10"), n)  # type: ignore[arg-type]
    for k in (-1, 2, True, 1.0):
        with refused("k takes a whole number from 0 to 1"):
            component_samples(tiny_model("gmm-10"), k, 3)  # type: ignore[arg-type]
    for n in (0, True, 2.0):
        with refused("n takes a whole number from 1 to 100000"):
            component_samples(tiny_model("gmm-10"), 0, n)  # type: ignore[arg-type]
    for temperature in (float("nan"), -1.0, True, 1e39):
        with refused("temperature"):
            component_samples(tiny_model("gmm-10"), 0, 3, 0, temperature)
