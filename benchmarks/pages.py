"""What every page costs: its first picture in a browser, the server's memory over all of them, and two reactions.

First picture: from the browser's start of the navigation to a picture, chart or table that is drawn, always in a new
profile whose cache is empty. Cold: the first request of a fresh server. Beside it a bare Streamlit page with one
network call (`bare_page.py`). Memory is measured over visits by Streamlit's protocol alone (`visitor.py`).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page

from benchmarks.browser import PAGE_MILLISECONDS, WATCH, chromium, settle
from benchmarks.report import Unavailable, load_average, print_table
from benchmarks.server import ROOT, Server, streamlit
from benchmarks.visitor import Broken, Visitor
from genlib.loading import weights_directory
from genlib.model import capabilities
from genlib.models import get_preset, presets

APP, BARE = ROOT / "app.py", ROOT / "benchmarks" / "bare_page.py"
PAGES = tuple(re.findall(r'"pages/(\w+)\.py"', APP.read_text("utf-8")))
ONE_MODEL = {  # pages for one model at a time, and the capabilities of which it needs one
    **{page: set() for page in ("generate", "interpolate", "history", "diversity")},
    "latent": {"hidden_layers", "encodes", "mixture"},
    "reconstruct": {"discriminates", "encodes"},  # a GAN's first visit is a search, 10 s on an idle machine
    "discriminator": {"discriminates"},
    "mixtures": {"mixture"},
}
WARM_ROUNDS, REACTIONS, INTERACTIONS = 3, 10, 200
FIRST_PICTURE = """() => {
  const drawn = () => document.querySelector(
    '[data-testid="stMain"] .main-svg, [data-testid="stDataFrame"] canvas, .genlib-verdicts') ||
    [...document.querySelectorAll('[data-testid="stMain"] img')].some(img => img.complete && img.naturalWidth);
  const look = () => {
    if (drawn()) window.firstPicture = performance.now(); else requestAnimationFrame(look);
  };
  look();
}"""


def run(quick: bool) -> None:
    """Print the tables."""
    names = [name for name in presets() if (weights_directory() / name / "config.json").is_file()]
    with chromium() as browser:
        _first_pictures(browser, names[0], ("home", "generate") if quick else PAGES, quick)
        _reactions(browser, names, 3 if quick else REACTIONS)
    _memory(names[:2] if quick else names, 40 if quick else INTERACTIONS)


# First pictures ---------------------------------------------------------------------------------------------------


def _first_pictures(browser: Browser, name: str, pages: tuple[str, ...], quick: bool) -> None:
    bare_address = f"/?{urlencode({'model': name, 'n': 40})}"
    addresses = {page: (APP, "/" if page == "home" else f"/{page}") for page in pages}
    rows = []
    bare = _paints(browser, BARE, bare_address, 1 if quick else WARM_ROUNDS)
    for page, (script, address) in addresses.items():
        cold, warm = _paints(browser, script, address, 1 if quick else WARM_ROUNDS)
        rows.append((page, cold, f"{cold / bare[0]:.2f}x", warm, f"{warm / bare[1]:.2f}x"))
    print_table(
        f"pages: seconds to the first picture in a new profile, warm the median of {1 if quick else WARM_ROUNDS}",
        ("page", "cold server", "cold / bare", "warm server", "warm / bare"),
        [*rows, ("a bare page", bare[0], "", bare[1], "")],
        f"load average {load_average()} at the end",
    )


def _paints(browser: Browser, script: Path, address: str, rounds: int) -> tuple[float, float]:
    """Seconds to the first picture: of a fresh server's first visitor, and the median of the next ones."""
    with streamlit(script) as server:
        cold, *warm = (_first_picture(browser, server.address + address) for _ in range(1 + rounds))
    return cold, median(warm)


def _first_picture(browser: Browser, address: str) -> float:
    with _tab(browser) as page:
        page.add_init_script(f"({FIRST_PICTURE})()")
        page.goto(address)
        page.wait_for_function("window.firstPicture", timeout=2 * PAGE_MILLISECONDS)
        return float(page.evaluate("window.firstPicture")) / 1000


@contextmanager
def _tab(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PAGE_MILLISECONDS)
    try:
        yield context.new_page()
    finally:
        context.close()


# Reactions --------------------------------------------------------------------------------------------------------


