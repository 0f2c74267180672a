"""The static site in a real browser, from a folder below the root: it draws, follows, and does without a network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from genlib.publish.site.folder import write_site
from genlib.publish.site.html import TITLES
from tests.pages.test_browser import DESK, PHONE, new_profile
from tests.pages.test_browser_frame import violations
from tests.pages.test_browser_live import await_no_threads, distance, drawn, drawn_beside, place

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CLASSES, MIXTURE = "cvae-cnn", "vae-gmm-2"  # small; the first takes a class
BELOW = "some/where"
SIZES = pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
LEVELS = "canvas => Array.from(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data)"
EMPTY = "(async () => { while ((await caches.keys()).length) await new Promise((done) => setTimeout(done, 50)); })()"
Open = Callable[..., Page]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_site(tmp_path / "root" / BELOW, (CLASSES, MIXTURE))
    return tmp_path / "root"


@pytest.fixture
def host(root: Path) -> Iterator[ThreadingHTTPServer]:
    """What `python -m http.server` serves with."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root)))
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    stop(server)


def stop(server: ThreadingHTTPServer) -> None:
    server.shutdown()
    server.server_close()


@pytest.fixture
def visit(chromium: Browser, host: ThreadingHTTPServer) -> Iterator[Open]:
    """Opens an address of the site in a browser that has never been here; nothing may go wrong in any page."""
    context = new_profile(chromium)
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))

    def open_page(path: str = "", size: dict[str, int] = DESK) -> Page:
        page = context.new_page()
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.goto(f"http://127.0.0.1:{host.server_port}/{BELOW}/{path}")
        return page

    yield open_page
    context.close()
    assert not errors


@SIZES
def test_it_opens_draws_and_follows_the_hand(visit: Open, size: dict[str, int]) -> None:
    page, n = visit(size=size), 40 if size == DESK else 20
    every = drawn(page, f"{n} pictures by {CLASSES}, every class in turn, seed 0")  # the better of the two
    assert distance(every, CLASSES, n) <= 1
    box = page.locator(".pictures canvas").bounding_box()
    assert box
    assert box["y"] < 110  # nothing but a line of the site and a line of controls stands before it
    assert box["y"] + box["height"] <= size["height"]
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    wheel = page.locator(".wheel")
    wheel.scroll_into_view_if_needed()
    page.mouse.move(*place(wheel, "Sandal"))
    page.mouse.down()
    page.mouse.move(*place(wheel, "Ankle boot"), steps=5)
    dragged = drawn(page, "Ankle boot")  # under the hand, which is not lifted yet
    assert np.abs(dragged.astype(int) - every).mean() > 10
    page.mouse.up()


@SIZES
def test_another_model_and_seed_are_chosen_and_kept_in_the_address(visit: Open, size: dict[str, int]) -> None:
    page = visit("index.html?n=10&temperature=0.5&moves=1,2", size)
    drawn(page, f"10 pictures by {CLASSES}")
    page.get_by_label("Model").select_option(MIXTURE)
    drawn(page, f"10 pictures by {MIXTURE}, seed 0")
    expect(page.locator(".wheel")).to_be_hidden()
    expect(page.locator("#about")).to_contain_text("VAE + mixture")
    page.get_by_role("spinbutton", name="Seed").fill("7")
    page.get_by_role("spinbutton", name="Seed").press("Enter")
    seventh = drawn(page, f"10 pictures by {MIXTURE}, seed 7")
    assert distance(seventh, MIXTURE, 10, seed=7, temperature=0.5) <= 1
    assert page.url.partition("?")[2] == f"n=10&temperature=0.5&model={MIXTURE}&seed=7"
    page.reload()
    assert (drawn(page, f"10 pictures by {MIXTURE}, seed 7") == seventh).all()
    page.get_by_role("button", name="Another seed").click()
    expect(page.get_by_role("spinbutton", name="Seed")).not_to_have_value("7")


