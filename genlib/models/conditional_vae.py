"""Conditional variational autoencoder (Sohn, Lee and Yan 2015, NeurIPS 28)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genlib.config import option
from genlib.distributed import own_rows
from genlib.layers.conditioning import ClassEmbedding, required
from genlib.layers.variational import VAEConfig, draw_posterior, negative_bound, sides
from genlib.model import Descend, Model, Preset, register
from genlib.program import Program, Value


@dataclass(frozen=True)
class ConditionalVAEConfig(VAEConfig):
    """A VAE whose two sides are told the class."""

    epochs: int = option(30, "passes over the training split", 1, 10_000)
    embedding_size: int = option(10, "numbers in a class embedding", 1, 128)
    class_dropout: float = option(0.1, "share of the images whose class is kept from the network", 0.0, 1.0)


IDEA = r"""
A variational autoencoder whose **encoder** and **decoder** are both told the class $y$. Training minimises the squared
error of the round trip and how far each image's cloud of latents is from a standard normal:

$$\mathbb{E}_{q(z|x, y)}\,\lVert x - \hat{x}(z, y)\rVert^2
  + \beta\,\mathrm{KL}\big(q(z|x, y)\,\Vert\,\mathcal{N}(0, I)\big)$$

The latent need not say which garment it is, so it says how this one differs from others of its class. In a tenth of the
images the class is kept back, so that a walk without one has a middle too. Pictures are soft: the decoder answers doubt
with an average. Pixels are $[0, 1]$ inside, the range of its sigmoid output.
Source: Sohn, Lee and Yan 2015, *Learning Structured Output Representation using Deep Conditional Generative Models*.
"""


@register(
    "conditional VAE",
    ConditionalVAEConfig,
    [
        Preset(
            "cvae-cnn",
            ConditionalVAEConfig(),
            "vae-cnn whose encoder and decoder are told the class.",
            milestones=(1, 5, 10, 15, 30),
        )
    ],
)
class ConditionalVAE(Model):
    """Minimises E[|x - x'|^2] + beta KL(q(z|x, y) || N(0, I)), per image (Sohn et al. 2015, eq. 4), as `VAE` does.

    The class's vector stands beside what the encoder has seen and beside the latent. In a tenth of the images it is
    that of no class, by which an image whose class is not known is encoded and decoded.
    """

    idea = IDEA
    config: ConditionalVAEConfig

    def __init__(self, config: ConditionalVAEConfig) -> None:
        super().__init__(config)
        told = config.embedding_size
        encoder, _ = sides(config, config.latent_size)
        _, self.decoder = sides(config, config.latent_size + told)
        *before, last = encoder
        self.eye = nn.Sequential(*before)
        assert isinstance(last, nn.Linear)
        self.head = nn.Linear(last.in_features + told, 2 * config.latent_size)  # mean and log-variance
        self.embedding = ClassEmbedding(told)
        self.none = nn.Parameter(torch.zeros(told))

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.latent_size,)

    def embed_classes(self, y: Tensor) -> Tensor:
        return self.embedding(y)

    def posterior(self, x: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        """Images (N, 1, 28, 28) and class vectors (N, e) to mean and log-variance of q(z|x, y), each (N, d)."""
        mean, log_variance = self.head(torch.cat([self.eye((x + 1) / 2), told], dim=1)).chunk(2, dim=1)
        return mean, log_variance

    def render(self, z: Tensor, told: Tensor) -> Tensor:
        """Latents (N, d) and class vectors (N, e) to images (N, 1, 28, 28)."""
        return self.decoder(torch.cat([z, told], dim=1)) * 2 - 1

    def encode(self, x: Tensor) -> Tensor:
        return self.posterior(x, self.none.expand(len(x), -1))[0]

    def decode(self, z: Tensor) -> Tensor:
        return self.render(z, self.none.expand(len(z), -1))

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.render(z, self.embed_classes(required(y)))

    def describe(self, program: Program, z: Value, y: Value) -> Value:
        told = program.concatenate(z, program.apply(self.embedding, y))
        return program.rescale(program.apply(self.decoder, told), 2, -1)

    def configure_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        betas = (self.config.beta1, 0.999)
        return {"vae": torch.optim.Adam(self.parameters(), lr=self.config.lr, betas=betas, fused=True)}

    def train_step(self, x: Tensor, y: Tensor, descend: Descend) -> dict[str, Tensor]:
        kept = own_rows(lambda n: torch.rand(n, 1, device=x.device), len(x)) >= self.config.class_dropout
        told = torch.where(kept, self.embed_classes(y), self.none)
        mean, log_variance = self.posterior(x, told)
        copies = self.render(draw_posterior(mean, log_variance), told)
        losses = negative_bound(x, copies, mean, log_variance, self.config.beta)
        descend(losses["loss"], "vae")
        return {name: loss.detach() for name, loss in losses.items()}
