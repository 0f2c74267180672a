"""How much of the real images' neighbourhood samples fill, and how much of theirs the real images."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from genlib.errors import GenlibError

CHUNK = 1000
PRECISION_K = 3
DENSITY_K = 5


@dataclass(frozen=True)
class Coverage:
    """`precision` and `recall` (Kynkaanniemi et al. 2019, arXiv:1904.06991, eqs. 1 and 2) with the 3 nearest
    neighbours, `density` and `coverage` (Naeem et al. 2020, arXiv:2002.09797, section 3) with the 5 nearest.

    All are in [0, 1] but density, which passes 1 where samples crowd around the densest real images.
    """

    precision: float
    recall: float
    density: float
    coverage: float


@dataclass(frozen=True)
class Neighbourhoods:
    """Points (N, d) in float64 and the squared distance of each to its k-th nearest other point, by k."""

    points: Tensor
    radii: dict[int, Tensor]

    @classmethod
    def of(cls, features: Tensor) -> Neighbourhoods:
        """Measure features (N, d), 6 or more."""
        if len(features) <= DENSITY_K:
            raise GenlibError(f"coverage takes {DENSITY_K + 1} images or more on either side, not {len(features)}")
        points = features.double()
        near = [  # the nearest of all is the point itself
            _squared_distances(part, points).topk(DENSITY_K + 1, dim=1, largest=False).values.sort(dim=1).values
            for part in points.split(CHUNK)
        ]
        values = torch.cat(near)
        return cls(points, {k: values[:, k] for k in (PRECISION_K, DENSITY_K)})


def measure_coverage(real: Neighbourhoods, fake: Neighbourhoods) -> Coverage:
    """The four shares of real images and fakes.

    Works through 1,000 rows at a time: memory grows with N + M, not with N M.
    """
    inside_real = torch.zeros(len(fake.points), dtype=torch.bool)
    covered_by_fake = torch.zeros(len(real.points), dtype=torch.bool)
    nearest = torch.full((len(real.points),), torch.inf, dtype=torch.float64)
    neighbours = 0
    for start in range(0, len(fake.points), CHUNK):
        rows = slice(start, start + CHUNK)
        d2 = _squared_distances(fake.points[rows], real.points)  # (1000, N)
        inside_real[rows] = (d2 <= real.radii[PRECISION_K]).any(1)
        covered_by_fake |= (d2 <= fake.radii[PRECISION_K][rows].unsqueeze(1)).any(0)
        neighbours += int((d2 <= real.radii[DENSITY_K]).sum())
        nearest = torch.minimum(nearest, d2.min(0).values)
    return Coverage(
        precision=float(inside_real.double().mean()),
        recall=float(covered_by_fake.double().mean()),
        density=neighbours / (DENSITY_K * len(fake.points)),
        coverage=float((nearest <= real.radii[DENSITY_K]).double().mean()),
    )


def _squared_distances(a: Tensor, b: Tensor) -> Tensor:
    return torch.addmm(a.square().sum(1, keepdim=True) + b.square().sum(1), a, b.T, alpha=-2).clamp_(min=0)
