"""Variational autoencoders (Kingma and Welling 2014, arXiv:1312.6114; beta: Higgins et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genlib.config import GradientConfig, option
from genlib.distributed import own_rows
from genlib.model import Descend, Model, Preset, register
from genlib.program import Program, Value


@dataclass(frozen=True)
class VAEConfig(GradientConfig):
    """An encoder and its mirror image as decoder, of convolutions or of dense layers."""

    epochs: int = option(15, "passes over the training split", 1, 10_000)
    lr: float = option(1e-3, "Adam's learning rate", 1e-7, 1.0)
    layers: str = option("convolutional", "what both sides are made of", choices=("convolutional", "dense"))
    latent_size: int = option(8, "numbers in a latent", 1, 1024)
    width: int = option(
        32, "channels of the outer convolutions (the inner have twice as many), or hidden units", 1, 4096
    )
    beta: float = option(3.0, "weight of the KL divergence against the squared error", 0.0, 1000.0)


RANGE = (
    "pixels have the sigmoid's range, so its losses cannot be compared with the study's, whose targets were [-1, 1]."
)


@register(
    "VAE",
    VAEConfig,
    [
        Preset(
            "vae-cnn", VAEConfig(), "Convolutional encoder and decoder around 8 latents.", milestones=(1, 5, 10, 15)
        ),
        Preset(
            "vae-cnn-50", VAEConfig(epochs=50), "vae-cnn trained longer: its latents are those under the VAE mixtures."
        ),
        Preset(
            "vae-dense-8",
            VAEConfig(epochs=30, layers="dense", width=256),
            "One dense hidden layer on either side of 8 latents.",
            milestones=(1, 5, 10, 20, 30),
            differs=RANGE,
        ),
        Preset(
            "vae-dense-64",
            VAEConfig(epochs=30, layers="dense", width=256, latent_size=64),
            "One dense hidden layer on either side of 64 latents.",
            milestones=(1, 5, 10, 20, 30),
            differs=RANGE,
        ),
    ],
)
class VAE(Model):
    """Minimises E[|x - x'|^2] + beta KL(q(z|x) || N(0, I)), per image (arXiv:1312.6114, eqs. 7 and 10).

    The decoder ends in a sigmoid, so inside the model pixels are [0, 1]. The squared error is summed over pixels
    counted in [-1, 1], the scale of the study's targets, so that its beta keeps its meaning; the study's own losses,
    measured against a sigmoid that could not reach half of them, are not comparable.
    """

    config: VAEConfig

    def __init__(self, config: VAEConfig) -> None:
        super().__init__(config)
        self.encoder, self.decoder = sides(config, config.latent_size)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.latent_size,)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images (N, 1, 28, 28) to mean and log-variance of q(z|x), each (N, d)."""
        mean, log_variance = self.encoder((x + 1) / 2).chunk(2, dim=1)
        return mean, log_variance

    def encode(self, x: Tensor) -> Tensor:
        return self.posterior(x)[0]

    def decode(self, z: Tensor) -> Tensor:
        return self.decoder(z) * 2 - 1

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.decode(z)

    def describe(self, program: Program, z: Value) -> Value:
        return program.rescale(program.apply(self.decoder, z), 2, -1)

    def configure_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        betas = (self.config.beta1, 0.999)
        return {"vae": torch.optim.Adam(self.parameters(), lr=self.config.lr, betas=betas, fused=True)}

    def train_step(self, x: Tensor, y: Tensor, descend: Descend) -> dict[str, Tensor]:
        mean, log_variance = self.posterior(x)
        copies = self.decode(draw_posterior(mean, log_variance))
        losses = negative_bound(x, copies, mean, log_variance, self.config.beta)
        descend(losses["loss"], "vae")
        return {name: loss.detach() for name, loss in losses.items()}


def draw_posterior(mean: Tensor, log_variance: Tensor) -> Tensor:
    """One latent (N, d) of each N(mean, variance), through which gradients flow (arXiv:1312.6114, section 2.4)."""
    noise = own_rows(lambda n: torch.randn(n, *mean.shape[1:], dtype=mean.dtype, device=mean.device), len(mean))
    return mean + torch.exp(0.5 * log_variance) * noise


def negative_bound(x: Tensor, copies: Tensor, mean: Tensor, log_variance: Tensor, beta: float) -> dict[str, Tensor]:
    """The loss and its two parts, the squared error and the KL divergence from N(0, I), means over the images."""
    error = (copies - x).square().sum() / len(x)
    kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum() / len(x)
    return {"loss": error + beta * kl, "squared_error": error, "kl": kl}


def sides(config: VAEConfig, latent_size: int) -> tuple[nn.Sequential, nn.Sequential]:
    """Encoder, to a mean and a log-variance of so many numbers, and decoder from as many."""
    make = _dense_sides if config.layers == "dense" else _convolutional_sides
    return make(config.width, latent_size)


def _dense_sides(width: int, latent_size: int) -> tuple[nn.Sequential, nn.Sequential]:
    encoder = nn.Sequential(
        nn.Flatten(),
        nn.Linear(28 * 28, width),
        nn.ReLU(),
        nn.Linear(width, 2 * latent_size),  # mean and log-variance
    )
    decoder = nn.Sequential(
        nn.Linear(latent_size, width),
        nn.ReLU(),
        nn.Linear(width, 28 * 28),
        nn.Unflatten(1, (1, 28, 28)),
        nn.Sigmoid(),
    )
    return encoder, decoder


def _convolutional_sides(narrow: int, latent_size: int) -> tuple[nn.Sequential, nn.Sequential]:
    wide = 2 * narrow
    encoder = nn.Sequential(
        nn.Conv2d(1, narrow, 3, stride=2, padding=1),  # (N, 32, 14, 14)
        nn.ReLU(),
        nn.Conv2d(narrow, wide, 3, stride=2, padding=1),  # (N, 64, 7, 7)
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(wide * 7 * 7, 2 * latent_size),  # mean and log-variance
    )
    decoder = nn.Sequential(
        nn.Linear(latent_size, narrow * 7 * 7),
        nn.ReLU(),
        nn.Unflatten(1, (narrow, 7, 7)),
        nn.ConvTranspose2d(narrow, wide, 3, stride=2, padding=1, output_padding=1),  # (N, 64, 14, 14)
        nn.ReLU(),
        nn.ConvTranspose2d(wide, narrow, 3, stride=2, padding=1, output_padding=1),  # (N, 32, 28, 28)
        nn.ReLU(),
        nn.ConvTranspose2d(narrow, 1, 3, padding=1),
        nn.Sigmoid(),
    )
    return encoder, decoder
