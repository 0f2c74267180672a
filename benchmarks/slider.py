"""Milliseconds from a key press on a slider to new pixels: the studio's pages against a bare Streamlit page.

Both are served in this run by Streamlit with the repository's configuration, and driven in one headless Chromium;
moves are interleaved, page by page. Same network, number of images, slider steps and picture size. The bare page
(`bare_page.py`) computes its picture on every move, as the least script would; every move of every slider is to a
place no one has been, so no page finds its grid in a cache (Interpolate has its whole walk ready by design).
Streamlit's slider tells the server at the key press itself. What a bare page waits for is the garbage collection
that Streamlit runs after each script: with torch in memory it holds the interpreter for some 100 ms before the
picture can be fetched, unless the objects of the imported libraries have been frozen (`gc.freeze`).
"""

from __future__ import annotations

from contextlib import ExitStack
from statistics import median
from urllib.parse import urlencode

from benchmarks.browser import ROOT, Slider, chromium, streamlit
from benchmarks.report import Unavailable, in_turns, percentile, print_table, ratio
from genlib.model import presets
from genlib.store import weights_directory

PICTURES = 40  # the Generate page's default
MOVES = 30  # of the temperature slider's 40
LABELS = {"generate": "Temperature", "interpolate": "Position"}


def run(quick: bool) -> None:
    """Print the table."""
    model, moves = _model(), 8 if quick else MOVES
    app = ROOT / "app.py"
    if not app.is_file():
        raise Unavailable("there is no app.py")
    with ExitStack() as stack:
        studio, bare = (stack.enter_context(streamlit(s)) for s in (app, ROOT / "benchmarks" / "bare_page.py"))
        browser = stack.enter_context(chromium())
        sliders = {}
        for page, label in LABELS.items():
            query = {"model": model, "n": PICTURES} if page == "generate" else {"model": model}
            sliders[f"/{page}"] = Slider(browser, f"{studio}/{page}?{urlencode(query)}", label)
            sliders[f"/{page}, bare"] = Slider(browser, f"{bare}/?{urlencode(query | {'draw': page})}", label)
        measures = {name: slider.move for name, slider in sliders.items()}
        in_turns(measures, 2)
        times = in_turns(measures, moves)
    print_table(
        f"slider: milliseconds from key press to new pixels, {model}, {moves} interleaved moves",
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
        "studio takes: its time / the bare page's, of the same turn",
    )


def _model() -> str:
    """The first preset with weights, in the registry's order."""
    for name in presets():
        if (weights_directory() / name / "config.json").is_file():
            return name
    raise Unavailable("no preset has weights")
