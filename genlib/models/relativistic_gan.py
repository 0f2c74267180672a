"""A convolutional conditional GAN with a modern loss: relativistic pairs and two gradient penalties."""

from __future__ import annotations

from genlib.layers.relativistic import RelativisticGANConfig, RelativisticPairs
from genlib.model import Preset, register


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
