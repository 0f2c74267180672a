"""Training history, Leaderboard and Dataset through Streamlit's test runner: what is theirs alone."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from genlib.analysis.history import read_history
from genlib.charts.leaderboard import names
from genlib.data import CLASS_NAMES, FashionMNIST
from genlib.drawing import PLOT
from genlib.images import npz_bytes
from genlib.metrics import floor
from genlib.metrics.memorisation import nearest
from genlib.questions.leaderboard import Board, Leaderboard
from genlib.zoo.leaderboard import RANDOM, REAL
from tests.pages.studio import ROOT, assert_healthy, controls, open_page, pictures, set_control
from tests.tiny import SHIPPED, SHIPPED_PER_FAMILY, thinned
from ui import own_samples


def charts(app: AppTest) -> list[dict]:
    """The page's Plotly figures."""
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


@pytest.fixture
def weights(weights: Path) -> Path:
    """A copy of two shipped models to damage."""
    for name in ("cgan-mlp", "vae-cnn"):
        shutil.copytree(ROOT / "weights" / name, weights / name)
    return weights


# Training history -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name",), thinned(zip(SHIPPED, strict=True), lambda name: name in SHIPPED_PER_FAMILY))
def test_every_model_has_a_history_at_every_epoch_kept(name: str) -> None:
    app, past = open_page("history", {"model": name}), read_history(name)
    assert_healthy(app)
    assert controls(app)["epoch"] == past.sample_epochs[-1]
    assert 2 <= len(charts(app)) <= 3
    seen = set(pictures(app))
    for epoch in past.sample_epochs[:-1:7]:
        seen |= set(pictures(set_control(app, "epoch", epoch)))
        assert_healthy(app)
    assert len(seen) == len(past.sample_epochs[:-1:7]) + 1


@pytest.mark.parametrize(("name",), thinned(zip(SHIPPED, strict=True), lambda name: name in SHIPPED_PER_FAMILY))
def test_the_marker_stands_on_every_curve_at_the_epoch(name: str) -> None:
    past = read_history(name)
    epoch = past.sample_epochs[2]
    app = open_page("history", {"model": name, "epoch": epoch})
    for chart in charts(app):
        *lines, marker = chart["data"]
        assert chart["layout"]["shapes"][0]["x0"] == epoch
        assert set(marker["x"]) == {epoch}
        measured = [line for line in lines if ", smoothed" not in line["name"]]
        assert marker["y"] == [line["y"][line["x"].index(epoch)] for line in measured]
    distance = next(chart for chart in charts(app) if len(chart["data"]) in (3, 5) and "smoothed" in str(chart))
    assert distance["data"][0]["y"] == past.curve("fd")[1]


def test_another_model_keeps_the_epoch_where_it_has_it() -> None:
    app = open_page("history", {"model": "cgan-mlp", "epoch": 3})
    assert controls(set_control(app, "model", "vae-cnn"))["epoch"] == 3
    assert_healthy(app)
    set_control(app, "model", "cgan-mlp")
    set_control(app, "epoch", 100)
    assert controls(set_control(app, "model", "vae-cnn"))["epoch"] == 15
    assert_healthy(app)


@pytest.mark.parametrize("file", ["history.json", "progress.png"])
def test_a_lost_history_is_one_line_and_the_other_models_go_on(file: str, weights: Path) -> None:
    (weights / "vae-cnn" / file).write_bytes(b"{")
    app = open_page("history", {"model": "vae-cnn"})
    assert not app.exception
    (notice,) = (each.value for each in app.warning)
    assert notice.startswith("vae-cnn has no training history")
    assert_healthy(set_control(app, "model", "cgan-mlp"))
    assert pictures(app)


