"""What is plainly wrong with a finished training is said, and nothing is said of those that ship."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tqdm import tqdm

from genlib.cli.terminal import _draw
from genlib.cli.zoo_terminal import _Screen
from genlib.io.files import write_json
from genlib.jobs.run import Job
from genlib.loading import weights_directory
from genlib.models import get_preset
from genlib.remote.follow import _announce
from genlib.training.events import Done
from genlib.zoo.card import remarks
from genlib.zoo.signs import signs
from tests.tiny import SHIPPED


def write_history(directory: Path, *losses: dict[str, float]) -> None:
    records = [{"epoch": epoch, "losses": each} for epoch, each in enumerate(losses, start=1)]
    write_json(directory / "history.json", {"epochs": records, "sample_epochs": []})


CASES: dict[str, tuple[float, dict[str, float], list[str]]] = {
    "well": (3.0, {"loss": 90.0}, []),
    "collapsed": (65.0, {"loss": 90.0}, ["a Frechet distance of 65.0 is that of no garments"]),
    "exploded": (3.0, {"loss": 4.5e7}, ["the loss grew from 120 to 4.5e+07: the training exploded"]),
    "learned": (3.0, {"loss": 0.1}, []),
    "both": (65.0, {"loss": -4.5e7}, ["a Frechet distance", "the loss grew"]),
}


@pytest.mark.parametrize("case", CASES)
def test_a_training_that_came_to_nothing_is_told(case: str, tmp_path: Path) -> None:
    fd, losses, expected = CASES[case]
    write_json(tmp_path / "metrics.json", {"fd": fd})
    write_history(tmp_path, {"loss": 120.0}, losses)
    found = signs(tmp_path)
    assert len(found) == len(expected)
    assert all(sign.startswith(start) and "\n" not in sign for sign, start in zip(found, expected, strict=True))


def test_an_explosion_in_the_first_epoch_is_told(tmp_path: Path) -> None:
    write_json(tmp_path / "metrics.json", {"fd": 39.6})
    write_history(tmp_path, {"loss": 7e12, "kl": 2.0}, {"loss": 859.0, "kl": 1.0}, {"loss": 846.0, "kl": 3.0})
    assert signs(tmp_path) == ["the loss fell from 7e+12 to 846: the training exploded; try a smaller lr"]


def test_the_zoo_and_a_rented_machine_warn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metrics = {"fd": 65.0, "fd_floor": 0.1, "parameters": 9, "ms_64": 1.0, "train_epochs": 2}
    write_json(tmp_path / "metrics.json", metrics)
    write_history(tmp_path, {"loss": 120.0}, {"loss": 100.0})
    (sign,) = signs(tmp_path)
    job = Job(tmp_path, "vae-cnn", {}, "done")
    zoo = SimpleNamespace(configs={"vae-cnn": None}, enlist=lambda _: job, jobs=lambda: {"vae-cnn": job})
    for tell in ("enlist", "update"):
        screen = _Screen(zoo, tqdm(disable=True))  # type: ignore[arg-type]
        screen.enlist("vae-cnn")
        if tell == "update":
            screen.states["vae-cnn"] = "running"
            screen.update()
        assert f"genlib: mind: {sign}" in capsys.readouterr().err.splitlines()
    _announce(SimpleNamespace(directory=tmp_path, preset=get_preset("vae-cnn")))  # type: ignore[arg-type]
    assert f"genlib: mind: {sign}" in capsys.readouterr().err.splitlines()


def test_the_terminal_and_the_card_warn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metrics = {"fd": 65.0, "samples": 10_000}
    write_json(tmp_path / "metrics.json", metrics)
    write_json(tmp_path / "history.json", {"epochs": [], "sample_epochs": []})
    _draw((event for event in [Done(metrics)]), "vae-cnn", tmp_path, [])
    told = capsys.readouterr()
    assert f"{tmp_path} holds the trained vae-cnn: Frechet distance 65.00" in told.out
    (sign,) = signs(tmp_path)
    assert f"genlib: mind: {sign}" in told.err.splitlines()
    assert f"**Mind:** {sign}." in remarks(tmp_path, metrics, "")


def test_a_distance_of_few_samples_is_told_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for samples, few in ((200, True), (10_000, False)):
        metrics = {"fd": 9.0, "samples": samples}
        write_json(tmp_path / "metrics.json", metrics)
        _draw((event for event in [Done(metrics)]), "vae-cnn", tmp_path, [])
        assert ("genlib: mind: 200 samples are few: distances" in capsys.readouterr().err) == few


@pytest.mark.parametrize("name", SHIPPED)
def test_nothing_is_wrong_with_what_ships(name: str) -> None:
    assert signs(weights_directory() / name) == []


@pytest.mark.parametrize("epochs", [None, [], [1], [{}], [{"losses": 3}], [{"losses": {"loss": "high"}}]])
def test_files_of_any_shape_break_nothing(epochs: Any, tmp_path: Path) -> None:
    write_json(tmp_path / "metrics.json", {"fd": None})
    assert signs(tmp_path) == []
    write_json(tmp_path / "history.json", {"epochs": epochs, "sample_epochs": []})
    assert signs(tmp_path) == []


@pytest.mark.parametrize("name", ["a\nb", "![x](https://example.org/p.png)", "long" * 30_000, "\ud800"])
def test_a_strangers_loss_is_named_in_one_line(name: str, tmp_path: Path) -> None:
    write_json(tmp_path / "metrics.json", {"fd": 3.0})
    write_history(tmp_path, {name: 1.0}, {name: 1e9})
    found = signs(tmp_path)
    assert all(sign.isprintable() and len(sign) < 200 for sign in found)
    if name == "\ud800":  # which no page can show, and no history may have
        assert found == []
        return
    (told,) = remarks(tmp_path, {"fd": 3.0, "samples": 10_000}, "")
    assert len(found) == 1 and "![x](" not in told
