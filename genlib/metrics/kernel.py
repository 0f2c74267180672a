"""The kernel distance, an unbiased squared maximum mean discrepancy (Binkowski et al. 2018, arXiv:1801.01401)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genlib.errors import GenlibError

CHUNK = 1000


def kernel_distance(a: Tensor, b: Tensor) -> tuple[float, float]:
    """Features (N, d) and (N, d) to the kernel distance and its standard error.

    k(x, y) = (x . y / d + 1)^3 (section 4). With h(i, j) = k(a_i, a_j) + k(b_i, b_j) - k(a_i, b_j) - k(b_i, a_j), the
    distance is the mean of h over i != j (Gretton et al. 2012, JMLR 13, eq. 4), and as a U-statistic its standard
    error is 2 sd_i(mean_j h(i, j)) / sqrt(N). It may fall below 0. Raises GenlibError unless the sets are of one size,
    4 or more.
    """
    if a.shape != b.shape or len(a) < 4:
        raise GenlibError(f"the kernel distance takes two sets of one size, 4 or more, not {len(a)} and {len(b)}")
    n, a, b = len(a), a.double(), b.double()
    rows = torch.cat(
        [
            _kernel(x, a).sum(1) + _kernel(y, b).sum(1) - _kernel(x, b).sum(1) - _kernel(y, a).sum(1) - _self(x, y)
            for x, y in zip(a.split(CHUNK), b.split(CHUNK), strict=True)
        ]
    ) / (n - 1)  # (N,), each the mean of h(i, j) over j != i
    return float(rows.mean()), 2 * float(rows.std()) / math.sqrt(n)


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _self(x: Tensor, y: Tensor) -> Tensor:
    """h(i, i), which the mean leaves out."""
    d = x.shape[1]
    squares = ((x * x).sum(1) / d + 1) ** 3 + ((y * y).sum(1) / d + 1) ** 3
    return squares - 2 * ((x * y).sum(1) / d + 1) ** 3
