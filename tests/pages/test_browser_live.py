"""The live page in a real browser: its pictures are Python's, and they follow the hand."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

import genlib
from genlib.analysis.path import trace
from tests.pages.test_browser import PHONE, TIMEOUT, Visit, go_to, profile, visit  # noqa: F401
from tests.tiny import SHIPPED_PER_FAMILY
from ui.controls import DEFAULT_MODEL

pytestmark = pytest.mark.browser

SAVED = ((DEFAULT_MODEL, ", Bag 100 %"), ("vae-cnn", ""))
LEVELS = """canvas => {
  const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return [width, height, Array.from(data.filter((_, i) => i % 4 === 0))];
}"""


def drawn(page: Page, text: str) -> np.ndarray:
    """The pictures on the canvas, uint8 (N, 28, 28), once the page says that they are the ones meant."""
    expect(page.get_by_role("status").get_by_text(text)).to_contain_text("drawn in")
    return shown(page.locator(".pictures canvas"))


def drawn_beside(page: Page, name: str, text: str) -> np.ndarray:
    """The same of one of several models, once they are all there."""
    pane = page.locator(".pane", has=page.locator(".caption").get_by_text(name, exact=True))
    expect(pane.locator(".pictures canvas")).to_have_attribute("aria-label", text)
    expect(pane.locator(".caption")).to_contain_text(" ms")
    return shown(pane.locator(".pictures canvas"))


def shown(canvas: Locator) -> np.ndarray:
    """Pictures on a canvas, uint8 (N, 28, 28)."""
    return cut(*canvas.evaluate(LEVELS))


def cut(width: int, height: int, levels: list[int]) -> np.ndarray:
    """A canvas's grid into its pictures, uint8 (N, 28, 28)."""
    columns, rows = (width + 1) // 29, (height + 1) // 29
    whole = np.zeros((29 * rows, 29 * columns), np.uint8)
    whole[:height, :width] = np.reshape(levels, (height, width))
    return whole.reshape(rows, 29, columns, 29)[:, :28, :, :28].swapaxes(1, 2).reshape(-1, 28, 28)


def distance(found: np.ndarray, name: str, n: int, **options: object) -> int:
    expected = genlib.generate(genlib.load(name), n, **options)[0].numpy()
    return int(np.abs(found.astype(int) - expected).max())


def opened(page: Page, kind: str) -> Image.Image:
    """The picture that a button saves."""
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Save {kind}").click()
    return Image.open(download.value.path())


def place(wheel: Locator, label: str) -> tuple[float, float]:
    """Where a class is on the screen, seen from the wheel's middle: its button, a little further in."""
    box, button = wheel.bounding_box(), wheel.get_by_role("button", name=f"Only {label}").bounding_box()
    assert box
    assert button
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    at = button["x"] + button["width"] / 2, button["y"] + button["height"] / 2
    return middle[0] + 0.7 * (at[0] - middle[0]), middle[1] + 0.7 * (at[1] - middle[1])


def await_no_threads(page: Page) -> None:
    for _ in range(TIMEOUT // 20):
        if not page.workers:
            return
        page.wait_for_timeout(20)
    raise AssertionError(f"{len(page.workers)} threads are kept")


def test_the_garments_are_pythons_and_follow_the_hand(visit: Visit) -> None:  # noqa: F811
    page = visit("/live?label=Sandal&n=10&seed=3")
    sandals = drawn(page, "10 pictures by cgan-conv, Sandal 100 %, seed 3")
    assert distance(sandals, DEFAULT_MODEL, 10, seed=3, label="Sandal") <= 1
    wheel = page.locator(".wheel")
    start, end = place(wheel, "Sandal"), place(wheel, "Ankle boot")
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=10)
    dragged = drawn(page, "Ankle boot")  # under the finger, which is not lifted yet
    assert np.abs(dragged.astype(int) - sandals).mean() > 20
    page.mouse.up()
    wheel.get_by_role("button", name="Only Ankle boot").click()
    boots = drawn(page, "Ankle boot 100 %")
    assert distance(boots, DEFAULT_MODEL, 10, seed=3, label="Ankle boot") <= 1
    page.get_by_label("Temperature").fill("0.5")
    page.reload()  # the address has kept it all
    cooler = drawn(page, "Ankle boot 100 %")
    assert distance(cooler, DEFAULT_MODEL, 10, seed=3, label="Ankle boot", temperature=0.5) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED_PER_FAMILY)