def _reactions(browser: Browser, names: list[str], rounds: int) -> None:
    """A selection of points, and another question to the whole zoo."""
    with streamlit(APP) as server:
        address = server.address
        rows = [
            (f"selection among {points:,} points to pictures", "0.5", *_selections(browser, address, points, rounds))
            for points in (2_000, 10_000)
        ]
        rows.append((f"another seed for all {len(names)} models", "2.0", *_questions(browser, address, rounds)))
    print_table(
        f"pages: seconds from the mouse to every new picture, {rounds} rounds",
        ("reaction", "aim: under", "median", "longest"),
        rows,
        f"load average {load_average()} at the end",
    )


def _selections(browser: Browser, address: str, points: int, rounds: int) -> tuple[float, float]:
    with _tab(browser) as page:
        page.goto(f"{address}/latent?{urlencode({'points': points})}")
        area = page.locator(".nsewdrag").first
        area.wait_for()
        settle(page)
        seconds = []
        for i in range(rounds):
            area.scroll_into_view_if_needed()
            box = area.bounding_box()
            assert box is not None
            x, y = box["x"] + box["width"] * (0.3 + 0.4 * i / rounds), box["y"] + box["height"] / 2
            page.mouse.move(x - 50, y - 50)
            page.mouse.down()
            page.mouse.move(x, y, steps=4)
            page.mouse.move(x + 50, y + 50, steps=4)
            page.evaluate(WATCH, ["mouseup", 1, PAGE_MILLISECONDS])
            page.mouse.up()
            seconds.append(_new_pixels(page, "a selection"))
    return median(seconds), max(seconds)


def _questions(browser: Browser, address: str, rounds: int) -> tuple[float, float]:
    with _tab(browser) as page:
        page.goto(f"{address}/compare")
        page.get_by_test_id("stImage").first.wait_for()
        settle(page)
        dice, seconds = page.locator(".st-key-dice button").filter(visible=True), []
        for _ in range(rounds):
            shown = page.get_by_test_id("stMain").locator("img").count()
            page.evaluate(WATCH, ["pointerup", shown, PAGE_MILLISECONDS])
            dice.click()
            seconds.append(_new_pixels(page, "another seed"))
    return median(seconds), max(seconds)


def _new_pixels(page: Page, what: str) -> float:
    milliseconds = page.evaluate("window.newPixels")
    if milliseconds is None:
        raise Unavailable(f"{what} changed no picture")
    settle(page)
    return float(milliseconds) / 1000


# Memory -----------------------------------------------------------------------------------------------------------


def _memory(names: list[str], interactions: int) -> None:
    rows: list[tuple[str, float]] = []
    with streamlit(APP) as server:
        rows.append(("at the start", server.memory()))
        started = time.perf_counter()
        visits = asyncio.run(_visit_everything(server, names))
        rows.append((f"after {visits} visits: every page with every model", server.memory()))
        for part in range(1, 5):
            asyncio.run(_interact(server, names, interactions // 4, part))
            rows.append((f"after {part * (interactions // 4)} further interactions", server.memory()))
    print_table(
        f"pages: the server's resident memory, MiB, {len(names)} models",
        ("moment", "MiB"),
        rows,
        "aim: no growth over the interactions but for caches, which have limits",
        f"took {time.perf_counter() - started:.0f} s; load average {load_average()} at the end",
    )


async def _visit_everything(server: Server, names: list[str]) -> int:
    """One visitor after the other; the number of visits."""
    visits = [(page, {}) for page in PAGES if page not in ONE_MODEL]
    for page, needs in ONE_MODEL.items():
        offered = [n for n in names if not needs or needs & set(capabilities(get_preset(n).model_class))]
        visits += [(page, {"model": name}) for name in offered]
    for page, query in visits:
        visitor = Visitor(server.address, page, query)
        try:
            async with visitor:
                pass
        except Broken as error:
            print(f"  {page} {query}: {error}")
        await visitor.http.aclose()
    return len(visits)


async def _interact(server: Server, names: list[str], count: int, seed: int) -> None:
    """Moves of sliders, each to a picture no one has seen, by one visitor for each model in turn."""
    for i, name in enumerate(names):
        visitor = Visitor(server.address, "generate", {"model": name, "seed": seed})
        async with visitor:
            for step in range(count * i // len(names), count * (i + 1) // len(names)):
                await visitor.move("Temperature", 0.3 + 0.01 * step)
        await visitor.http.aclose()
