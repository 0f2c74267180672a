"""The static site on a local disk, opened by a Chromium that has never been there: when its first picture is seen.

The site is served by `python -m http.server`, without compression; every round is a browser of its own, with no cache.
Bytes are counted as the server logs them: everything but the model's own files, however late it comes.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.browser import chromium
from benchmarks.report import Unavailable, print_table
from genlib.publish.site.folder import write_site

FIRST_SECONDS, BYTES = 1.0, 200_000  # what is wanted at most
DESK = {"width": 1280, "height": 900}

# Milliseconds from the navigation's start to the frame that shows the first picture, and to the one with the last.
WATCH = """(() => {
  const { prototype } = CanvasRenderingContext2D;
  const put = prototype.putImageData;
  const seen = () => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))));
  prototype.putImageData = function (...given) {
    put.apply(this, given);
    window.first ??= seen();
    window.last = seen();
  };
})()"""
WHOLE = "document.querySelector('.pictures canvas')?.ariaLabel?.startsWith('40 ')"


def run(quick: bool) -> None:
    """Print the table."""
    rounds = 5 if quick else 15
    firsts, lasts, sizes, requests = [], [], [], []
    with TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        write_site(site)
        for _ in range(rounds):
            with _served(site) as (address, log), chromium() as browser:
                page = browser.new_page(viewport=DESK)  # type: ignore[arg-type]
                page.add_init_script(WATCH)
                page.goto(address, wait_until="commit")
                page.wait_for_function(WHOLE)
                firsts.append(page.evaluate("first") / 1000)
                lasts.append(page.evaluate("last") / 1000)
                asked = re.findall(r'"GET /(\S*) HTTP/1\.\d" 200', log.read_text("utf-8"))
            shared = [path or "index.html" for path in asked if not path.startswith("models/")]
            requests.append(len(shared))
            sizes.append(sum((site / path).stat().st_size for path in shared))
    print_table(
        f"site: seconds to the first picture, a new browser each time, {rounds} rounds",
        ("first, s", "worst", "whole grid, s", "kB before the model", "files", "aim"),
        [
            [
                median(firsts),
                max(firsts),
                median(lasts),
                max(sizes) / 1000,
                max(requests),
                f"{FIRST_SECONDS:.0f} s, {BYTES / 1000:.0f} kB",
            ]
        ],
    )


@contextmanager
def _served(folder: Path) -> Iterator[tuple[str, Path]]:
    """The site's address, and the file in which the server logs."""
    log = folder.parent / "log"
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(folder)]
    with open(log, "wb") as output:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=output, text=True)
    try:
        assert server.stdout
        said = re.search(r"http://\S+", server.stdout.readline())
        if said is None:
            raise Unavailable("http.server did not start")
        yield said[0].rstrip(")"), log
    finally:
        server.terminate()
        server.wait()
