"""Scatter plots, pies, trade-offs and verdicts as pictures, for the command line and for downloads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from genlib.data import CLASS_NAMES
from genlib.errors import GenlibError
from genlib.models import families

if TYPE_CHECKING:
    from genlib.findings.judge import Finding

CLASS_COLOURS = (
    *("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6"),
    *("#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd"),
)  # Petroff 2021, arXiv:2107.02270; one colour a class, everywhere
RIGHT, WRONG = CLASS_COLOURS[0], CLASS_COLOURS[1]
OTHERS = "#d5d8dd"  # points behind the class that is looked at
INK, FRAME = "#1f2328", "#dcdfe4"
FINE = 3  # drawn so many times larger, then averaged: smooth edges
SIDE, MARGIN, TITLE, LEGEND = 560, 20, 52, 70  # pixels


def scatter(
    points: Mapping[str, np.ndarray],
    classes: np.ndarray,
    highlight: int | None = None,
    outlines: Sequence[np.ndarray] = (),
) -> np.ndarray:
    """Panels side by side, one for each name: points (N, 2) in the colours of their classes, uint8 (H, W, 3).

    With a class to highlight the other points are gray. `outlines` (M, 2) are drawn over every panel. A point that is
    not finite has no place and is left out.
    """
    labels, lines = np.asarray(classes), [np.asarray(outline, dtype=float) for outline in outlines]
    width = len(points) * (SIDE + MARGIN) + MARGIN
    picture = Image.new("RGB", (width * FINE, (TITLE + SIDE + LEGEND) * FINE), "white")
    pen = ImageDraw.Draw(picture)
    for i, (name, places) in enumerate(points.items()):
        left = MARGIN + i * (SIDE + MARGIN)
        _text(pen, left, 16, name, 18)
        pen.rectangle([left * FINE, TITLE * FINE, (left + SIDE) * FINE, (TITLE + SIDE) * FINE], outline=FRAME, width=2)
        flat = np.asarray(places, dtype=float)[:, :2]
        finite = np.isfinite(flat).all(axis=1)
        if finite.any():
            _panel(pen, left, flat[finite], labels[finite], highlight, lines)
    _legend(pen, highlight)
    return _finished(picture)


def _panel(
    pen: ImageDraw.ImageDraw,
    left: int,
    places: np.ndarray,
    classes: np.ndarray,
    highlight: int | None,
    outlines: Sequence[np.ndarray],
) -> None:
    everything = np.concatenate([places, *outlines])
    low, high = everything.min(0), everything.max(0)
    span = np.where(high > low, high - low, 1.0)

    def pixels(xy: np.ndarray) -> np.ndarray:
        unit = 0.03 + 0.94 * (xy - low) / span
        return FINE * np.stack([left + SIDE * unit[:, 0], TITLE + SIDE * (1 - unit[:, 1])], axis=1)

    radius = FINE * (2.4 if len(places) <= 3_000 else 1.4)
    order = np.arange(len(places)) if highlight is None else np.argsort(classes == highlight, kind="stable")
    for (x, y), label in zip(pixels(places)[order], classes[order], strict=True):
        colour = CLASS_COLOURS[label] if highlight in (None, label) else OTHERS
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colour)
    for outline in outlines:
        pen.line([tuple(corner) for corner in pixels(outline)], fill=INK, width=FINE)


def _legend(pen: ImageDraw.ImageDraw, highlight: int | None) -> None:
    """Two rows of five classes under the panels."""
    shown = range(len(CLASS_NAMES)) if highlight is None else (highlight,)
    for i, label in enumerate(shown):
        x, y = MARGIN + (i % 5) * SIDE // 5, TITLE + SIDE + 12 + (i // 5) * 26
        pen.ellipse([x * FINE, (y + 3) * FINE, (x + 12) * FINE, (y + 15) * FINE], fill=CLASS_COLOURS[label])
        _text(pen, x + 18, y, CLASS_NAMES[label], 14)


def pies(shares: Mapping[str, float], size: int = 300) -> np.ndarray:
    """A pie for each name: the share judged rightly, in per cent, and the rest, uint8 (H, W, 3)."""
    if not shares or not all(0 <= share <= 1 for share in shares.values()):
        raise GenlibError(f"pies take shares from 0 to 1, not {dict(shares)!r}")
    picture = Image.new("RGB", ((size * len(shares)) * FINE, (TITLE + size + 16) * FINE), "white")
    pen = ImageDraw.Draw(picture)
    for i, (name, share) in enumerate(shares.items()):
        centre, middle, radius = (i + 0.5) * size, TITLE + size / 2 - 10, size * 0.42
        _text(pen, centre, 16, name, 18, "ma")
        box = [FINE * value for value in (centre - radius, middle - radius, centre + radius, middle + radius)]
        pen.ellipse(box, fill=WRONG)
        if share > 0:
            pen.pieslice(box, -90, -90 + 360 * share, fill=RIGHT)  # clockwise from the top
        for part, start, word in ((share, 0.0, "right"), (1 - share, share, "wrong")):
            if part >= 0.005:
                turn = 2 * math.pi * (start + part / 2)
                reach = 0.0 if part > 0.995 else 0.6 * radius
                x, y = centre + reach * math.sin(turn), middle - reach * math.cos(turn)
                _text(pen, x, y, f"{100 * part:.1f} %\n{word}", 14, "mm")
    return _finished(picture)


ROW, BAND = 56, 900  # pixels: a claim's height and width
VERDICT_COLOURS = {
    "holds": CLASS_COLOURS[0],
    "partly": CLASS_COLOURS[1],
    "does not hold": CLASS_COLOURS[2],
    "not tested": CLASS_COLOURS[3],
}


def verdicts(findings: Sequence[Finding]) -> np.ndarray:
    """Claims, a row each: number, title, verdict in words and colour, and the models, uint8 (H, W, 3)."""
    if not findings:
        raise GenlibError("there is no finding to draw")
    picture = Image.new("RGB", (BAND * FINE, (MARGIN + ROW * len(findings)) * FINE), "white")
    pen = ImageDraw.Draw(picture)
    for i, finding in enumerate(findings):
        claim, top, held = finding.claim, MARGIN + i * ROW, sum(part.holds for part in finding.parts)
        box = [FINE * value for value in (MARGIN, top, MARGIN + 36, top + 36)]
        pen.rounded_rectangle(box, radius=6 * FINE, fill=VERDICT_COLOURS[finding.verdict])
        _text(pen, MARGIN + 50, top - 2, f"{claim.number}. {claim.title}", 16)
        parts = f", {held} of {len(finding.parts)} parts" if finding.verdict == "partly" else ""
        _text(pen, MARGIN + 50, top + 21, f"{finding.verdict}{parts}: {', '.join(claim.models)}", 13)
    return _finished(picture)


PLOT = (800, 320)  # pixels: a trade-off's inside
EDGES = (72, 86, 40, 60)  # pixels around it: left, top, right, bottom
LETTER = 6.8  # pixels, of a name
BESIDE = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1))  # of a point: above, below, right, ...
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Axis:
    """What one axis of a trade-off shows: a column of the leaderboard, its title, its ticks."""

    column: str
    title: str
    log: bool = True
    scale: float = 1  # 100 writes a fraction in per cent

    def values(self, rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """The column as written, (N,)."""
        return np.array([self.scale * row[self.column] for row in rows], dtype=float)

    def places(self, values: np.ndarray) -> np.ndarray:
        """Where values lie, up to a shift and a factor."""
        return np.log10(values) if self.log else values

    def ticks(self, values: Sequence[float]) -> list[float]:
        """Round numbers about the values."""
        return log_ticks(values) if self.log else _even_ticks(min(values), max(values))


def trade_off(rows: Sequence[Mapping[str, Any]], quality: Axis, cost: Axis) -> np.ndarray:
    """Leaderboard rows as named points, quality upwards against cost, a colour a family, uint8 (H, W, 3).

    Bars are the spread between sample seeds, where it was measured. Rows that lack either figure are left out, and so
    is a name for which there is no room.
    """
    known = [row for row in rows if row[quality.column] is not None and row[cost.column] is not None]
    if not known:
        raise GenlibError(f"no row has both {quality.column} and {cost.column}")
    left, top, right, bottom = EDGES
    picture = Image.new("RGB", ((left + PLOT[0] + right) * FINE, (top + PLOT[1] + bottom) * FINE), "white")
    pen = ImageDraw.Draw(picture)
    _text(pen, left, 14, quality.title, 16)
    _text(pen, left + PLOT[0] / 2, top + PLOT[1] + 34, cost.title, 16, "ma")
    x = _Scale(cost, cost.values(known), left, PLOT[0])
    y = _Scale(quality, quality.values(known), top + PLOT[1], -PLOT[1])
    for value in x.ticks:
        _line(pen, (x(value), top), (x(value), top + PLOT[1]), FRAME)
        _text(pen, x(value), top + PLOT[1] + 8, _short(value), 13, "ma")
    for value in y.ticks:
        _line(pen, (left, y(value)), (left + PLOT[0], y(value)), FRAME)
        _text(pen, left - 8, y(value), _short(value), 13, "rm")
    _points(pen, known, x, y)
    return _finished(picture)


class _Scale:
    """From a figure to pixels along one axis."""

    def __init__(self, axis: Axis, values: np.ndarray, start: float, length: float) -> None:
        self.axis, self.values, self.start, self.length = axis, values, start, length
        places = axis.places(values)
        self.low, self.span = places.min(), (places.max() - places.min()) or 1.0
        self.ticks = [tick for tick in axis.ticks(values.tolist()) if -0.05 <= self._share(tick) <= 1.05]

    def _share(self, value: float) -> float:
        if self.axis.log and value <= 0:
            return -0.05
        return float((self.axis.places(np.array(value)) - self.low) / self.span)

    def __call__(self, value: float) -> float:
        """Pixels; what lies outside stands on the edge."""
        return self.start + self.length * (0.06 + 0.88 * min(max(self._share(value), -0.05), 1.05))


def _points(pen: ImageDraw.ImageDraw, rows: Sequence[Mapping[str, Any]], x: _Scale, y: _Scale) -> None:
    """Bars, points, names and the legend of the families."""
    colours = dict(zip(families(), CLASS_COLOURS, strict=False))
    spots = [(x(a), y(b)) for a, b in zip(x.values, y.values, strict=True)]
    for row, (a, b), value in zip(rows, spots, y.values, strict=True):
        spread = y.axis.scale * (row.get(f"{y.axis.column}_spread") or 0)
        colour = colours.get(row["family"], INK)
        _line(pen, (a, y(value - spread)), (a, y(value + spread)), colour, 2)
        pen.ellipse([FINE * (a - 6), FINE * (b - 6), FINE * (a + 6), FINE * (b + 6)], fill=colour)
    edges = 0.0, float(EDGES[0] + PLOT[0] + EDGES[2])
    places = name_places([str(row["model"]) for row in rows], [(a, -b) for a, b in spots], edges)
    for row, (a, b) in zip(rows, spots, strict=True):
        if place := places.get(str(row["model"])):
            anchor = {1: "lm", -1: "rm", 0: "mm"}[place[0]]
            _text(pen, a + 10 * place[0], b - 16 * place[1], str(row["model"]), 13, anchor)
    left = float(EDGES[0])
    for family in [each for each in colours if any(row["family"] == each for row in rows)]:
        pen.ellipse([FINE * left, FINE * 50, FINE * (left + 10), FINE * 60], fill=colours[family])
        _text(pen, left + 15, 55, family, 13, "lm")
        left += 32 + ImageFont.load_default(13).getlength(family)


def name_places(
    names: Sequence[str], points: Sequence[tuple[float, float]], within: tuple[float, float]
) -> dict[str, tuple[int, int]]:
    """The side of its point, (right, up), on which each name is free of points and of the names before it.

    Points in pixels, upwards; names keep `within` a left and a right edge. A name without a free side is left out.
    """
    taken: list[Box] = [(a - 7, b - 7, a + 7, b + 7) for a, b in points]
    places: dict[str, tuple[int, int]] = {}
    for name, (a, b) in zip(names, points, strict=True):
        half = LETTER * len(name) / 2
        for right, up in BESIDE:
            x, y = a + right * (half + 10), b + 16 * up
            box = (x - half, y - 7, x + half, y + 7)
            inside = within[0] <= box[0] and box[2] <= within[1]
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                places[name] = (right, up)
                break
    return places


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def log_ticks(values: Sequence[float]) -> list[float]:
    """1, 2 and 5 in every power of ten about the values; the first alone where they span many."""
    logs = [math.log10(value) for value in values if value > 0] or [0]
    low, high = math.floor(min(logs)), math.ceil(max(logs))
    return [m * 10.0**e for e in range(low, high + 1) for m in ((1, 2, 5) if high - low < 3 else (1,))]


def _even_ticks(low: float, high: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten, about five of them."""
    span = (high - low) or 1.0
    power = 10.0 ** math.floor(math.log10(span / 4))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= span / 6)
    return [i * step for i in range(math.floor(low / step), math.ceil(high / step) + 1)]


def _short(value: float) -> str:
    """A tick as a reader writes it: 20k, 3M, 0.05."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{letter}"
    return f"{value:.4g}"


def _line(
    pen: ImageDraw.ImageDraw, a: tuple[float, float], b: tuple[float, float], colour: str, width: int = 1
) -> None:
    pen.line([FINE * a[0], FINE * a[1], FINE * b[0], FINE * b[1]], fill=colour, width=width * FINE)


def _text(pen: ImageDraw.ImageDraw, x: float, y: float, text: str, size: int, anchor: str = "la") -> None:
    font = ImageFont.load_default(size * FINE)
    pen.text((x * FINE, y * FINE), text, fill=INK, font=font, anchor=anchor, align="center")


def _finished(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.reduce(FINE))
