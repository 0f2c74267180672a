"""A GAN of the size of `dcgan-64` (Radford et al. 2016, arXiv:1511.06434), for timing only: it is not registered."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlib.config import GradientConfig, option
from genlib.model import Descend, Model, Preset


@dataclass(frozen=True)
class DCGANConfig(GradientConfig):
    """The batch of the PyTorch tutorial; 64 feature maps."""

    batch_size: int = option(128, "images a step", 2, 10_000)
    beta1: float = option(0.5, "Adam's decay of the first moment", 0.0, 0.999)
    maps: int = option(64, "feature maps", 1, 512)


def make_generator(maps: int) -> nn.Sequential:
    """Latents (N, 100, 1, 1) to images: transposed convolutions 256@7, 128@14, 1@28."""
    return nn.Sequential(
        nn.ConvTranspose2d(100, 4 * maps, 7, bias=False),
        nn.BatchNorm2d(4 * maps),
        nn.ReLU(),
        nn.ConvTranspose2d(4 * maps, 2 * maps, 4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(2 * maps),
        nn.ReLU(),
        nn.ConvTranspose2d(2 * maps, 1, 4, stride=2, padding=1, bias=False),
        nn.Tanh(),
    ).apply(_initialise)


def make_discriminator(maps: int) -> nn.Sequential:
    """Images to logits (N,): convolutions 64@14, 128@7, 1@1."""
    return nn.Sequential(
        nn.Conv2d(1, maps, 4, stride=2, padding=1, bias=False),
        nn.LeakyReLU(0.2),
        nn.Conv2d(maps, 2 * maps, 4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(2 * maps),
        nn.LeakyReLU(0.2),
        nn.Conv2d(2 * maps, 1, 7, bias=False),
        nn.Flatten(0),
    ).apply(_initialise)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)


class DCGAN(Model):
    """The pair in genlib's contract: one generator pass a step, real and fake judged in batches of their own."""

    averaged = ("generator",)
    config: DCGANConfig

    def __init__(self, config: DCGANConfig) -> None:
        super().__init__(config)
        self.generator = make_generator(config.maps)
        self.discriminator = make_discriminator(config.maps)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (100, 1, 1)

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.generator(z)

    def configure_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        betas = (self.config.beta1, 0.999)
        return {
            "discriminator": torch.optim.Adam(
                self.discriminator.parameters(), lr=self.config.lr, betas=betas, fused=True
            ),
            "generator": torch.optim.Adam(self.generator.parameters(), lr=self.config.lr, betas=betas, fused=True),
        }

    def train_step(self, x: Tensor, y: Tensor, descend: Descend) -> dict[str, Tensor]:
        fake = self.generator(torch.randn(len(x), *self.latent_shape))
        real_logits, fake_logits = self.discriminator(x), self.discriminator(fake.detach())
        d_loss = _cross_entropy(real_logits, 1.0) + _cross_entropy(fake_logits, 0.0)
        descend(d_loss, "discriminator")
        g_loss = _cross_entropy(self.discriminator(fake), 1.0)
        descend(g_loss, "generator")
        return {"discriminator": d_loss.detach(), "generator": g_loss.detach()}


def _cross_entropy(logits: Tensor, target: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


PRESET = Preset("dcgan-64-size", DCGANConfig(epochs=20), "For timing only.", model_class=DCGAN)
