"""Dropout that does not spend more time on random numbers than the layer before it on products."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genlib.distributed import own_rows

LEVELS = 256


class Dropout(nn.Module):
    """Drops each number with probability p and scales the rest by 1 / (1 - p) (Srivastava et al. 2014, JMLR 15).

    On a CPU one 64-bit draw decides eight numbers, a byte each, so that p is taken to the nearest 1/256; torch's own
    draws for every number.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        return x * (self._from_bytes(x) if x.device.type == "cpu" else _mask(x, self.p, x.shape[1:]))

    def _from_bytes(self, x: Tensor) -> Tensor:
        each, dropped = x[0].numel(), round(self.p * LEVELS)

        def draw(rows: int) -> Tensor:
            draws = torch.empty((rows * each + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
            return draws.view(torch.uint8)[: rows * each].view(rows, each)

        kept = (own_rows(draw, len(x)) >= dropped).to(x.dtype).mul_(LEVELS / (LEVELS - dropped))
        like = torch.empty_like(x, device="meta")  # x's own order in memory: numbers and draws meet without a copy
        return kept.as_strided(x.shape, like.stride())

    def extra_repr(self) -> str:
        return f"p={self.p}"


class ChannelDropout(Dropout):
    """Drops whole channels of images (N, C, H, W) with probability p (Tompson et al. 2015, arXiv:1411.4280)."""

    def forward(self, x: Tensor) -> Tensor:
        return x * _mask(x, self.p, (x.shape[1], 1, 1)) if self.training and self.p else x


def _mask(x: Tensor, p: float, shape: tuple[int, ...]) -> Tensor:
    """(N, *shape) of 0 with probability p, else 1 / (1 - p)."""
    return own_rows(lambda rows: x.new_empty(rows, *shape).bernoulli_(1 - p).div_(1 - p), len(x))
