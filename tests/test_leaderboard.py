"""The table of every model's figures, with files of the older protocol among them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genlib.metrics.evaluation import MEASURED_BY, PROTOCOL
from genlib.metrics.floor import load_floor
from genlib.zoo.figures import REAL
from genlib.zoo.leaderboard import COLUMNS, better, leaderboard, own_figures
from tests.tiny import refused


def ship(directory: Path, name: str, metrics: dict[str, object]) -> None:
    """Just enough of a model's directory for the list."""
    (directory / name).mkdir()
    (directory / name / "config.json").write_text('{"sha256": "0"}')
    (directory / name / "metrics.json").write_text(json.dumps({"parameters": 5, "train_epochs": 2} | metrics))


def test_rows_are_ordered_by_distance_under_the_floor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path))
    ship(tmp_path, "vae-cnn", {"fd": 7.5, "fd_std": 0.1})  # the older protocol has no spread
    ship(tmp_path, "gmm-10", {"fd": 5.5, "fd_std": 0.2, "recall": 0.3, "spread": {"fd": 0.2, "recall": 0.01}})
    ship(tmp_path, "cgan-mlp", {})
    floor, *models = leaderboard()
    assert all(tuple(row) == COLUMNS for row in (floor, *models))
    assert (floor["model"], floor["fd"], floor["recall"]) == (REAL, load_floor()["fd"], load_floor()["recall"])
    assert [row["model"] for row in models] == ["gmm-10", "vae-cnn", "cgan-mlp"]
    gmm, vae, cgan = models
    assert (gmm["recall"], gmm["recall_spread"], gmm["fd_spread"]) == (0.3, 0.01, 0.2)
    assert (vae["fd_spread"], vae["recall"], vae["recall_spread"]) == (0.1, None, None)
    assert cgan["fd"] is None


def test_without_models_the_floor_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path))
    (floor,) = leaderboard()
    assert floor["model"] == REAL


def opinions(first: float, second: float, spread: float = 0.01) -> dict[str, float]:
    return {"fd": first, "fd_std": spread, "fd_second": second, "fd_second_std": spread}


def test_better_takes_both_opinions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert better(opinions(1, 1), opinions(2, 2))
    assert not better(opinions(1, 2), opinions(2, 1))
    assert not better(opinions(1, 1), opinions(1.05, 2))  # less than a tenth
    assert not better(opinions(1, 1, 0.4), opinions(2, 2, 0.4))  # within the spreads
    assert not better({"fd": 1, "fd_std": 0}, opinions(2, 2))  # of an older protocol
    assert not better(opinions(1, 1) | {"fd_trainings": [1, 2.8]}, opinions(2, 2))  # their mean is 1.9
    assert not better(opinions(1, 1) | {"fd_second_trainings": [1, 1.8]}, opinions(2, 2))  # they differ by too much
    assert better(opinions(1, 1) | {"fd_trainings": [1, 1.1]}, opinions(2, 2))
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path))
    for name, figures in (("vae-cnn", (1, 4)), ("gmm-10", (2, 2)), ("cgan-mlp", (3, 1)), ("dcgan-64", (3, 3.9))):
        ship(tmp_path, name, opinions(*figures))
    disputed = {row["model"]: row["disputed"] for row in leaderboard()}
    assert set(disputed.pop("vae-cnn").split(", ")) == {"cgan-mlp", "gmm-10"}
    assert disputed == {"gmm-10": "cgan-mlp", "cgan-mlp": None, "dcgan-64": None, REAL: None}


def test_figures_of_ones_own_keep_their_whole_numbers() -> None:
    found = own_figures(b'{"fd": 9.5, "samples": 1000, "precision": null}', "mine.json")
    assert repr(found) == "{'fd': 9.5, 'samples': 1000}"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"samples": "1000"}, "mine.json: samples is '1000', not a whole number"),
        ({"fd_second": "x"}, "mine.json: fd_second is 'x', not"),
        ({"samples": None}, "mine.json has no figures"),
        (
            {"protocol": PROTOCOL - 1},
            f"measured with protocol {PROTOCOL - 1}, the zoo with {PROTOCOL}; .* writes them anew",
        ),
        ({"extractor_second": "0" * 64}, "measured with extractor_second '000"),
    ],
)
def test_figures_that_cannot_be_compared_are_refused(changed: dict[str, object], told: str) -> None:
    figures = {"fd": 9.5, "samples": 1000, **MEASURED_BY} | changed
    with refused(told):
        own_figures(
            json.dumps({key: value for key, value in figures.items() if value is not None}).encode(), "mine.json"
        )


def test_a_run_that_was_measured_in_another_way_has_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(name: str, **changed: object) -> dict[str, object]:
        return {"name": name, "family": "VAE", "metrics": {"fd": 0.3, "samples": 10_000, **MEASURED_BY} | changed}

    found = [run("alike"), run("older", protocol=PROTOCOL - 1), run("other", extractor="0"), run("quick", samples=200)]
    monkeypatch.setattr("genlib.zoo.leaderboard.list_runs", lambda: found)
    names = {row["model"] for row in leaderboard()}
    assert names & {each["name"] for each in found} == {"alike"}
