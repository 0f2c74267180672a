"""Latent space, Discriminator, Diversity and Mixtures in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, expect

from genlib.data import CLASS_NAMES
from tests.pages.test_browser import (
    Visit,
    download,
    follow,
    picture_bytes,
    pictures,
    profile,  # noqa: F401  a fixture that `visit` needs
    root_of,
    shared_link,
    slide,
    source,
    visit,  # noqa: F401  a fixture
    wait_for_pictures,
)
from ui.controls import DEFAULT_MODEL

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def drawn_charts(page: Page, count: int) -> Locator:
    """The page's charts, once there are as many and drawn."""
    charts = page.get_by_test_id("stPlotlyChart")
    expect(charts).to_have_count(count)
    for chart in charts.all():
        expect(chart.locator(".main-svg").first).to_be_visible()
    return charts


def drag_over(page: Page, chart: Locator) -> None:
    """A box over the middle of a scatter."""
    chart.scroll_into_view_if_needed()
    box = chart.locator(".nsewdrag").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 60, y - 60)
    page.mouse.down()
    page.mouse.move(x, y, steps=4)
    page.mouse.move(x + 60, y + 60, steps=4)
    page.mouse.up()


@pytest.mark.parametrize("query", ["", "?points=10000&model=gmm-10"])
def test_selected_points_show_their_pictures(query: str, visit: Visit) -> None:  # noqa: F811
    page = visit(f"/latent{query}")
    charts = drawn_charts(page, 1 if query else 2)
    expect(charts.first.locator("canvas.gl-canvas").first).to_be_attached()
    shown = pictures(page).first
    before = source(shown)
    drag_over(page, charts.first)
    expect(pictures(page).first).to_have_attribute("alt", re.compile(r"^\d+ (samples|test images) selected"))
    assert source(pictures(page).first) != before
    wait_for_pictures(page)


def test_three_dimensions_turn_and_one_class_stands_out(visit: Visit) -> None:  # noqa: F811
    page = visit("/latent?model=vae-cnn&dims=3-D&label=4")
    chart = drawn_charts(page, 1).first
    expect(chart.locator("#scene canvas").first).to_be_attached()
    expect(pictures(page).first).to_have_attribute("alt", re.compile("^Coat: test images"))


def test_a_latent_link_gives_the_same_pictures(visit: Visit) -> None:  # noqa: F811
    page = visit("/latent?model=vae-cnn&label=8&points=500")
    friend = visit(shared_link(page).removeprefix(root_of(page)), stranger=True)
    assert picture_bytes(friend) == picture_bytes(page)
    drawn_charts(friend, 1)  # a stranger's browser is still fetching Plotly, which moves the page when it comes
    assert Path(download(friend, "PNG").path()).stat().st_size > 10_000
    with np.load(download(friend, "NPZ").path(), allow_pickle=False) as arrays:
        assert arrays["images"].shape == (500, 28, 28)


def test_the_pies_follow_the_threshold(visit: Visit) -> None:  # noqa: F811
    page = visit("/discriminator?images=500")
    pies = drawn_charts(page, 4).first
    expect(pies.locator(".slice")).to_have_count(6)
    before = pies.locator(".pielayer").text_content() or ""
    page.get_by_test_id("stSlider").locator('input[aria-label="Threshold"]').press("ArrowLeft")
    expect(pies.locator(".pielayer")).not_to_have_text(before)
    wait_for_pictures(page)
    assert parse_qs(urlsplit(page.url).query)["threshold"] == ["0.45"]


def test_each_class_has_its_row(visit: Visit) -> None:  # noqa: F811
    page = visit("/diversity")
    drawn_charts(page, 1)
    for name in CLASS_NAMES:
        expect(page.get_by_alt_text(f"10 samples of class {name} by {DEFAULT_MODEL}, seed 0")).to_be_visible()
    page.get_by_text("Nearest photographs", exact=True).click()
    expect(page.get_by_alt_text(re.compile("images nearest to the samples above"))).to_have_count(10)
    wait_for_pictures(page)


