"""Shipped weights still draw the pictures that were shipped beside them."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from genlib.images import grid, read_png
from genlib.loading import load
from genlib.metrics.evaluation import KEYS, PROTOCOL, of_some
from genlib.metrics.features import EXTRACTORS
from genlib.models import get_preset, presets, released
from genlib.sampling import generate
from genlib.zoo.card import card
from genlib.zoo.figures import TRAINED
from genlib.zoo.files import read_metrics

ROOT = Path(__file__).parent.parent
WEIGHTS = ROOT / "weights"
FILES = {
    *("model.safetensors", "config.json", "metrics.json", "history.json"),
    *("samples.png", "progress.png", "README.md"),
}
OPTIONAL = {
    "study.json",
    "settings.json",
    "trainings.png",
    "trainings.json",
    "directions.json",
    "projections.safetensors",
}
SHIPPED = sorted({path.parent.name for path in WEIGHTS.glob("*/config.json")} - (presets().keys() - set(released())))
every_model = pytest.mark.parametrize("name", SHIPPED)


def described(name: str, file: str) -> dict:
    return json.loads((WEIGHTS / name / file).read_text())


def test_every_preset_is_shipped() -> None:
    assert sorted(released()) == SHIPPED


@every_model
def test_golden_samples(name: str) -> None:
    picture = grid(generate(load(name), 40, seed=0)[0], columns=10).astype(int)
    assert np.abs(picture - read_png(WEIGHTS / name / "samples.png")).max() <= 1


@every_model
def test_the_weights_are_the_described_ones(name: str) -> None:
    config = described(name, "config.json")
    assert hashlib.sha256((WEIGHTS / name / "model.safetensors").read_bytes()).hexdigest() == config["sha256"]
    assert config["name"] == name
    assert config["family"] == get_preset(name).family
    assert {path.name for path in (WEIGHTS / name).iterdir()} - OPTIONAL == FILES


@every_model
def test_the_measurements_are_whole(name: str) -> None:
    metrics, history = described(name, "metrics.json"), described(name, "history.json")
    assert {key for key in metrics if not of_some(key)} == set(KEYS)
    assert [metrics["extractor"], metrics["extractor_second"]] == [each.sha256 for each in EXTRACTORS.values()]
    assert (metrics["samples"], metrics["protocol"]) == (10_000, PROTOCOL)
    for key in ("fd", "fd_second"):
        assert metrics[f"{key}_floor"] < metrics[key] < 100
        assert 0 < metrics[f"{key}_std"] < max(0.05 * metrics[key], 0.01)  # near the floor, the samples' own spread
    assert [record["epoch"] for record in history["epochs"]] == list(range(1, metrics["train_epochs"] + 1))
    for key in TRAINED:
        assert metrics.get(f"{key}_trainings", [metrics[key]])[0] == metrics[key]
    sprite = read_png(WEIGHTS / name / "progress.png")
    assert len(sprite) == 28 * len(history["sample_epochs"])


@every_model
def test_the_card_says_what_was_measured(name: str) -> None:
    assert (WEIGHTS / name / "README.md").read_text() == card(WEIGHTS / name, read_metrics(WEIGHTS / name))


def test_weights_are_small() -> None:
    sizes = {path: path.stat().st_size for path in WEIGHTS.rglob("*") if path.is_file()}
    assert {path.name: size for path, size in sizes.items() if size > 10_000_000} == {}
    assert sum(sizes.values()) < 100_000_000


def test_no_tracked_file_is_large() -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [ROOT / name for name in tracked.stdout.split("\0") if name]
    assert len(paths) > 30
    assert [path.name for path in paths if path.exists() and path.stat().st_size > 10_000_000] == []