def test_every_familys_garments_are_pythons(visit: Visit, name: str) -> None:  # noqa: F811
    page = visit(f"/live?model={name}&n=20&seed=5")
    assert distance(drawn(page, f"20 pictures by {name}"), name, 20, seed=5) <= 1


@pytest.mark.slow
def test_a_finger_turns_the_wheel_on_a_phone(visit: Visit) -> None:  # noqa: F811
    page = visit("/live", phone=True)
    every = drawn(page, "20 pictures by cgan-conv, every class in turn")
    wheel = page.locator(".wheel")
    wheel.scroll_into_view_if_needed()
    fingers = page.context.new_cdp_session(page)
    fingers.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    for kind, label in (("touchStart", "Sandal"), ("touchMove", "Bag"), ("touchEnd", None)):
        points = [dict(zip("xy", place(wheel, label), strict=True))] if label else []
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert (drawn(page, "Bag") != every).any()
    box = page.locator(".pictures canvas").bounding_box()
    assert box
    assert box["x"] + box["width"] <= PHONE["width"]


@pytest.mark.slow
def test_fingers_scroll_and_zoom_the_page_and_choose_nothing_by_it(visit: Visit) -> None:  # noqa: F811
    page = visit("/live?label=Bag", phone=True)
    bags = drawn(page, "Bag 100 %")
    fingers = page.context.new_cdp_session(page)
    fingers.send("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2})

    def move(starts: list[tuple[float, float]], ends: list[tuple[float, float]]) -> None:
        for share in np.linspace(0, 1, 13):
            places = (1 - share) * np.array(starts) + share * np.array(ends)
            points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places.tolist())]
            kind = "touchMove" if share else "touchStart"
            fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
            page.wait_for_timeout(20)
        fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def middle(part: Locator, off: float = 0) -> tuple[float, float]:
        part.scroll_into_view_if_needed()
        box = part.bounding_box()
        assert box
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 + off

    canvas, wheel = page.locator(".pictures canvas"), page.locator(".wheel")
    x, y = middle(canvas)
    move([(x, y)], [(x, y - 150)])
    page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollTop > 50")
    for part, off in ((canvas, 0), (wheel, 30)):
        x, y = middle(part, off)
        move([(x - 15, y), (x + 15, y)], [(x - 75, y), (x + 75, y)])
        page.wait_for_function("visualViewport.scale > 1.2")
        fingers.send("Emulation.setPageScaleFactor", {"pageScaleFactor": 1})
        page.wait_for_function("visualViewport.scale === 1")
    assert (drawn(page, "Bag 100 %") == bags).all()


@pytest.mark.slow
def test_keys_a_single_picture_and_a_walk(visit: Visit) -> None:  # noqa: F811
    page = visit("/live?n=10&label=Bag")
    bags = drawn(page, "Bag 100 %")
    page.get_by_role("slider", name="Mixture of classes").press("ArrowUp")
    drawn(page, "Bag 9")
    page.locator(".wheel").get_by_role("button", name="Only Bag").click()
    page.locator(".pictures canvas").click(position={"x": 5, "y": 5})
    alone = drawn(page, "picture 1 by cgan-conv, Bag 100 %")
    assert (alone == bags[:1]).all()
    page.get_by_role("button", name="Walk").click()
    expect(page.get_by_role("status").get_by_text("seed 1;")).to_be_visible()
    page.get_by_role("button", name="Stop").click()


