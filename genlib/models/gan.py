"""Unconditional GANs of dense and convolutional layers (Goodfellow et al. 2014, arXiv:1406.2661)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from genlib.config import option
from genlib.errors import GenlibError
from genlib.layers.adversarial import GANConfig, Generator, UnconditionalGAN, convolutional_discriminator
from genlib.layers.dropout import Dropout
from genlib.model import Preset, register
from genlib.program import Program, Value

LAYERS = ("dense", "convolutional")


@dataclass(frozen=True)
class PlainGANConfig(GANConfig):
    """Either side may be dense or convolutional. Widths are hidden units, or the channels of two convolutions."""

    generator: str = option("dense", "what the generator is made of", choices=LAYERS)
    generator_widths: tuple[int, ...] = option((256, 512, 1024), "its hidden widths or two channel counts", 1, 4096)
    batch_norm: bool = option(False, "batch norm in the generator")
    discriminator: str = option("dense", "what the discriminator is made of", choices=LAYERS)
    discriminator_widths: tuple[int, ...] = option((512, 256), "its hidden widths or two channel counts", 1, 4096)
    leak: float = option(0.2, "slope of the discriminator's LeakyReLU below zero", 0.0, 1.0)
    dropout: float = option(0.0, "share of the discriminator's hidden units dropped in training", 0.0, 0.95)
    channel_dropout: bool = option(False, "drop whole channels of a convolutional discriminator")

    def __post_init__(self) -> None:
        super().__post_init__()
        for side in ("generator", "discriminator"):
            widths = getattr(self, f"{side}_widths")
            if getattr(self, side) == "convolutional" and len(widths) != 2:
                raise GenlibError(f"{side}_widths takes two channel counts for a convolutional {side}, not {widths}")


IDEA = r"""
Two networks play against each other. The **generator** turns noise $z$ into an image; the **discriminator** is shown
real and made images and says how likely each is real:

$$\min_G \max_D \; \mathbb{E}_{x}[\log D(x)] + \mathbb{E}_{z}[\log(1 - D(G(z)))]$$

