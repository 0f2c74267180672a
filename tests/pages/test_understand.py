"""Latent space, Discriminator, Diversity and Mixtures through Streamlit's test runner: what is theirs alone."""

from __future__ import annotations

import base64
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from genlib.analysis.components import contents
from genlib.analysis.discriminator import judge
from genlib.analysis.latent import load_fits
from genlib.data import CLASS_NAMES, FashionMNIST
from genlib.loading import load
from tests.pages.studio import ROOT, assert_healthy, controls, go_to, offers, open_page, pictures, set_control
from tests.pages.test_apptest import UNDERSTAND
from tests.pages.test_snippets import Seen, gray, run_snippet
from tests.pages.test_snippets import seen as seen
from tests.tiny import SHIPPED, save_tiny, thinned
from ui.controls import DEFAULT_MODEL
from ui.pictures import tiles_png

OFFERED = [(page, name) for page in UNDERSTAND for name in SHIPPED if offers(page, name)]


def first(cases: list[tuple], page: str) -> tuple:
    """A page's first case."""
    return next(case for case in cases if case[0] == page)


def is_needed(page: str, name: str) -> bool:
    """One of the small models of each kind of space; else the page's first."""
    spaces = ("cgan-mlp", "vae-cnn", "gmm-10", "ae-gmm-2")
    return name in spaces if page == "latent" else (page, name) == first(OFFERED, page)


def charts(app: AppTest) -> list[dict]:
    """The page's Plotly figures."""
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def numbers(values: list | dict) -> list:
    """A trace's numbers, which Plotly writes in binary where they were an array."""
    if isinstance(values, list):
        return values
    return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]).tolist()


def ship_untrained_gan(weights: Path) -> None:
    """A GAN without classes, as small as it gets."""
    (weights / "gan-dense-1").mkdir()
    save_tiny(weights / "gan-dense-1", "gan-dense-1")


@pytest.mark.parametrize(("page", "name"), thinned(OFFERED, is_needed))
def test_a_page_shows_every_model_it_offers(page: str, name: str) -> None:
    app = open_page(page, {"model": name})
    assert_healthy(app)
    assert controls(app)["model"] == name
    assert pictures(app)
    assert f'("{name}"' in app.code[1].value
    assert charts(app)
    assert all(chart.proto.alt for chart in app.get("plotly_chart"))
    (picker,) = (each for each in app.selectbox if each.key == "model")
    assert sorted(picker.options) == sorted(each for each in SHIPPED if offers(page, each))


NEEDED_CHANGES = {
    "latent": ("dims",),
    "discriminator": ("threshold",),
    "diversity": ("per", "near"),
    "mixtures": ("t",),
}
CHANGES = [
    *(("latent", name, key, value) for name in ("cgan-mlp", "vae-cnn", "gmm-10") for key, value in (("points", 500),)),
    ("latent", "cgan-mlp", "seed", 1),
    ("latent", "cgan-mlp", "dims", "3-D"),
    ("latent", "gmm-10", "label", "Coat"),
    ("discriminator", "cgan-mlp", "threshold", 0.45),
    ("discriminator", "cgan-mlp", "images", 500),
    ("discriminator", "cgan-mlp", "seed", 1),
    ("diversity", "cgan-mlp", "seed", 1),
    ("diversity", "cgan-mlp", "per", 5),
    ("diversity", "vae-cnn", "near", True),
    ("mixtures", "gmm-10", "component", 3),
    ("mixtures", "gmm-10", "t", 0.5),
    ("mixtures", "gmm-10", "seed", 1),
]


@pytest.mark.parametrize(
    ("page", "name", "key", "value"), thinned(CHANGES, lambda page, name, key, value: key in NEEDED_CHANGES[page])
)
def test_a_control_changes_what_is_shown_and_back(page: str, name: str, key: str, value: object) -> None:
    app = open_page(page, {"model": name})
    before, default = (charts(app), pictures(app)), controls(app)[key]
    set_control(app, key, value)
    assert_healthy(app)
    assert (charts(app), pictures(app)) != before
    set_control(app, key, default)
    assert (charts(app), pictures(app)) == before


CODES = [
    ("latent", {"model": "cgan-mlp", "points": "500"}),
    ("latent", {"points": "500"}),
    ("latent", {"points": "500", "label": "Coat", "seed": "3"}),
    ("latent", {"model": "gmm-10", "points": "500"}),
    ("latent", {"model": "vae-cnn", "points": "500", "dims": "3-D"}),
    ("discriminator", {"model": "cgan-mlp", "images": "500", "threshold": "0.4"}),
    ("discriminator", {"images": "500"}),
    ("discriminator", {"model": "dcgan-32", "images": "500", "norm": "batch"}),
    ("diversity", {"model": "cgan-mlp", "per": "5", "seed": "2"}),
    ("diversity", {"model": "vae-cnn", "near": "true"}),
    ("mixtures", {"component": "4", "t": "0.6", "seed": "5"}),
    ("leaderboard", {}),
    ("leaderboard", {"metric": "Recall", "against": "time to sample"}),
]


