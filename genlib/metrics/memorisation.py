"""Distance to the nearest training image: whether samples are new or copies."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from genlib.metrics.neighbours import smallest

CHUNK = 100
BLOCK = 5_000  # others at a time
SCREEN = 128  # principal components that tell most images apart
FITTED = 3_000  # images that these are fitted to; any orthonormal basis gives true bounds
PAIRS = 2_000  # exact distances at a time: few enough for the cache
GROUP = 120  # images whose least lower bound is looked at first
MOST_LOOKED_AT = 12_000  # an image, above which searching them all by one product is faster


def nearest_distances(images: Tensor, others: Tensor) -> Tensor:
    """Euclidean distance of each uint8 image (N, 28, 28), pixels in [0, 1], to its nearest of `others` (M, 28, 28).

    Exact, float32 (N,).
    """
    return torch.cat(list(nearest_in_turn(images, others)))


def nearest(images: Tensor, others: Tensor, k: int = 1) -> tuple[Tensor, Tensor]:
    """Distances (N,) and rows of `others` (N,) of the nearest; (N, k) of the k nearest, nearest first, for k > 1.

    All of |a - b|^2 = |a|^2 - 2 a b + |b|^2 are computed, block by block of `others`: for a few images.
    """
    distances, rows = [], []
    for part in images.split(CHUNK):
        values, found, where = _pixels(part), [], []
        for start in range(0, len(others), BLOCK):
            table = _pixels(others[start : start + BLOCK])
            least, columns = smallest(torch.addmm(table.square().sum(1), values, table.T, alpha=-2), min(k, len(table)))
            found.append(least)  # (100, k), less |a|^2
            where.append(columns + start)
        best = torch.cat(found, dim=1).topk(k, dim=1, largest=False).indices
        columns = torch.cat(where, dim=1).gather(1, best)
        exact = (_pixels(others[columns.flatten()]).view(*columns.shape, -1) - values.unsqueeze(1)).square().sum(2)
        distances.append(exact.sqrt())  # exact for the winners, however small
        rows.append(columns)
    d, i = torch.cat(distances), torch.cat(rows)
    return (d.squeeze(1), i.squeeze(1)) if k == 1 else (d, i)


def nearest_in_turn(images: Tensor, others: Tensor) -> Iterator[Tensor]:
    """`nearest_distances` of 100 images after another.

    With P an orthonormal projection and r an image's distance from its plane, |P a - P b|^2 + (r_a - r_b)^2 is at
    most |a - b|^2. So the image nearest in these few coordinates gives an upper bound, and only images whose lower
    bound is below it (some tens of 60,000) have to be looked at whole.
    """
    screen, table, norms = _screened(others)
    for part in images.split(CHUNK):
        values, points = _pixels(part), screen(part)
        least = torch.addmm(norms, points, table, alpha=-2).view(len(part), -1, GROUP)  # lower bounds, less |point|^2
        minima, each = least.amin(2), torch.arange(len(part))
        group = minima.argmin(1)
        likely = group * GROUP + least[each, group].argmin(1)
        bound = (_pixels(others[likely]) - values).square().sum(1)
        most = 1.0001 * bound + 1e-3 - points.square().sum(1)  # with what rounding may add
        rows, groups = (minima <= most.unsqueeze(1)).nonzero(as_tuple=True)  # most groups hold no candidate
        if len(rows) * GROUP > MOST_LOOKED_AT * len(part):
            yield nearest(part, others)[0]
            continue
        pairs, places = (least[rows, groups] <= most[rows].unsqueeze(1)).nonzero(as_tuple=True)
        candidates = zip(rows[pairs].split(PAIRS), (groups[pairs] * GROUP + places).split(PAIRS), strict=True)
        found = torch.full((len(part),), torch.inf, dtype=torch.float32)
        for of, columns in candidates:
            exact = (_pixels(others[columns]) - values[of]).square().sum(1)
            found.scatter_reduce_(0, of, exact, "amin")
        yield found.sqrt()


@lru_cache(maxsize=1)
def _screened(others: Tensor) -> tuple[_Screen, Tensor, Tensor]:
    """A screen of images, what it makes of them, as columns (129, M), and the columns' squared norms (M,).

    Columns without an image, infinitely far, fill the last group. Kept for the next call with the same tensor.
    """
    screen = _Screen(others)
    table = torch.cat([screen(part) for part in others.split(5_000)])
    norms = table.square().sum(1)
    spare = -len(others) % GROUP
    return screen, F.pad(table, (0, 0, 0, spare)).T.contiguous(), F.pad(norms, (0, spare), value=torch.inf)


class _Screen:
    """Images (N, 28, 28) to coordinates on the leading principal components and the distance from their plane."""

    def __init__(self, images: Tensor) -> None:
        some = _pixels(images[:: -(-len(images) // FITTED)])
        self.mean = some.mean(0)
        centred = some - self.mean
        self.basis = torch.linalg.eigh(centred.T @ centred).eigenvectors[:, -SCREEN:]  # (784, 128)

    def __call__(self, images: Tensor) -> Tensor:
        centred = _pixels(images) - self.mean
        coordinates = centred @ self.basis
        rest = (centred.square().sum(1) - coordinates.square().sum(1)).clamp_(min=0).sqrt()
        return torch.cat([coordinates, rest.unsqueeze(1)], dim=1)  # (N, 129)


def _pixels(images: Tensor) -> Tensor:
    """uint8 (N, 28, 28) to float32 (N, 784) in [0, 1]."""
    return images.flatten(1).float() / 255
