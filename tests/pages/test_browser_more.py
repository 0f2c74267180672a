"""Same question, Reconstruct and Findings in a real browser: the search, one's own picture, the canvas, the links."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.pages.test_apptest_more import own_png
from tests.pages.test_browser import (
    SHIPPED,
    Visit,
    assert_no_traceback,
    main_picture,
    picture_bytes,
    pictures,
    profile,
    root_of,
    shared_link,
    source,
    visit,
    wait_for_pictures,
)

__all__ = ["profile", "visit"]  # fixtures
pytestmark = [pytest.mark.browser, pytest.mark.slow]


def picture(page: Page, words: str) -> Locator:
    return page.get_by_test_id("stImage").locator(f'img[alt*="{words}"]').first


def test_every_model_answers_the_same_question(visit: Visit) -> None:
    page = visit("/compare?label=Trouser")
    expect(page.locator('[data-testid="stImage"] img[alt*=" samples of "]')).to_have_count(
        len([name for name in SHIPPED if name != "ae-cnn"])
    )
    before = picture_bytes(page)
    page.locator(".st-key-dice button").filter(visible=True).click()
    expect(main_picture(page)).not_to_have_attribute("alt", re.compile("seed 0$"))
    wait_for_pictures(page)
    assert picture_bytes(page) != before
    assert "seed" in parse_qs(urlsplit(page.url).query)
    friend = visit(shared_link(page).removeprefix(root_of(page)), stranger=True)
    assert picture_bytes(friend) == picture_bytes(page)


def test_a_search_ends_in_a_picture(visit: Visit) -> None:
    page = visit("/reconstruct?model=vae-cnn")
    page.get_by_role("combobox", name="Model", exact=True).click()
    page.get_by_role("option", name="cgan-mlp", exact=True).click()
    expect(picture(page, "reconstructed by cgan-mlp")).to_be_visible()
    wait_for_pictures(page)
    expect(page.get_by_role("button", name="Stop searching")).to_have_count(0)
    expect(picture(page, "reconstructed by cgan-mlp")).to_be_visible()


def test_an_own_file_is_given_back(visit: Visit) -> None:
    page = visit("/reconstruct?model=vae-cnn&of=your+own+file")
    choose_file = page.get_by_test_id("stFileUploader").locator("input[type=file]")
    choose_file.set_input_files({"name": "boot.png", "mimeType": "image/png", "buffer": own_png()})
    expect(picture(page, "Your picture as the models see it")).to_be_visible()
    expect(picture(page, "picture of your own reconstructed by vae-cnn")).to_be_visible()
    choose_file.set_input_files({"name": "bad.png", "mimeType": "image/png", "buffer": b"years of work"})
    expect(page.get_by_text("bad.png: this is no PNG, JPEG or WebP picture")).to_be_visible()
    expect(picture(page, "10 test images reconstructed by vae-cnn")).to_be_visible()
    assert_no_traceback(page)


def test_a_drawing_is_given_back_stroke_by_stroke(visit: Visit) -> None:
    page = visit("/reconstruct?model=vae-cnn&of=your+drawing")
    canvas = page.get_by_role("img", name="A black square")
    draw(page, canvas, (0.3, 0.2), (0.3, 0.8))
    drawn = picture(page, "picture of your own reconstructed by vae-cnn")
    expect(drawn).to_be_visible()
    before = source(drawn)
    draw(page, canvas, (0.3, 0.2), (0.7, 0.7))
    expect(drawn).not_to_have_attribute("src", before)
    wait_for_pictures(page)
    page.get_by_role("button", name="Clear").click()
    expect(picture(page, "10 test images reconstructed by vae-cnn")).to_be_visible()


def draw(page: Page, canvas: Locator, start: tuple[float, float], end: tuple[float, float]) -> None:
    """One stroke, places as shares of the canvas."""
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[1], steps=5)
    page.mouse.up()


def test_a_verdict_leads_to_its_claim_and_on(visit: Visit) -> None:
    page = visit("/findings")
    tile = page.locator('.genlib-verdicts a[href="#claim-12"]')
    tile.click()
    expect(page.get_by_role("heading", name=re.compile("^12\\."))).to_be_in_viewport()
    link = page.get_by_role("link", name="Shirt to Coat")
    address = urlsplit(link.evaluate("element => element.href"))
    assert address.path == "/interpolate"
    there = visit(f"{address.path}?{address.query}")
    expect(main_picture(there)).to_have_attribute("alt", re.compile("from Shirt to Coat"))


@pytest.mark.parametrize("path", ["/compare", "/reconstruct?model=vae-cnn", "/findings"])
def test_nothing_is_without_a_description(path: str, visit: Visit) -> None:
    page = visit(path)
    for image in pictures(page).all():
        assert image.get_attribute("alt")