@pytest.mark.parametrize(("page", "query"), thinned(CODES, lambda *case: case == first(CODES, case[0])))
def test_the_code_makes_the_picture_that_is_downloaded(
    page: str,
    query: dict[str, str],
    seen: Seen,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert_healthy(open_page(page, query))
    directory = tmp_path / "empty"
    directory.mkdir()
    made, downloaded = run_snippet(seen.code, directory, monkeypatch), gray(seen.files["png"]())
    assert made.shape == downloaded.shape
    assert np.abs(made - downloaded).max() <= 1
    for kind in seen.files.keys() - {"png"}:
        assert seen.files[kind]()


@pytest.mark.parametrize("name", ["vae-cnn", "gmm-10"])
def test_a_model_a_page_lacks_is_set_aside_and_comes_back(name: str) -> None:
    app = set_control(open_page("generate"), "model", name)
    for page in ("discriminator", "mixtures", "discriminator"):
        assert_healthy(go_to(app, page))
        assert controls(app)["model"] == (
            name if offers(page, name) else "gmm-10" if page == "mixtures" else DEFAULT_MODEL
        )
    assert controls(go_to(app, "generate"))["model"] == name


@pytest.mark.slow
def test_a_model_chosen_instead_is_the_choice() -> None:
    app = set_control(open_page("generate"), "model", "gmm-10")
    go_to(app, "discriminator")
    others = [name for name in SHIPPED if offers("discriminator", name) and name != controls(app)["model"]]
    for name in others[:1]:
        set_control(app, "model", name)
        assert controls(go_to(app, "generate"))["model"] == name


# Latent space -----------------------------------------------------------------------------------------------------


def test_every_point_is_drawn_once_in_its_class_colour() -> None:
    app = open_page("latent", {"points": 500})
    assert len(charts(app)) == 2  # after and before the non-linearity
    for chart in charts(app):
        assert sum(len(numbers(each["x"])) for each in chart["data"]) == 500
        assert [each["name"] for each in chart["data"]] == list(CLASS_NAMES)
        assert {each["type"] for each in chart["data"]} == {"scattergl"}
        assert len({each["marker"]["color"] for each in chart["data"]}) == 10


@pytest.mark.parametrize(("name", "told"), [("cgan-mlp", True), ("dcgan-32", False)])
def test_what_an_untrained_network_tells_apart_stands_beside(name: str, told: bool) -> None:
    """Where the layer is told the class: what it tells apart says little of what was learned."""
    shares = [
        each.value for each in open_page("latent", {"model": name, "points": 500}).markdown if "apart" in each.value
    ]
    assert len(shares) == 2
    for text, fit in zip(shares, reversed(load_fits(name).values()), strict=True):
        beside = [f"{100 * share:.1f}\N{NO-BREAK SPACE}%" for share in fit.untrained or ()]
        assert ("Before any training: " + " and ".join(beside) in text) is told


def test_one_class_stands_before_the_others() -> None:
    after, before = charts(open_page("latent", {"label": "Coat", "points": 500}))
    for chart in (after, before):
        assert [each["name"] for each in chart["data"]] == ["Other classes", "Coat"]


def test_a_mixture_has_an_ellipse_for_each_component() -> None:
    (chart,) = charts(open_page("latent", {"model": "gmm-10", "points": 500}))
    assert sum(each["mode"] == "lines" for each in chart["data"]) == 10


def test_a_gan_without_classes_says_who_names_them(weights: Path) -> None:
    ship_untrained_gan(weights)
    app = open_page("latent", {"model": "gan-dense-1", "points": 500})
    assert_healthy(app)
    assert any("classifier sees" in each.value for each in app.caption)
    assert len(charts(app)) == 2
    assert_healthy(set_control(app, "label", "Trouser"))


# Discriminator ----------------------------------------------------------------------------------------------------


def test_the_pies_are_the_judgement() -> None:
    app = open_page("discriminator", {"images": 500, "threshold": 0.4})
    found = judge(DEFAULT_MODEL, 500, 0).pies(0.4)
    pies = charts(app)[0]["data"]
    assert [pie["values"][0] for pie in pies] == pytest.approx(list(found.values()), abs=0.02)
    assert any("*raw* generator" in each.value and "Dropout is off" in each.value for each in app.caption)


def test_a_gan_without_classes_is_judged_too(weights: Path) -> None:
    ship_untrained_gan(weights)
    app = open_page("discriminator", {"images": 500})
    assert_healthy(app)
    assert any("classifier sees" in each.value for each in app.markdown)


# Diversity --------------------------------------------------------------------------------------------------------


def test_an_empty_row_is_shown_as_such(weights: Path) -> None:
    ship_untrained_gan(weights)
    app = open_page("diversity")
    assert_healthy(app)
    empty = [each.value for each in app.caption if "an empty row" in each.value]
    rows = [html.proto.body for html in app.get("html") if "% of draws" in html.proto.body]
    assert len(rows) == 10
    assert len(empty) == sum("0.0 % of draws" in row for row in rows) > 0


def test_without_the_training_split_the_page_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FashionMNIST, "available", staticmethod(lambda split: split == "test"))
    app = open_page("diversity", {"per": 4})
    assert_healthy(app)
    assert any("training split is not on this machine" in each.value for each in app.caption)


