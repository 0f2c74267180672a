"""The kernel distance, an unbiased squared maximum mean discrepancy (Binkowski et al. 2018, arXiv:1801.01401)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genlib.errors import GenlibError

CHUNK = 200


def kernel_distance(a: Tensor, b: Tensor, within_b: Tensor | None = None) -> tuple[float, float]:
    """Features (N, d) and (N, d) to the kernel distance and its standard error.

    k(x, y) = (x . y / d + 1)^3 (section 4). With h(i, j) = k(a_i, a_j) + k(b_i, b_j) - k(a_i, b_j) - k(b_i, a_j), the
    distance is the mean of h over i != j (Gretton et al. 2012, JMLR 13, eq. 4), and as a U-statistic its standard
    error is 2 sd_i(mean_j h(i, j)) / sqrt(N). It may fall below 0. Products are taken in the features' precision and
    summed in float64. `within_b` is `within(b)`, where that is known already. Raises GenlibError unless the sets are
    of one size, 4 or more.
    """
    if a.shape != b.shape or len(a) < 4:
        raise GenlibError(f"the kernel distance takes two sets of one size, 4 or more, not {len(a)} and {len(b)}")
    n, rows = len(a), within(a) + (within(b) if within_b is None else within_b)
    for start in range(0, n, CHUNK):
        part = slice(start, start + CHUNK)
        crossed = _kernel(a[part], b)
        rows[part] -= crossed.sum(1, dtype=torch.float64)
        rows -= crossed.sum(0, dtype=torch.float64)
    rows = (rows - _self(a, b)) / (n - 1)  # (N,), each the mean of h(i, j) over j != i
    return float(rows.mean()), 2 * float(rows.std()) / math.sqrt(n)


def within(points: Tensor) -> Tensor:
    """Features (N, d) to the sum over j of k(x_i, x_j), float64 (N,); k is symmetric, so half of it is computed."""
    rows = torch.zeros(len(points), dtype=torch.float64)
    for start in range(0, len(points), CHUNK):
        end = min(start + CHUNK, len(points))
        values = _kernel(points[start:end], points[start:])
        rows[start:end] += values.sum(1, dtype=torch.float64)
        rows[end:] += values[:, end - start :].sum(0, dtype=torch.float64)
    return rows


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    return torch.addmm(x.new_ones(1), x, y.T, alpha=1 / x.shape[1]).pow_(3)


def _self(x: Tensor, y: Tensor) -> Tensor:
    """h(i, i), which the mean leaves out."""
    d, x, y = x.shape[1], x.double(), y.double()
    squares = ((x * x).sum(1) / d + 1) ** 3 + ((y * y).sum(1) / d + 1) ** 3
    return squares - 2 * ((x * y).sum(1) / d + 1) ** 3