@pytest.mark.slow
def test_several_models_follow_one_hand(visit: Visit) -> None:  # noqa: F811
    page = visit("/live?n=10&label=Sandal&seed=3&beside=cgan-mlp&beside=vae-cnn&beside=nope")
    expect(page.get_by_text("nope is not a model of this studio")).to_be_visible()
    for name in (DEFAULT_MODEL, "cgan-mlp"):
        sandals = drawn_beside(page, name, f"10 pictures by {name}, Sandal 100 %, seed 3")
        assert distance(sandals, name, 10, seed=3, label="Sandal") <= 1
    assert distance(drawn_beside(page, "vae-cnn", "10 pictures by vae-cnn, seed 3"), "vae-cnn", 10, seed=3) <= 1
    expect(page.locator(".caption").last).to_contain_text("distance 7.85")
    expect(page.locator(".caption").last).to_contain_text("takes no class")
    page.locator(".wheel").get_by_role("button", name="Only Ankle boot").click()
    boots = drawn_beside(page, "cgan-mlp", "10 pictures by cgan-mlp, Ankle boot 100 %, seed 3")
    assert distance(boots, "cgan-mlp", 10, seed=3, label="Ankle boot") <= 1
    page.locator(".pictures canvas").first.click(position={"x": 5, "y": 5})
    drawn_beside(page, "cgan-mlp", "picture 1 by cgan-mlp, Ankle boot 100 %, seed 3")
    drawn_beside(page, "vae-cnn", "picture 1 by vae-cnn, seed 3")
    page.get_by_role("button", name="All pictures").click()
    drawn_beside(page, "vae-cnn", "10 pictures by vae-cnn, seed 3")
    threads = len(page.workers)
    page.get_by_role("button", name="Remove vae-cnn").click()
    expect(page.locator(".pane")).to_have_count(2)
    assert "vae-cnn" not in page.url
    assert len(page.workers) == threads  # the same engine
    page.goto(page.url + "&beside=vae-cnn&beside=gmm-10&beside=dcgan-32")
    expect(page.get_by_text("At most 4 models stand side by side; left out: dcgan-32.")).to_be_visible()
    expect(page.locator(".pane")).to_have_count(4)


@pytest.mark.slow
def test_the_walks_film_strip_leads_along_it(visit: Visit) -> None:  # noqa: F811
    page = visit("/live?n=10&seed=3&label=Bag")
    drawn(page, "10 pictures")
    strip = page.get_by_role("slider", name="The walk, frame by frame")
    expect(strip).to_be_hidden()
    page.locator(".pictures canvas").click(position={"x": 5, "y": 5})
    bag = drawn(page, "picture 1 by cgan-conv, Bag 100 %, seed 3")
    frames = page.locator(".film canvas")
    film = shown(frames)
    assert (film[0] == bag[0]).all()
    box = strip.bounding_box()
    assert box
    page.mouse.click(box["x"] + 4.5 / 8 * box["width"], box["y"] + box["height"] / 2)
    expect(strip).to_have_attribute("aria-valuenow", "4")
    expect(page).to_have_url(re.compile("walk=0.5"))
    page.wait_for_timeout(500)
    assert (shown(page.locator(".pictures canvas")) == film[4]).all()
    strip.press("End")
    strip.press("ArrowRight")
    drawn(page, "picture 1 by cgan-conv, Bag 100 %, seed 4")
    expect(strip).to_have_attribute("aria-valuenow", "0")
    strip.press("PageDown")
    page.get_by_role("button", name="To the next seed").click()
    second = drawn(page, "picture 1 by cgan-conv, Bag 100 %, seed 4")
    page.goto(page.url.replace("n=10", "n=1"))
    assert (drawn(page, "1 pictures by cgan-conv, Bag 100 %, seed 4") == second).all()