# A page of its own, which draws as fast as it can: so many frames of a walk, then other models, one after the other.
LIVE = """async ([models, frames, changes]) => {
  const { mount } = await import(new URL("live/page.js", location.href).href);
  globalThis.requestAnimationFrame = (then) => setTimeout(() => then(performance.now()), 0);
  const root = document.querySelector("#memory") ?? document.body.appendChild(document.createElement("div"));
  root.id = "memory";
  const file = (name, what) => `models/${name}/${what}`;
  const source = (name) => ({ name, program: file(name, "program.json"), weights: file(name, "weights.safetensors") });
  const page = (globalThis.kept ??= mount(root, { models: [source(models[0])], seed: 0, label: null }));
  const shown = async (ask) => {
    const drawn = new Promise((done) => {
      page.shown = (...told) => { done(); delete page.shown; page.shown(...told); };
    });
    ask();
    await drawn;
  };
  await shown(() => page.changed({ n: 10 }));
  for (let i = 0; i < frames; i++) await shown(() => page.changed({ walked: i / 50 }, true));
  for (let i = 1; i <= changes; i++)
    await shown(() => page.update({ ...page.given, models: [source(models[i % models.length])] }));
}"""
# What a page took and must give back. A film is recorded, and its address given back 10 s later: here at once.
COUNTED = """
globalThis.taken = { addresses: 0, recording: 0 };
const { createObjectURL, revokeObjectURL } = URL;
URL.createObjectURL = (each) => { taken.addresses++; return createObjectURL.call(URL, each); };
URL.revokeObjectURL = (each) => { taken.addresses--; revokeObjectURL.call(URL, each); };
const { setTimeout: later } = globalThis;
globalThis.setTimeout = (then, wait, ...rest) => later(then, wait === 10_000 ? 0 : wait, ...rest);
const { captureStream } = HTMLCanvasElement.prototype;
HTMLCanvasElement.prototype.captureStream = function (...rest) {
  const stream = captureStream.apply(this, rest);
  for (const track of stream.getTracks()) {
    const { stop } = track;
    taken.recording++;
    track.stop = () => { taken.recording -= Number(track.readyState === "live"); stop.call(track); };
  }
  return stream;
};
"""


@dataclass(frozen=True)
class Held:
    """Megabytes of the page's JavaScript and of all the browser's renderers, and what the page has by number."""

    heap: float
    resident: float
    nodes: int
    listeners: int
    documents: int

    def assert_no_less_than(self, more: Held) -> None:
        assert more.heap < self.heap + 2, (self, more)
        assert more.resident < self.resident + 40, (self, more)  # a model that is kept holds 2 a thread
        assert more.nodes < self.nodes + 40, (self, more)
        assert more.listeners < self.listeners + 20, (self, more)
        assert more.documents <= self.documents + 1, (self, more)


def held(page: Page, chromium: Browser) -> Held:
    own, whole = page.context.new_cdp_session(page), chromium.new_browser_cdp_session()
    for _ in range(2):  # what finalizers let go of, too
        own.send("HeapProfiler.collectGarbage")
    own.send("Performance.enable")
    found = {each["name"]: each["value"] for each in own.send("Performance.getMetrics")["metrics"]}
    processes = whole.send("SystemInfo.getProcessInfo")["processInfo"]
    files = [Path(f"/proc/{each['id']}/statm") for each in processes if each["type"] == "renderer"]
    resident = sum(int(file.read_text().split()[1]) for file in files) * 4096 / 1e6
    own.detach()
    counts = (int(found[name]) for name in ("Nodes", "JSEventListeners", "Documents"))
    return Held(found["JSHeapUsedSize"] / 1e6, resident, *counts)


def test_memory_stays_flat_over_frames_models_and_themes(visit: Open, chromium: Browser) -> None:
    page = visit("models.html")
    names = [CLASSES, MIXTURE]
    page.evaluate(LIVE, [names, 500, 10])
    before = held(page, chromium)
    page.evaluate(LIVE, [names[:1], 10_000, 0])
    page.evaluate(LIVE, [names, 0, 50])
    for change in range(50):
        page.emulate_media(color_scheme="light" if change % 2 else "dark")
        page.evaluate("new Promise(requestAnimationFrame)")
    before.assert_no_less_than(held(page, chromium))
    threads = len(page.workers)
    page.evaluate("kept.end()")
    assert threads >= 1
    await_no_threads(page)


def test_pages_give_back_what_they_took(visit: Open, chromium: Browser) -> None:
    page = visit("?n=1")
    drawn(page, "1 pictures")
    before = threads = None
    for change in range(25):
        page.get_by_role("link", name="Leaderboard").click()
        expect(page.get_by_role("rowheader", name=CLASSES)).to_be_visible()
        await_no_threads(page)
        page.get_by_role("link", name="Live").click()
        drawn(page, "pictures by")
        threads = threads or len(page.workers)
        assert len(page.workers) == threads
        if change == 4:
            before = held(page, chromium)
    assert before
    before.assert_no_less_than(held(page, chromium))


