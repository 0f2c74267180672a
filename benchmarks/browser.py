"""Streamlit servers and headless Chromium: how long after a key press on a slider the page shows new pixels."""

from __future__ import annotations

import http.client
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from benchmarks.report import Unavailable

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
START_SECONDS = 120
PAGE_MILLISECONDS = 60_000
START_OF_RUN_MILLISECONDS = 300  # a move's run on the server has begun by then
SETTLE_MILLISECONDS = 200

# Resolves with the milliseconds from the key press (the event's own time) to a picture that was not on the page
# before and that is loaded and decoded; the picture's element may be kept with a new src, or be replaced.
WATCH = """timeout => {
  const pictures = () => [...document.querySelectorAll('[data-testid="stMain"] img')];
  const before = new Set(pictures().map(img => img.src));
  let pressed = null;
  addEventListener('keydown', event => { pressed = event.timeStamp; }, {capture: true, once: true});
  window.newPixels = new Promise(resolve => {
    const seen = new Set();
    const observer = new MutationObserver(async () => {
      const img = pictures().find(img => img.src && !before.has(img.src) && !seen.has(img.src));
      if (!img) return;
      seen.add(img.src);
      try { await img.decode(); } catch { seen.delete(img.src); return; }
      if (!img.complete || !img.isConnected) return;
      observer.disconnect();
      resolve(performance.now() - pressed);
    });
    observer.observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ['src']});
    setTimeout(() => { observer.disconnect(); resolve(null); }, timeout);
  });
}"""


@contextmanager
def streamlit(script: Path) -> Iterator[str]:
    """Serve a script as `make run` does, on a free port: its address, once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless", "true"]
    command += ["--server.port", str(port), "--server.address", "127.0.0.1"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await_health(server, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _await_health(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/_stcore/health")
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
        finally:
            connection.close()
    raise Unavailable("a Streamlit server did not start")


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
            self._settle()
            self.thumb.press("Home")
        except (Error, AssertionError) as error:
            raise Unavailable(f"{address} shows no {label} slider beside a picture") from error
        self._settle()

    def move(self) -> float:
        """Press ArrowRight once: milliseconds to new pixels."""
        self.page.bring_to_front()
        self.thumb.focus()
        self.page.evaluate(WATCH, PAGE_MILLISECONDS)
        self.page.keyboard.press("ArrowRight")
        milliseconds = self.page.evaluate("window.newPixels")
        if milliseconds is None:
            raise Unavailable(f"{self.address}: a move of the slider changed no picture")
        self._settle()
        return float(milliseconds)

    def _settle(self) -> None:
        """Let the server finish its run and the page come to rest."""
        self.page.wait_for_timeout(START_OF_RUN_MILLISECONDS)
        self.page.wait_for_function("!document.querySelector('[data-test-script-state=\"running\"]')")
        self.page.wait_for_timeout(SETTLE_MILLISECONDS)
