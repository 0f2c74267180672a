"""What variational autoencoders share: their configuration, both sides, and the bound (Kingma and Welling 2014)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genlib.config import GradientConfig, option
from genlib.distributed import own_rows


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
