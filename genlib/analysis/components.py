"""What the components of a mixture hold."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from genlib.data import FashionMNIST
from genlib.errors import GenlibError, whole
from genlib.images import from_uint8, to_uint8
from genlib.model import N_CLASSES, Mixture, Model
from genlib.sampling import MAX_SAMPLES, device_of, tempered


@dataclass(frozen=True)
class Contents:
    """Components in order of weight: `weights` (K,), `means` as pictures uint8 (K, 28, 28), `order` their own numbers
    (K,), `classes` (K, 10) how many test images of each class each of them holds, and `typical`, rows of the test
    split, the images each is surest of, first the surest.
    """

    weights: Tensor
    means: Tensor
    order: Tensor
    classes: Tensor
    typical: list[Tensor]


def mixture(model: object) -> Mixture:
    """The model, as what has components; GenlibError where it has none."""
    if not isinstance(model, Mixture):
        raise GenlibError("components need a mixture model")
    return model


def by_weight(model: object) -> Tensor:
    """The numbers of a mixture's components (K,), the heaviest first."""
    return mixture(model).components().weights.argsort(descending=True, stable=True)


def contents(model: object, n: int = 10_000, typical: int = 12) -> Contents:
    """Give each of the first n test images to its likeliest component and count."""
    known, order = mixture(model), by_weight(model)
    n = whole("n", n, 1, 10_000)
    test = FashionMNIST.load("test")
    weights, means, _ = known.components()
    with torch.inference_mode():
        pictures = to_uint8(known.render(means[order]))
        x = from_uint8(test.images[:n]).to(weights.device)
        posterior = known.posterior(x).cpu()  # at once: each call factorises every covariance
    weights, order = weights.cpu(), order.cpu()
    sure, owner = posterior[:, order].max(1)
    counts = torch.zeros(len(order), N_CLASSES, dtype=torch.int64)
    counts.index_put_((owner, test.labels[:n]), torch.ones(n, dtype=torch.int64), accumulate=True)
    rows = [(owner == k).nonzero().squeeze(1) for k in range(len(order))]
    surest = [held[sure[held].argsort(descending=True, stable=True)][:typical] for held in rows]
    return Contents(weights[order], pictures, order, counts, surest)


def component_samples(model: Model, k: int, n: int, seed: int = 0, temperature: float = 1.0) -> Tensor:
    """The first n samples of a seed, uint8 (n, 28, 28), were all drawn from component k (its own number, from 0).

    `temperature` scales the noise: 0 is the component's mean.
    """
    known = mixture(model)
    k = whole("k", k, 0, len(known.components().weights) - 1)
    n = whole("n", n, 1, MAX_SAMPLES)
    z = tempered(model, model.draw_latent(n, seed), temperature).to(device_of(model))
    with torch.inference_mode():
        return to_uint8(known.render(known.locate(z, torch.full((n,), k))))
