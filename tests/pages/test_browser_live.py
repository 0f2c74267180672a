"""The live page in a real browser: its pictures are Python's, and they follow the hand."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

import genlib
from tests.pages.test_browser import PHONE, Visit, profile, visit  # noqa: F401
from tests.tiny import SHIPPED_PER_FAMILY
from ui.controls import DEFAULT_MODEL

pytestmark = pytest.mark.browser

LEVELS = """canvas => {
  const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return [width, height, Array.from(data.filter((_, i) => i % 4 === 0))];
}"""


def drawn(page: Page, text: str) -> np.ndarray:
    """The pictures on the canvas, uint8 (N, 28, 28), once the page says that they are the ones meant."""
    expect(page.get_by_role("status").get_by_text(text)).to_contain_text("drawn in")
    width, height, levels = page.locator(".pictures canvas").evaluate(LEVELS)
    columns, rows = (width + 1) // 29, (height + 1) // 29
    whole = np.zeros((29 * rows, 29 * columns), np.uint8)
    whole[:height, :width] = np.reshape(levels, (height, width))
    return whole.reshape(rows, 29, columns, 29)[:, :28, :, :28].swapaxes(1, 2).reshape(-1, 28, 28)


def distance(found: np.ndarray, name: str, n: int, **options: object) -> int:
    expected = genlib.generate(genlib.load(name), n, **options)[0].numpy()
    return int(np.abs(found.astype(int) - expected).max())


def place(wheel: Locator, label: str) -> tuple[float, float]:
    """Where a class is on the screen, seen from the wheel's middle: its button, a little further in."""
    box, button = wheel.bounding_box(), wheel.get_by_role("button", name=f"Only {label}").bounding_box()
    assert box
    assert button
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    at = button["x"] + button["width"] / 2, button["y"] + button["height"] / 2
    return middle[0] + 0.7 * (at[0] - middle[0]), middle[1] + 0.7 * (at[1] - middle[1])


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
@pytest.mark.parametrize(
    ("file", "body", "line"),
    [
        ("octet-stream", b"", "the weights have 0 bytes"),
        ("json", b"{", "the program is not readable JSON"),
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
