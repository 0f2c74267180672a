"""The strongest directions of a generator (GANSpace: Harkonen et al. 2020, arXiv:2004.02546)."""

from __future__ import annotations

import torch
from torch import Tensor

from genlib.errors import GenlibError
from genlib.model import Conditional, HiddenLayers, Model
from genlib.noise import MAX_SEED
from genlib.sampling import cycle_labels

LATENTS = 2_000


@torch.inference_mode()
def strongest_directions(model: Model, count: int = 5) -> Tensor:
    """Steps in latent space (count, d), each moving the first hidden layer one standard deviation along a component.

    Principal components of the layer after its non-linearity over 2,000 latents, brought back to the latent by least
    squares (arXiv:2004.02546, section 3.2). Class means are taken out first: what the class does is the class
    control's business, and no latent could reproduce it. Signs are fixed so that the largest entry is positive.
    """
    if not isinstance(model, HiddenLayers):
        raise GenlibError("directions need a model that shows its hidden layers")
    z = model.draw_latent(LATENTS, MAX_SEED)
    y = cycle_labels(LATENTS) if isinstance(model, Conditional) else None
    hidden = list(model.hidden_layers(z, y).values())[1].flatten(1)
    groups = y if y is not None else torch.zeros(LATENTS, dtype=torch.int64)
    for group in groups.unique():
        hidden[groups == group] -= hidden[groups == group].mean(0)
    u, _, _ = torch.linalg.svd(hidden, full_matrices=False)
    coordinates = u[:, :count] * LATENTS**0.5  # unit variance each
    directions = torch.linalg.lstsq(coordinates, z.flatten(1)).solution
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    return directions * largest.sign()
