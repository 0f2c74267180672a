"""Signs that a training has come to nothing, though it came to its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genlib.errors import SHOWN, GenlibError, in_brief, is_number
from genlib.io.files import read_json
from genlib.zoo.files import read_records

WORST = 40.0  # Frechet distances: photographs of one class alone score 25 to 40, noise 45, one alone mostly 55
GREW = 1_000.0  # times; the losses of the shipped models have at most doubled


def signs(directory: Path) -> list[str]:
    """What is plainly wrong with a finished run, a line each; nothing where nothing is, or nothing can be read."""
    try:
        return signs_of(directory, read_json(directory / "metrics.json").get("fd"))
    except GenlibError:
        return []


def signs_of(directory: Path, fd: object) -> list[str]:
    """The same of a run with a Frechet distance and a history.json."""
    try:
        epochs = read_records(directory)["epochs"]
    except GenlibError:
        return []
    found = []
    if is_number(fd) and fd >= WORST:
        found.append(
            f"a Frechet distance of {fd:.1f} is that of no garments: photographs of one class alone score 25 to "
            "40, noise 45, one photograph again and again mostly 55. It may have collapsed, or never have learned; try "
            "a smaller lr"
        )
    for name, first, last in _losses(epochs):
        if abs(last) > GREW * max(1.0, abs(first)):
            what = name if name == "loss" else f"{in_brief(name)[:SHOWN]} loss"
            found.append(f"the {what} grew from {first:.3g} to {last:.3g}: the training exploded; try a smaller lr")
    return found


def _losses(epochs: list[dict[str, Any]]) -> list[tuple[str, float, float]]:
    """Each loss in the first epoch and the last."""
    if not epochs:
        return []
    first, last = epochs[0]["losses"], epochs[-1]["losses"]
    return sorted((key, first[key], last[key]) for key in first.keys() & last.keys())
