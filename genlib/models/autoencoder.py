"""The convolutional autoencoder under the mixtures on its latents."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genlib.config import GradientConfig, option
from genlib.model import Descend, Model, Preset, register
from genlib.program import Program, Value

SHARE = 0.01  # of a batch in the running mean and variance of the latents


@dataclass(frozen=True)
class AutoencoderConfig(GradientConfig):
    """Two convolutions of stride 2, and their mirror image."""

    epochs: int = option(100, "passes over the training split", 1, 10_000)
    lr: float = option(1e-3, "Adam's learning rate", 1e-7, 1.0)
    width: int = option(16, "channels of the outer convolutions", 1, 256)
    latent_channels: int = option(8, "channels of the 7 x 7 latent", 1, 64)


IDEA = r"""
An **encoder** squeezes an image into a few hundred numbers, a **decoder** restores it; training minimises the squared
error of the round trip, $\lVert x - \hat{x}(z(x))\rVert^2$, and asks nothing of the latents. So reconstructions are
nearly perfect, and samples are not pictures at all: each latent number is drawn with its right mean and spread, but on
its own. What is missing is how the numbers hang together, and that is what the mixtures on its latents add. Pixels are
$[0, 1]$ inside, the range of its sigmoid output.
Source: Hinton and Salakhutdinov 2006, *Science* 313, 504-507.
"""


@register(
    "autoencoder",
    AutoencoderConfig,
    [
        Preset(
            "ae-cnn",
            AutoencoderConfig(),
            "Copies images through 392 numbers. It knows nothing of how they hang together: its samples are of "
            "independent numbers, and show what the mixtures on its latents add.",
            milestones=(1, 10, 50, 100),
        )
    ],
)
class Autoencoder(Model):
    """Minimises E|x - x'|^2 (Hinton and Salakhutdinov 2006), pixels counted in [-1, 1] and summed over an image.

    Latents are the encoder's last convolution before its ReLU, each unit in its own mean and standard deviation over
    training images, so that a standard normal latent has the right range unit by unit and nothing else.
    """

    idea = IDEA
    config: AutoencoderConfig
    mean: Tensor
    variance: Tensor

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__(config)
        width, channels = config.width, config.latent_channels
        self.encoder = nn.Sequential(
            nn.Conv2d(1, width, 3, stride=2, padding=1),  # (N, 16, 14, 14)
            nn.ReLU(),
            nn.Conv2d(width, channels, 3, stride=2, padding=1),  # (N, 8, 7, 7)
        )
        self.decoder = nn.Sequential(
            nn.ReLU(),
            nn.ConvTranspose2d(channels, width, 3, stride=2, padding=1, output_padding=1),  # (N, 16, 14, 14)
            nn.ReLU(),
            nn.ConvTranspose2d(width, 1, 3, stride=2, padding=1, output_padding=1),
            nn.Sigmoid(),
        )
        self.register_buffer("mean", torch.zeros(channels, 7, 7))
        self.register_buffer("variance", torch.ones(channels, 7, 7))

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.latent_channels, 7, 7)

    def _spread(self) -> Tensor:
        return self.variance.sqrt().clamp(min=1e-3)

    def encode(self, x: Tensor) -> Tensor:
        return (self.encoder((x + 1) / 2) - self.mean) / self._spread()

    def decode(self, z: Tensor) -> Tensor:
        return self.decoder(z * self._spread() + self.mean) * 2 - 1

    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.decode(z)

    def describe(self, program: Program, z: Value) -> Value:
        scaled = program.affine(z, program.constant("spread", self._spread()), self.mean)
        return program.rescale(program.apply(self.decoder, scaled), 2, -1)

    def configure_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        betas = (self.config.beta1, 0.999)
        return {"autoencoder": torch.optim.Adam(self.parameters(), lr=self.config.lr, betas=betas, fused=True)}

    def train_step(self, x: Tensor, y: Tensor, descend: Descend) -> dict[str, Tensor]:
        latent = self.encoder((x + 1) / 2)
        loss = (self.decoder(latent) * 2 - 1 - x).square().sum() / len(x)
        descend(loss, "autoencoder")
        variance, mean = torch.var_mean(latent.detach().float(), dim=0, correction=0)
        self.variance.lerp_(variance + (mean - self.mean).square() * (1 - SHARE), SHARE)
        self.mean.lerp_(mean, SHARE)
        return {"squared_error": loss.detach()}
