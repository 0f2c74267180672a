"""What every page promises in a real browser: what was set is there again, charts keep their zoom, all can use it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.pages.conftest import serve
from tests.pages.studio import SECTIONS
from tests.pages.test_browser import (  # noqa: F401
    Visit,
    choose,
    enter_seed,
    follow,
    go_to,
    main_picture,
    new_profile,
    profile,
    slide,
    value_of,
    visit,
    wait_for_pictures,
)
from ui.controls import DEFAULT_MODEL

pytestmark = pytest.mark.browser


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def expect_generate(page: Page, **expected: str) -> None:
    """The page, its controls and its address once they say so."""
    expect(page.get_by_role("heading", name="Generate").first).to_be_visible()
    wait_for_pictures(page)
    for name, value in expected.items():
        expect(field(page, name)).to_have_value(value)
    assert urlsplit(page.url).path == "/generate"


def field(page: Page, name: str) -> Locator:
    """A list, a number field or a slider of Streamlit's."""
    return page.locator(f'input[aria-label="{name}"]')


# State ------------------------------------------------------------------------------------------------------------


def test_a_seed_comes_back_by_every_way(visit: Visit) -> None:  # noqa: F811
    page = visit("/generate")
    enter_seed(page, 5)
    go_to(page, "Leaderboard")
    page.go_back()
    expect_generate(page, Seed="5")
    assert query(page) == {"seed": ["5"]}
    page.go_forward()
    page.wait_for_url("**/leaderboard")
    page.reload()
    go_to(page, "Generate")
    expect_generate(page, Seed="5")
    assert query(page) == {"seed": ["5"]}


def test_a_links_seed_and_class_go_from_page_to_page(visit: Visit) -> None:  # noqa: F811
    page = visit("/compare?seed=5&label=Coat")
    go_to(page, "Generate")
    expect_generate(page, Seed="5", Class="Coat")
    assert query(page) == {"seed": ["5"], "label": ["Coat"]}
    page.go_back()
    page.wait_for_url("**/compare?seed=5&label=Coat")


@pytest.mark.slow
def test_what_an_address_leaves_out_is_the_visitors_own(visit: Visit) -> None:  # noqa: F811
    page = visit("/generate")
    go_to(page, "Interpolate")
    field(page, "Seed").fill("7")
    page.keyboard.press("Enter")
    follow(page, "Leaderboard")  # at once, before the picture has followed
    page.wait_for_url("**/leaderboard")
    page.go_back()
    page.wait_for_url("**/interpolate?seed=7")
    wait_for_pictures(page)
    page.go_back()
    expect_generate(page, Seed="7")


@pytest.mark.slow
def test_what_an_address_names_wins_even_where_it_is_the_default(visit: Visit) -> None:  # noqa: F811
    page = visit("/generate?seed=5&label=Coat&t=0.5")
    root = page.url.split("/generate")[0]
    page.goto(f"{root}/generate?seed=0&t=1")
    expect_generate(page, Seed="0", Class="Coat", Temperature="1")
    assert query(page) == {"label": ["Coat"]}
    page.goto(f"{root}/generate?label=8&n=100000")
    expect_generate(page, Seed="0", Class="Bag")


@pytest.mark.slow
def test_a_pages_own_control_comes_back_and_stays_its_own(visit: Visit) -> None:  # noqa: F811
    page = visit("/interpolate?at=70")
    expect(field(page, "Position")).to_have_value("70")
    go_to(page, "From noise")
    page.get_by_role("slider").first.press("ArrowLeft")
    go_to(page, "Generate")
    slide(page, "Temperature", "ArrowLeft")
    go_to(page, "Interpolate")
    expect(field(page, "Position")).to_have_value("70")
    page.reload()
    wait_for_pictures(page)
    go_to(page, "Generate")
    expect_generate(page, Temperature="0.95")
    slide(page, "Temperature", "ArrowRight")
    page.reload()
    expect_generate(page, Temperature="1")


@pytest.mark.slow
def test_the_live_pages_settings_come_back(visit: Visit) -> None:  # noqa: F811
    page = visit("/live")
    status = page.get_by_role("status")
    page.get_by_label("Temperature").fill("0.5")
    page.wait_for_url(re.compile("temperature=0.5"))
    go_to(page, "Generate")
    assert not query(page)
    go_to(page, "Live")
    expect(page.get_by_label("Temperature")).to_have_value("0.5")
    page.go_back()
    expect_generate(page, Temperature="1")
    page.go_back()
    page.wait_for_url(re.compile("temperature=0.5"))
    expect(page.get_by_label("Temperature")).to_have_value("0.5")
    expect(status.get_by_text("drawn in")).to_be_visible()


@pytest.mark.slow
def test_three_at_once_on_a_cold_server(chromium: Browser, tmp_path: Path) -> None:
    """The flag that makes Streamlit run app.py is the process's; who came first put it right for himself alone."""
    with serve(tmp_path) as cold:
        contexts = [new_profile(chromium) for _ in range(3)]
        pages = [context.new_page() for context in contexts]
        for page in pages:
            page.goto(f"{cold.address}/generate?seed=7&label=Coat", wait_until="commit")
        for page in pages:
            expect_generate(page, Model=DEFAULT_MODEL, Seed="7", Class="Coat")
            sections = page.get_by_test_id("stTopNav").get_by_role("button")
            assert sections.all_inner_texts() == list(dict.fromkeys(SECTIONS.values()))
            expect(main_picture(page)).to_have_attribute("alt", re.compile("Coat.* seed 7$"))
        for context in contexts:
            context.close()
