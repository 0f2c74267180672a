"""Scatter plots and pies as pictures, for the command line and for downloads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from genlib.data import CLASS_NAMES
from genlib.errors import GenlibError

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
    outlines = [np.asarray(outline) for outline in outlines]
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


def _text(pen: ImageDraw.ImageDraw, x: float, y: float, text: str, size: int, anchor: str = "la") -> None:
    font = ImageFont.load_default(size * FINE)
    pen.text((x * FINE, y * FINE), text, fill=INK, font=font, anchor=anchor, align="center")


def _finished(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.reduce(FINE))
