"""Kernel distance, coverage, classes, memorisation, reconstruction: closed forms, brute force, torchmetrics."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure
from torchmetrics.image.kid import poly_mmd

from genlib.data import FashionMNIST
from genlib.images import to_uint8
from genlib.io.files import read_json
from genlib.loading import load, model_directory
from genlib.metrics import classification, memorisation
from genlib.metrics.classification import (
    balance_divergence,
    class_consistency,
    classification_accuracy_score,
)
from genlib.metrics.coverage import CHUNK, Coverage, Neighbourhoods, measure_coverage
from genlib.metrics.evaluation import SEEDS, sample_figures
from genlib.metrics.features import load_extractor
from genlib.metrics.floor import load_floor, load_random
from genlib.metrics.kernel import CHUNK as KERNEL_CHUNK
from genlib.metrics.kernel import kernel_distance
from genlib.metrics.memorisation import nearest, nearest_distances
from genlib.metrics.neighbours import smallest
from genlib.metrics.reconstruction import reconstruct, reconstruction_error, structural_similarity
from genlib.metrics.scores import Looked, look, real_neighbourhoods, score_set
from genlib.metrics.settings import load_settings
from genlib.stages import finish
from tests.tiny import SHIPPED_PER_FAMILY, refused, tiny_model


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def noise(n: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, (n, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def covered(real: Tensor, fake: Tensor) -> Coverage:
    return measure_coverage(Neighbourhoods.of(real), Neighbourhoods.of(fake))


# kernel distance ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [40, 2 * KERNEL_CHUNK + 7])
def test_the_kernel_distance_is_the_unbiased_estimate(n: int) -> None:
    """torchmetrics leaves i = j out of k(a, a) and k(b, b) only; ours, of paired sets, out of k(a, b) too."""
    a, b = normal(n, 6).double(), 0.5 + normal(n, 6, seed=1).double()
    kernel = (a @ b.T / 6 + 1) ** 3
    theirs = float(poly_mmd(a, b))
    paired = 2 * (kernel.mean() - (kernel.sum() - kernel.trace()) / (n * (n - 1)))
    assert kernel_distance(a, b)[0] == pytest.approx(theirs + float(paired), rel=1e-9)


def test_the_kernel_distance_of_a_set_with_itself_is_zero() -> None:
    a = normal(50, 4)
    assert kernel_distance(a, a) == pytest.approx((0, 0), abs=1e-12)


def test_the_standard_error_is_the_spread_over_draws() -> None:
    found = [kernel_distance(normal(200, 3, seed=s), 0.7 + normal(200, 3, seed=1000 + s)) for s in range(150)]
    distances, errors = (torch.tensor(column) for column in zip(*found, strict=True))
    assert float(errors.mean()) == pytest.approx(float(distances.std()), rel=0.2)


def test_the_kernel_distance_refuses_unequal_sets() -> None:
    with refused("two sets of one size, 4 or more, not 9 and 8"):
        kernel_distance(normal(9, 2), normal(8, 2))


# precision, recall, density, coverage -------------------------------------------------------------------------


def brute(real: Tensor, fake: Tensor) -> Coverage:
    real, fake = real.double(), fake.double()
    between = (fake.unsqueeze(1) - real.unsqueeze(0)).norm(dim=2)

    def radius(points: Tensor, k: int) -> Tensor:
        return (points.unsqueeze(1) - points.unsqueeze(0)).norm(dim=2).sort(dim=1).values[:, k]

    return Coverage(
        float((between <= radius(real, 3)).any(1).double().mean()),
        float((between <= radius(fake, 3).unsqueeze(1)).any(0).double().mean()),
        float((between <= radius(real, 5)).double().sum(1).mean() / 5),
        float((between <= radius(real, 5)).any(0).double().mean()),
    )


@pytest.mark.parametrize(("n", "m"), [(60, 90), (CHUNK + 30, 40), (40, CHUNK + 30)])
def test_coverage_by_brute_force(n: int, m: int) -> None:
    real, fake = normal(n, 3), 0.8 * normal(m, 3, seed=1) + 0.3
    assert vars(covered(real, fake)) == pytest.approx(vars(brute(real, fake)))


def test_coverage_of_the_same_and_of_a_far_set() -> None:
    real = normal(50, 4)
    same = covered(real, real)
    assert (same.precision, same.recall, same.coverage) == (1, 1, 1)
    assert vars(covered(real, real + 1000)) == dict.fromkeys(("precision", "recall", "density", "coverage"), 0.0)


def test_coverage_needs_six_images() -> None:
    with refused("coverage takes 6 images or more on either side, not 5"):
        Neighbourhoods.of(normal(5, 2))


def test_a_repeated_image_covers_nothing(test_split: FashionMNIST) -> None:
    features = torch.from_numpy(load_extractor().features(test_split.images[:1])).expand(300, -1)
    measured = measure_coverage(real_neighbourhoods(), Neighbourhoods.of(features))
    assert measured.recall < 0.01
    assert measured.coverage < 0.01
    assert measured.precision == 1  # what there is looks real: neither figure is enough alone


# classes ------------------------------------------------------------------------------------------------------


def test_balance_divergence() -> None:
    assert balance_divergence(torch.arange(100) % 10) == pytest.approx(0, abs=1e-12)
    assert balance_divergence(torch.full((7,), 3)) == pytest.approx(math.log(10))
    assert balance_divergence(torch.arange(100) % 5) == pytest.approx(math.log(2))


def test_shuffled_labels_drop_class_consistency_to_chance(test_split: FashionMNIST) -> None:
    seen = load_extractor().predict(test_split.images[:2000])
    labels = test_split.labels[:2000]
    assert class_consistency(seen, labels) > 0.9
    shuffled = labels[torch.randperm(2000, generator=torch.Generator().manual_seed(0))]
    assert class_consistency(seen, shuffled) == pytest.approx(0.1, abs=0.03)


@pytest.mark.slow
def test_the_accuracy_score_is_of_a_classifier_trained_on_the_fakes(
    monkeypatch: pytest.MonkeyPatch, test_split: FashionMNIST
) -> None:
    monkeypatch.setattr(classification, "SCORE_EPOCHS", 2)
    monkeypatch.setattr(classification.FashionMNIST, "load", lambda _: FashionMNIST(*(t[-500:] for t in split)))
    split = (test_split.images, test_split.labels)
    good = FashionMNIST(test_split.images[:1024], test_split.labels[:1024])
    wrong = FashionMNIST(good.images, (good.labels + 1) % 10)
    assert classification_accuracy_score(good) > 0.5
    assert classification_accuracy_score(wrong) < 0.2


# memorisation -------------------------------------------------------------------------------------------------


def test_nearest_by_brute_force(test_split: FashionMNIST) -> None:
    images, others = test_split.images[:30], test_split.images[30:1000]
    gaps = (images.unsqueeze(1).float() - others.unsqueeze(0).float()).flatten(2).norm(dim=2) / 255
    assert torch.allclose(nearest_distances(images, others), gaps.min(1).values, atol=1e-5)
    distances, rows = nearest(images, others, k=3)
    assert torch.allclose(distances, gaps.topk(3, dim=1, largest=False).values, atol=1e-5)
    assert torch.equal(rows[:, 0], gaps.argmin(1))


@pytest.mark.parametrize("most", [memorisation.MOST_LOOKED_AT, 0])
def test_bounds_miss_no_neighbour(most: int, test_split: FashionMNIST, monkeypatch: pytest.MonkeyPatch) -> None:
    """By bounds and a few exact distances, or by all of them where bounds tell little: the same as brute force."""
    monkeypatch.setattr(memorisation, "MOST_LOOKED_AT", most)
    images = torch.cat([test_split.images[:150], noise(20), test_split.images[1500:1510]])
    others = test_split.images[1000:5000]
    assert torch.allclose(nearest_distances(images, others), nearest(images, others)[0], atol=1e-5)


@pytest.mark.parametrize(("m", "k"), [(5, 5), (100, 3), (1007, 6), (40, 6)])
def test_the_smallest_of_a_row(m: int, k: int) -> None:
    values = normal(30, m)
    found, columns = smallest(values, k)
    assert torch.equal(found, values.sort(dim=1).values[:, :k])
    assert torch.equal(values.gather(1, columns), found)


def test_a_copy_is_at_distance_zero(test_split: FashionMNIST) -> None:
    assert nearest_distances(test_split.images[5:9], test_split.images[:600]).tolist() == [0, 0, 0, 0]


# reconstruction -----------------------------------------------------------------------------------------------


def test_structural_similarity_agrees_with_torchmetrics(test_split: FashionMNIST) -> None:
    a, b = test_split.images[:20], test_split.images[20:40]
    theirs = structural_similarity_index_measure(
        a.unsqueeze(1) / 255, b.unsqueeze(1) / 255, data_range=1.0, reduction="none"
    )
    assert torch.allclose(structural_similarity(a, b), theirs, atol=1e-4)
    assert torch.allclose(structural_similarity(a, a), torch.ones(20))


def test_reconstruction_error_is_of_the_copies(test_split: FashionMNIST) -> None:
    model, images = tiny_model("vae-cnn"), test_split.images[:600]
    copies = reconstruct(model, images)
    assert copies.shape == images.shape
    error, similarity = reconstruction_error(model, images)
    assert error == pytest.approx(float(((copies.double() - images.double()) / 255).square().mean()), rel=1e-5)
    assert similarity < 0.9


# the floor ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_real_images_score_near_the_floor_and_noise_far(test_split: FashionMNIST) -> None:
    floor, extractor = load_floor(), load_extractor()
    images = test_split.images[::2]
    real = score_set(look(images))
    for key in ("precision", "recall", "coverage"):
        assert real[key] >= floor[key] - 0.05
        assert 0.5 < floor[key] <= 1
    assert abs(floor["kid"]) < 5 * floor["kid_se"]
    assert floor["class_consistency"] == pytest.approx(extractor.accuracy, abs=1e-3)
    assert floor["nearest_train_1_percent"] < floor["nearest_train"]
    bad = score_set(look(noise(500)))
    for key in ("fd", "precision", "coverage"):
        assert bad[key] == pytest.approx(load_random()[key], abs=0.05 * max(1, bad[key]))
    assert bad["kid"] > 100 * abs(floor["kid"])
    assert max(bad["recall"], bad["coverage"]) < 0.01  # precision is 0.2: an outlier's wide neighbourhood takes noise
    assert bad["density"] < 0.1


def test_blur_lowers_similarity(test_split: FashionMNIST) -> None:
    images = test_split.images[:100]
    blurred = to_uint8(torch.nn.functional.avg_pool2d(images[:, None].float(), 3, 1, 1) / 127.5 - 1)
    assert float(structural_similarity(images, blurred).mean()) < 0.95


@pytest.mark.slow
def test_the_features_of_the_test_split_are_kept_for_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = real_neighbourhoods.__wrapped__()
    (kept,) = (tmp_path / "genlib").glob("test-features-*.safetensors")
    assert torch.equal(real_neighbourhoods.__wrapped__().points, first.points)
    kept.write_bytes(kept.read_bytes()[:1000])  # a damaged one is made anew
    again = real_neighbourhoods.__wrapped__()
    assert torch.allclose(again.radii[5], first.radii[5], atol=1e-4)


def test_two_opinions_are_of_different_kinds(test_split: FashionMNIST) -> None:
    """Noise that one calls far the other does too, but their features are not each other's."""
    looked = look(test_split.images[:500])
    assert isinstance(looked, Looked)
    a, b = (each - each.mean(0) for each in looked[:2])
    # linear CKA (Kornblith et al. 2019, arXiv:1905.00414): 1 for the same features, turned or scaled
    alike = float((a.T @ b).norm() ** 2 / ((a.T @ a).norm() * (b.T @ b).norm()))
    assert alike < 0.95


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED_PER_FAMILY)
def test_shipped_figures_are_those_of_the_shipped_bytes(name: str) -> None:
    """One of the three sample seeds, measured anew: within what the seeds differ by. 10,000 samples of a flow take a
    quarter of an hour, so its kept figures of 1,000 are compared.
    """
    kept = read_json(model_directory(name) / "metrics.json")
    figures, spread, samples = kept, kept["spread"], kept["samples"]
    if (settings := load_settings(name)) is not None:
        (row,) = [each for each in settings.by_steps(kept["guidance"]) if each.steps == kept["steps"]]
        figures, spread, samples = row.figures, row.spread, settings.samples
    found, _ = finish(sample_figures(load(name), samples, SEEDS[0]))
    for key in {"fd", "fd_second", "kid", "precision", "recall", "density", "coverage"} & spread.keys():
        assert abs(found[key] - figures[key]) <= 4 * spread[key] + 0.01 * abs(figures[key]), key
