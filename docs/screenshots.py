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
    "generate": "/generate?model=cgan-conv&seed=0&n=40",
    "interpolate": "/interpolate?model=cgan-conv&from=Sandal&to=Bag&seed=0",
    "compare": "/compare?seed=3&label=Ankle+boot",
    "path": "/path?model=flow-unet&seed=0",
    "latent": "/latent?model=cgan-mlp&seed=0",
    "reconstruct": "/reconstruct?model=vae-cnn",
    "train": "/train?preset=vae-dense-8",
}
FINISHED = {"epochs": 2}
RUNNING = {"epochs": 30, "lr": 0.0002}
QUICK = (1_000, 1_000)  # samples of a Frechet distance: a quick look, as the page calls it


def main() -> None:
    """Write docs/NAME.png for each name, all without one."""
    names = sys.argv[1:] or list(LINKS)
    if unknown := set(names) - LINKS.keys():
        sys.exit(f"no page {', '.join(unknown)} here; pages are {', '.join(LINKS)}")
    with tempfile.TemporaryDirectory() as runs:
        # The server and its workers inherit these; shared, since the runs are not this browser's own.
        os.environ |= {"GENLIB_RUNS": runs, "GENLIB_TRAINING_SHARED": "on"}
        with streamlit(HERE.parent / "app.py") as server, chromium() as browser:
            for name in names:
                take = _train if name == "train" else _page
                path = HERE / f"{name}.png"
                path.write_bytes(_small(take(browser, server.address + LINKS[name])))
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
