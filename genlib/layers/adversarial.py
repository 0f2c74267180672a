"""What generative adversarial networks share: losses, optimisers, and the unconditional training step."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlib.config import GradientConfig, option
from genlib.distributed import own_rows
from genlib.layers.dropout import ChannelDropout, Dropout
from genlib.model import Descend, Model
from genlib.program import Program, Value

NONLINEARITIES = (nn.ReLU, nn.LeakyReLU)


@dataclass(frozen=True)
class GANConfig(GradientConfig):
    """What every GAN has."""

    batch_size: int = option(128, "images a step", 2, 10_000)
    beta1: float = option(0.5, "Adam's decay of the first moment", 0.0, 0.999)
    latent_size: int = option(100, "numbers in a latent", 1, 1024)


class Generator(nn.Sequential):
    """Layers from a latent to an image, whose hidden activations can be looked at."""

    def trace(self, z: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The image, and the activations before and after each non-linearity by name, input to output."""
        layers: dict[str, Tensor] = {}
        h = z
        for module in self:
            before, h = h, module(h)
            if isinstance(module, NONLINEARITIES):
                name = f"hidden {len(layers) // 2 + 1}, {{}} {type(module).__name__}"
                layers |= {name.format("before"): before, name.format("after"): h}
        return h, layers


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """-E[log D(x)] - E[log(1 - D(G(z)))], halved, from logits (Goodfellow et al. 2014, arXiv:1406.2661, eq. 1)."""
    return (F.softplus(-real.float()).mean() + F.softplus(fake.float()).mean()) / 2


def generator_loss(fake: Tensor) -> Tensor:
    """The non-saturating -E[log D(G(z))] from logits (arXiv:1406.2661, section 3)."""
    return F.softplus(-fake.float()).mean()


def adversaries(model: Model, config: GANConfig, beta2: float = 0.999) -> dict[str, torch.optim.Optimizer]:
    """Adam for the discriminator and for the generator."""
    return {
        name: torch.optim.Adam(
            model.get_submodule(name).parameters(), lr=config.lr, betas=(config.beta1, beta2), fused=True
        )
        for name in ("discriminator", "generator")
    }


class UnconditionalGAN(Model):
    """min_G max_D E[log D(x)] + E[log(1 - D(G(z)))] (arXiv:1406.2661, eq. 1), G on the non-saturating loss.

    A family hands both networks to the constructor. A discriminator with batch norm sees real and fake
    images in batches of their own (Radford et al. 2016, arXiv:1511.06434); any other sees them in one.
    """

    averaged = ("generator",)
    config: GANConfig
    generator: Generator
    discriminator: nn.Module

    def __init__(self, config: GANConfig, generator: Generator, discriminator: nn.Module) -> None:
        super().__init__(config)
        self.generator, self.discriminator = generator, discriminator
        self._apart = any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in discriminator.modules())

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.latent_size,)

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.generator(z)

    def describe(self, program: Program, z: Value) -> Value:
        return program.apply(self.generator, z)

    def discriminate(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return torch.sigmoid(self.discriminator(x).flatten())

    def hidden_layers(self, z: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        return self.generator.trace(z)[1]

    def configure_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return adversaries(self, self.config)

    def train_step(self, x: Tensor, y: Tensor, descend: Descend) -> dict[str, Tensor]:
        z = own_rows(lambda n: torch.randn(n, *self.latent_shape, device=x.device), len(x))
        fake = self.generator(z)
        if self._apart:
            real_logits, fake_logits = self.discriminator(x), self.discriminator(fake.detach())
        else:
            real_logits, fake_logits = self.discriminator(torch.cat([x, fake.detach()])).chunk(2)
        d_loss = discriminator_loss(real_logits, fake_logits)
        descend(d_loss, "discriminator")
        g_loss = generator_loss(self.discriminator(fake))
        descend(g_loss, "generator")
        return {"discriminator": d_loss.detach(), "generator": g_loss.detach()}


def convolutional_discriminator(
    channels: tuple[int, ...], leak: float, dropout: float, channel_dropout: bool = False
) -> nn.Sequential:
    """Two 5x5 convolutions of stride 2 and a linear layer: images to logits (N, 1)."""
    drop = ChannelDropout if channel_dropout else Dropout
    first, second = channels
    return nn.Sequential(
        nn.Conv2d(1, first, 5, stride=2, padding=2),  # (N, 64, 14, 14)
        nn.LeakyReLU(leak),
        drop(dropout),
        nn.Conv2d(first, second, 5, stride=2, padding=2),  # (N, 128, 7, 7)
        nn.LeakyReLU(leak),
        drop(dropout),
        nn.Flatten(),
        nn.Linear(second * 7 * 7, 1),
    )
