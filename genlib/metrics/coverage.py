"""How much of the real images' neighbourhood samples fill, and how much of theirs the real images."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from genlib.errors import GenlibError
from genlib.metrics.neighbours import smallest, squared_distances

CHUNK = 200
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
    """Points (N, d) and the squared distance of each to its k-th nearest other point, by k."""

    points: Tensor
    radii: dict[int, Tensor]

    @classmethod
    def of(cls, points: Tensor) -> Neighbourhoods:
        """Measure features (N, d), 6 or more."""
        if len(points) <= DENSITY_K:
            raise GenlibError(f"coverage takes {DENSITY_K + 1} images or more on either side, not {len(points)}")
        # the nearest of all is the point itself
        near = [smallest(squared_distances(part, points), DENSITY_K + 1)[0] for part in points.split(CHUNK)]
        values = torch.cat(near)
        return cls(points, {k: values[:, k] for k in (PRECISION_K, DENSITY_K)})


def measure_coverage(real: Neighbourhoods, fake: Neighbourhoods) -> Coverage:
    """The four shares of real images and fakes.

    Works through 200 rows at a time: memory grows with N + M, not with N M.
    """
    above = nearest = torch.full((len(real.points),), torch.inf, dtype=torch.float32)  # less a fake's radius; distance
    inside = neighbours = 0
    for points, radii in zip(fake.points.split(CHUNK), fake.radii[PRECISION_K].split(CHUNK), strict=True):
        d2 = squared_distances(points, real.points)  # (200, N)
        inside += int(((d2 - real.radii[PRECISION_K]).amin(1) <= 0).sum())
        neighbours += int((d2 <= real.radii[DENSITY_K]).count_nonzero())
        nearest = torch.minimum(nearest, d2.amin(0))
        above = torch.minimum(above, d2.sub_(radii.unsqueeze(1)).amin(0))
    return Coverage(
        precision=inside / len(fake.points),
        recall=float((above <= 0).double().mean()),
        density=neighbours / (DENSITY_K * len(fake.points)),
        coverage=float((nearest <= real.radii[DENSITY_K]).double().mean()),
    )
