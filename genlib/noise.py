"""Noise that is addressed sample by sample: sample i's numbers depend on (seed, i) alone.

Each sample has a Philox stream of its own (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"),
keyed by the seed and started at counter i, so a picture is the same at any batch size and on any page. Drawn on
the CPU whatever the device.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from genlib.errors import whole

MAX_SEED = 2**32 - 1


def check_seed(seed: int) -> int:
    """The seed itself, or GenlibError where it is not a whole number from 0 to 4294967295."""
    seed = whole("seed", seed, 0, MAX_SEED)
    return seed


def streams(seed: int, n: int, start: int = 0) -> Iterator[np.random.Generator]:
    """A generator for each of the samples start, ..., start + n - 1.

    It is always the same one, set to the start of the next stream: five times faster than making another.
    """
    bits = np.random.Philox(key=check_seed(seed))
    fresh, generator = bits.state, np.random.Generator(bits)
    for i in range(start, start + n):
        fresh["state"]["counter"] = np.array([0, 0, 0, i], dtype=np.uint64)
        bits.state = fresh
        yield generator


def normal(seed: int, n: int, size: int, start: int = 0) -> Tensor:
    """Standard normal rows, float32 (n, size); a shorter row is the beginning of a longer one."""
    rows = np.empty((n, size), dtype=np.float32)
    for row, stream in zip(rows, streams(seed, n, start), strict=True):
        stream.standard_normal(dtype=np.float32, out=row)
    return torch.from_numpy(rows)


def derive_seed(seed: int, position: int, *more: int) -> int:
    """A 64-bit seed for one position (an epoch, a step) of a run, independent between positions."""
    return int(np.random.SeedSequence([seed, position, *more]).generate_state(1, np.uint64)[0] >> 1)
