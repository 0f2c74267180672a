"""The Frechet distance against closed forms and other implementations; the frozen extractor; the protocol."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import torch
from torchmetrics.image.fid import _compute_fid

from genlib.data import FashionMNIST
from genlib.images import to_uint8
from genlib.metrics import features
from genlib.metrics.classifier import FEATURES, shifted
from genlib.metrics.evaluation import KEYS, SEEDS, evaluate, evaluating, milliseconds, warning
from genlib.metrics.features import EXTRACTORS, Extractor, load_extractor
from genlib.metrics.floor import load_floor, load_spoiled
from genlib.metrics.frechet import Gaussian, frechet_distance
from genlib.store import save_model
from tests.tiny import refused, tiny_model

RANDOM = np.random.default_rng(0)


def gaussian(d: int, rank: int | None = None) -> Gaussian:
    """A random mean and covariance, singular where the rank is below d."""
    factor = RANDOM.standard_normal((d, rank or 2 * d))
    return Gaussian(RANDOM.standard_normal(d), factor @ factor.T / d)


@pytest.fixture(scope="module", params=list(EXTRACTORS))
def opinion(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def extractor(opinion: str) -> Extractor:
    return load_extractor(opinion)


@pytest.fixture(scope="module")
def floor(opinion: str) -> float:
    """What 10,000 photographs score by this opinion."""
    return load_floor()[{"first": "fd", "second": "fd_second"}[opinion]]


@pytest.fixture(scope="module")
def test_features(extractor: Extractor, test_split: FashionMNIST) -> np.ndarray:
    """Features of the whole test split, measured anew."""
    return extractor.features(test_split.images)


@pytest.mark.parametrize("d", [1, 2, 128])
def test_distance_of_equal_gaussians_is_zero(d: int) -> None:
    a = gaussian(d)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9 * np.trace(a.covariance) + 1e-12)
    assert frechet_distance(a, a) >= 0


def test_distance_of_a_shift_is_its_square() -> None:
    a = gaussian(5)
    shift = np.array([1.0, -2.0, 0.5, 0.0, 3.0])
    assert frechet_distance(a, Gaussian(a.mean + shift, a.covariance)) == pytest.approx(shift @ shift)


def test_distance_of_commuting_covariances() -> None:
    """|m|^2 + sum_i (sqrt a_i - sqrt b_i)^2 for diagonal covariances."""
    a, b = np.array([1.0, 4.0, 9.0]), np.array([16.0, 0.25, 0.0])
    expected = 3 + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum()
    distance = frechet_distance(Gaussian(np.zeros(3), np.diag(a)), Gaussian(np.ones(3), np.diag(b)))
    assert distance == pytest.approx(expected)


def test_distance_is_symmetric_and_invariant_to_rotation() -> None:
    a, b = gaussian(6), gaussian(6)
    q, _ = np.linalg.qr(RANDOM.standard_normal((6, 6)))
    turned = [Gaussian(q @ g.mean, q @ g.covariance @ q.T) for g in (a, b)]
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a))
    assert frechet_distance(*turned) == pytest.approx(frechet_distance(a, b))


@pytest.mark.parametrize("d", [3, 40])
def test_distance_agrees_with_scipy_and_torchmetrics(d: int) -> None:
    a, b = gaussian(d), gaussian(d)
    root = scipy.linalg.sqrtm(a.covariance @ b.covariance).real
    difference = a.mean - b.mean
    expected = difference @ difference + np.trace(a.covariance + b.covariance - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)
    theirs = _compute_fid(*(torch.from_numpy(part) for g in (a, b) for part in (g.mean, g.covariance)))
    assert frechet_distance(a, b) == pytest.approx(float(theirs), rel=1e-9)


def test_distance_of_singular_covariances_is_finite() -> None:
    a, b = gaussian(20, rank=3), gaussian(20, rank=5)
    assert 0 < frechet_distance(a, b) < math.inf
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)


def test_gaussian_of_features_is_unbiased() -> None:
    values = RANDOM.standard_normal((50, 3)).astype(np.float32)
    fitted = Gaussian.of(values)
    centred = values.astype(np.float64) - values.astype(np.float64).mean(0)
    assert fitted.covariance == pytest.approx(centred.T @ centred / 49)
    assert fitted.covariance.dtype == np.float64
    assert Gaussian.of(values[:, :1]).covariance.shape == (1, 1)
    with refused("a covariance needs at least 2 samples, not 1"):
        Gaussian.of(values[:1])


def test_the_extractor_is_the_frozen_one(opinion: str, extractor: Extractor) -> None:
    frozen = EXTRACTORS[opinion]
    assert extractor.sha256 == frozen.sha256 == hashlib.sha256(frozen.file.read_bytes()).hexdigest()
    assert not any(p.requires_grad for p in extractor.classifier.parameters())
    assert not extractor.classifier.training


def test_an_altered_or_missing_extractor_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    frozen = EXTRACTORS["second"]
    altered = bytearray(frozen.file.read_bytes())
    altered[-1] ^= 1
    moved = replace(frozen, file=tmp_path / "extractor.safetensors")
    monkeypatch.setitem(features.EXTRACTORS, "second", moved)
    with refused("extractor.safetensors cannot be read"):
        load_extractor.__wrapped__("second")
    moved.file.write_bytes(altered)
    with refused("extractor.safetensors is not the frozen one"):
        load_extractor.__wrapped__("second")


def test_the_classifier_is_accurate(extractor: Extractor, test_features: np.ndarray, test_split: FashionMNIST) -> None:
    with torch.inference_mode():
        predicted = extractor.classifier.head(torch.from_numpy(test_features)).argmax(1)
    accuracy = float((predicted == test_split.labels).double().mean())
    assert accuracy >= 0.925
    assert accuracy == pytest.approx(extractor.accuracy, abs=3e-4)
    assert torch.equal(extractor.predict(test_split.images[:300]), predicted[:300])


def test_features_are_deterministic(extractor: Extractor, test_features: np.ndarray, test_split: FashionMNIST) -> None:
    again = extractor.features(test_split.images[:250])
    assert np.array_equal(again, extractor.features(test_split.images[:250]))
    assert again.shape == (250, FEATURES)
    assert again.dtype == np.float32
    assert extractor.features(test_split.images[3:40]) == pytest.approx(test_features[3:40], abs=1e-4)


def test_the_shipped_statistics_are_those_of_the_test_split(extractor: Extractor, test_features: np.ndarray) -> None:
    measured = Gaussian.of(test_features)
    assert measured.mean == pytest.approx(extractor.test.mean, abs=1e-4)
    assert measured.covariance == pytest.approx(extractor.test.covariance, abs=1e-3)
    assert frechet_distance(measured, extractor.test) < 1e-3


def test_real_images_are_near_the_floor_and_noise_is_far(
    extractor: Extractor, test_features: np.ndarray, floor: float
) -> None:
    halves = frechet_distance(Gaussian.of(test_features[::2]), Gaussian.of(test_features[1::2]))
    assert 0 < halves < 3 * floor
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (500, 28, 28), dtype=torch.uint8, generator=generator)
    assert frechet_distance(Gaussian.of(extractor.features(noise)), extractor.test) > 100 * floor


def test_a_lost_class_and_blur_cost_distance(
    extractor: Extractor, test_features: np.ndarray, test_split: FashionMNIST
) -> None:
    some = frechet_distance(Gaussian.of(test_features[:2000]), extractor.test)
    no_bags = test_features[:2000][test_split.labels[:2000].numpy() != 8]
    assert frechet_distance(Gaussian.of(no_bags), extractor.test) > 2 * some
    blurred = torch.nn.functional.avg_pool2d(test_split.images[:2000, None].float(), 3, stride=1, padding=1)
    blurred_features = extractor.features(to_uint8(blurred / 127.5 - 1))
    assert frechet_distance(Gaussian.of(blurred_features), extractor.test) > 2 * some


def test_shifts_move_the_image_and_let_black_in() -> None:
    image = torch.zeros(200, 28, 28, dtype=torch.uint8)
    image[:, 10, 10] = 255
    moved = shifted(image, torch.Generator().manual_seed(0))
    _, rows, columns = moved.nonzero(as_tuple=True)
    assert len(rows) == 200
    assert sorted(rows.unique().tolist()) == sorted(columns.unique().tolist()) == [8, 9, 10, 11, 12]


def saved(name: str, directory: Path) -> Path:
    model = tiny_model(name)
    prefixes = tuple(f"{part}." for part in model.averaged)
    averaged = {key: value / 2 for key, value in model.state_dict().items() if key.startswith(prefixes)}
    save_model(directory, name, model, averaged)
    return directory


def test_evaluate_fills_the_protocol(tmp_path: Path) -> None:
    metrics = evaluate(saved("vae-cnn", tmp_path), 50)
    assert set(metrics) == set(KEYS)
    floor = load_floor(50)
    for key in ("fd", "fd_second"):
        assert metrics[key] > metrics[f"{key}_floor"] == floor[key] > load_floor()[key]
        assert metrics[f"{key}_std"] > 0
    assert metrics["floor"] == floor
    assert metrics["fd_raw"] is None
    assert metrics["parameters"] == tiny_model("vae-cnn").parameter_count()
    assert (metrics["samples"], metrics["seeds"], metrics["extractor"]) == (50, list(SEEDS), EXTRACTORS["first"].sha256)
    assert json.loads(json.dumps(metrics)) == metrics


def test_evaluate_tells_averaged_from_raw_and_carries_costs(tmp_path: Path) -> None:
    saved("cgan-mlp", tmp_path)
    (tmp_path / "metrics.json").write_text(json.dumps({"train_seconds": 12.5, "fd": -1}))
    metrics = evaluate(tmp_path, 50)
    assert metrics["fd"] == metrics["fd_averaged"] != metrics["fd_raw"]
    assert metrics["fd"] > 0
    assert metrics["train_seconds"] == 12.5
    again = evaluate(tmp_path, 50)
    assert {key for key in KEYS if again[key] != metrics[key]} <= {"ms_64"}


@pytest.mark.parametrize("n", [1, 0, -3, 10**6, True, 2.0])
def test_evaluate_refuses_a_bad_count(n: Any, tmp_path: Path) -> None:
    with refused("n takes a whole number from 10 to 100000"):
        evaluate(saved("vae-cnn", tmp_path), n)


def test_milliseconds_are_positive() -> None:
    assert 0 < milliseconds(tiny_model("vae-cnn"), repeats=2) < math.inf


def test_measuring_tells_how_far_it_is(tmp_path: Path) -> None:
    shares = list(evaluating(saved("cgan-mlp", tmp_path), 600))
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert len(shares) > 10
    told: list[float] = []
    evaluate(tmp_path, 50, progress=told.append)
    assert told[-1] == 1.0


def test_floors_are_of_their_own_size() -> None:
    small, large = load_floor(1_400), load_floor()
    assert (small["samples"], large["samples"]) == (1_000, 10_000)
    assert small["fd"] > 2 * large["fd"]
    assert small["coverage"] < 0.5 < 0.9 < large["coverage"]
    assert large["spread"]["fd"] == large["fd_std"] < 0.2 * large["fd"]
    assert "distances come out too large" in warning(500)
    assert warning(10_000) == ""


def test_the_second_opinion_minds_grain_less_than_a_missing_class() -> None:
    """What the Leaderboard says of the two: they are of different kinds."""
    spoiled = load_spoiled()
    assert spoiled["noise"]["fd"] > spoiled["no_bags"]["fd"] > 10 * load_floor()["fd"]
    assert spoiled["no_bags"]["fd_second"] > 1.5 * spoiled["noise"]["fd_second"] > 10 * load_floor()["fd_second"]
