"""Frames a second of the live engine in headless Chromium, beside another engine with the same generators.

The other is ONNX Runtime Web, of the version in package.json, which npm fetches once to build/; where it, or genlib's
extra `onnx`, is not to be had, the engine's own plain JavaScript takes its place, and the table says so.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Thread

from benchmarks.browser import chromium
from benchmarks.report import print_table, ratio
from benchmarks.server import ROOT
from genlib.errors import GenlibError
from genlib.live.export import export
from genlib.live.onnx_file import export_onnx

HERE = Path(__file__).parent
PACKAGES = ROOT / "build" / "web"
ORT = PACKAGES / "node_modules" / "onnxruntime-web" / "dist"
NAMES = ("cgan-mlp", "vae-cnn", "gan-cnn", "dcgan-32", "cgan-conv")
COUNT, THREADS = 40, 2
MEASURE = "([names, options]) => import('/measure.mjs').then(({ measure }) => measure(names, options))"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


def run(quick: bool) -> None:
    """Print the table."""
    rounds, why = 10 if quick else 100, _fetched()
    with TemporaryDirectory() as folder, chromium() as browser:
        why = _lay_out(Path(folder), why)
        options = {"count": COUNT, "rounds": rounds, "threads": THREADS, "onnx": why is None}
        with _served(Path(folder)) as address:
            page = browser.new_page()
            page.goto(f"{address}/empty.html")
            found = page.evaluate(MEASURE, [list(NAMES), options])
    other = "plain JavaScript" if why else "ONNX Runtime Web"
    rows = [_row(name, times) for name, times in found.items()]
    print_table(
        f"web: grids of {COUNT} a second in headless Chromium, {rounds} rounds in turns; the other is {other}",
        ("model", f"{THREADS} threads", "1 thread", "other, 1 thread", "other takes / 1 thread", "differs by"),
        rows,
        *([f"ONNX Runtime Web is not here: {why}"] if why else []),
        "differs by: the largest difference in grey levels of the two engines' pictures",
    )


def _row(name: str, times: dict[str, list[float]]) -> list[object]:
    seconds = [1000 / median(times[way]) for way in ("shared", "alone", "other")]
    return [name, *seconds, ratio(times["other"], times["alone"]), int(times["difference"])]  # type: ignore[call-overload]


def _fetched() -> str | None:
    """Why ONNX Runtime Web cannot be had; None once it is here."""
    if not ORT.is_dir():
        npm = shutil.which("npm")
        if npm is None:
            return "there is no npm"
        PACKAGES.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "package.json", PACKAGES)
        command = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=PACKAGES, capture_output=True, text=True, check=False)
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["npm install failed"])[-1]
    return None


def _lay_out(folder: Path, why: str | None) -> str | None:
    """Put together what the page fetches; why ONNX Runtime Web is left out, if it is."""
    (folder / "empty.html").write_text("<!doctype html><title>measured</title>")
    shutil.copy(HERE / "measure.mjs", folder)
    (folder / "live").symlink_to(ROOT / "static" / "live")
    for name in NAMES:
        export(name, folder / "models" / name)
        if why is None:
            try:
                export_onnx(name, folder / "models" / name)
            except GenlibError as error:
                why = str(error)
    if why is None:
        (folder / "ort").symlink_to(ORT)
    return why


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
