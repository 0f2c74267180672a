"""Figures of several trainings of one model, kept beside those of the first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genlib.__main__ import main
from genlib.images import read_png
from genlib.metrics.evaluation import KEYS, _carried
from genlib.metrics.floor import load_floor
from genlib.questions import Diversity, Latent, Variation
from genlib.questions.trainings import FILE, keep_figures, other_figures
from genlib.zoo.files import read_metrics
from genlib.zoo.trainings import SAMPLES, keep_trainings
from tests.tiny import refused, save_tiny, tiny_model


def trained(directory: Path, seed: int, name: str = "vae-dense-8", **changes: Any) -> Path:
    """A finished run of that seed."""
    directory.mkdir()
    save_tiny(directory, name, tiny_model(name, seed=seed, **changes))
    (directory / "history.json").write_text(json.dumps({"epochs": [], "sample_epochs": []}))
    figures: dict[str, Any] = dict.fromkeys(KEYS) | dict.fromkeys(("fd", "fd_second", "recall", "mse"), 1 / (1 + seed))
    figures |= dict.fromkeys(("fd_std", "fd_second_std", "fd_floor", "ms_64"), 0.1)
    figures |= {
        "parameters": 5,
        "samples": 50,
        "protocol": 3,
        "seeds": [0, 1, 2],
        "extractor": "a",
        "extractor_second": "b",
    }
    figures |= {"floor": load_floor(50), "train_seconds": 8.4, "train_epochs": 2, "peak_memory_mb": 321.0}
    (directory / "metrics.json").write_text(json.dumps(figures))
    return directory


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    return [trained(tmp_path / f"seed-{seed}", seed) for seed in (0, 4, 7)]


def change(run: Path, **figures: Any) -> None:
    path = run / "metrics.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | figures))


def test_the_others_stand_beside_the_first(
    runs: list[Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genlib.questions.trainings.ASKED", (Variation,))  # the quickest; every one is a slow test
    first, *others = runs
    change(others[1], train_device="a GPU")
    own = [read_metrics(run) for run in runs]
    assert main(["trainings", *map(str, runs)]) == 0
    kept = read_metrics(first)
    assert kept["training_seeds"] == [0, 4, 7]
    assert kept["training_devices"] == [None, None, "a GPU"]
    for key in ("fd", "fd_second", "recall", "mse"):
        assert kept[f"{key}_trainings"] == [each[key] for each in own]
    assert "class_consistency_trainings" not in kept  # the model takes no class
    assert {key: kept[key] for key in own[0]} == own[0]
    card = (first / "README.md").read_text()
    distances = ", ".join(f"{each['fd']:.2f}" for each in own)
    assert f"| ... of 3 trainings | {distances} |" in card
    assert "from the seeds 0, 4, 7" in card
    assert "(trained on a GPU)" in card
    assert read_png(first / "trainings.png").shape == (3 * 28, SAMPLES * 28)
    assert f"{'seed':<10}{0:>10}{4:>10}{7:>10}" in capsys.readouterr().out
    question = Variation(str(first))
    assert other_figures(question) == [Variation(str(run)).figures() for run in others]
    again = _carried(first / "metrics.json")  # what measuring anew leaves as it is
    assert {key for key in kept if "training" in key} <= again.keys()
    keep_trainings(first, others[:1])
    assert len(read_metrics(first)["fd_trainings"]) == 2
    keep_figures(first, others[:1])
    assert len(other_figures(question)) == 1


@pytest.mark.slow
def test_every_page_that_shows_others_finds_its_own_figures(runs: list[Path]) -> None:
    first, other, _ = runs
    keep_figures(first, [other])
    for kind in (Latent, Diversity, Variation):
        assert other_figures(kind(str(first))) == [kind(str(other)).figures()]


@pytest.mark.parametrize(
    "kept",
    [
        b"{",
        b'{"figures": 3}',
        b'{"figures": [{"variation": {"samples": ["much"]}}]}',
        b'{"figures": [{"variation": {"samples": [1.0]}}, {"latent": {}}]}',
        None,
    ],
)
def test_what_is_kept_of_others_and_makes_no_sense_is_left_out(kept: bytes | None, tmp_path: Path) -> None:
    run = trained(tmp_path / "run", 0)
    if kept is not None:
        (run / FILE).write_bytes(kept)
    assert other_figures(Variation(str(run))) == []


def test_what_is_no_other_training_is_refused(runs: list[Path], tmp_path: Path) -> None:
    first, other, _ = runs
    before = {path.name: path.read_bytes() for path in first.iterdir()}
    with refused("two of these trainings have the same seed: 0, 4, 4"):
        keep_trainings(first, [other, other])
    with refused("is a vae-cnn, not another training of vae-dense-8"):
        keep_trainings(first, [trained(tmp_path / "cnn", 3, "vae-cnn")])
    with refused("has beta=2.0 where .* has 3.0"):
        keep_trainings(first, [trained(tmp_path / "beta", 3, beta=2.0)])
    with refused("give the directory of at least one other run"):
        keep_trainings(first, [])
    (runs[2] / "metrics.json").unlink()
    with refused("is not a finished run: it was not measured"):
        keep_trainings(first, [runs[2]])
    change(other, samples=49)
    with refused("was measured with samples 49, the model with 50"):
        keep_trainings(first, [other])
    change(other, samples=50)
    for key in ("fd_std", "floor", "train_seconds"):
        figures = read_metrics(first)
        (first / "metrics.json").write_text(json.dumps({name: each for name, each in figures.items() if name != key}))
        with refused(f"does not hold the figures that a training writes: '{key}'"):
            keep_trainings(first, [other])
        (first / "metrics.json").write_bytes(before["metrics.json"])
    assert {path.name: path.read_bytes() for path in first.iterdir()} == before
