"""A training's history as the analyses read it, from the files of a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from genlib.analysis.history import History, history_so_far, read_history, smooth
from genlib.data import FashionMNIST
from genlib.images import png_bytes
from genlib.io.files import write_file
from tests.tiny import refused, tiny_training


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Tiny finished runs by preset."""
    test = FashionMNIST.load("test")
    data, made = FashionMNIST(test.images[:200], test.labels[:200]), {}

    def run(name: str) -> Path:
        if name not in made:
            made[name] = tmp_path_factory.mktemp("run") / name
            list(tiny_training(name, made[name], data))
        return made[name]

    return run


@pytest.mark.slow
@pytest.mark.parametrize(("name", "rows"), [("cgan-mlp", 2), ("vae-cnn", 1), ("gmm-10", 1)])
def test_every_kind_of_run_has_a_history(name: str, rows: int, runs: Callable[[str], Path]) -> None:
    history = read_history(runs(name))
    assert history.samples.shape == (len(history.sample_epochs), rows, 10, 28, 28)
    assert history.samples.dtype == torch.uint8
    assert [row["epoch"] for row in history.table] == list(range(1, len(history.table) + 1))
    epochs, values = history.curve("fd")
    assert epochs == list(history.sample_epochs)
    assert all(value > 0 for value in values)
    assert history.curve("nonsense") == ([], [])


@pytest.mark.slow
def test_samples_are_the_tiles_of_the_sprite(runs: Callable[[str], Path]) -> None:
    from genlib.images import read_png

    history, sprite = read_history(runs("cgan-mlp")), read_png(runs("cgan-mlp") / "progress.png")
    last, (averaged, raw) = len(history.sample_epochs) - 1, history.at(history.sample_epochs[-1])
    for i in (0, 3, 9):
        assert (averaged[i].numpy() == sprite[28 * last : 28 * last + 28, 28 * i : 28 * i + 28]).all()
        assert (raw[i].numpy() == sprite[28 * last : 28 * last + 28, 28 * (i + 10) : 28 * (i + 11)]).all()


def test_losses_have_columns_of_their_own(runs: Callable[[str], Path]) -> None:
    recorded = json.loads((runs("cgan-mlp") / "history.json").read_text())["epochs"]
    epochs, values = read_history(runs("cgan-mlp")).curve("loss_generator")
    assert (epochs, values) == ([1, 2], [record["losses"]["generator"] for record in recorded])


def test_it_says_what_its_distances_are_of(runs: Callable[[str], Path]) -> None:
    assert read_history(runs("cgan-mlp")).measured == "50 samples"
    assert read_history("flow-unet").measured == "2,000 samples of 8 Euler steps"
    assert read_history("gan-dense-1").measured == "5,000 samples"  # an older one, which does not say so


def test_an_epoch_without_samples_is_refused() -> None:
    history = History([], (1, 5), torch.zeros(2, 1, 10, 28, 28, dtype=torch.uint8))
    assert history.at(5).shape == (1, 10, 28, 28)
    with refused("epochs with samples: 1, 5"):
        history.at(3)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"epochs": [{}], "sample_epochs": [1]}', '{"epochs": 3}'])
def test_a_damaged_history_is_one_line(text: str, tmp_path: Path, runs: Callable[[str], Path]) -> None:
    for name in ("config.json", "progress.png"):
        (tmp_path / name).write_bytes((runs("vae-cnn") / name).read_bytes())
    (tmp_path / "history.json").write_text(text)
    with refused(r"history\.json"):
        read_history(tmp_path)


def test_a_sprite_of_another_run_is_refused(tmp_path: Path, runs: Callable[[str], Path]) -> None:
    for name in ("config.json", "progress.png"):
        (tmp_path / name).write_bytes((runs("vae-cnn") / name).read_bytes())
    records = [{"epoch": epoch, "losses": {}} for epoch in range(1, 6)]
    (tmp_path / "history.json").write_text(json.dumps({"epochs": records, "sample_epochs": [1, 2, 3, 4, 5]}))
    with refused("does not hold the samples of 5 epochs"):
        read_history(tmp_path)


RECORD = {"epoch": 1, "losses": {"elbo": 1.0}}


def test_a_picture_outside_of_the_run_is_not_read(tmp_path: Path) -> None:
    run, other = tmp_path / "run", tmp_path / "run-other"
    for directory in (run, other):
        directory.mkdir()
        write_file(directory / "a.png", png_bytes(np.zeros((28, 280), np.uint8)))
    found = history_so_far(run, [RECORD], {1: "a.png"})
    assert found is not None and found.samples.shape == (1, 1, 10, 28, 28)
    (run / "link.png").symlink_to(other / "a.png")
    (run / "loop.png").symlink_to("loop.png")
    for path in ("../run-other/a.png", str(other / "a.png"), "link.png"):
        with refused("leads out of"):
            history_so_far(run, [RECORD], {1: path})
    for path in ("a\0.png", "loop.png", "b.png", ".", 5):
        with refused("is no file's name|cannot be read"):
            history_so_far(run, [RECORD], {1: path})  # type: ignore[dict-item]
    (tmp_path / "linked").symlink_to(run)  # the run itself may lie elsewhere
    assert history_so_far(tmp_path / "linked", [RECORD], {1: "a.png"}) is not None


@pytest.mark.parametrize("record", [{}, {"epoch": []}, {"epoch": 1, "losses": 5}, {"epoch": "x", "losses": {}}])
def test_a_damaged_record_of_a_run_under_way_is_one_line(record: dict[str, Any], tmp_path: Path) -> None:
    write_file(tmp_path / "a.png", png_bytes(np.zeros((28, 280), np.uint8)))
    with refused("holds no training's records"):
        history_so_far(tmp_path, [record], {1: "a.png"})


def test_smoothing_takes_the_mean_of_neighbours() -> None:
    assert smooth([1.0, 2.0, 6.0, 4.0, 5.0], 3) == [1.0, 3.0, 4.0, 5.0, 5.0]
    straight = [float(i) for i in range(9)]
    assert smooth(straight) == straight  # a straight line stays, its ends too
    assert smooth([]) == []
    for window in (0, 2, -1):
        with refused("odd whole number"):
            smooth([1.0], window)