@pytest.mark.slow
def test_what_is_shown_is_saved_as_a_picture_and_as_a_film(visit: Visit) -> None:  # noqa: F811
    page = visit("/live?n=10&seed=3&label=Bag&beside=vae-cnn")
    panes = [drawn_beside(page, name, f"10 pictures by {name}{told}, seed 3") for name, told in SAVED]
    still = opened(page, "PNG")
    assert still.size == (8 * (2 * 144 + 8), 8 * 57)
    assert (np.asarray(still.convert("L"))[4::8, 4::8][:28, :28] == panes[0][0]).all()
    assert (np.asarray(still.convert("L"))[4::8, 4::8][:28, 152:180] == panes[1][0]).all()
    film = opened(page, "GIF")
    assert (film.n_frames, film.info["duration"], film.info["loop"]) == (48, 80, 0)
    side = film.width // (2 * 144 + 8)
    for frame, seed in ((0, 3), (16, 4), (32, 5)):
        film.seek(frame)
        found = np.asarray(film.convert("L"))[::side, ::side][:28, :28]
        assert distance(found[None], DEFAULT_MODEL, 1, seed=seed, label="Bag") <= 1
    video = page.get_by_role("button", name=re.compile("Save (WebM|MP4)"))
    if page.evaluate("globalThis.MediaRecorder?.isTypeSupported('video/webm')"):
        with page.expect_download() as download:
            video.click()
        data = download.value.path().read_bytes()
        assert len(data) > 10_000
        assert b"webm" in data[:64] or b"ftyp" in data[:64]
    bare = visit("/live?n=10&model=gmm-10")
    drawn(bare, "10 pictures by gmm-10")
    expect(bare.get_by_role("button", name="Save GIF")).to_be_disabled()  # a mixture has no walk


@pytest.mark.slow
def test_a_browser_that_records_no_video_is_offered_none(visit: Visit) -> None:  # noqa: F811
    page = visit("/live?n=1")
    page.add_init_script("delete globalThis.MediaRecorder")
    page.reload()
    drawn(page, "1 pictures")
    expect(page.get_by_role("button", name=re.compile("Save"))).to_have_count(2)


@pytest.mark.slow
def test_a_flow_is_followed_step_by_step_and_its_student_stands_in(visit: Visit) -> None:  # noqa: F811
    page = visit("/live?model=flow-unet&n=10&seed=3&label=Sandal&nfe=4")
    name, garments = "flow-unet", "10 pictures by flow-unet, Sandal 100 %, seed 3"
    options = {"seed": 3, "label": "Sandal"}
    assert distance(drawn(page, garments), name, 10, steps=4, **options) <= 1
    page.get_by_label("Guidance").fill("2.5")
    page.reload()
    assert distance(drawn(page, garments), name, 10, steps=4, guidance=2.5, **options) <= 1
    page.get_by_label("Noise to garment").fill("2")
    page.reload()
    way = trace(genlib.load(name), 10, 3, "Sandal", steps=4, guidance=2.5).images[2].numpy().astype(int)
    assert np.abs(drawn(page, garments) - way).max() <= 1
    page.get_by_role("button", name="Reset").click()
    assert distance(drawn(page, f"{garments};"), name, 10, **options) <= 1
    wheel = page.locator(".wheel")
    page.mouse.move(*place(wheel, "Sandal"))
    page.mouse.down()
    page.mouse.move(*place(wheel, "Bag"), steps=8)
    expect(
        page.get_by_role("status").get_by_text("by flow-one-step in the place of flow-unet while it moves")
    ).to_be_visible()
    page.mouse.up()
    drawn(page, "10 pictures by flow-unet")
    expect(page.get_by_role("status").get_by_text("flow-one-step")).to_have_count(0)


@pytest.mark.slow
def test_until_a_flow_has_drawn_its_students_pictures_are_there(visit: Visit) -> None:  # noqa: F811
    page = visit("/live?model=flow-unet&n=10&seed=3&label=Sandal")
    drawn(page, "10 pictures by flow-unet, Sandal 100 %, seed 3")
    page.get_by_label("Steps").fill("20")  # long enough to be looked at
    page.locator(".wheel").get_by_role("button", name="Only Bag").click()
    waiting = page.get_by_role("status").get_by_text("flow-unet: flow-one-step in its place until its own are drawn")
    expect(waiting).to_be_visible()
    label, levels = page.locator(".pictures canvas").evaluate(f"canvas => [canvas.ariaLabel, ({LEVELS})(canvas)]")
    assert label == "10 pictures by flow-one-step, Bag 100 %, seed 3"
    assert distance(cut(*levels), "flow-one-step", 10, seed=3, label="Bag") <= 1
    own = drawn(page, "10 pictures by flow-unet, Bag 100 %, seed 3")
    assert distance(own, "flow-unet", 10, seed=3, label="Bag", steps=20) <= 1


