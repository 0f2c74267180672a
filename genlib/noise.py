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

from genlib.errors import GenlibError

MAX_SEED = 2**32 - 1


def check_seed(seed: int) -> int:
    """The seed itself, or GenlibError where it is not a whole number from 0 to 4294967295."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MAX_SEED:
        raise GenlibError(f"seed takes a whole number from 0 to {MAX_SEED}, not {seed!r}")
    return seed


def streams(seed: int, n: int, start: int = 0) -> Iterator[np.random.Generator]:
    """One generator for each of the samples start, ..., start + n - 1."""
    check_seed(seed)
    for i in range(start, start + n):
        yield np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, 0, i]))


def normal(seed: int, n: int, size: int, start: int = 0) -> Tensor:
    """Standard normal rows, float32 (n, size); a shorter row is the beginning of a longer one."""
    rows = [stream.standard_normal(size, dtype=np.float32) for stream in streams(seed, n, start)]
    return torch.from_numpy(np.stack(rows)) if rows else torch.empty(0, size)


def derive_seed(seed: int, *position: int) -> int:
    """A 64-bit seed for one position (an epoch, a step) of a run, independent between positions."""
    return int(np.random.SeedSequence([seed, *position]).generate_state(1, np.uint64)[0] >> 1)