No one tells it what a class is: which garment a latent becomes is the generator's own affair. Either side may be dense
or convolutional; where one is much stronger than the other, the game stops teaching. Pixels are scaled to $[-1, 1]$,
the range of its tanh output. Sampling uses the average of the generator's weights over its last steps.
Source: Goodfellow et al. 2014, [arXiv:1406.2661](https://arxiv.org/abs/1406.2661).
"""


@register(
    "GAN",
    PlainGANConfig,
    [
        Preset(
            "gan-dense-1",
            PlainGANConfig(epochs=150, precision="bfloat16"),
            "Dense generator, dense discriminator without dropout.",
            milestones=(1, 50, 100, 150),
            differs="beta1 0.5 instead of 0.9, products in bfloat16. Its distance has been flat since about epoch 90: "
            "what it draws lies among the garments (precision) but covers few of them (recall), and it is speckled, "
            "since a dense layer knows nothing of neighbouring pixels.",
        ),
        Preset(
            "gan-dense-2",
            PlainGANConfig(
                epochs=150,
                precision="bfloat16",
                latent_size=64,
                generator_widths=(512, 256, 128),
                batch_norm=True,
                discriminator_widths=(256, 128, 64),
                dropout=0.5,
            ),
            "A smaller dense pair: batch norm in the generator, dropout 0.5 in the discriminator.",
            milestones=(1, 50, 100, 150),
            differs="learning rate 2e-4 instead of 1e-5, with which it learns far more slowly; beta1 0.5; products in "
            "bfloat16. Its garments are speckled: a dense layer knows nothing of neighbouring pixels, and 128 units "
            "before the last one smooth little.",
        ),
        Preset(
            "gan-fid",
            PlainGANConfig(epochs=500, precision="bfloat16", dropout=0.3),
            "A dense pair followed by its Frechet distance through 500 epochs.",
            milestones=(1, 10, 50, 100, 200, 300, 400, 500),
            differs="beta1 0.5, products in bfloat16. The study names no layers: they are gan-dense-1's.",
        ),
        Preset(
            "gan-dense-cnn",
            PlainGANConfig(
                epochs=150,
                precision="bfloat16",
                discriminator="convolutional",
                discriminator_widths=(32, 64),
                dropout=0.3,
                channel_dropout=True,
            ),
            "A dense generator against a convolutional discriminator: unbalanced sides.",
            milestones=(1, 50, 100, 150),
            differs="products in bfloat16. The study's collapsed to noise; this one gives the same noisy blob for "
            "every latent up to epoch 9, comes out of it, and collapses otherwise: its garments are clean (precision "
            "0.88) but of one cut each in a few shades, so that hardly a photograph lies among them (recall 0.003).",
        ),
        Preset(
            "gan-cnn",
            PlainGANConfig(
                epochs=150,
                precision="bfloat16",
                batch_size=64,
                generator="convolutional",
                generator_widths=(128, 64),
                batch_norm=True,
                discriminator="convolutional",
                discriminator_widths=(64, 128),
                leak=0.3,
                dropout=0.5,
                stop_when_flat=True,
            ),
            "Upsampling and convolutions against a convolutional discriminator with dropout 0.5.",
            milestones=(1, 10, 50),
            differs="beta1 0.5 instead of 0.9, products in bfloat16.",
        ),
    ],
)
class GAN(UnconditionalGAN):
    """A GAN without classes, either side dense or convolutional; tanh at the generator's end."""

    idea = IDEA
    config: PlainGANConfig

    def __init__(self, config: PlainGANConfig) -> None:
        generator = _dense_generator if config.generator == "dense" else _convolutional_generator
        if config.discriminator == "dense":
            discriminator = _dense_discriminator(config)
        else:
            discriminator = convolutional_discriminator(
                config.discriminator_widths, config.leak, config.dropout, config.channel_dropout
            )
        super().__init__(config, generator(config), discriminator)


class UpsampledConvolution(nn.Conv2d):
    """Nearest-neighbour upsampling by two and a 3x3 convolution: (N, a, h, w) to (N, b, 2h, 2w).

    Computed as the one transposed convolution that they amount to, with the 3x3 kernel summed over 2x2 windows as its
    4x4 kernel: nine products a pixel become four.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.in_channels, self.out_channels
        kernels = self.weight.flip(2, 3).transpose(0, 1).reshape(a * b, 1, 3, 3)
        windows = F.conv2d(kernels, kernels.new_ones(1, 1, 2, 2), padding=1)
        return F.conv_transpose2d(x, windows.view(a, b, 4, 4), self.bias, stride=2, padding=1)

    def describe(self, program: Program, x: Value) -> Value:
        return program.convolution(program.upsample(x, 2), self)


def _dense_generator(config: PlainGANConfig) -> Generator:
    widths = (config.latent_size, *config.generator_widths)
    layers: list[nn.Module] = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), *([nn.BatchNorm1d(b)] if config.batch_norm else []), nn.LeakyReLU(0.2)]
    return Generator(*layers, nn.Linear(widths[-1], 28 * 28), nn.Tanh(), nn.Unflatten(1, (1, 28, 28)))


def _dense_discriminator(config: PlainGANConfig) -> nn.Sequential:
    widths = (28 * 28, *config.discriminator_widths)
    layers: list[nn.Module] = [nn.Flatten()]
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), nn.LeakyReLU(config.leak), Dropout(config.dropout)]
    return nn.Sequential(*layers, nn.Linear(widths[-1], 1))


def _convolutional_generator(config: PlainGANConfig) -> Generator:
    first, second = config.generator_widths
    norm = nn.BatchNorm2d if config.batch_norm else lambda _: nn.Identity()
    return Generator(
        nn.Linear(config.latent_size, first * 7 * 7),
        nn.Unflatten(1, (first, 7, 7)),
        norm(first),
        UpsampledConvolution(first, second),  # (N, 64, 14, 14)
        norm(second),
        nn.ReLU(),
        UpsampledConvolution(second, 1),
        nn.Tanh(),
    )
