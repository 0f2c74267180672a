"""Conditional GAN of dense layers (Mirza and Osindero 2014, arXiv:1411.1784)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlib.config import option
from genlib.distributed import own_rows
from genlib.layers.adversarial import GANConfig, adversaries, discriminator_loss, generator_loss
from genlib.layers.conditioning import ClassEmbedding, ClassToldGAN, required
from genlib.layers.dropout import Dropout
from genlib.model import N_CLASSES, Descend, Preset, register
from genlib.program import Program, Value


@dataclass(frozen=True)
class ConditionalGANConfig(GANConfig):
    """Layer widths are between the input and the output layer."""

    embedding_size: int = option(10, "numbers in a class embedding", 1, 128)
    generator_widths: tuple[int, ...] = option((256, 512, 1024), "hidden widths of the generator", 1, 4096)
    discriminator_widths: tuple[int, ...] = option((1024, 512, 256), "hidden widths of the discriminator", 1, 4096)
    dropout: float = option(0.3, "share of the discriminator's hidden units dropped in training", 0.0, 0.95)


class Generator(nn.Module):
    """Latent and class embedding, concatenated, to an image through LeakyReLU layers and tanh."""

    def __init__(self, config: ConditionalGANConfig) -> None:
        super().__init__()
        self.embedding = ClassEmbedding(config.embedding_size)
        widths = (config.latent_size + config.embedding_size, *config.generator_widths)
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.output = nn.Linear(widths[-1], 28 * 28)

    def trace(self, z: Tensor, y: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The image, and every hidden layer's activations before and after its LeakyReLU."""
        layers = {}
        h = torch.cat([z, self.embedding(y)], dim=1)  # (N, d + e)
        for i, linear in enumerate(self.hidden, start=1):
            layers[f"hidden {i}, before LeakyReLU"] = before = linear(h)
            layers[f"hidden {i}, after LeakyReLU"] = h = F.leaky_relu(before, 0.2)
        return torch.tanh(self.output(h)).view(-1, 1, 28, 28), layers

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.trace(z, y)[0]

    def describe(self, program: Program, z: Value, y: Value) -> Value:
        h = program.concatenate(z, program.apply(self.embedding, y))
        for linear in self.hidden:
            h = program.activation(program.apply(linear, h), "leaky_relu", slope=0.2)
        return program.reshape(program.activation(program.apply(self.output, h), "tanh"), (1, 28, 28))


class Discriminator(nn.Module):
    """Image and its own class embedding, concatenated, to the logit of being real."""

    def __init__(self, config: ConditionalGANConfig) -> None:
        super().__init__()
        self.embedding = ClassEmbedding(config.embedding_size)
        widths = (28 * 28 + config.embedding_size, *config.discriminator_widths)
        layers: list[nn.Module] = []
        for a, b in pairwise(widths):
            layers += [nn.Linear(a, b), nn.LeakyReLU(0.2), Dropout(config.dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], 1))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.layers(torch.cat([x.flatten(1), self.embedding(y)], dim=1)).squeeze(1)  # (N,)


IDEA = r"""
Two networks play against each other. The **generator** turns noise $z$ and a class $y$ into an image; the
**discriminator** is shown real and made images with their class and says how likely each is real:

$$\min_G \max_D \; \mathbb{E}_{x}[\log D(x|y)] + \mathbb{E}_{z}[\log(1 - D(G(z|y)|y))]$$

Neither ever sees the other's weights; the generator learns only from how it is judged. Pictures are sharp, but
nothing makes the game cover every kind of garment. Pixels are scaled to $[-1, 1]$, the range of its tanh output.
Sampling uses the average of the generator's weights over its last steps (switch to *raw* to see the difference).
Source: Mirza and Osindero 2014, [arXiv:1411.1784](https://arxiv.org/abs/1411.1784).
"""


@register(
    "conditional GAN",
    ConditionalGANConfig,
    [
        Preset(
            "cgan-mlp",
            ConditionalGANConfig(epochs=100),
            "Dense generator and discriminator that are both told the class.",
            milestones=(1, 10, 25, 50, 75, 100),
            differs="Adam's beta1 is 0.5 instead of 0.9, with which it learned more slowly.",
        )
    ],
)
class ConditionalGAN(ClassToldGAN):
    """min_G max_D E[log D(x|y)] + E[log(1 - D(G(z|y)|y))] (arXiv:1411.1784, eq. 2).

    The generator descends the non-saturating loss -log D(G(z|y)|y) (Goodfellow et al. 2014, arXiv:1406.2661,
    section 3). Losses take logits: the sigmoid is inside the binary cross-entropy.
    """

    idea = IDEA
    config: ConditionalGANConfig

    def __init__(self, config: ConditionalGANConfig) -> None:
        super().__init__(config, Generator(config), Discriminator(config))

    def discriminate(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return torch.sigmoid(self.discriminator(x, required(y)))

    def configure_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return adversaries(self, self.config)

    def train_step(self, x: Tensor, y: Tensor, descend: Descend) -> dict[str, Tensor]:
        n = len(x)
        z = own_rows(lambda n: torch.randn(n, *self.latent_shape, device=x.device), n)
        fake_y = own_rows(lambda n: torch.randint(N_CLASSES, (n,), device=x.device), n)
        fake = self.generator(z, fake_y)
        logits = self.discriminator(torch.cat([x, fake.detach()]), torch.cat([y, fake_y]))
        d_loss = discriminator_loss(logits[:n], logits[n:])
        descend(d_loss, "discriminator")
        g_loss = generator_loss(self.discriminator(fake, fake_y))
        descend(g_loss, "generator")
        return {"discriminator": d_loss.detach(), "generator": g_loss.detach()}
