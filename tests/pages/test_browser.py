"""The studio in a real browser, from a deep link to a downloaded file."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Download, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

import genlib
from genlib.analysis.directions import load_directions
from genlib.images import picture
from tests.pages.conftest import Server, serve
from tests.pages.studio import PAGES, SECTIONS
from tests.tiny import SHIPPED, SHIPPED_PER_FAMILY
from ui.controls import DEFAULT_MODEL

pytestmark = pytest.mark.browser

TIMEOUT = 60_000  # milliseconds, for one reaction of the page; a failing test alone waits that long
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
Visit = Callable[..., Page]
expect.set_options(timeout=TIMEOUT)


@pytest.fixture(scope="module")
def profile(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser that has been here before: its cache spares most tests the wait for the studio's scripts."""
    context = new_profile(chromium)
    yield context
    context.close()


def new_profile(chromium: Browser) -> BrowserContext:
    context = chromium.new_context(viewport=DESK, accept_downloads=True)
    context.set_default_timeout(TIMEOUT)
    return context


@pytest.fixture
def visit(chromium: Browser, profile: BrowserContext, server: Server) -> Iterator[Visit]:
    """Opens a path in a new tab, a session of its own; for a stranger, in a browser that has never been here.

    What a visitor must never see is looked for at the end.
    """
    tabs: list[Page] = []
    errors: list[str] = []
    printed = len(server.log.read_bytes())
    strangers: list[BrowserContext] = []

    def open_path(path: str, root: str = server.address, stranger: bool = False, phone: bool = False) -> Page:
        if stranger:
            strangers.append(new_profile(chromium))
        tab = (strangers[-1] if stranger else profile).new_page()
        tabs.append(tab)
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.set_viewport_size(PHONE if phone else DESK)
        tab.goto(root + path)
        wait_for_pictures(tab)
        return tab

    yield open_path
    for tab in tabs:
        assert_no_traceback(tab)
        tab.close()
    for context in strangers:
        context.close()
    assert not errors
    assert b"Traceback" not in server.log.read_bytes()[printed:]


def wait_for_pictures(page: Page) -> None:
    """Until the run is over and no part of the page waits for its script any more, which may come out of order."""
    expect(main_picture(page)).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)


def assert_no_traceback(page: Page) -> None:
    expect(page.get_by_test_id("stException")).to_have_count(0)
    text = page.locator("body").inner_text()
    for trouble in ("Traceback", "StreamlitAPIException", "encountered an error", "is not available"):
        assert trouble not in text


def pictures(page: Page) -> Locator:
    return page.get_by_test_id("stImage").locator("img")


def main_picture(page: Page) -> Locator:
    """Home's first card, Generate's grid (not a slider's thumbnail), Interpolate's frame under the slider, ..."""
    words = (" samples ", " of the way from ", " reconstructed by ", " images ")
    images = [f'[data-testid="stImage"] img[alt*="{each}"]' for each in words]
    return page.locator(", ".join([*images, ".genlib-verdicts", ".pictures canvas[aria-label]"])).first


def source(image: Locator) -> str:
    address = image.get_attribute("src")
    assert address
    return address


def picture_bytes(page: Page) -> bytes:
    """The main picture as the server sends it."""
    answer = page.request.get(source(main_picture(page)))
    assert answer.ok
    return answer.body()


def slide(page: Page, name: str, key: str) -> None:
    """Move a slider by one press of a key and wait for the picture to follow."""
    before = source(main_picture(page))
    page.get_by_test_id("stSlider").locator(f'input[aria-label="{name}"]').press(key)
    expect(main_picture(page)).not_to_have_attribute("src", before)
    wait_for_pictures(page)


def choose(page: Page, name: str, option: str, description: str) -> None:
    """Pick from a list by typing, since a long one shows a part, and wait for a picture so described."""
    box = page.get_by_role("combobox", name=name, exact=True)
    box.click()
    box.fill(option)
    page.get_by_role("option", name=option, exact=True).click()
    expect(main_picture(page)).to_have_attribute("alt", re.compile(re.escape(description)))
    wait_for_pictures(page)


