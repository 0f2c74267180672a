"""Gaussian mixture on pixels, fitted by expectation-maximisation."""

from __future__ import annotations

import torch
from torch import Tensor

from genlib import noise
from genlib.layers.gaussian_mixture import GaussianMixture, MixtureConfig
from genlib.model import Preset, register
from genlib.program import Program, Value

PIXELS = 28 * 28


@register(
    "mixture",
    MixtureConfig,
    [
        Preset(
            "gmm-10",
            MixtureConfig(),
            "Ten Gaussians with full covariance, straight on the 784 pixels.",
            milestones=(1, 10, 50, 100, 150),
        )
    ],
)
class PixelMixture(GaussianMixture):
    """A mixture on pixels in [0, 1].

    Gray levels are dequantised for the fit, p = (level + u) / 256 with u uniform (Theis, van den Oord and Bethge
    2016, arXiv:1511.01844, section 3.1): densities of discrete data have no maximum.
    """

    def __init__(self, config: MixtureConfig) -> None:
        super().__init__(config, PIXELS)

    def points(self, x: Tensor, fitting: bool = False) -> Tensor:
        dither: Tensor | float = 0.5
        if fitting:
            generator = torch.Generator().manual_seed(noise.derive_seed(self.config.seed, 1))
            dither = torch.rand(len(x), PIXELS, generator=generator).to(x.device)
        return ((x.flatten(1) + 1) * 127.5 + dither) / 256

    def render(self, points: Tensor) -> Tensor:
        levels = (points * 256 - 0.5) / 255  # the middle of a level's bin is the level
        return (levels.clamp(0, 1) * 2 - 1).view(-1, 1, 28, 28)

    def describe_rendering(self, program: Program, points: Value) -> Value:
        levels = program.rescale(points, 256 / 255, -0.5 / 255)
        image = program.rescale(program.activation(levels, "clamp", low=0, high=1), 2, -1)
        return program.reshape(image, (1, 28, 28))
