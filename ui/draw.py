"""A model's calling card."""

from __future__ import annotations

import numpy as np

from genlib.questions.generate import Generate


def strip(name: str, count: int = 10) -> np.ndarray:
    """The first samples of seed 0."""
    return Generate(name, n=count).images