def enter_seed(page: Page, seed: int) -> None:
    """Type a seed on Generate and wait for its picture."""
    page.get_by_label("Seed", exact=True).fill(str(seed))
    page.keyboard.press("Enter")
    expect(main_picture(page)).to_have_attribute("alt", re.compile(rf"seed {seed}$"))
    wait_for_pictures(page)


def value_of(page: Page, name: str) -> str:
    """What a list or a number field holds."""
    return page.get_by_label(name, exact=True).and_(page.locator("input")).input_value()


def go_to(page: Page, title: str) -> None:
    """Another page, by the menu."""
    follow(page, title)
    expect(page.get_by_role("heading", name=title).first).to_be_visible()
    wait_for_pictures(page)


def follow(page: Page, title: str) -> None:
    """Choose a page from its section of the menu."""
    page.get_by_test_id("stTopNav").get_by_role("button", name=SECTIONS[title]).click()
    page.get_by_role("menuitem", name=title, exact=True).click()


def open_popover(page: Page) -> Locator:
    page.get_by_role("button", name="Share & export").click()
    return page.get_by_test_id("stPopoverBody")


def close_popover(page: Page) -> None:
    """And see it closed: a click on its button while it is still open would close it, not open it again."""
    body = page.get_by_test_id("stPopoverBody")
    for _ in range(20):  # Streamlit misses a key that comes while it puts the page together anew
        page.keyboard.press("Escape")
        with suppress(PlaywrightTimeout):
            body.wait_for(state="hidden", timeout=3_000)
            return
    expect(body).to_be_hidden()


def shared_link(page: Page) -> str:
    code = open_popover(page).get_by_test_id("stCode").first.locator("code")
    expect(code).to_contain_text("http")
    link = code.inner_text().strip()
    close_popover(page)
    return link


def download(page: Page, kind: str) -> Download:
    """A file by its button, which is disabled until the files are made."""
    wait_for_pictures(page)
    popover = open_popover(page)
    with page.expect_download() as waiting:
        popover.get_by_role("button", name=kind).click()
    close_popover(page)
    return waiting.value


def on_white(png: bytes) -> np.ndarray:
    """A PNG's pixels as int (H, W), what is transparent in it on white."""
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return np.asarray(Image.alpha_composite(white, image).convert("L")).astype(int)


def assert_same_grays(a: np.ndarray, b: np.ndarray) -> None:
    """Equal but for rounding: the server and this process may sum in another order."""
    assert a.shape == b.shape
    assert np.abs(a.astype(int) - b.astype(int)).max() <= 1


# Home -------------------------------------------------------------------------------------------------------------


def shipped(page: Page) -> Locator:
    """The cards' pictures, less those of runs that another test of this studio has left."""
    return pictures(page).and_(page.locator(':not([alt*="runs/"])'))


@pytest.mark.slow
def test_home_shows_a_picture_of_every_model(visit: Visit) -> None:
    page = visit("/")
    shown = {image.get_attribute("alt"): source(image) for image in shipped(page).all()}
    assert sorted(shown) == sorted(f"20 samples of {name}" for name in SHIPPED)
    for address in shown.values():
        assert len(np.unique(on_white(page.request.get(address).body()))) > 20


@pytest.mark.slow
def test_a_card_opens_live_with_its_model(visit: Visit) -> None:
    """One of each family in turn by one visitor: the card wins over the model looked at before."""
    page = visit("/")
    for name in sorted({DEFAULT_MODEL, *SHIPPED_PER_FAMILY}):
        page.get_by_test_id("stPageLink").get_by_role("link", name=name, exact=True).click()
        expect(main_picture(page)).to_have_attribute("aria-label", re.compile(rf"by {name},"))
        assert urlsplit(page.url).path == "/live"
        assert value_of(page, "Model") == name
        wait_for_pictures(page)
        follow(page, "Home")
        expect(shipped(page)).to_have_count(len(SHIPPED))


@pytest.mark.slow
def test_the_menu_leads_to_every_page(visit: Visit) -> None:
    page = visit("/?model=vae-cnn")  # needs no search
    first, *others = SECTIONS
    assert (first, len(others)) == ("Home", len(PAGES) - 1)
    for title in others:
        go_to(page, title)
        assert_no_traceback(page)


# Generate ---------------------------------------------------------------------------------------------------------


