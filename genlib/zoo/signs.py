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


def to_mind(directory: Path) -> list[str]:
    """What is to be said with a finished run's distance: that it is of few samples, and the signs."""
    from genlib.metrics.evaluation import warning

    try:
        samples = read_json(directory / "metrics.json").get("samples")
    except GenlibError:
        return []
    few = warning(samples) if isinstance(samples, int) else ""
    return [*([few] if few else []), *signs(directory)]


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
    for name, first, last in _extremes(epochs):
        if max(abs(first), abs(last)) > GREW * max(1.0, min(abs(first), abs(last))):
            what = name if name == "loss" else f"{in_brief(name)[:SHOWN]} loss"
            went = "grew" if abs(last) > abs(first) else "fell"
            found.append(f"the {what} {went} from {first:.3g} to {last:.3g}: the training exploded; try a smaller lr")
    return found


def _extremes(epochs: list[dict[str, Any]]) -> list[tuple[str, float, float]]:
    """Each loss where it was farthest from zero and where it was nearest, the earlier epoch's first."""
    found = []
    for name in sorted({name for record in epochs for name in record["losses"]}):
        values = [record["losses"][name] for record in epochs if name in record["losses"]]
        places = sorted((max(range(len(values)), key=lambda i: abs(values[i])), values.index(min(values, key=abs))))
        found.append((name, values[places[0]], values[places[1]]))
    return found
