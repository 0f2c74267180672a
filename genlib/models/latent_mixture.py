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


def _presets(prefix: str, base: str, tolerance: float, preferred: int) -> list[Preset]:
    """The tolerance is small against the price of a component in BIC: 7.1 nats an image with ae-cnn, 0.0041 with the
    VAE. `preferred` is what the search found."""
    config = MixtureConfig(epochs=10_000, tolerance=tolerance, moves=30)
    fixed = [
        Preset(f"{prefix}-{k}", config.replace(components=k), f"{k} Gaussians on the latents of {base}.") for k in SIZES
    ]
    summary = f"As many Gaussians on the latents of {base} as BIC prefers among 1 to 20: {preferred}"
    summary += f", so the same ones as {prefix}-{preferred}." if preferred in SIZES else "."
    return [*fixed, Preset(f"{prefix}-best", config.replace(components=0), summary)]


AE_IDEA = r"""
Two models in turn. An **autoencoder** learns to copy images through 392 latent numbers $z$; then a sum of $K$ Gaussians
with full covariance is fitted to the latents of the training images by **expectation-maximisation**:

$$p(z) = \sum_k \pi_k\, \mathcal{N}(z \mid \mu_k, \Sigma_k)$$

A sample is a point of one Gaussian, decoded. How many Gaussians? The Bayesian information criterion,
$\mathrm{BIC} = -2 \log L + p \log N$, weighs the fit against the number of parameters $p$; *best* is its choice.
Sources: Bishop 2006, *Pattern Recognition and Machine Learning*, section 9.2; Schwarz 1978, *Annals of Statistics* 6.
"""


@register("AE + mixture", MixtureConfig, _presets("ae-gmm", "ae-cnn", 5e-3, 11))
class AEMixture(LatentMixture):
    """On the 392 standardised latents of the convolutional autoencoder, before their ReLU."""

    idea = AE_IDEA
    base_name = "ae-cnn"


VAE_IDEA = r"""
Two models in turn. A **variational autoencoder** learns 8 latent numbers whose clouds already resemble a normal; then a
sum of $K$ Gaussians is fitted to the means of the training images' clouds by **expectation-maximisation**, so that
samples come from where images really lie and not from the whole normal:

$$p(z) = \sum_k \pi_k\, \mathcal{N}(z \mid \mu_k, \Sigma_k)$$

How many Gaussians? The Bayesian information criterion, $\mathrm{BIC} = -2 \log L + p \log N$, weighs the fit against
the number of parameters $p$; *best* is its choice.
Sources: Kingma and Welling 2014, [arXiv:1312.6114](https://arxiv.org/abs/1312.6114); Schwarz 1978,
*Annals of Statistics* 6.
"""


@register("VAE + mixture", MixtureConfig, _presets("vae-gmm", "vae-cnn-50", 1e-6, 20))
class VAEMixture(LatentMixture):
    """On the 8 posterior means of the convolutional VAE."""

    idea = VAE_IDEA
    base_name = "vae-cnn-50"
