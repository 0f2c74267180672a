"""Where the garment is in a photograph: what differs in colour from the background that the picture's border shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
FAINTEST = 0.025  # difference from the background, colours from 0 to 1, that shows a garment
BESIDE = 0.01  # difference that belongs to a garment where it hangs together with it
NOISES = 4.0  # how many times the background's own noise a difference must be
SHARE = 0.15  # of the greatest difference, for what decides where the garment ends: less is shadow
SPECK = 0.05  # of the largest part's area: a smaller part is no garment
BORDERED = 0.9  # of an outline of the found part's box: then that part is a frame
TOUCHING = np.ones((3, 3), bool)  # pixels hang together by their corners too
FRAMES = 3  # within one another
WITHIN = 0.25  # of a frame's longer side: a garment is longer, a print on a plain garment shorter
EVEN = 0.08  # noise of a background, above which it is no one colour


@dataclass(frozen=True, eq=False)
class Garment:
    """What stands out from a picture's background, and which parts of that are the garment. Masks are bool (H, W).

    `standing`: all that surely stands out; `near`: all that may; `ground` float32 (H, W): how light the background is
    at each pixel, 0 to 1; `core`: the garment's parts of `standing`.
    """

    standing: np.ndarray
    near: np.ndarray
    ground: np.ndarray
    core: np.ndarray

    @cached_property
    def mask(self) -> np.ndarray:
        """The garment: its core and what of `near` hangs together with it, holes filled."""
        from scipy import ndimage

        parts, count = ndimage.label(self.near, TOUCHING)
        held = np.zeros(count + 1, bool)
        held[parts[self.core]] = True
        return np.asarray(ndimage.binary_fill_holes(held[parts]))

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Top, left, bottom and right of the core, the last two behind it."""
        rows, columns = (np.flatnonzero(self.core.any(axis)) for axis in (1, 0))
        return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1

    def within(self, where: np.ndarray) -> Garment:
        """The parts that are large there, bool (H, W); none, where nothing stands out there."""
        return replace(self, core=_large_parts(self.standing, where))


def find_garment(colours: np.ndarray) -> Garment | None:
    """The garment in float32 (H, W, 3), colours from 0 to 1; None where nothing stands out from the background.

    The background is a plane through the colours of the picture's border, so that light may fall off across it.
    Stripes above and below, as films have, and frames are left out.
    """
    top, left, bottom, right = _without_bars(colours)
    found: Garment | None = None
    for _ in range(FRAMES):
        inner = _stands_out(colours[top:bottom, left:right], strict=found is not None)
        if inner is None:
            break
        found = _placed(inner, (top, left, bottom, right), colours.shape[:2])
        if not _is_frame(inner):
            break
        t, le, b, r = inner.box
        inset = 2 + min(b - t, r - le) // 100  # the frame's soft edge
        top, left, bottom, right = top + t + inset, left + le + inset, top + b - inset, left + r - inset
        if min(bottom - top, right - left) < 1:  # a line, which frames nothing
            break
    return found


def _without_bars(colours: np.ndarray) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of what lies between bars of one colour that go from side to side."""
    gray = colours @ LUMA
    (top, bottom), (left, right) = _bar_ends(gray), _bar_ends(gray.T)
    return top, left, bottom, right


def _bar_ends(gray: np.ndarray) -> tuple[int, int]:
    """Where bars along the first and last rows end; a bar is left at once, over its whole length."""
    height, ends = len(gray), []
    for rows in (gray, gray[::-1]):
        flat = np.ptp(rows, axis=1) < FAINTEST
        flat &= np.abs(rows[:, 0] - rows[0, 0]) < FAINTEST
        end = int(np.argmin(flat)) if not flat.all() else 0
        after = rows[min(end + 2, height - 1)]
        ends.append(end + 2 if end and (np.abs(after - rows[0, 0]) > 2 * FAINTEST).mean() > 0.95 else 0)
    return (ends[0], height - ends[1]) if sum(ends) < height - 2 else (0, height)


def _stands_out(colours: np.ndarray, strict: bool) -> Garment | None:
    """What differs from the border's colours; within a frame only where that leaves a garment on an even ground."""
    if min(colours.shape[:2]) < 3:
        return None
    ground, noise = _background(colours)
    apart = _farthest(colours - ground)
    standing = apart > max(FAINTEST, NOISES * noise, SHARE * float(np.percentile(apart, 99.5)))
    if not standing.any() or (strict and noise > EVEN):
        return None
    core = _large_parts(standing, np.ones(apart.shape, bool))
    found = Garment(standing, apart > max(BESIDE, NOISES * noise), ground @ LUMA, core)
    top, left, bottom, right = found.box
    return found if not strict or max(bottom - top, right - left) > WITHIN * max(apart.shape) else None


def _farthest(differences: np.ndarray) -> np.ndarray:
    """The greatest of three colours' differences, without their signs, (..., 3) to (...)."""
    red, green, blue = np.moveaxis(np.abs(differences), -1, 0)
    return np.maximum(np.maximum(red, green), blue)


def _background(colours: np.ndarray) -> tuple[np.ndarray, float]:
    """A plane a colour through the border, float32 (H, W, 3), and the border's noise about it.

    Least squares over what lies near the plane of the time before, beginning at the median: a garment that reaches
    the border is not part of it.
    """
    height, width = colours.shape[:2]
    y, x = (np.linspace(-1, 1, length, dtype=np.float32) for length in (height, width))
    thick = max(1, min(height, width) // 50)
    ring = np.ones((height, width), bool)
    ring[thick : height - thick, thick : width - thick] = False
    rows, columns = np.nonzero(ring)
    places, seen = np.stack([np.ones(len(rows), np.float32), y[rows], x[columns]], 1), colours[rows, columns]
    plane = np.zeros((3, 3), np.float32)
    plane[0] = np.median(seen, axis=0)
    for _ in range(4):
        apart = _farthest(seen - places @ plane)
        near = apart <= max(0.02, 2.5 * float(np.median(apart)))
        plane = np.linalg.lstsq(places[near], seen[near], rcond=None)[0]
    noise = 1.4826 * float(np.median(_farthest(seen - places @ plane)))  # of a normal distribution, its deviation
    return (plane[0] + y[:, None] * plane[1])[:, None] + x[:, None] * plane[2], noise


def _large_parts(mask: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The connected part of the largest area there, and each that is not small beside it."""
    from scipy import ndimage

    parts, count = ndimage.label(mask, TOUCHING)
    sizes = np.bincount(parts[where], minlength=count + 1)
    sizes[0] = 0
    return np.asarray((sizes >= max(1.0, SPECK * sizes.max()))[parts])


def _is_frame(found: Garment) -> bool:
    """Whether it runs all along its own box."""
    top, left, bottom, right = found.box
    cut = found.core[top:bottom, left:right]
    return bool(min(side.mean() for side in (cut[0], cut[-1], cut[:, 0], cut[:, -1])) > BORDERED)


def _placed(found: Garment, box: tuple[int, int, int, int], shape: tuple[int, ...]) -> Garment:
    """What was found in a part of the picture, in the whole of it."""
    top, left, bottom, right = box
    edges = ((top, shape[0] - bottom), (left, shape[1] - right))
    standing, near, core = (np.pad(each, edges) for each in (found.standing, found.near, found.core))
    return Garment(standing, near, np.pad(found.ground, edges, mode="edge"), core)
