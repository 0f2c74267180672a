"""Distance to the nearest training image: whether samples are new or copies."""

from __future__ import annotations

import torch
from torch import Tensor

CHUNK = 500


def nearest_distances(images: Tensor, others: Tensor) -> Tensor:
    """Euclidean distance of each uint8 image (N, 28, 28), pixels in [0, 1], to its nearest of `others` (M, 28, 28).

    Exact: |a - b|^2 = |a|^2 - 2 a b + |b|^2, one matrix product for 500 images. Returns float32 (N,).
    """
    return nearest(images, others)[0]


def nearest(images: Tensor, others: Tensor, k: int = 1) -> tuple[Tensor, Tensor]:
    """Distances (N,) and rows of `others` (N,) of the nearest; (N, k) of the k nearest, nearest first, for k > 1."""
    table = others.flatten(1).float() / 255
    norms = table.square().sum(1)
    distances, rows = [], []
    for part in images.flatten(1).split(CHUNK):
        values = part.float() / 255
        squares = torch.addmm(norms, values, table.T, alpha=-2)  # (500, M), less |a|^2
        best = squares.topk(k, dim=1, largest=False)
        found = table[best.indices] - values.unsqueeze(1)  # exact for the winners, however small
        distances.append(found.square().sum(2).sqrt())
        rows.append(best.indices)
    d, i = torch.cat(distances), torch.cat(rows)
    return (d.squeeze(1), i.squeeze(1)) if k == 1 else (d, i)
