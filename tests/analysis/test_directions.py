"""Directions against numpy's SVD on a generator whose first layer is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from genlib.analysis.directions import (
    COUNT,
    FILE,
    LATENTS,
    _leading_scores,
    direction_walks,
    keep_directions,
    load_directions,
    strongest_directions,
)
from genlib.loading import load, weights_directory
from genlib.noise import MAX_SEED
from genlib.sampling import cycle_labels, generate
from tests.tiny import SHIPPED, refused, save_tiny, tiny_model

KEPT = [name for name in SHIPPED if (weights_directory() / name / FILE).is_file()]
FIVE = ["Sleeves", "Heels", "Dark to bright", "Direction 4", "Direction 5"]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run: weights, and no directions yet."""
    return save_tiny(tmp_path, "gan-dense-1")


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


@pytest.mark.parametrize("width", [12, 90])
def test_scores_are_those_of_the_singular_value_decomposition(width: int) -> None:
    rows = torch.randn(40, width) * torch.linspace(3, 1, width)
    rows -= rows.mean(0)
    u = np.linalg.svd(rows.double().numpy(), full_matrices=False)[0][:, :4] * 40**0.5
    found = _leading_scores(rows, 4).double().numpy()
    assert np.allclose(found * np.sign((found * u).sum(0)), u, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", KEPT)
def test_shipped_directions_are_those_that_the_code_finds(name: str) -> None:
    """To sign and rounding: a machine's arithmetic may decide either when two entries are about equally large."""
    shipped, found = load_directions(name), strongest_directions(load(name))
    assert json.loads((weights_directory() / name / FILE).read_text())["names"] == list(shipped.names)
    assert len(set(shipped.names)) == len(shipped.steps) == COUNT
    cosines = torch.nn.functional.cosine_similarity(shipped.steps, found)
    assert cosines.abs().min() > 0.999
    assert torch.allclose(shipped.steps.norm(dim=1), found.norm(dim=1), rtol=1e-2)


def test_some_directions_are_shipped() -> None:
    assert {"cgan-mlp", "dcgan-32", "gan-dense-2"} <= set(KEPT)


def test_a_run_without_directions_has_them_fitted_and_numbered(run: Path) -> None:
    found = load_directions(run)
    assert torch.equal(found.steps, strongest_directions(load(run)))
    assert found.names == tuple(f"Direction {i}" for i in range(1, COUNT + 1))
    assert not (run / FILE).exists()


def test_kept_directions_are_used_for_the_weights_they_were_fitted_to_and_no_others(run: Path) -> None:
    kept = keep_directions(run, FIVE)
    assert kept.names == tuple(FIVE)
    assert torch.allclose(kept.steps, strongest_directions(load(run)), atol=1e-5)
    assert load_directions(run).names == tuple(FIVE)
    config = json.loads((run / "config.json").read_text())
    whole = (run / FILE).read_text()
    (run / FILE).write_text(whole.replace(config["sha256"], "0" * 64))
    assert load_directions(run).names[0] == "Direction 1"
    (run / FILE).write_text(whole[:300])
    assert load_directions(run).names[0] == "Direction 1"


def test_bad_names_are_refused(run: Path) -> None:
    for names in ([], FIVE[:4], [*FIVE[:4], " "]):
        with refused("5 directions take a name each"):
            keep_directions(run, names)
    assert not (run / FILE).exists()


def test_walks_show_every_sample_at_every_stop() -> None:
    model = tiny_model("cgan-mlp")
    steps = strongest_directions(model, 2)
    images = direction_walks(model, steps, samples=3).view(2, 3, 5, 28, 28)
    assert torch.equal(images[1, :, 2], generate(model, 3)[0])
    assert torch.equal(images[1, :, 4], generate(model, 3, shift=2 * steps[1])[0])