def test_a_training_split_that_cannot_be_read_is_no_dead_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genlib.data.fashion_mnist._loaded", {})
    monkeypatch.setenv("GENLIB_DATA", "/nowhere")
    app = open_page("diversity", {"per": 4})
    assert_healthy(app)
    assert any("training split" in each.value for each in app.caption)


# Mixtures ---------------------------------------------------------------------------------------------------------


def test_the_bars_count_every_test_image_once() -> None:
    chart = charts(open_page("mixtures", {"model": "gmm-10"}))[0]
    held = contents(load("gmm-10")).classes
    assert [bar["name"] for bar in chart["data"]] == list(CLASS_NAMES)
    assert [sum(numbers(bar["y"])) for bar in chart["data"]] == held.sum(0).tolist()
    assert int(held.sum()) == 10_000


def ship_latent_mixtures(weights: Path, *sizes: str) -> None:
    """Untrained mixtures of one family; the searched one has a curve, with a fit that failed."""
    for size in sizes:
        directory = weights / f"vae-gmm-{size}"
        directory.mkdir()
        save_tiny(directory, directory.name)
        figures = json.loads((ROOT / "weights" / "vae-cnn" / "metrics.json").read_text())
        figures |= {"components": 2, "log_likelihood": -1.0, "bic": 12345.0}
        if size == "best":
            curve = [[None, *(float(abs(k - 7)) for k in range(2, 21))], [float(k) for k in range(1, 21)]]
            figures["bic_curve"] = {"regularisation": [1e-4, 1e-3], "bic": curve}
        (directory / "metrics.json").write_text(json.dumps(figures))


@pytest.mark.parametrize("sizes", [("2",), ("2", "18"), ("best",), ("2", "11", "18", "best")])
def test_any_subset_of_a_family_is_shown(sizes: tuple[str, ...], weights: Path) -> None:
    ship_latent_mixtures(weights, *sizes)
    app = open_page("mixtures")
    assert_healthy(app)
    strips = [each.value for each in app.caption if each.value.startswith("**vae-gmm")]
    assert [strip.split("**")[1] for strip in strips] == (
        [f"vae-gmm-{size}" for size in sizes] if len(sizes) > 1 else []
    )
    curves = [chart for chart in charts(app) if any(len(each["x"]) == 20 for each in chart["data"])]
    assert len(curves) == ("best" in sizes)
    if curves:
        stars = [each for each in curves[0]["data"] if each["mode"] == "markers"]
        assert [each["x"] for each in stars] == [[7], [1]]


def test_a_component_out_of_reach_is_the_first(weights: Path) -> None:
    for name in ("gmm-10", "vae-gmm-2"):
        shutil.copytree(ROOT / "weights" / name, weights / name)
    app = open_page("mixtures", {"model": "gmm-10", "component": 9})
    assert controls(app)["component"] == 9
    set_control(app, "model", "vae-gmm-2")
    assert_healthy(app)
    assert controls(app)["component"] in (1, 2)


def test_colours_look_the_same_on_white_and_leave_it_out() -> None:
    colours = np.stack(
        [np.full((28, 28, 3), each, np.uint8) for each in [(255, 255, 255), (0, 90, 178), (240, 176, 120)]]
    )
    seen = Image.open(io.BytesIO(tiles_png(colours, 3, 1, 0)))
    white = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")
    expected = np.concatenate(list(colours), axis=1).astype(int)
    assert np.abs(np.asarray(white).astype(int) - expected).max() <= 1
    assert not np.asarray(seen)[:, :28, 3].any()