@pytest.mark.slow
def test_pages_give_back_what_they_took(visit: Visit) -> None:  # noqa: F811
    page = visit("/live?n=1")
    drawn(page, "1 pictures")
    own, threads = page.context.new_cdp_session(page), len(page.workers)
    own.send("Performance.enable")
    counts = []
    for _ in range(25):
        go_to(page, "Leaderboard")
        expect(page.locator(".live")).to_have_count(0)
        await_no_threads(page)
        go_to(page, "Live")
        drawn(page, "pictures by")
        assert len(page.workers) == threads
        own.send("HeapProfiler.collectGarbage")
        found = {each["name"]: each["value"] for each in own.send("Performance.getMetrics")["metrics"]}
        counts.append([found["Nodes"], found["JSEventListeners"], found["JSHeapUsedSize"]])
    # The page before may still wait to be freed: the least of five.
    early, late = np.min(counts[5:10], axis=0), np.min(counts[-5:], axis=0)
    assert (late - early <= (40, 20, 3e6)).all(), counts


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "body", "line"),
    [
        ("octet-stream", b"", "vae-dense-8: the weights have 0 bytes"),
        ("json", b"{", "vae-dense-8: the program is not readable JSON"),
        ("json", b'{"format": 9}', "the weights have"),
    ],
)
def test_what_is_damaged_is_one_line(visit: Visit, file: str, body: bytes, line: str) -> None:  # noqa: F811
    page = visit("/live?n=10")
    drawn(page, "10 pictures")
    kind = ".json" if file == "json" else ".bin"
    page.route(f"**/media/*{kind}", lambda route: route.fulfill(body=body))
    page.goto(page.url.replace("/live?", "/live?model=vae-dense-8&"))
    expect(page.get_by_role("status").get_by_text(line)).to_be_visible()
    page.unroute(f"**/media/*{kind}")
    page.reload()
    assert len(drawn(page, "10 pictures by vae-dense-8")) == 10


@pytest.mark.slow
@pytest.mark.parametrize("answer", [{"status": 404}, {"body": "const = ;", "content_type": "text/javascript"}])
def test_an_engine_that_cannot_start_is_one_line(visit: Visit, answer: dict) -> None:  # noqa: F811
    page = visit("/dataset")
    page.route("**/live/engine.js", lambda route: route.fulfill(**answer))
    page.goto(page.url.replace("/dataset", "/live"))
    expect(page.get_by_text("The live page could not start: ")).to_be_visible()
    page.unroute("**/live/engine.js")
    page.reload()
    drawn(page, "40 pictures")


@pytest.mark.slow
def test_a_flow_without_its_student_says_so_and_draws(visit: Visit) -> None:  # noqa: F811
    page = visit("/dataset")
    weights: list[Route] = []

    def cut_the_second(route: Route) -> None:
        weights.append(route)
        if len(weights) == 2:
            route.fulfill(body=b"cut")
        else:
            route.continue_()

    page.route("**/media/*.bin", cut_the_second)
    page.goto(page.url.replace("/dataset", "/live?model=flow-unet&n=1"))
    drawn(page, "1 pictures by flow-unet")
    line = "Its pictures come slowly while it moves: flow-one-step: the weights have 3 bytes"
    expect(page.get_by_role("status").get_by_text(line)).to_be_visible()
    page.get_by_role("slider", name="Temperature").press("ArrowLeft")
    drawn(page, "1 pictures by flow-unet")
    expect(page.get_by_role("status").get_by_text(line)).to_be_visible()