@pytest.mark.parametrize("losses", [{}, {f"<b>{i}": 1.0 for i in range(12)}], ids=["none", "many"])
def test_losses_of_any_number_and_name_break_nothing(losses: dict[str, float], weights: Path) -> None:
    past = read_history("vae-cnn")
    records = [{"epoch": epoch, "losses": losses} for epoch in range(1, max(past.sample_epochs) + 1)]
    kept = {"epochs": records, "sample_epochs": past.sample_epochs}
    (weights / "vae-cnn" / "history.json").write_text(json.dumps(kept))
    app = open_page("history", {"model": "vae-cnn"})
    assert_healthy(app)
    assert len(charts(app)) == bool(losses)
    assert "<b>11 <b>" not in "".join(each.proto.body for each in app.get("html"))


# Leaderboard ------------------------------------------------------------------------------------------------------


def test_every_model_is_on_the_board_and_on_the_scatter() -> None:
    app = open_page("leaderboard")
    assert_healthy(app)
    table = app.dataframe[0].value
    assert sorted(table["model"]) == sorted([*SHIPPED, REAL, RANDOM])
    ranked = table[~table["model"].isin([REAL, RANDOM])]["fd"].to_numpy()
    assert (np.diff(ranked) >= 0).all()
    (chart,) = charts(app)
    *traces, phone, wide = chart["data"]
    families = [points for points in traces if points.get("name")]
    others = {name for points in traces if not points.get("name") for name in points["hovertext"]}
    assert "vae-cnn, another training" in others
    assert sorted(name for points in families for name in points["hovertext"]) == sorted(SHIPPED)
    marks = {(points["marker"]["color"], points["marker"]["symbol"]) for points in families}
    assert len(marks) == len(families)
    assert 5 < len(phone["text"]) < len(wide["text"]) <= len(SHIPPED)


@pytest.mark.parametrize("against", ["size", "time to sample", "time to train"])
def test_the_scatter_is_against_the_chosen_cost(against: str) -> None:
    (plain,), (chosen,) = (charts(open_page("leaderboard", query)) for query in ({}, {"against": against}))
    assert (plain == chosen) == (against == "size")


@pytest.mark.parametrize("page", ["home", "generate", "compare", "history", "leaderboard"])
def test_a_model_with_hardly_a_figure_is_still_shown(page: str, weights: Path) -> None:
    (weights / "cgan-mlp" / "metrics.json").write_text('{"fd": 5.0}')
    assert_healthy(open_page(page))


def test_files_of_the_older_protocol_leave_blanks(weights: Path) -> None:
    path = weights / "cgan-mlp" / "metrics.json"
    known = json.loads(path.read_text())
    older = {key: known[key] for key in ("fd", "fd_std", "fd_floor", "fd_raw", "parameters", "ms_64", "train_epochs")}
    path.write_text(json.dumps(older))
    app = open_page("leaderboard", {"metric": "Precision"})
    assert_healthy(app)
    table = app.dataframe[0].value.set_index("model")
    assert table["fd"].notna().all()
    assert table["precision"].isna().to_dict() == {"vae-cnn": False, "cgan-mlp": True, REAL: False, RANDOM: False}
    assert any("not applicable: cgan-mlp" in each.value for each in app.caption)


def test_no_figures_at_all_break_nothing(weights: Path) -> None:
    for name in ("cgan-mlp", "vae-cnn"):
        (weights / name / "metrics.json").unlink()
    app = open_page("leaderboard")
    assert_healthy(app)
    assert ["genlib evaluate" in each.value for each in app.info] == [True]


def test_without_the_photographs_figures_there_is_one_line(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floor, "FILE", tmp_path / "floor.json")
    floor._read.cache_clear()
    app = open_page("leaderboard")
    assert not app.exception
    (told,) = (each.value for each in app.warning)
    assert told.startswith("There is no leaderboard: floor.json is not readable JSON")


