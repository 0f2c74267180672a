"""The network of the second opinion: a residual classifier that shares nothing with the first one.

Where `classifier.Classifier` stacks small convolutions, pools by maximum and reads its 128 features off a dense layer
over all places, this one strides, adds residuals (He et al. 2016, arXiv:1512.03385), has a smooth activation (SiLU,
arXiv:1702.03118) and averages over all places: the one sees where things are, the other what there is anywhere.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

FEATURES = 128


class Block(nn.Module):
    """x + SiLU(norm(convolution(x))), 3 x 3."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return x + F.silu(self.branch(x))


class ResidualClassifier(nn.Module):
    """Three strided convolutions to 4 x 4, two residual blocks, the mean over places and two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *self._strided(1, 32, 5),  # (N, 32, 14, 14)
            *self._strided(32, 64, 3),  # (N, 64, 7, 7)
            Block(64),
            *self._strided(64, FEATURES, 3),  # (N, 128, 4, 4)
            Block(FEATURES),
        )
        self.penultimate = nn.Sequential(nn.Linear(FEATURES, FEATURES), nn.BatchNorm1d(FEATURES), nn.SiLU())
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(FEATURES, 10))

    @staticmethod
    def _strided(inputs: int, outputs: int, size: int) -> tuple[nn.Module, ...]:
        convolution = nn.Conv2d(inputs, outputs, size, stride=2, padding=size // 2, bias=False)
        return convolution, nn.BatchNorm2d(outputs), nn.SiLU()

    def features(self, x: Tensor) -> Tensor:
        """Images (N, 1, 28, 28) in [-1, 1] to the penultimate activations (N, 128)."""
        return self.penultimate(self.body(x).mean((2, 3)))

    def forward(self, x: Tensor) -> Tensor:
        """Images (N, 1, 28, 28) in [-1, 1] to class logits (N, 10)."""
        return self.head(self.features(x))