def test_a_film_gives_back_its_recorder_and_address(visit: Open) -> None:
    page = visit("models.html")
    page.context.add_init_script(COUNTED)
    page.goto(page.url.replace("models.html", "?n=1"))
    drawn(page, "1 pictures")
    video = page.get_by_role("button", name=re.compile("Save (WebM|MP4)"))
    with page.expect_download():
        video.click()
    expect(page.get_by_role("status").get_by_text("is saved")).to_be_visible()
    page.wait_for_function("taken.addresses === 0")
    assert page.evaluate("taken.recording") == 0
    video.click()
    expect(page.get_by_role("status").get_by_text("recorded as it plays")).to_be_visible()
    video.click()
    expect(page.get_by_role("status").get_by_text("The film was stopped.")).to_be_visible()
    assert page.evaluate("taken") == {"addresses": 0, "recording": 0}


@SIZES
def test_models_stand_side_by_side(visit: Open, size: dict[str, int]) -> None:
    page = visit(f"?beside=nope&beside={CLASSES}&beside={MIXTURE}&n=10&seed=2", size)
    expect(page.locator("#refused")).to_have_text("nope is not a model of this site.")
    every = drawn_beside(page, CLASSES, f"10 pictures by {CLASSES}, every class in turn, seed 2")
    assert distance(every, CLASSES, 10, seed=2) <= 1
    assert distance(drawn_beside(page, MIXTURE, f"10 pictures by {MIXTURE}, seed 2"), MIXTURE, 10, seed=2) <= 1
    one, other = (pane.bounding_box() for pane in page.locator(".pane").all())
    assert one
    assert other
    assert one["y"] == other["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.get_by_role("button", name=f"Remove {MIXTURE}").click()
    drawn(page, f"10 pictures by {CLASSES}")
    assert "beside" not in page.url
    page.get_by_label("Add beside it").select_option(MIXTURE)
    drawn_beside(page, MIXTURE, f"10 pictures by {MIXTURE}, seed 2")
    assert f"beside={MIXTURE}" in page.url


def test_a_link_opens_what_it_opens_in_the_studio(visit: Open) -> None:
    page = visit("?model=cvae-cnn&seed=3&label=Sandal&n=10&temperature=0.5")
    sandals = drawn(page, "10 pictures by cvae-cnn, Sandal 100 %, seed 3")
    assert distance(sandals, CLASSES, 10, seed=3, label="Sandal", temperature=0.5) <= 1
    boots = visit("?label=9&n=1")
    drawn(boots, "1 pictures by cvae-cnn, Ankle boot 100 %")
    plain = visit("?model=nope&seed=-1&label=coatt&n=1000&temperature=nan")
    drawn(plain, "40 pictures by cvae-cnn, every class in turn, seed 0")


def test_progress_is_shown_and_a_failure_is_one_line(visit: Open) -> None:
    page = visit("?n=1")
    drawn(page, "1 pictures")
    held: list[Route] = []
    page.route("**/vae-gmm-2/weights.safetensors", lambda route: held.append(route))
    page.get_by_label("Model").select_option(MIXTURE)
    expect(page.get_by_role("progressbar", name="Loaded")).to_be_visible()
    expect(page.get_by_role("status").get_by_text(f"Loading {MIXTURE}, 0.1 MB")).to_be_visible()
    held[0].fulfill(status=503)
    expect(page.get_by_role("status").get_by_text("the server answers 503")).to_be_visible()
    page.get_by_label("Model").select_option(CLASSES)
    drawn(page, f"1 pictures by {CLASSES}")


def test_a_model_that_fails_leaves_the_others_alone(visit: Open) -> None:
    page = visit("models.html")
    page.route(f"**/{MIXTURE}/weights.safetensors", lambda route: route.fulfill(body=b"cut"))
    page.goto(page.url.replace("models.html", f"?beside={MIXTURE}&n=10"))
    expect(page.get_by_role("status").get_by_text(f"{MIXTURE}: the weights have 3 bytes")).to_be_visible()
    every = drawn_beside(page, CLASSES, f"10 pictures by {CLASSES}, every class in turn, seed 0")
    assert distance(every, CLASSES, 10) <= 1
    expect(page.get_by_role("button", name="To the next seed")).to_have_count(0)  # no controls of what is not there


LACKING = {
    "simd": (
        "WebAssembly.compile = () => Promise.reject(new Error('no SIMD'))",
        "Drawing in plain JavaScript, which is slower: no WebAssembly with SIMD here (no SIMD)",
    ),
    "workers": ("delete globalThis.Worker", "no workers here (this browser starts none)"),
    "storage": (
        """for (const each of ["sessionStorage", "localStorage", "caches", "indexedDB"])
        Object.defineProperty(globalThis, each, { get() { throw new DOMException("denied", "SecurityError"); } });""",
        "where storage is allowed",
    ),
}


@pytest.mark.parametrize("what", LACKING)
def test_what_a_browser_lacks_is_one_line(visit: Open, what: str) -> None:
    script, line = LACKING[what]
    page = visit("models.html")
    page.add_init_script(script)
    page.goto(page.url.replace("models.html", "?n=10"))
    assert distance(drawn(page, f"10 pictures by {CLASSES}"), CLASSES, 10) <= 1
    expect(page.get_by_role("status").get_by_text(line)).to_be_visible()


@SIZES
def test_once_all_is_kept_no_network_is_needed(visit: Open, host: ThreadingHTTPServer, size: dict[str, int]) -> None:
    page = visit("?n=10", size)
    drawn(page, f"10 pictures by {CLASSES}")
    page.get_by_role("button", name="Keep all models (1 MB)").click()
    expect(page.get_by_text("All models are kept")).to_be_visible()
    stop(host)
    page.goto(f"http://127.0.0.1:{host.server_port}/{BELOW}/?model={MIXTURE}&n=10")
    assert distance(drawn(page, f"10 pictures by {MIXTURE}"), MIXTURE, 10) <= 1
    page.get_by_role("link", name="Leaderboard").click()
    expect(page.get_by_role("rowheader", name=CLASSES)).to_be_visible()
    page.get_by_role("link", name=CLASSES).click()
    expect(page.locator("#strip")).to_have_attribute(
        "aria-label", "Ten samples of cvae-cnn after epoch 30, always from the same noise"
    )
    page.get_by_role("link", name="Live").click()
    page.get_by_role("button", name="Remove what is kept").click()
    expect(page.get_by_role("button", name="Keep all models")).to_be_visible()
    assert page.evaluate("caches.keys()") == []


def test_a_newer_site_takes_the_place_of_what_is_kept(visit: Open, root: Path) -> None:
    page = visit("?n=1")
    page.get_by_role("button", name="Keep all models").click()
    expect(page.get_by_text("All models are kept")).to_be_visible()
    write_site(root / BELOW, (MIXTURE,))
    page.reload()  # from the cache once more, while the browser looks for another worker
    page.evaluate(EMPTY)
    page.reload()
    drawn(page, f"1 pictures by {MIXTURE}")
    expect(page.locator("#model option")).to_have_count(1)
    expect(page.get_by_role("button", name="Keep all models")).to_be_visible()


@SIZES
def test_a_training_moves_under_the_slider(visit: Open, size: dict[str, int]) -> None:
    page = visit(f"models/{CLASSES}/index.html", size)
    strip, told = page.locator("#strip"), page.get_by_role("status")
    expect(strip).to_have_attribute("aria-label", "Ten samples of cvae-cnn after epoch 30, always from the same noise")
    last, said = strip.evaluate(LEVELS), told.inner_text()
    page.get_by_role("slider").press("Home")
    expect(strip).to_have_attribute("aria-label", "Ten samples of cvae-cnn after epoch 1, always from the same noise")
    assert strip.evaluate(LEVELS) != last
    assert told.inner_text() != said
    page.get_by_role("button", name="Play").click()
    expect(page.locator("#epoch")).to_have_text("30")
    expect(page.get_by_role("button", name="Play")).to_be_visible()  # it has come to the end
    assert strip.evaluate(LEVELS) == last
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.get_by_role("link", name="Draw with it").click()
    drawn(page, f"pictures by {CLASSES}")


def test_the_leaderboard_is_sorted_by_a_press(visit: Open) -> None:
    page = visit("leaderboard.html")
    names = page.locator("tbody th")
    expect(names).to_have_text(["real training images", CLASSES, MIXTURE, "random pixels"])
    page.get_by_role("button", name="FD", exact=True).press("Enter")
    page.get_by_role("button", name="FD", exact=True).press("Enter")
    expect(names).to_have_text(["random pixels", MIXTURE, CLASSES, "real training images"])
    expect(page.get_by_role("columnheader", name="FD", exact=True)).to_have_attribute("aria-sort", "descending")
    page.get_by_role("button", name="MSE").click()
    expect(names.first).to_have_text(CLASSES)  # what has no figure comes last


@SIZES
@pytest.mark.parametrize("path", [*TITLES, f"index.html?beside={MIXTURE}", f"models/{CLASSES}/index.html"])
def test_a_page_is_for_everyone(visit: Open, path: str, size: dict[str, int]) -> None:
    page = visit(path, size)
    for canvas in page.locator(".pictures canvas").all():
        expect(canvas).to_have_attribute("aria-label", re.compile("pictures by"))
    for details in page.locator("details").all():
        details.locator("summary").click()
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found += violations(page, scheme)
    assert not found