def test_own_files_of_any_kind_break_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures beyond a float and beyond a table's whole numbers, an archive that is none, and one of too few images."""
    few = npz_bytes(images=np.zeros((9, 28, 28), np.uint8))
    given = {
        "far.json": b'{"fd": 1%s}' % (b"0" * 400),
        "large.json": b'{"fd": 1%s}' % (b"0" * 30),
        "zero.json": b'{"fd": 0}',
        "below.json": b'{"fd": -1}',
        "deep.json": b"[[],%s[]]" % (b"[]," * 40_000),
        "half.json": b'{"fd": 3.5, "samples": -2.5}',
        "dcgan-32.json": b'{"fd": 3.5, "samples": 10000, "precision": null}',
    }
    monkeypatch.setattr(own_samples, "MOST_FILES", 10)
    files = [SimpleNamespace(name=name, getvalue=lambda data=data: data) for name, data in given.items()]
    files += [
        SimpleNamespace(name=name, getvalue=lambda data=data: data)
        for name, data in {"torn.npz": few[:100], "few.npz": few}.items()
    ]
    monkeypatch.setattr("ui.own_samples.st.file_uploader", lambda *_, **__: files)
    app = open_page("leaderboard")
    assert not app.exception
    assert [each.value.split()[0].rstrip(":") for each in app.error] == [*list(given)[:-1], "torn.npz", "a"]
    table = app.dataframe[0].value
    (own,) = [row for _, row in table[table["model"] == "dcgan-32"].iterrows() if row["family"] == own_samples.FAMILY]
    assert own["fd"] == 3.5
    assert not isinstance(own["strip"], str)  # which would be the zoo's model's of that name


def test_the_server_takes_as_large_a_file_as_the_page_offers() -> None:
    server = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["server"]
    assert own_samples.MOST * 28 * 28 < 1e6 * own_samples.MEGABYTES <= 1e6 * server["maxUploadSize"]


# Dataset ----------------------------------------------------------------------------------------------------------


def test_the_counts_and_the_histogram_are_of_the_whole_split() -> None:
    app = open_page("dataset", {"view": "classes"})
    assert_healthy(app)
    counts, histogram = charts(app)
    assert counts["data"][0]["y"] == [1_000] * 10
    assert sum(histogram["data"][0]["y"]) == pytest.approx(100)


def test_all_test_images_are_points_in_their_class_colour() -> None:
    app = open_page("dataset", {"view": "components"})
    assert_healthy(app)
    scatter, _ = charts(app)
    assert [points["name"] for points in scatter["data"]] == list(CLASS_NAMES)
    assert {points["type"] for points in scatter["data"]} == {"scattergl"}


def test_the_neighbours_are_the_nearest_others() -> None:
    app = open_page("dataset", {"view": "neighbours", "image": 17})
    assert_healthy(app)
    test = FashionMNIST.load("test")
    rows = nearest(test.images[[17]], test.images, 10)[1][0]
    assert rows[0] == 17
    (html,) = (each.proto.body for each in app.get("html") if 'class="genlib-heads"' in each.proto.body)
    heads = re.findall("<span>(.*?)</span>", html)
    assert heads[0] == f"this: {CLASS_NAMES[test.labels[17]]}"
    assert [head.rsplit(" ", 1)[0] for head in heads[1:]] == [CLASS_NAMES[test.labels[row]] for row in rows[1:]]


def test_without_the_training_split_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    available = FashionMNIST.available
    monkeypatch.setattr(FashionMNIST, "available", staticmethod(lambda split: split == "test" and available(split)))
    app = open_page("dataset", {"split": "train"})
    assert_healthy(app)
    assert ["not on this machine" in each.value for each in app.info] == [True]
    assert pictures(app) == pictures(open_page("dataset"))


def test_the_data_set_needs_no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path))
    app = open_page("dataset")
    assert_healthy(app)
    assert pictures(app)


def test_no_two_names_on_the_scatter_share_a_place() -> None:
    """Seven models at one spot: four are named, the first of them; a model on its own always is."""
    rows = [{"model": f"model-{i}", "fd": 8.0, "parameters": 1e5} for i in range(7)]
    rows.append({"model": "alone", "fd": 2.0, "parameters": 1e6})
    named = names(rows, Board(Leaderboard(), rows, rows[0]), PLOT)
    assert named["text"] == [*(f"model-{i}" for i in range(4)), "alone"]
    assert len(set(named["textposition"][:4])) == 4
