"""Exact nearest neighbours among many: what coverage and memorisation search."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """|a_i - b_j|^2 of rows (N, d) and (M, d), (N, M), none negative, as one matrix product.

    What rounding adds grows with |a|^2 + |b|^2.
    """
    products = torch.addmm(b.square().sum(1), a, b.T, alpha=-2)
    return products.add_(a.square().sum(1, keepdim=True)).clamp_(min=0)


def smallest(values: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k smallest of each row (N, M), ascending, and their columns, (N, k) each; k is at most M.

    Rows are cut into about sqrt(M) groups. The k groups with the least minimum hold the k smallest, so that only
    their members are sorted: exact, and several times faster than `topk` over a long row.
    """
    n, m = values.shape
    width = math.isqrt(m)
    if k >= m // width:
        return _sorted_topk(values, k)
    cut = m - m % width
    least = values[:, :cut].view(n, -1, width).amin(2)  # (N, groups)
    groups = least.topk(k, dim=1, largest=False).indices
    columns = (groups.unsqueeze(2) * width + torch.arange(width)).flatten(1)
    columns = torch.cat([columns, torch.arange(cut, m).expand(n, -1)], dim=1)  # and what no group holds
    found, places = _sorted_topk(values.gather(1, columns), k)
    return found, columns.gather(1, places)


def _sorted_topk(values: Tensor, k: int) -> tuple[Tensor, Tensor]:
    found = values.topk(k, dim=1, largest=False, sorted=True)
    return found.values, found.indices
