"""Milliseconds from a key press on a slider to new pixels: the studio's pages against a bare Streamlit page.

Both are served in this run by Streamlit with the repository's configuration, and driven in one headless Chromium;
moves are interleaved, page by page. Same network, number of images, slider steps and picture size. The bare page
(`bare_page.py`) computes its picture on every move, as the least script would; every move of every slider is to a
place no one has been, so no page finds its grid in a cache (Interpolate has its whole walk ready by design).
Streamlit's slider tells the server at the key press itself. What a bare page waits for is the garbage collection
that Streamlit runs after each script: with torch in memory it holds the interpreter for some 100 ms before the
picture can be fetched, unless the objects of the imported libraries have been frozen (`gc.freeze`).

Then the same beside a training job of the queue, and with seven more sessions on the server, dragging the same slider
of the same page without a rest: by Streamlit's protocol (`visitor.py`), since seven more browsers on the same cores
would measure themselves.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from playwright.sync_api import Browser

from benchmarks.browser import Slider, chromium
from benchmarks.report import Unavailable, in_turns, load_average, percentile, print_table, ratio
from benchmarks.server import ROOT, streamlit
from benchmarks.visitor import crowd
from genlib.jobs.queue import Queue
from genlib.jobs.run import WORKING, has_begun
from genlib.loading import weights_directory
from genlib.models import presets

PICTURES = 40  # the Generate page's default
MOVES = 30  # of the temperature slider's 40
OTHERS = 7
JOB = "dcgan-32"
Query = dict[str, object]
Visits = dict[str, tuple[str, str, Query]]
LABELS = {"generate": "Temperature", "interpolate": "Position"}


def run(quick: bool) -> None:
    """Print the tables."""
    model, moves = _model(), 6 if quick else MOVES
    app = ROOT / "app.py"
    if not app.is_file():
        raise Unavailable("there is no app.py")
    with ExitStack() as stack:
        scripts = (app, ROOT / "benchmarks" / "bare_page.py")
        studio, bare = (stack.enter_context(streamlit(script)).address for script in scripts)
        browser = stack.enter_context(chromium())
        visits: Visits = {}
        for page in LABELS:
            query: Query = {"model": model} | ({"n": PICTURES} if page == "generate" else {})
            visits[f"/{page}"] = (studio, page, query)
            visits[f"/{page}, bare"] = (bare, "", query | {"draw": page})
        _print(f"{model}, {moves} interleaved moves", _alone(browser, visits, moves, 0))
        with _training():
            times = _alone(browser, visits, moves, OTHERS + 2)
        _print(f"{model}, {moves} interleaved moves beside a job that trains {JOB}", times)
        _print(
            f"{model}, {moves} moves beside {OTHERS} other sessions that move at once",
            {name: _in_company(browser, moves, name, *visit) for name, visit in visits.items()},
        )


def _slider(browser: Browser, name: str, root: str, page: str, query: Query, seed: int) -> Slider:
    """A slider where no one has been; Interpolate's walk between the seeds it opens with changes at every step."""
    moved = query | ({"seed": seed} if "generate" in name else {})
    return Slider(browser, f"{root}/{page}?{urlencode(moved)}", _label(name))


def _alone(browser: Browser, visits: Visits, moves: int, seed: int) -> dict[str, list[float]]:
    """The milliseconds of each page's moves, the pages in turn."""
    sliders = {name: _slider(browser, name, *visit, seed) for name, visit in visits.items()}
    measures = {name: slider.move for name, slider in sliders.items()}
    in_turns(measures, 2)
    return in_turns(measures, moves)


@contextmanager
def _training() -> Iterator[None]:
    """A job of the queue trains as long as the context lasts, niced as a job is, on as many threads as it takes."""
    with TemporaryDirectory() as directory:
        queue = Queue(Path(directory))
        job = queue.submit(JOB, {})
        while not all(map(has_begun, queue.jobs())):
            time.sleep(0.5)
        try:
            yield
        finally:
            queue.cancel(job.id)
            while any(each.state in WORKING for each in queue.jobs()):
                time.sleep(0.5)


def _label(name: str) -> str:
    return next(label for page, label in LABELS.items() if page in name)


def _in_company(browser: Browser, moves: int, name: str, root: str, page: str, query: Query) -> list[float]:
    """The milliseconds of one slider's moves, the others on the same page with seeds of their own."""
    slider = _slider(browser, name, root, page, query, OTHERS + 1)
    with crowd(root, page, [query | {"seed": 1 + i} for i in range(OTHERS)], _label(name)):
        return [slider.move() for _ in range(moves)]


def _print(title: str, times: dict[str, list[float]]) -> None:
    print_table(
        f"slider: milliseconds from key press to new pixels, {title}",
        ("page", "median", "p95", "studio takes (min-max)"),
        [
            (
                name,
                median(values),
                percentile(values, 0.95),
                ratio(values, times[f"{name}, bare"]) if f"{name}, bare" in times else "",
            )
            for name, values in times.items()
        ],
        "studio takes: its time / the bare page's, of the same turn; aim: within 1.3 times",
        f"load average {load_average()} at the end",
    )


def _model() -> str:
    """The first preset with weights, in the registry's order."""
    for name in presets():
        if (weights_directory() / name / "config.json").is_file():
            return name
    raise Unavailable("no preset has weights")
