"""Gaussian mixture on pixels, fitted by expectation-maximisation."""

from __future__ import annotations

import torch
from torch import Tensor

from genlib import noise
from genlib.layers.gaussian_mixture import GaussianMixture, MixtureConfig
from genlib.model import Preset, register
from genlib.program import Program, Value

PIXELS = 28 * 28


IDEA = r"""
No network: the training images are described as a weighted sum of $K$ Gaussians, each with its own mean image and full
covariance between all 784 pixels:

$$p(x) = \sum_k \pi_k\, \mathcal{N}(x \mid \mu_k, \Sigma_k)$$

**Expectation-maximisation** repeats two steps, each of which can only raise the likelihood: how probably does each
component own each image (E), then refit every component to what it owns (M). A sample is a component's mean plus
correlated noise, which is why it looks like a worn-out photograph. Pixels are $[0, 1]$, gray levels dequantised.
Source: Bishop 2006, *Pattern Recognition and Machine Learning*, section 9.2.
"""


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

    idea = IDEA

    def __init__(self, config: MixtureConfig) -> None:
        super().__init__(config, PIXELS)

    def points(self, x: Tensor, fitting: bool = False) -> Tensor:
        dither: Tensor | float = 0.5
        if fitting:
            generator = torch.Generator().manual_seed(noise.derive_seed(self.config.seed, 1))
            dither = torch.rand(len(x), PIXELS, dtype=torch.float32, generator=generator).to(x.device)
        return ((x.flatten(1) + 1) * 127.5 + dither) / 256

    def render(self, points: Tensor) -> Tensor:
        levels = (points * 256 - 0.5) / 255  # the middle of a level's bin is the level
        return (levels.clamp(0, 1) * 2 - 1).view(-1, 1, 28, 28)

    def describe_rendering(self, program: Program, points: Value) -> Value:
        levels = program.rescale(points, 256 / 255, -0.5 / 255)
        image = program.rescale(program.activation(levels, "clamp", low=0, high=1), 2, -1)
        return program.reshape(image, (1, 28, 28))
