"""The README's pictures, taken from the running studio: `python -m docs.screenshots [name ...]`, or `make screenshots`.

It stands beside what it writes: it neither measures, as benchmarks/ does, nor belongs to the product. Links are fixed,
so that a picture changes only where the page or a model does; but Train trains for real, and shows the times of the
machine it ran on.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from benchmarks.browser import chromium, settle
from benchmarks.server import streamlit
from genlib.jobs.queue import Queue

HERE = Path(__file__).resolve().parent
WIDTH, HEIGHT = 1280, 800
COLOURS = 256
RENDER_MILLISECONDS = 2_000  # charts are drawn after the run that sends them has ended
LINKS = {
    "live": "/live?seed=7&label=Sandal&n=20",
    "interpolate": "/interpolate?model=cgan-conv&from=Sandal&to=Bag&seed=0",
    "compare": "/compare?seed=3&label=Ankle+boot",
    "path": "/path?model=flow-unet&seed=0",
    "latent": "/latent?model=cgan-mlp&seed=0",
    "reconstruct": "/reconstruct?model=vae-cnn",
    "train": "/train?preset=vae-dense-8",
}
WAY = ("Sandal", "Ankle boot", "Bag", "Coat", "Sandal")  # that the hand drags through, in the moving picture
MOVES = 8  # pictures from one class to the next
FRAME = 640, 420  # the moving picture's size
MARGIN = 16  # pixels to the right of the wheel, over which its labels reach
FINISHED = {"epochs": 2}
RUNNING = {"epochs": 30, "lr": 0.0002}
QUICK = (1_000, 1_000)  # samples of a Frechet distance: a quick look, as the page calls it


def main() -> None:
    """Write docs/NAME.png for each name, all without one; of Live a moving picture, docs/live.webp."""
    names = sys.argv[1:] or list(LINKS)
    if unknown := set(names) - LINKS.keys():
        sys.exit(f"no page {', '.join(unknown)} here; pages are {', '.join(LINKS)}")
    with tempfile.TemporaryDirectory() as runs:
        # The server and its workers inherit these; shared, since the runs are not this browser's own.
        os.environ |= {"GENLIB_RUNS": runs, "GENLIB_TRAINING_SHARED": "on"}
        with streamlit(HERE.parent / "app.py") as server, chromium() as browser:
            for name in names:
                path, address = HERE / f"{name}.{'webp' if name == 'live' else 'png'}", server.address + LINKS[name]
                if name == "live":
                    path.write_bytes(_live(browser, address))
                else:
                    path.write_bytes(_small((_train if name == "train" else _page)(browser, address)))
                print(f"{path.relative_to(HERE.parent)}: {path.stat().st_size / 1000:.0f} kB")


def _page(browser: Browser, address: str) -> bytes:
    page = _open(browser, address)
    return page.screenshot()


def _open(browser: Browser, address: str) -> Page:
    size = {"width": WIDTH, "height": HEIGHT}
    page = browser.new_context(viewport=size, color_scheme="light", reduced_motion="reduce").new_page()
    page.set_default_timeout(120_000)
    page.goto(address)
    page.get_by_test_id("stMain").locator("img").first.wait_for()
    settle(page)
    page.wait_for_timeout(RENDER_MILLISECONDS)
    return page


def _live(browser: Browser, address: str) -> bytes:
    """Live while a hand drags the wheel's point from class to class: the page itself, frame by frame."""
    context = browser.new_context(viewport={"width": 1100, "height": 800}, color_scheme="light")
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(address)
    page.get_by_role("status").get_by_text("drawn in").wait_for()
    settle(page)
    stops = [_on_the_wheel(page, label) for label in WAY]
    page.mouse.move(*stops[0])
    page.mouse.down()
    frames, whole = [], page.locator(".live").bounding_box()
    assert whole
    whole["width"] += MARGIN
    for (x, y), (to_x, to_y) in pairwise(stops):
        for i in range(MOVES):
            page.mouse.move(x + (to_x - x) * i / MOVES, y + (to_y - y) * i / MOVES)
            page.wait_for_timeout(300)  # the garments follow at once; a busy machine may take longer
            frames.append(page.screenshot(clip=whole))
    page.mouse.up()
    context.close()
    return _moving(frames)


def _on_the_wheel(page: Page, label: str) -> tuple[float, float]:
    """A place near a class, seen from the wheel's middle."""
    wheel = page.locator(".wheel")
    box, button = wheel.bounding_box(), wheel.get_by_role("button", name=f"Only {label}").bounding_box()
    assert box and button
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    return (
        x + 0.7 * (button["x"] + button["width"] / 2 - x),
        y + 0.7 * (button["y"] + button["height"] / 2 - y),
    )


def _moving(frames: list[bytes]) -> bytes:
    """Pictures as one that plays for ever."""
    pictures = [Image.open(io.BytesIO(frame)).convert("RGB") for frame in frames]
    for picture in pictures:
        picture.thumbnail(FRAME)
    buffer = io.BytesIO()
    pictures[0].save(
        buffer, "WEBP", save_all=True, append_images=pictures[1:], duration=110, loop=0, quality=50, method=6
    )
    return buffer.getvalue()


def _train(browser: Browser, address: str) -> bytes:
    """One run that is over and one under way: both trained here and now, on the training split."""
    queue = Queue()
    finished = queue.submit("vae-dense-8", FINISHED, samples=QUICK)
    for _ in queue.follow(finished.id):
        pass
    running = queue.submit("vae-dense-8", RUNNING, samples=QUICK)
    try:
        for event in queue.follow(running.id):
            if event["event"] == "EpochDone" and event["record"]["epoch"] == 2:
                break
        return _page(browser, f"{address}&run={running.id}")
    finally:
        queue.cancel(running.id)
        while queue.get(running.id).state == "cancelling":
            time.sleep(0.2)
            queue.jobs()


def _small(png: bytes) -> bytes:
    """The picture with a palette of its own colours, at a third of the bytes."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    buffer = io.BytesIO()
    picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        buffer, "PNG", optimize=True
    )
    return buffer.getvalue()


if __name__ == "__main__":
    main()
