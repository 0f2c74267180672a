"""Directions against numpy's SVD on a generator whose first layer is known."""

from __future__ import annotations

import numpy as np
import torch

from genlib.analysis.directions import LATENTS, strongest_directions
from genlib.noise import MAX_SEED
from genlib.sampling import cycle_labels
from tests.tiny import refused, tiny_model


def test_directions_are_the_regressed_components_of_the_first_hidden_layer() -> None:
    model = tiny_model("cgan-mlp")
    found = strongest_directions(model, 3)
    z, y = model.draw_latent(LATENTS, MAX_SEED), cycle_labels(LATENTS)
    hidden = model.hidden_layers(z, y)["hidden 1, after LeakyReLU"].detach().double().numpy()  # type: ignore[operator]
    for k in range(10):
        hidden[y == k] -= hidden[y == k].mean(axis=0)
    _, _, components = np.linalg.svd(hidden, full_matrices=False)
    scores = hidden @ components[:3].T
    scores /= np.sqrt((scores**2).mean(axis=0))
    expected = np.linalg.lstsq(scores, z.double().numpy(), rcond=None)[0]
    expected *= np.sign(expected[np.arange(3), np.abs(expected).argmax(axis=1)])[:, None]
    assert np.allclose(found.numpy(), expected, atol=1e-3)


def test_the_first_direction_moves_the_layer_more_than_the_last_latent_axis_on_average() -> None:
    model = tiny_model("cgan-mlp")
    direction = strongest_directions(model, 1)[0]
    z, y = model.draw_latent(200, 0), cycle_labels(200)

    def moved(step: torch.Tensor) -> float:
        before, after = (model.hidden_layers(p, y)["hidden 1, after LeakyReLU"] for p in (z, z + step))  # type: ignore[operator]
        return float((after - before).norm(dim=1).mean().detach())

    axes = [moved(axis * direction.norm()) for axis in torch.eye(model.latent_shape[0])]
    assert moved(direction) > float(np.mean(axes))


def test_a_model_without_hidden_layers_is_refused() -> None:
    with refused("hidden layers"):
        strongest_directions(tiny_model("vae-cnn"))
