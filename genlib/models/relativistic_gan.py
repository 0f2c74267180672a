"""A convolutional conditional GAN with a modern loss: relativistic pairs and two gradient penalties."""

from __future__ import annotations

from genlib.layers.relativistic import RelativisticGANConfig, RelativisticPairs
from genlib.model import Preset, register

IDEA = r"""
Two networks play against each other, and every round is a **pair**: a real garment $x$ and a made one $G(z|y)$ of the
same class $y$. The discriminator must say which of the two is more real, the generator turns the same question round:

$$\max_D \; \mathbb{E}_{x, z}\,\log \sigma\big(D(x|y) - D(G(z|y)|y)\big) \qquad
  \max_G \; \mathbb{E}_{x, z}\,\log \sigma\big(D(G(z|y)|y) - D(x|y)\big)$$

A generator that draws one kind of garment only loses to every photograph of another kind, so it may leave none out. Two
penalties on how steeply $D$ changes, at real and at made images, keep the game from running away:
$\tfrac{\gamma}{2}\lVert\nabla D\rVert^2$. The class reaches every layer: it scales and shifts what is normalised there.
Sampling uses the average of the generator's weights over its last steps.
Source: Huang et al. 2024, [arXiv:2501.05441](https://arxiv.org/abs/2501.05441).
"""


@register(
    "relativistic GAN",
    RelativisticGANConfig,
    [
        Preset(
            "cgan-conv",
            RelativisticGANConfig(epochs=46, lr_decay=0.39),
            "Convolutional generator that is told the class at every layer, with a relativistic loss and penalties.",
            milestones=(1, 5, 10, 20, 30, 46),
        )
    ],
)
class RelativisticGAN(RelativisticPairs):
    """Pairs of a real image and a fake of the same class: only which of the two is more real is judged."""

    idea = IDEA
