"""Walks against closed forms: ends, lengths, straight lines, and the labels that averaged numbers visit."""

from __future__ import annotations

import math

import pytest
import torch

from genlib.analysis.interpolation import (
    class_walk,
    feature_positions,
    feature_steps,
    image_walk,
    label_number_walk,
    latent_walk,
    lerp,
    pair_walks,
    positions,
    seed_walk,
    slerp,
    unevenness,
)
from genlib.data import FashionMNIST
from genlib.images import to_uint8
from genlib.loading import load
from genlib.metrics.reconstruction import reconstruct
from genlib.model import Conditional, class_mixture
from genlib.sampling import generate, sample
from tests.tiny import NAMES, refused, tiny_model

T = torch.linspace(0, 1, 9)


def test_lerp_is_the_straight_line() -> None:
    a, b = torch.randn(5), torch.randn(5)
    assert torch.allclose(lerp(a, b, T), a + T[:, None] * (b - a), atol=1e-6)


def test_slerp_keeps_the_length_and_turns_at_constant_speed() -> None:
    a, b = torch.randn(20), torch.randn(20)
    b = b * a.norm() / b.norm()
    arc = slerp(a, b, T)
    assert torch.allclose(arc[0], a, atol=1e-5)
    assert torch.allclose(arc[-1], b, atol=1e-5)
    assert torch.allclose(arc.norm(dim=1), a.norm().expand(9), atol=1e-4)
    cosines = (arc[1:] * arc[:-1]).sum(1) / a.norm() ** 2
    assert torch.allclose(cosines, cosines[0].expand(8), atol=1e-5)


def test_slerp_of_a_right_angle_is_cosine_and_sine() -> None:
    arc = slerp(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), T)
    assert torch.allclose(arc, torch.stack([torch.cos(T * math.pi / 2), torch.sin(T * math.pi / 2)], dim=1), atol=1e-6)


def test_slerp_of_parallel_vectors_is_straight_and_finite() -> None:
    a = torch.randn(6)
    assert torch.allclose(slerp(a, 3 * a, T), lerp(a, 3 * a, T))
    assert slerp(torch.zeros(6), a, T).isfinite().all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("path", ["spherical", "straight"])
def test_a_walk_begins_and_ends_at_its_samples(name: str, path: str) -> None:
    model = tiny_model(name)
    label = 4 if isinstance(model, Conditional) else None
    walk = seed_walk(model, (3, 8), 5, path, label)
    for frame, seed in ((walk.images[0], 3), (walk.images[-1], 8)):
        assert (frame.int() - generate(model, 1, seed, label)[0][0].int()).abs().max() <= 1
    assert walk.changes.shape == (4,)
    assert (walk.changes >= 0).all()


def test_a_mixture_walks_straight_in_its_own_space() -> None:
    model = tiny_model("gmm-10")
    z = model.draw_latent(2, 5)
    middle = latent_walk(model, (z[0], z[1]), None, 3).images[1]
    expected = to_uint8(model.render(model.locate(z).mean(0, keepdim=True)))[0]  # type: ignore[operator]
    assert (middle.int() - expected.int()).abs().max() <= 1


def test_changes_are_root_mean_square_pixel_differences() -> None:
    walk = seed_walk(tiny_model("vae-cnn"), (0, 1), 3)
    difference = (walk.images[1].double() - walk.images[0].double()) / 255
    assert float(walk.changes[0]) == pytest.approx(float(difference.square().mean().sqrt()), rel=1e-5)
    assert seed_walk(tiny_model("vae-cnn"), (2, 2), 4).changes.max() == 0


def test_classes_mix_in_the_embedding_not_by_number() -> None:
    model = tiny_model("cgan-mlp")
    walk = class_walk(model, 0, 6, 4, 3)
    half = torch.zeros(1, 10)
    half[0, [6, 4]] = 0.5
    assert (walk.images[1].int() - to_uint8(sample(model, model.draw_latent(1, 0), half))[0].int()).abs().max() <= 1
    ends = class_mixture(torch.tensor([6, 4]))
    embedded = model.embed_classes(torch.cat([half, ends]))  # type: ignore[operator]
    assert torch.allclose(embedded[0], embedded[1:].mean(0), atol=1e-6)