def test_components_are_sampled_one_by_one(visit: Visit) -> None:  # noqa: F811
    page = visit("/mixtures?model=gmm-10&component=2")
    drawn_charts(page, 1)
    before = picture_bytes(page)
    slide(page, "Temperature", "ArrowLeft")
    assert picture_bytes(page) != before
    page.get_by_label("Component", exact=True).fill("3")
    page.keyboard.press("Enter")
    expect(page.get_by_alt_text("20 samples of component 3 of gmm-10, seed 0")).to_be_visible()
    wait_for_pictures(page)


def test_switching_to_a_page_without_the_model_and_back(visit: Visit) -> None:  # noqa: F811
    page = visit("/generate?model=vae-cnn")
    for title, name in (("Discriminator", DEFAULT_MODEL), ("Mixtures", "gmm-10"), ("Generate", "vae-cnn")):
        follow(page, title)
        expect(page.get_by_role("heading", name=title)).to_be_visible()
        wait_for_pictures(page)
        expect(page.get_by_role("combobox", name="Model", exact=True)).to_have_value(name)


def sideways_shirt(path: Path) -> None:
    """A shirt, dark blue on white, as a telephone held sideways writes it."""
    picture = Image.new("RGB", (1500, 2000), (244, 244, 242))
    half = [(0.38, 0.18), (0.30, 0.22), (0.12, 0.42), (0.22, 0.50), (0.30, 0.42), (0.30, 0.85)]
    outline = [*half, *[(1 - x, y) for x, y in reversed(half)]]
    ImageDraw.Draw(picture).polygon([(1500 * x, 2000 * y) for x, y in outline], fill=(30, 40, 90))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.transpose(Image.Transpose.ROTATE_90).save(path, quality=85, exif=exif)


def test_a_photograph_becomes_an_image_under_ones_own_hand(visit: Visit, tmp_path: Path) -> None:  # noqa: F811
    sideways_shirt(tmp_path / "shirt.jpg")
    (tmp_path / "iphone.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(1000))
    page = visit("/reconstruct?model=vae-cnn&of=your+own+file")
    expect(page.get_by_text("Save a HEIC picture as JPEG first")).to_be_visible()
    upload = page.locator("input[type=file]")
    upload.set_input_files(tmp_path / "iphone.jpg")
    expect(page.get_by_text("iphone.jpg: this is a HEIC picture")).to_be_visible()
    upload.set_input_files(tmp_path / "shirt.jpg")
    seen = page.get_by_alt_text("Your picture as the models see it, 28 x 28 pixels")
    expect(page.get_by_text("turned upright, as its camera noted; inverted")).to_be_visible()
    wait_for_pictures(page)
    with np.load(download(page, "NPZ").path(), allow_pickle=False) as arrays:
        (image,) = arrays["images"]
        assert arrays["labels"].tolist() == [0]  # a T-shirt, says the classifier
    assert np.flatnonzero((image > 100).any(1)).tolist() == list(range(28))
    assert image[:, :2].max() == 0
    automatic = source(seen)
    back = page.get_by_role("button", name="Back to automatic")
    expect(back).to_be_disabled()
    across = page.get_by_test_id("stSlider").locator('input[aria-label="Crop: across"]')
    across.press("End")
    expect(seen).not_to_have_attribute("src", automatic)
    page.get_by_test_id("stSlider").locator('input[aria-label="Crop: size"]').press("Home")
    expect(page.get_by_text("there is nothing in the crop but background")).to_be_visible()
    expect(seen).to_have_count(0)
    back.click()
    expect(seen).to_have_attribute("src", automatic)
    assert "shirt" not in shared_link(page)
    page.get_by_text("dark background", exact=True).click()
    expect(page.get_by_text("nothing in the crop is lighter than the background")).to_be_visible()
