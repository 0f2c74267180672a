"""A link is the picture: what one page shares, opened by a stranger on a server that has never shown the page."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.pages.conftest import Server, serve
from tests.pages.studio import PAGES
from tests.pages.test_browser import new_profile, pictures, shared_link, source

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOVED = {  # not a page's defaults, so that a control that is lost on the way is noticed
    "generate": "seed=7&label=Coat&mix=Bag&share=0.3&t=0.8&d2=1.5&n=20",
    "interpolate": "from=Shirt&to=Coat&seed=9",
    "compare": "label=Bag&seed=3",
    "latent": "model=vae-cnn&points=500&seed=2",
    "path": "seed=3&label=Coat&nfe=4&solver=euler&guidance=2.0&at=3",
    "reconstruct": "model=vae-cnn&count=5",
    "discriminator": "images=500&threshold=0.4&seed=1",
    "diversity": "per=5&seed=2",
    "variation": "label=Bag&n=40&seed=2",
    "mixtures": "model=gmm-10&component=4&t=0.6&seed=5",
    "history": "model=vae-cnn&epoch=3",
    "leaderboard": "",
    "findings": "",
    "dataset": "label=Bag&n=7&seed=42",
    "train": "preset=vae-dense-64",
}
SEEN = '[data-testid="stImage"] img, .js-plotly-plot .main-svg, [data-testid="stExpander"]'


def opened(browser: Browser, address: str) -> Page:
    """The page when it has come to rest, in a browser that has never been here."""
    page = new_profile(browser).new_page()
    page.goto(address)
    expect(page.get_by_test_id("stMain").locator(SEEN).first).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    return page


def shown(page: Page) -> list[str]:
    """Every picture as the server sends it, by its hash, and every chart in words."""
    found = [page.request.get(source(image)) for image in pictures(page).all()]
    assert all(answer.ok for answer in found)
    charts = page.get_by_test_id("stPlotlyChart").all()
    return [
        *(sha256(answer.body()).hexdigest() for answer in found),
        *(chart.get_attribute("aria-label") or "" for chart in charts),
    ]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Not the server that other tests train on: runs are models, and a friend's server has none of them."""
    with serve(tmp_path_factory.mktemp("here")) as one:
        yield one


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve(tmp_path_factory.mktemp("elsewhere")) as other:
        yield other


def test_no_page_is_forgotten() -> None:
    assert MOVED.keys() == set(PAGES) - {"home", "live"}  # the one shares nothing, the other by itself


@pytest.mark.parametrize("name", MOVED)
def test_a_link_gives_its_pictures_on_another_server(
    name: str, chromium: Browser, here: Server, elsewhere: Server
) -> None:
    page = opened(chromium, f"{here.address}/{name}?{MOVED[name]}")
    before = shown(page)
    link = urlsplit(shared_link(page))
    page.context.close()
    assert before or name == "findings"  # which is text
    friend = opened(chromium, f"{elsewhere.address}{link.path}?{link.query}")
    assert shown(friend) == before
    friend.context.close()
