"""What flow models share: the straight path between image and noise, and solvers of the ordinary equation along it.

Time runs from 0, the image, to 1, the noise: x_t = (1 - t) x + t e (Liu et al. 2023, arXiv:2209.03003, eq. 1; Lipman et
al. 2023, arXiv:2210.02747, eq. 20 with time turned around). The velocity is dx/dt = e - x.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

Velocity = Callable[[Tensor, Tensor], Tensor]  # points (N, ...) and times (N,) to velocities (N, ...)
SOLVERS = ("euler", "heun")
MOST_STEPS = 1_000


class Point(NamedTuple):
    """Where samples are on their way: the time, the points (N, ...), and the end expected from there (N, ...)."""

    time: float
    x: Tensor
    expected: Tensor


def between(x: Tensor, noise: Tensor, t: Tensor) -> Tensor:
    """The points x_t at times t (N,) of the straight lines from images x (N, ...) to noise (N, ...)."""
    t = t.view(-1, *(1,) * (x.ndim - 1))
    return (1 - t) * x + t * noise


@cache
def _times(start: float, end: float, steps: int) -> list[float]:
    """Equally spaced. Kept, since a program that is being traced holds no numbers that a tensor would have to tell."""
    return torch.linspace(start, end, steps + 1, dtype=torch.float64).tolist()


def integrate(velocity: Velocity, x: Tensor, steps: int, solver: str, start: float, end: float) -> Iterator[Point]:
    """Follow dx/dt = velocity from time `start` to `end` in equal steps; yields the start and each step's end.

    "euler" takes one evaluation a step. "heun" takes two, the second at the step's end, and averages (Karras et al.
    2022, arXiv:2206.00364, algorithm 1), but in a last step that would evaluate at the image itself, where it is
    Euler's. `expected` is where a straight line along the last velocity meets the image, time 0; it belongs to the
    point where that velocity was taken, and is the point itself at the end.
    """
    for now, then in pairwise(_times(start, end, steps)):
        v = velocity(x, x.new_full(x.shape[:1], now))
        yield Point(now, x, x - now * v)
        moved = x + (then - now) * v
        if solver == "heun" and then > 0:
            second = velocity(moved, x.new_full(x.shape[:1], then))
            moved = x + (then - now) * (v + second) / 2
        x = moved
    yield Point(end, x, x)
