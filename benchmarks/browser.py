"""Headless Chromium: how long after a key press on a slider the page shows new pixels."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from benchmarks.report import Unavailable

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PAGE_MILLISECONDS = 60_000
START_OF_RUN_MILLISECONDS = 300  # a move's run on the server has begun by then
SETTLE_MILLISECONDS = 200

# Resolves with the milliseconds from an event (its own time) to so many pictures that were not on the page before and
# that are loaded and decoded; a picture's element may be kept with a new src, or be replaced.
WATCH = """([event, count, timeout]) => {
  const pictures = () => [...document.querySelectorAll('[data-testid="stMain"] img')];
  const before = new Set(pictures().map(img => img.src));
  let begun = null, decoded = 0;
  addEventListener(event, event => { begun = event.timeStamp; }, {capture: true, once: true});
  window.newPixels = new Promise(resolve => {
    const seen = new Set();
    const look = async img => {
      seen.add(img.src);
      try { await img.decode(); } catch { seen.delete(img.src); return; }
      if (!img.complete || !img.isConnected) return;
      if (++decoded < count) return;
      observer.disconnect();
      resolve(performance.now() - begun);
    };
    const observer = new MutationObserver(() => pictures()
      .filter(img => img.src && !before.has(img.src) && !seen.has(img.src)).forEach(look));
    observer.observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ['src']});
    setTimeout(() => { observer.disconnect(); resolve(null); }, timeout);
  });
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, headless."""
    executable = shutil.which("chromium")
    if executable is None:
        raise Unavailable("no chromium on the path (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


class Slider:
    """One slider of one page, in a browser context of its own, moved from its lower end to the right."""

    def __init__(self, browser: Browser, address: str, label: str) -> None:
        self.page: Page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        self.page.set_default_timeout(PAGE_MILLISECONDS)
        self.address = address
        try:
            self.page.goto(address)
            self.thumb = self.page.get_by_role("slider", name=re.compile(rf"^{label}\b"))
            self.thumb.wait_for()
            expect(self.page.get_by_test_id("stMain").locator("img").first).to_be_visible(timeout=PAGE_MILLISECONDS)
            settle(self.page)
            self.thumb.press("Home")
        except (Error, AssertionError) as error:
            raise Unavailable(f"{address} shows no {label} slider beside a picture") from error
        settle(self.page)

    def move(self) -> float:
        """Press ArrowRight once: milliseconds to new pixels."""
        self.page.bring_to_front()
        self.thumb.focus()
        self.page.evaluate(WATCH, ["keydown", 1, PAGE_MILLISECONDS])
        self.page.keyboard.press("ArrowRight")
        milliseconds = self.page.evaluate("window.newPixels")
        if milliseconds is None:
            raise Unavailable(f"{self.address}: a move of the slider changed no picture")
        settle(self.page)
        return float(milliseconds)


def settle(page: Page) -> None:
    """Let the server finish its run and the page come to rest."""
    page.wait_for_timeout(START_OF_RUN_MILLISECONDS)
    page.wait_for_function("!document.querySelector('[data-test-script-state=\"running\"]')")
    page.wait_for_timeout(SETTLE_MILLISECONDS)
