"""Milliseconds from a seed to a picture of 64 samples: noise, network, bytes, grid; each preset that has weights."""

from __future__ import annotations

import time
from functools import partial
from statistics import median

from benchmarks.report import Measure, Unavailable, in_turns, percentile, print_table
from genlib.errors import GenlibError
from genlib.images import grid
from genlib.loading import load
from genlib.model import Model
from genlib.models import presets
from genlib.sampling import generate

GRID = 64


def run(quick: bool) -> None:
    """Print the table; each round draws every model's grid once, from a new seed."""
    models, missing = {}, []
    for name in presets():
        try:
            models[name] = load(name)
        except GenlibError:
            missing.append(name)
    if not models:
        raise Unavailable("no preset has usable weights")
    rounds = 20 if quick else 200
    in_turns(_measures(models), 3)
    times = in_turns(_measures(models), rounds)
    print_table(
        f"sampling: milliseconds for a grid of {GRID}, noise to uint8 picture, {rounds} interleaved rounds",
        ("model", "median", "p95"),
        [(name, median(values), percentile(values, 0.95)) for name, values in times.items()],
        *([f"without usable weights: {', '.join(missing)}"] if missing else []),
    )


def _measures(models: dict[str, Model]) -> dict[str, Measure]:
    seeds = dict.fromkeys(models, 0)

    def milliseconds(name: str) -> float:
        seeds[name] += 1
        started = time.perf_counter()
        images, _ = generate(models[name], GRID, seed=seeds[name])
        grid(images, columns=8)
        return 1000 * (time.perf_counter() - started)

    return {name: partial(milliseconds, name) for name in models}
