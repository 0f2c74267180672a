"""A run's files with anything in them: that run is damaged, in one line, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genlib.io.files import read_json, write_json
from genlib.jobs.queue import Queue
from genlib.loading import weights_directory
from genlib.training.run import train
from genlib.zoo.catalogue import list_models, list_runs
from genlib.zoo.files import read_described, read_metrics, read_records, read_run
from genlib.zoo.leaderboard import leaderboard
from tests.tiny import SHIPPED, refused, tiny_config
from tests.workers import FIGURES, by_hand, finish

NONSENSE: list[tuple[str, dict[str, Any]]] = [
    *(("metrics.json", {"fd": value}) for value in ("5", None, [], True, -1.0, float("nan"), 10**300)),
    *(("metrics.json", {"samples": value}) for value in (None, "10000", 0)),
    *(("metrics.json", {"floor": value}) for value in (5, {"fd": "0"}, {"spread": []}, {"samples": None})),
    *(("metrics.json", {"spread": value}) for value in ([1], {"fd": {}}, {"\ud800": 1})),
    *(("metrics.json", {"bic_curve": value}) for value in ({}, {"regularisation": [1], "bic": []}, [[None]])),
    ("metrics.json", {"bic_curve": {"regularisation": [0.1], "bic": [[]]}}),
    ("metrics.json", {"mse": "low"}),
    ("metrics.json", {"solver": 5}),
    ("config.json", {"name": ["vae-dense-8"]}),
    ("config.json", {"config": "none"}),
    ("config.json", {"sha256": None}),
    ("run.json", {"preset": {}}),
    ("run.json", {"config": [1]}),
    ("run.json", {"samples": [100, "100"]}),
    ("run.json", {"samples": [0, 100]}),
    ("run.json", {"start_from": "vae-cnn"}),
    ("run.json", {"extended": 5}),
]
READERS = {"metrics.json": read_metrics, "config.json": read_described, "run.json": read_run}


@pytest.mark.parametrize(("file", "change"), NONSENSE)
def test_a_damaged_run_is_one_line_and_hides_no_other(file: str, change: dict[str, Any], queue: Queue) -> None:
    damaged, good = (by_hand(queue, f"vae-dense-8-run-{number}", state="done") for number in (1, 2))
    assert len(list_runs()) == 2
    (damaged.directory / file).write_text(json.dumps(read_json(damaged.directory / file) | change))
    with refused(f"{file}: {next(iter(change))} is "):
        READERS[file](damaged.directory)
    first, second = queue.jobs()
    assert first.reason.startswith(f"its files are damaged: {file}: {next(iter(change))} is ")
    assert first.reason.endswith("; delete the run") and "\n" not in first.reason
    assert (first.state, first.preset) == ("done" if file == "run.json" else "failed", "")  # else it is still a model
    assert (second.state, second.reason) == ("done", "")
    assert [run["name"] for run in list_runs()][-1] == good.name
    assert (len(list_runs()) == 2) is (file == "run.json")
    queue.delete(damaged.id)


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000, "{}", "{", "\0"])
@pytest.mark.parametrize("file", READERS)
def test_a_file_that_holds_no_fields_is_damaged_too(file: str, text: str, queue: Queue) -> None:
    job = by_hand(queue, "vae-dense-8-run-1", state="done")
    (job.directory / file).write_text(text)
    (found,) = queue.jobs()
    assert found.reason.startswith(f"its files are damaged: {file}") and "\n" not in found.reason
    queue.delete(job.id)


def test_a_shipped_model_with_damaged_figures_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path))
    for name, fd in (("vae-cnn", "5"), ("gmm-10", 5.0)):
        (tmp_path / name).mkdir()
        finish(tmp_path / name)
        write_json(tmp_path / name / "metrics.json", FIGURES | {"fd": fd, "balance_kl": 0.0})
    figures = {model["name"]: model["metrics"] for model in list_models()}
    assert (figures["vae-cnn"], bool(figures["gmm-10"])) == (None, True)
    _, row = leaderboard()
    assert (row["model"], row["fd"], row["balance_kl"]) == ("gmm-10", 5.0, None)  # no logarithmic axis has a 0


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_is_whole(name: str) -> None:
    for read in (read_described, read_metrics, read_records):
        assert read(weights_directory() / name)


@pytest.mark.parametrize("change", [{"config": 5}, {"preset": None}, {"samples": "many"}])
def test_a_damaged_description_is_not_trained(change: dict[str, Any], tmp_path: Path) -> None:
    config = tiny_config("vae-cnn")
    write_json(tmp_path / "run.json", {"preset": "vae-cnn", "config": config.to_dict()} | change)
    with refused(f"run.json: {next(iter(change))} is "):
        next(train("vae-cnn", tmp_path, config, resume=True))


@pytest.mark.parametrize(
    "records",
    [
        *(5, [1], [{}], [{"epoch": "1", "losses": {}}], [{"epoch": 1, "losses": 5}]),
        *([{"epoch": 1, "losses": {}} | more] for more in ({"fd": ""}, {"\ud800": 1})),
    ],
)
def test_a_damaged_history_is_one_line(records: Any, tmp_path: Path) -> None:
    write_json(tmp_path / "history.json", {"epochs": records, "sample_epochs": []})
    with refused("history.json: epochs is "):
        read_records(tmp_path)
