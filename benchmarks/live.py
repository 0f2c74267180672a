"""Milliseconds of the live studio's engine in Node for a grid, noise to bytes, on one thread and on two.

Models are taken in turns, round by round, each with a temperature that it has not had before, as a slider's drag asks
for; the noise of a seed is drawn once. PyTorch on one thread draws the same grid of 64 beside it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch

from benchmarks.report import Unavailable, in_turns, percentile, print_table, ratio
from genlib.live.export import exported
from genlib.loading import load
from genlib.model import Model
from genlib.sampling import generate

FRAMES = {"cgan-mlp": (64, 60), "vae-cnn": None, "gan-cnn": (64, 30), "dcgan-32": (64, 30), "cgan-conv": (40, 20)}
THREADS = 2
GRID = 64
Times = dict[str, list[float]]


def run(quick: bool) -> None:
    """Print the table."""
    rounds = 10 if quick else 100
    measured = _in_node([exported(name) for name in FRAMES], rounds)
    beside = in_turns({name: _python(load(name)) for name in FRAMES}, max(3, rounds // 10))
    rows = [_row(name, times, beside[name]) for name, times in zip(FRAMES, measured, strict=True)]
    columns = ("model", "16", "40", "64", "64, p95", f"64, {THREADS} threads", "torch, 64", "torch takes", "aim")
    print_table(
        f"live: milliseconds for 16, 40 and 64 pictures in Node, one thread unless said otherwise, {rounds} rounds",
        columns,
        rows,
        f"aim: pictures so many times a second, with {THREADS} threads; torch takes: its median time / the engine's",
    )


def _row(name: str, times: dict[str, Times], python: list[float]) -> list[object]:
    alone, shared = times["alone"], times["shared"]
    medians = [median(alone[count]) for count in ("16", "40", "64")]
    return [
        name,
        *medians,
        percentile(alone["64"], 0.95),
        median(shared["64"]),
        median(python),
        ratio([median(python)], [medians[-1]]).partition(" ")[0],
        _aim(name, shared),
    ]


def _aim(name: str, shared: Times) -> str:
    """What was wanted of a model, and what there is."""
    wanted = FRAMES[name]
    if wanted is None:
        return ""
    count, frames = wanted
    return f"{count} at {frames}/s: {1000 / median(shared[str(count)]):.0f}/s"


def _in_node(directories: list[Path], rounds: int) -> list[dict[str, Times]]:
    node = shutil.which("node")
    if node is None:
        raise Unavailable("there is no node here; on Debian: apt-get install nodejs")
    script = Path(__file__).with_suffix(".mjs")
    command = [node, str(script), str(rounds), str(THREADS), *map(str, directories)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(done.stderr.strip().splitlines()[-1])
    found = json.loads(done.stdout)
    for notice in found["notices"]:
        print(f"  {notice}")
    return found["times"]


def _python(model: Model) -> Callable[[], float]:
    """The same grid by PyTorch on one thread."""

    def milliseconds() -> float:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        started = time.perf_counter()
        generate(model, GRID, seed=1)
        taken = 1000 * (time.perf_counter() - started)
        torch.set_num_threads(threads)
        return taken

    return milliseconds
