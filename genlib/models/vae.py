"""Variational autoencoders (Kingma and Welling 2014, arXiv:1312.6114; beta: Higgins et al. 2017)."""

from __future__ import annotations

import torch
from torch import Tensor

from genlib.layers.variational import VAEConfig, draw_posterior, negative_bound, sides
from genlib.model import Descend, Model, Preset, register
from genlib.program import Program, Value

RANGE = (
    "pixels have the sigmoid's range, so its losses cannot be compared with the study's, whose targets were [-1, 1]."
)


IDEA = r"""
An **encoder** turns an image into a small Gaussian cloud of latents, a **decoder** turns a latent back into an image.
Training minimises the squared error of the round trip and how far the clouds are from a standard normal (the negative
evidence lower bound, the second term weighted by $\beta$):

$$\mathbb{E}_{q(z|x)}\,\lVert x - \hat{x}(z)\rVert^2 + \beta\,\mathrm{KL}\big(q(z|x)\,\Vert\,\mathcal{N}(0, I)\big)$$

So any latent drawn from a normal decodes to something plausible. Pictures are soft: the decoder answers doubt with an
average. Pixels are $[0, 1]$ inside, the range of its sigmoid output.
Source: Kingma and Welling 2014, [arXiv:1312.6114](https://arxiv.org/abs/1312.6114).
"""


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

    idea = IDEA
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
