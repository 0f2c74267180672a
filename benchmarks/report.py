"""Measuring in turns, and the plain tables that every benchmark prints."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from statistics import median

Measure = Callable[[], float]


class Unavailable(Exception):
    """A benchmark that cannot run here; the message says what it lacks."""


def in_turns(measures: Mapping[str, Measure], rounds: int) -> dict[str, list[float]]:
    """Take every measure once a round, one after the other, for so many rounds."""
    results: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            results[name].append(measure())
    return results


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of the values do not exceed: nearest rank, so one that was measured."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def ratio(over: Sequence[float], under: Sequence[float]) -> str:
    """Median of the paired ratios over / under, with the smallest and the largest."""
    pairs = [a / b for a, b in zip(over, under, strict=True)]
    return f"{median(pairs):.2f}x ({min(pairs):.2f}-{max(pairs):.2f})"


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *notes: str) -> None:
    """A title, aligned columns (numbers to the right), then the notes."""
    table = [[_text(value) for value in row] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(columns, *table, strict=True)]
    numeric = [all(not isinstance(row[i], str) for row in rows) for i in range(len(columns))]
    print(f"\n{title}")
    for cells in (list(columns), ["-" * width for width in widths], *table):
        aligned = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(cells, widths, numeric, strict=True)
        ]
        print("  " + "  ".join(aligned).rstrip())
    for note in notes:
        print(f"  {note}")


def _text(value: object) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def load_average() -> str:
    """How busy the machine is: above 0 before a benchmark starts, its absolute figures are worth little."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
