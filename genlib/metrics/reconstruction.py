"""How well images come back from a model that encodes and decodes."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from genlib.images import from_uint8, to_uint8
from genlib.sampling import device_of

BATCH = 500
WINDOW, SIGMA = 11, 1.5


def structural_similarity(a: Tensor, b: Tensor) -> Tensor:
    """SSIM (Wang et al. 2004, IEEE TIP 13(4), eq. 13) of uint8 images (N, 28, 28), pairwise, (N,) in [-1, 1].

    Gaussian windows of 11 x 11 pixels with sigma 1.5 around every pixel, edges reflected; K1 = 0.01, K2 = 0.03.
    """
    x, y = (images.float() / 255 for images in (a, b))
    blur = _blur(x.shape[-1])
    mean_x, mean_y, xx, yy, xy = (blur @ t @ blur.T for t in (x, y, x * x, y * y, x * y))
    variance_x, variance_y, covariance = xx - mean_x**2, yy - mean_y**2, xy - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    similarity = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    similarity /= (mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2)
    return similarity.mean((1, 2))


def _blur(size: int) -> Tensor:
    """The matrix (size, size) that averages a line of pixels with Gaussian weights, its ends reflected."""
    offsets = torch.arange(WINDOW) - WINDOW // 2
    weights = torch.exp(-offsets.float().square() / (2 * SIGMA**2))
    padded = F.pad(torch.eye(size, dtype=torch.float32), (WINDOW // 2,) * 2, mode="reflect")
    windows = padded.unfold(1, WINDOW, 1)  # (pixel, place, window)
    return (windows @ (weights / weights.sum())).T


@torch.inference_mode()
def reconstruct(model: Any, images: Tensor) -> Tensor:
    """uint8 images (N, 28, 28) through `encode` and `decode` to uint8 (N, 28, 28)."""
    device = device_of(model)
    return torch.cat(
        [to_uint8(model.decode(model.encode(from_uint8(part).to(device)))) for part in images.split(BATCH)]
    )


def reconstruction_error(model: Any, images: Tensor) -> tuple[float, float]:
    """Mean squared error a pixel, pixels in [0, 1], and mean SSIM of the reconstructions."""
    copies = reconstruct(model, images)
    error = ((copies.float() - images.float()) / 255).square().mean()
    return float(error), float(structural_similarity(images, copies).mean())
