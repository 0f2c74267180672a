"""Dropout that does not spend more time on random numbers than the layer before it on products."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEVELS = 256


class Dropout(nn.Module):
    """Drops each number with probability p and scales the rest by 1 / (1 - p) (Srivastava et al. 2014, JMLR 15).

    On a CPU one 64-bit draw decides eight numbers, a byte each, so that p is taken to the nearest 1/256; torch's own
    draws for every number. Elsewhere it is torch's own.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        if x.device.type != "cpu":
            return F.dropout(x, self.p)
        dropped = round(self.p * LEVELS)
        draws = torch.empty((x.numel() + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
        kept = (draws.view(torch.uint8)[: x.numel()] >= dropped).to(x.dtype).mul_(LEVELS / (LEVELS - dropped))
        like = torch.empty_like(x, device="meta")  # x's own order in memory: numbers and draws meet without a copy
        return x * kept.as_strided(x.shape, like.stride())

    def extra_repr(self) -> str:
        return f"p={self.p}"