def test_a_slider_changes_the_picture(visit: Visit) -> None:
    page = visit("/generate")
    before = picture_bytes(page)
    slide(page, "Temperature", "ArrowLeft")
    assert parse_qs(urlsplit(page.url).query)["t"] == ["0.95"]
    cooler = picture_bytes(page)
    slide(page, "Temperature", "ArrowRight")
    assert before == picture_bytes(page) != cooler


@pytest.mark.slow
def test_a_direction_changes_the_picture(visit: Visit) -> None:
    page = visit("/generate")
    before = picture_bytes(page)
    slide(page, load_directions(DEFAULT_MODEL).names[0], "End")
    assert picture_bytes(page) != before


@pytest.mark.slow
def test_the_class_changes_the_picture(visit: Visit) -> None:
    page = visit("/generate")
    before = picture_bytes(page)
    choose(page, "Class", "Bag", "of class Bag")
    assert picture_bytes(page) != before
    model = genlib.load(DEFAULT_MODEL)
    assert_same_grays(on_white(picture_bytes(page)), picture(genlib.generate(model, 40, 0, 8)[0], columns=10))


@pytest.mark.slow
def test_another_seed_by_the_dice(visit: Visit) -> None:
    page = visit("/generate")
    before = source(main_picture(page))
    page.locator(".st-key-dice button").filter(visible=True).click()
    expect(main_picture(page)).not_to_have_attribute("src", before)
    wait_for_pictures(page)
    assert parse_qs(urlsplit(page.url).query)["seed"] == [value_of(page, "Seed")] != ["0"]


@pytest.mark.slow
def test_a_deep_link_on_a_cold_server_is_what_clicking_reached(visit: Visit, tmp_path: Path) -> None:
    """A link from a friend may be the first request a fresh server gets."""
    page = visit("/generate")
    enter_seed(page, 7)
    choose(page, "Class", "Coat", "of class Coat")
    slide(page, "Temperature", "ArrowLeft")
    slide(page, load_directions(DEFAULT_MODEL).names[1], "End")
    reached = urlsplit(page.url)
    assert parse_qs(reached.query).keys() == {"seed", "label", "t", "d2"}
    with serve(tmp_path) as cold:
        friend = visit(f"{reached.path}?{reached.query}", cold.address, stranger=True)
        assert picture_bytes(friend) == picture_bytes(page)
        assert (value_of(friend, "Seed"), value_of(friend, "Class")) == ("7", "Coat")
        sections = friend.get_by_test_id("stTopNav").get_by_role("button")
        assert sections.all_inner_texts() == list(dict.fromkeys(SECTIONS.values()))


@pytest.mark.slow
def test_the_shared_link_gives_the_same_picture(visit: Visit) -> None:
    page = visit("/generate?label=Shirt&mix=Bag&share=0.35&seed=3&n=20")
    slide(page, "Temperature", "ArrowRight")
    friend = visit(shared_link(page).removeprefix(root_of(page)), stranger=True)
    assert picture_bytes(friend) == picture_bytes(page)


def root_of(page: Page) -> str:
    parts = urlsplit(page.url)
    return f"{parts.scheme}://{parts.netloc}"


@pytest.mark.slow
def test_the_downloads_are_the_picture(visit: Visit) -> None:
    page = visit("/generate?label=Coat&seed=5&n=20")
    expected, _ = genlib.generate(genlib.load(DEFAULT_MODEL), 20, 5, 4)
    png, npz = download(page, "PNG"), download(page, "NPZ")
    assert (png.suggested_filename, npz.suggested_filename) == (
        f"{DEFAULT_MODEL}-seed5.png",
        f"{DEFAULT_MODEL}-seed5.npz",
    )
    saved = Path(png.path()).read_bytes()
    assert_same_grays(np.asarray(Image.open(io.BytesIO(saved))), picture(expected, columns=10))
    assert np.array_equal(on_white(saved), on_white(picture_bytes(page)))
    with np.load(npz.path(), allow_pickle=False) as arrays:
        assert sorted(arrays) == ["images", "labels"]
        assert arrays["images"].dtype == np.uint8
        assert_same_grays(arrays["images"], expected.numpy())
        assert arrays["labels"].tolist() == [4] * 20


