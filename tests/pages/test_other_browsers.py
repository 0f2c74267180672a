"""The static site in Firefox and in WebKit: it opens, draws what Python draws, follows the hand, and is kept."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import ThreadingHTTPServer

import numpy as np
import pytest

from tests.pages.test_browser_live import LEVELS, cut, distance
from tests.pages.test_browser_site import BELOW, CLASSES, MIXTURE, host, root, stop  # noqa: F401
from tests.pages.webdriver import Window, firefox, webkit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SLIDER = ".live input[type=range]"  # the first, the temperature's
HOME, LEFT = "\ue011", "\ue012"  # keys, as WebDriver codes them
SAID = """text => [...document.querySelectorAll("[role=status]")]
  .some(({ textContent }) => textContent.includes(text) && textContent.includes("drawn in"))"""
# Where a class is on the screen, a little further in than its button, so that the mouse is not on the button.
PLACE = """name => {
  const middle = (element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    return [left + width / 2, top + height / 2];
  };
  const wheel = document.querySelector(".wheel");
  wheel.scrollIntoView({ block: "center", behavior: "instant" });
  const [from, to] = [wheel, wheel.querySelector(`[aria-label="Only ${name}"]`)].map(middle);
  return from.map((each, i) => each + 0.7 * (to[i] - each));
}"""
STRIP = "epoch => document.querySelector('#strip').getAttribute('aria-label')?.includes(`after epoch ${epoch},`)"


@pytest.fixture(scope="module", params=[firefox, webkit], ids=lambda browser: browser.__name__)
def window(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    with request.param(tmp_path_factory.mktemp("browser")) as window:
        window.resize(1280, 900)
        yield window


@pytest.fixture
def site(host: ThreadingHTTPServer) -> str:  # noqa: F811
    """Its address: another port for each test, so that no browser has been here."""
    return f"http://127.0.0.1:{host.server_port}/{BELOW}/"


def drawn(window: Window, text: str) -> np.ndarray:
    """The pictures on the canvas, uint8 (N, 28, 28), once the page says that they are the ones meant."""
    window.wait(SAID, text)
    return cut(*window.call(f"() => ({LEVELS})(document.querySelector('.pictures canvas'))"))


def test_it_opens_draws_and_follows_the_hand(window: Window, site: str) -> None:
    window.open(site)
    every = drawn(window, f"40 pictures by {CLASSES}, every class in turn, seed 0")
    assert distance(every, CLASSES, 40) <= 1
    window.down(window.call(PLACE, "Sandal"), window.call(PLACE, "Ankle boot"))
    dragged = drawn(window, "Ankle boot")  # under the hand, which is not lifted yet
    assert np.abs(dragged.astype(int) - every).mean() > 10
    window.up()
    window.press(LEFT, SLIDER)
    window.wait("selector => document.querySelector(selector).parentElement.textContent === 'Temperature0.95'", SLIDER)
    window.click("[aria-label='Only Ankle boot']")
    boots = drawn(window, "Ankle boot 100 %, seed 0")
    assert distance(boots, CLASSES, 40, label="Ankle boot", temperature=0.95) <= 1


def test_a_training_moves_under_the_slider(window: Window, site: str) -> None:
    window.open(f"{site}models/{CLASSES}/index.html")
    window.wait(STRIP, 30)
    window.press(HOME, "#scrub")
    window.wait(STRIP, 1)
    window.click("#play")
    window.wait(STRIP, 30)


def test_once_all_is_kept_no_network_is_needed(window: Window, site: str, host: ThreadingHTTPServer) -> None:  # noqa: F811
    window.open(f"{site}?n=10")
    drawn(window, f"10 pictures by {CLASSES}")
    window.click("#keep")
    window.wait("() => document.querySelector('#said').textContent.startsWith('All models are kept')")
    stop(host)
    window.open(f"{site}?model={MIXTURE}&n=10")
    assert distance(drawn(window, f"10 pictures by {MIXTURE}"), MIXTURE, 10) <= 1
