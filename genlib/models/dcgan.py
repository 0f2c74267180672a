"""Deep convolutional GANs (Radford, Metz and Chintala 2016, arXiv:1511.06434) at their data's own 28 x 28."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from genlib.config import option
from genlib.layers.adversarial import GANConfig, Generator, UnconditionalGAN, convolutional_discriminator
from genlib.layers.dropout import Dropout
from genlib.model import Preset, register


@dataclass(frozen=True)
class DCGANConfig(GANConfig):
    """`width` is the number of feature maps next to the image; deeper layers have two and four times as many."""

    batch_size: int = option(64, "images a step", 2, 10_000)
    epochs: int = option(20, "passes over the training split", 1, 10_000)
    width: int = option(64, "feature maps next to the image", 1, 512)
    stem: str = option("transposed", "how a latent becomes 7 x 7 feature maps", choices=("transposed", "dense"))
    dropout: float = option(0.0, "share of the discriminator's hidden units dropped in training", 0.0, 0.95)


IDEA = r"""
The game of the GAN, played by convolutions: the **generator** unfolds noise $z$ into small feature maps and widens them
by transposed convolutions, the **discriminator** narrows an image by convolutions of stride 2:

$$\min_G \max_D \; \mathbb{E}_{x}[\log D(x)] + \mathbb{E}_{z}[\log(1 - D(G(z)))]$$

Batch normalisation keeps both sides' activations in range, which is what made deep GANs train at all. The same small
filter is used everywhere in the picture, so edges and textures are learned once. Pixels are $[-1, 1]$, the range of
tanh. Source: Radford, Metz and Chintala 2016, [arXiv:1511.06434](https://arxiv.org/abs/1511.06434).
"""


@register(
    "DCGAN",
    DCGANConfig,
    [
        Preset(
            "dcgan-64",
            DCGANConfig(precision="bfloat16"),
            "Transposed convolutions from 256 feature maps to the image, batch norm on both sides.",
            milestones=(1, 5, 10, 15, 20),
        ),
        Preset(
            "dcgan-32",
            DCGANConfig(precision="bfloat16", width=32),
            "dcgan-64 with half the feature maps.",
            milestones=(1, 5, 10, 15, 20),
        ),
        Preset(
            "dcgan-dense-stem",
            DCGANConfig(epochs=100, precision="bfloat16", stem="dense", dropout=0.3, stop_when_flat=True),
            "A dense layer to 7 x 7 feature maps, then 5 x 5 transposed convolutions.",
            milestones=(1, 10, 50),
            differs="learning rate 2e-4 instead of 1e-5, with which it learns far more slowly; beta1 0.5; products in "
            "bfloat16.",
        ),
    ],
)
class DCGAN(UnconditionalGAN):
    """All convolutions, as in the paper, or with a dense stem, 5 x 5 kernels and a discriminator without batch norm."""

    idea = IDEA
    config: DCGANConfig

    def __init__(self, config: DCGANConfig) -> None:
        if config.stem == "dense":
            discriminator = convolutional_discriminator((config.width, 2 * config.width), 0.3, config.dropout)
            super().__init__(config, _dense_stem_generator(config), discriminator)
        else:
            super().__init__(config, _transposed_generator(config), _mirrored_discriminator(config))
            self.apply(_small_normal_weights)


def _transposed_generator(config: DCGANConfig) -> Generator:
    w = config.width
    return Generator(
        nn.Unflatten(1, (config.latent_size, 1, 1)),
        nn.ConvTranspose2d(config.latent_size, 4 * w, 7, bias=False),  # (N, 256, 7, 7)
        nn.BatchNorm2d(4 * w),
        nn.ReLU(),
        nn.ConvTranspose2d(4 * w, 2 * w, 4, stride=2, padding=1, bias=False),  # (N, 128, 14, 14)
        nn.BatchNorm2d(2 * w),
        nn.ReLU(),
        nn.ConvTranspose2d(2 * w, 1, 4, stride=2, padding=1, bias=False),
        nn.Tanh(),
    )


def _mirrored_discriminator(config: DCGANConfig) -> nn.Sequential:
    w = config.width
    return nn.Sequential(
        nn.Conv2d(1, w, 4, stride=2, padding=1, bias=False),  # (N, 64, 14, 14)
        nn.LeakyReLU(0.2),
        Dropout(config.dropout),
        nn.Conv2d(w, 2 * w, 4, stride=2, padding=1, bias=False),  # (N, 128, 7, 7)
        nn.BatchNorm2d(2 * w),
        nn.LeakyReLU(0.2),
        Dropout(config.dropout),
        nn.Conv2d(2 * w, 1, 7, bias=False),
    )


def _small_normal_weights(module: nn.Module) -> None:
    """Weights N(0, 0.02) (arXiv:1511.06434, section 4) and, as in its authors' code, batch norm's scale N(1, 0.02)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)


def _dense_stem_generator(config: DCGANConfig) -> Generator:
    w = config.width
    return Generator(
        nn.Linear(config.latent_size, 4 * w * 7 * 7, bias=False),
        nn.BatchNorm1d(4 * w * 7 * 7),
        nn.LeakyReLU(0.3),
        nn.Unflatten(1, (4 * w, 7, 7)),
        nn.ConvTranspose2d(4 * w, 2 * w, 5, padding=2, bias=False),  # (N, 128, 7, 7)
        nn.BatchNorm2d(2 * w),
        nn.LeakyReLU(0.3),
        nn.ConvTranspose2d(2 * w, w, 5, stride=2, padding=2, output_padding=1, bias=False),  # (N, 64, 14, 14)
        nn.BatchNorm2d(w),
        nn.LeakyReLU(0.3),
        nn.ConvTranspose2d(w, 1, 5, stride=2, padding=2, output_padding=1, bias=False),
        nn.Tanh(),
    )