# Interpolate ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_position_changes_the_frame(visit: Visit) -> None:
    page = visit("/interpolate")
    before = picture_bytes(page)
    slide(page, "Position", "End")
    expect(main_picture(page)).to_have_attribute("alt", re.compile("100 % of the way"))
    assert picture_bytes(page) != before
    slide(page, "Position", "Home")
    expect(main_picture(page)).to_have_attribute("alt", re.compile(r"\b0 % of the way"))


@pytest.mark.slow
def test_an_interpolation_link_gives_the_same_frame(visit: Visit) -> None:
    page = visit("/interpolate?model=vae-cnn&between=test+images&a=3&b=77&path=straight")
    slide(page, "Position", "ArrowLeft")
    friend = visit(shared_link(page).removeprefix(root_of(page)), stranger=True)
    assert picture_bytes(friend) == picture_bytes(page)
    assert main_picture(friend).get_attribute("alt") == main_picture(page).get_attribute("alt")


# Every page -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_switching_pages_keeps_model_seed_and_class(visit: Visit) -> None:
    page = visit("/generate")
    enter_seed(page, 7)
    choose(page, "Class", "Coat", "of class Coat")
    before = picture_bytes(page)
    go_to(page, "Interpolate")  # which has a class only between seeds
    assert [value_of(page, name) for name in ("Model", "Seed")] == [DEFAULT_MODEL, "7"]
    page.get_by_test_id("stButtonGroup").get_by_text("seeds", exact=True).click()
    expect(main_picture(page)).to_have_attribute("alt", re.compile(r"from seed 7 \(Coat\) to seed"))
    assert value_of(page, "Class") == "Coat"
    go_to(page, "Generate")
    assert [value_of(page, name) for name in ("Model", "Seed", "Class")] == [DEFAULT_MODEL, "7", "Coat"]
    assert picture_bytes(page) == before


@pytest.mark.slow
def test_switching_pages_keeps_another_model(visit: Visit) -> None:
    page = visit("/generate")
    choose(page, "Model", "vae-cnn", "by vae-cnn")
    for title in ("Interpolate", "Home", "Generate"):
        follow(page, title)
        page.wait_for_url(re.compile(r"/$" if title == "Home" else f"/{title.lower()}"))
        wait_for_pictures(page)
    assert value_of(page, "Model") == "vae-cnn"


@pytest.mark.slow
@pytest.mark.parametrize("path", [f"/{page}" if page != "home" else "/" for page in PAGES])
def test_a_page_fits_a_phone(path: str, visit: Visit) -> None:
    page = visit(path, phone=True)
    charts_first = path in ("/latent", "/discriminator")
    first = page.get_by_test_id("stPlotlyChart").first if charts_first else main_picture(page)
    expect(first).to_be_in_viewport()
    box = first.bounding_box()
    assert box is not None
    assert box["y"] < PHONE["height"]
    assert 0 <= box["x"] <= box["x"] + box["width"] <= PHONE["width"]
    wide = "element => element.scrollWidth - element.clientWidth"
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.get_by_test_id("stMain").evaluate(wide) <= 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        "/generate?model=nope&seed=abc&label=coatt&t=nan&n=1000000",
        "/interpolate?model=nope&seed=-1&label=99&between=xyz&at=999",
    ],
)
def test_a_bad_address_is_the_plain_page(path: str, visit: Visit) -> None:
    assert picture_bytes(visit(path)) == picture_bytes(visit(urlsplit(path).path))


@pytest.mark.slow
def test_the_studio_asks_no_one_else(chromium: Browser, server: Server) -> None:
    """A visitor's browser talks to the studio's own server alone."""
    asked: set[str] = set()
    context = new_profile(chromium)
    page = context.new_page()
    page.on("request", lambda request: asked.add(request.url))
    page.goto(server.address + "/")
    wait_for_pictures(page)
    for title in ("Generate", "Interpolate"):
        follow(page, title)
        expect(page.get_by_role("heading", name=title)).to_be_visible()
        wait_for_pictures(page)
    context.close()
    assert asked
    assert not {url for url in asked if not url.startswith((server.address, "data:", "blob:"))}
