"""Training history, Leaderboard and Dataset in a real browser."""

from __future__ import annotations

import csv
import re
from itertools import combinations
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from genlib.analysis.history import read_history
from genlib.data import FashionMNIST
from genlib.images import grid
from genlib.zoo.leaderboard import leaderboard
from tests.pages.test_browser import (
    Visit,
    assert_same_grays,
    choose,
    download,
    main_picture,
    on_white,
    picture_bytes,
    profile,  # noqa: F401  a fixture that `visit` needs
    root_of,
    shared_link,
    slide,
    visit,  # noqa: F401  a fixture
    wait_for_pictures,
)
from tests.tiny import SHIPPED, SHIPPED_PER_FAMILY, thinned
from ui.controls import DEFAULT_MODEL

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def drawn_charts(page: Page, fewest: int) -> list[str]:
    """The page's charts as drawn, once there are as many as that."""
    charts = page.get_by_test_id("stPlotlyChart")
    if fewest:
        expect(charts.nth(fewest - 1)).to_be_visible()
    for chart in charts.all():
        expect(chart.locator(".main-svg").first).to_be_visible()
    return [chart.inner_html() for chart in charts.all()]


def test_the_scrubber_moves_samples_and_markers(visit: Visit) -> None:  # noqa: F811
    page = visit("/history")
    before, charts = picture_bytes(page), drawn_charts(page, 2)
    slide(page, "Epoch", "Home")
    expect(main_picture(page)).to_have_attribute("alt", re.compile("after epoch 1,"))
    assert parse_qs(urlsplit(page.url).query)["epoch"] == ["1"]
    assert picture_bytes(page) != before
    assert all(a != b for a, b in zip(drawn_charts(page, 2), charts, strict=True))


def test_a_moment_is_shared_and_taken_home(visit: Visit) -> None:  # noqa: F811
    page = visit(f"/history?model={DEFAULT_MODEL}")
    slide(page, "Epoch", "ArrowLeft")
    friend = visit(shared_link(page).removeprefix(root_of(page)), stranger=True)
    assert picture_bytes(friend) == picture_bytes(page)
    past = read_history(DEFAULT_MODEL)
    saved = Path(download(friend, "PNG").path()).read_bytes()
    assert_same_grays(on_white(saved), grid(past.at(past.sample_epochs[-2]).flatten(0, 1), 10, 4, 4))
    rows = list(csv.DictReader(Path(download(friend, "CSV").path()).read_text("utf-8").splitlines()))
    assert [int(row["epoch"]) for row in rows] == list(range(1, len(rows) + 1))


@pytest.mark.parametrize(("name",), thinned(zip(SHIPPED, strict=True), lambda name: name in SHIPPED_PER_FAMILY))
def test_every_model_shows_its_samples_first(name: str, visit: Visit) -> None:  # noqa: F811
    page = visit(f"/history?model={name}")
    expect(main_picture(page)).to_be_in_viewport()
    drawn_charts(page, 2)
    box, chart = main_picture(page).bounding_box(), page.get_by_test_id("stPlotlyChart").first.bounding_box()
    assert box is not None and chart is not None
    assert box["y"] < chart["y"]


def test_the_leaderboard_ranks_by_what_is_chosen(visit: Visit) -> None:  # noqa: F811
    page = visit("/leaderboard")
    (chart,) = drawn_charts(page, 1)
    named = [name for name in SHIPPED if name in chart]  # where there is room; the best come first
    assert DEFAULT_MODEL in named
    assert len(named) > len(SHIPPED) / 2
    expect(page.get_by_test_id("stDataFrame").locator("canvas").first).to_be_visible()
    page.get_by_role("combobox", name="Quality", exact=True).click()
    page.get_by_role("option", name="Reconstruction error", exact=True).click()
    expect(main_picture(page)).not_to_have_attribute("alt", re.compile(DEFAULT_MODEL))
    wait_for_pictures(page)
    assert parse_qs(urlsplit(page.url).query)["metric"] == ["Reconstruction error"]
    assert Path(download(page, "PNG").path()).stat().st_size > 10_000
    rows = list(csv.DictReader(Path(download(page, "CSV").path()).read_text("utf-8").splitlines()))
    assert {row["model"] for row in rows} == {"real training images", *SHIPPED}


def test_the_browser_draws_by_class_and_seed(visit: Visit) -> None:  # noqa: F811
    page = visit("/dataset")
    before = picture_bytes(page)
    choose(page, "Class", "Bag", "Bag, seed 0")
    assert picture_bytes(page) != before
    with np.load(download(page, "NPZ").path(), allow_pickle=False) as arrays:
        images = arrays["images"]
    bags = FashionMNIST.load("test").images[FashionMNIST.load("test").labels == 8].numpy()
    assert len(images) == 40
    assert all((bags == image).all(axis=(1, 2)).any() for image in images)


@pytest.mark.parametrize("view", ["classes", "components", "neighbours"])
def test_every_view_of_the_data_set_draws(view: str, visit: Visit) -> None:  # noqa: F811
    page = visit(f"/dataset?view={view}")
    expect(main_picture(page)).to_be_in_viewport()
    expected = 0 if view == "neighbours" else 2
    charts = drawn_charts(page, expected)
    assert len(charts) == expected
    if view == "components":
        expect(page.locator(".gl-canvas").first).to_be_attached()
        assert charts[0].count('class="traces"') == 10  # the legend's classes


@pytest.mark.parametrize(("size", "best"), [((1280, 900), 3), ((390, 844), 1)], ids=["wide", "phone"])
def test_names_on_the_leaderboard_can_be_read(size: tuple[int, int], best: int, visit: Visit) -> None:  # noqa: F811
    page = visit("/leaderboard")
    page.set_viewport_size({"width": size[0], "height": size[1]})
    drawn_charts(page, 1)
    texts = page.locator(".st-key-trade-off .textpoint text:visible")
    expect(texts.first).to_be_visible()
    named = {each.text_content(): each.bounding_box() for each in texts.all()}
    board = [row["model"] for row in sorted(leaderboard()[1:], key=lambda row: row["fd"]) if row["model"] in SHIPPED]
    assert set(board[:best]) <= set(named)
    boxes = [box for box in named.values() if box]
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= size[0] for box in boxes)
    for a, b in combinations(boxes, 2):
        beside = a["x"] + a["width"] <= b["x"] + 2 or b["x"] + b["width"] <= a["x"] + 2
        assert beside or a["y"] + a["height"] <= b["y"] + 4 or b["y"] + b["height"] <= a["y"] + 4


def test_own_samples_are_measured_and_take_their_place(visit: Visit, tmp_path: Path) -> None:  # noqa: F811
    np.savez(tmp_path / "mine.npz", images=FashionMNIST.load("test").images[:600].numpy())
    np.savez(tmp_path / "floats.npz", images=np.zeros((20, 28, 28)))
    page = visit("/leaderboard")
    page.get_by_text("Put samples of your own generator beside these").click()
    page.locator("input[type=file]").set_input_files([tmp_path / "mine.npz", tmp_path / "floats.npz"])
    expect(page.get_by_text("floats.npz holds images of type float64")).to_be_visible()
    expect(
        page.get_by_text(re.compile(r"mine: Frechet distance 0\.\d\d, which would be place [1-4] of"))
    ).to_be_visible()
    expect(page.get_by_text("600 samples are few")).to_be_visible()
