"""How models are told a class."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genlib.errors import GenlibError
from genlib.model import N_CLASSES, class_mixture


class ClassEmbedding(nn.Module):
    """One learned vector a class; a mixture of classes is embedded as the same mixture of their vectors."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.normal_(torch.empty(N_CLASSES, size)))

    def forward(self, y: Tensor) -> Tensor:
        return class_mixture(y) @ self.weight  # (N, e)


def required(y: Tensor | None) -> Tensor:
    """The classes of a conditional model, which cannot do without."""
    if y is None:
        raise GenlibError("a conditional model needs labels (N,) or class mixtures (N, 10)")
    return y
