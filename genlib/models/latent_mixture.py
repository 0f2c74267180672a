"""Gaussian mixtures on the latents of an autoencoder or a VAE that was trained before them and is shared."""

from __future__ import annotations

from genlib.layers.gaussian_mixture import GaussianMixture, MixtureConfig
from genlib.layers.on_latents import OnLatents
from genlib.model import Preset, register

SIZES = (2, 11, 18)


class LatentMixture(OnLatents, GaussianMixture):
    """One mixture of the whole split."""

    def __init__(self, config: MixtureConfig) -> None:
        super().__init__(config, self.base_dimensions())
        self.add_base()


def _presets(prefix: str, base: str, tolerance: float) -> list[Preset]:
    """The tolerance is small against the price of a component in BIC: 7.1 nats an image with ae-cnn, 0.0041 with the
    VAE."""
    config = MixtureConfig(epochs=10_000, tolerance=tolerance, moves=30)
    fixed = [
        Preset(f"{prefix}-{k}", config.replace(components=k), f"{k} Gaussians on the latents of {base}.") for k in SIZES
    ]
    summary = f"As many Gaussians on the latents of {base} as BIC prefers among 1 to 20."
    return [*fixed, Preset(f"{prefix}-best", config.replace(components=0), summary)]


@register("AE + mixture", MixtureConfig, _presets("ae-gmm", "ae-cnn", 5e-3))
class AEMixture(LatentMixture):
    """On the 392 standardised latents of the convolutional autoencoder, before their ReLU."""

    base_name = "ae-cnn"


@register("VAE + mixture", MixtureConfig, _presets("vae-gmm", "vae-cnn-50", 1e-6))
class VAEMixture(LatentMixture):
    """On the 8 posterior means of the convolutional VAE."""

    base_name = "vae-cnn-50"