@pytest.mark.parametrize(("start", "end", "middle"), [(6, 4, 5), (0, 3, 2), (2, 2, 2)])
def test_label_numbers_visit_the_studies_midpoints(start: int, end: int, middle: int) -> None:
    walk, labels = label_number_walk(tiny_model("cgan-mlp"), 0, start, end, 3)
    assert labels.tolist() == [start, middle, end]
    assert (walk.images[1].int() - generate(tiny_model("cgan-mlp"), 1, 0, middle)[0][0].int()).abs().max() <= 1


@pytest.mark.parametrize("name", ["vae-cnn", "flow-unet", "cvae-cnn"])  # the last two know classes, and need none
def test_images_walk_between_their_reconstructions(name: str, test_split: FashionMNIST) -> None:
    model = tiny_model(name)
    walk = image_walk(model, test_split.images[:2], 4)
    assert walk.images.shape == (4, 28, 28)
    assert not torch.equal(walk.images[0], walk.images[-1])
    ends = reconstruct(model, test_split.images[:2]).int()
    assert (walk.images[[0, -1]].int() - ends).abs().max() <= 1


def test_pairs_are_consecutive_samples_of_the_seed() -> None:
    model = tiny_model("cgan-mlp")
    walks, samples = pair_walks(model, 1, 3, 4), generate(model, 6, 1)[0]
    assert len(walks) == 3
    for i, walk in enumerate(walks):
        assert (walk.images[0].int() - samples[2 * i].int()).abs().max() <= 1
        assert (walk.images[-1].int() - samples[2 * i + 1].int()).abs().max() <= 1


def test_equal_steps_in_feature_space_are_far_more_even(test_split: FashionMNIST) -> None:
    """Across fades that dwell near their ends, and on a shipped generator; the ends stay."""

    def fade(t: torch.Tensor) -> torch.Tensor:
        share = (t**4).view(-1, 1, 1)
        return ((1 - share) * test_split.images[0] + share * test_split.images[1]).round().to(torch.uint8)

    t = feature_positions(fade, 21)
    assert unevenness(fade(t)) < 0.3 * unevenness(fade(positions(21)))
    assert (float(t[0]), float(t[-1])) == (0, 1)
    assert (t.diff() > 0).all()
    plain, equal = (seed_walk(load("cgan-mlp"), (3, 4), 31, "spherical", 0, space) for space in ("input", "features"))
    assert unevenness(equal.images) < 0.3 * unevenness(plain.images)
    assert torch.equal(equal.images[[0, -1]], plain.images[[0, -1]])


def test_a_shorter_walk_of_equal_steps_is_part_of_a_longer() -> None:
    short, long = (seed_walk(tiny_model("vae-cnn"), (0, 1), n, equal="features") for n in (11, 101))
    assert torch.allclose(short.positions, long.positions[::10], atol=1e-5)


def test_a_walk_that_stands_still_stays_even() -> None:
    walk = seed_walk(tiny_model("vae-cnn"), (2, 2), 5, equal="features")
    assert torch.equal(walk.positions, positions(5))
    assert feature_steps(walk.images).max() == 0
    assert unevenness(walk.images) == 0


def test_bad_walks_are_refused() -> None:
    cgan, vae = tiny_model("cgan-mlp"), tiny_model("vae-cnn")
    for steps in (1, 0, -3, 201, True, 2.5):
        with refused("steps takes a whole number from 2 to 200"):
            positions(steps)  # type: ignore[arg-type]
    with refused("path takes spherical or straight"):
        seed_walk(vae, (0, 1), 3, "curly")
    with refused("equal takes input or features"):
        seed_walk(vae, (0, 1), 3, equal="pixels")
    with refused("give a label"):
        seed_walk(cgan, (0, 1), 3)
    with refused("needs a conditional model"):
        class_walk(vae, 0, 1, 2, 3)
    with refused("needs a model that encodes"):
        image_walk(cgan, torch.zeros(2, 28, 28, dtype=torch.uint8), 3)
    with refused("rows takes a whole number"):
        pair_walks(cgan, 0, 0, 3)


def test_a_mixture_of_each_class_jumps_between_classes_and_walks_within_one() -> None:
    model = tiny_model("cgmm")
    jump = class_walk(model, 0, 2, 5, 21)
    assert len(jump.images.unique_consecutive(dim=0)) == 2
    walk = seed_walk(model, (0, 1), 9, label=3)
    assert len(walk.images.unique(dim=0)) > 2
    ends = torch.cat([generate(model, 1, seed, 3)[0] for seed in (0, 1)])
    assert torch.equal(walk.images[[0, -1]], ends)
