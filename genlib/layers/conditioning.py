"""How models are told a class, and what GANs that are told one share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from genlib.errors import GenlibError
from genlib.layers.adversarial import GANConfig
from genlib.model import N_CLASSES, Model, class_mixture
from genlib.program import Program, Value


class ClassEmbedding(nn.Module):
    """One learned vector a class; a mixture of classes is embedded as the same mixture of their vectors."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.normal_(torch.empty(N_CLASSES, size)))

    def forward(self, y: Tensor) -> Tensor:
        return class_mixture(y) @ self.weight  # (N, e)

    def describe(self, program: Program, y: Value) -> Value:
        return program.embed(y, self.weight)


def required(y: Tensor | None) -> Tensor:
    """The classes of a conditional model, which cannot do without."""
    if y is None:
        raise GenlibError("a conditional model needs labels (N,) or class mixtures (N, 10)")
    return y


class ClassToldGAN(Model):
    """A GAN whose generator and discriminator are told the class; a family hands both to the constructor."""

    averaged = ("generator",)
    config: GANConfig
    generator: Any  # called with latents and classes; has their `embedding`, and a `trace` of its hidden layers
    discriminator: nn.Module

    def __init__(self, config: GANConfig, generator: nn.Module, discriminator: nn.Module) -> None:
        super().__init__(config)
        self.generator, self.discriminator = generator, discriminator

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.latent_size,)

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.generator(z, required(y))

    def describe(self, program: Program, z: Value, y: Value) -> Value:
        return program.apply(self.generator, z, y)

    def embed_classes(self, y: Tensor) -> Tensor:
        return self.generator.embedding(y)

    def hidden_layers(self, z: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        return self.generator.trace(z, required(y))[1]
