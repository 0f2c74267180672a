"""Projections against numpy's SVD, known mixtures and clouds whose separability is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from genlib.analysis import latent
from genlib.analysis.latent import (
    FILE,
    encoded_projection,
    hidden_projections,
    keep_fits,
    load_fits,
    outlines,
    projections,
    untrained_accuracies,
)
from genlib.analysis.principal import linear_accuracy, nearest_mean_accuracy, principal_components
from genlib.data import FashionMNIST
from genlib.drawing import scatter
from genlib.images import from_uint8
from genlib.loading import load
from genlib.model import HiddenLayers, capabilities
from genlib.models import get_preset
from genlib.sampling import cycle_labels, generate
from tests.tiny import SHIPPED, refused, save_tiny, tiny_model


def check_against_numpy(points: torch.Tensor, k: int, tolerance: float) -> None:
    coordinates, explained, mean, axes = principal_components(points, k)
    x = points.double().numpy()
    _, s, components = np.linalg.svd(x - x.mean(0), full_matrices=False)
    components = components[:k] * np.sign(components[np.arange(k), np.abs(components[:k]).argmax(1)])[:, None]
    assert np.allclose(mean.numpy(), x.mean(0), atol=tolerance)
    assert np.allclose(axes.numpy(), components, atol=tolerance)
    assert np.allclose(explained.numpy(), (s**2 / (s**2).sum())[:k], atol=tolerance)
    assert np.allclose(coordinates.numpy(), (x - x.mean(0)) @ components.T, atol=20 * tolerance)


def test_components_are_numpys() -> None:
    check_against_numpy(torch.randn(60, 9) * torch.arange(1, 10), 4, 1e-4)


def test_components_of_wide_points_are_numpys() -> None:
    """Found by iteration: a few strong directions in 1,500 dimensions of noise."""
    strong = torch.randn(80, 3) * torch.tensor([90.0, 60.0, 40.0])
    check_against_numpy(strong @ torch.linalg.qr(torch.randn(1500, 3))[0].T + torch.randn(80, 1500), 3, 1e-3)


def test_points_on_a_line_have_one_component() -> None:
    line = torch.linspace(-1, 1, 30)[:, None] * torch.tensor([[3.0, 4.0]])
    coordinates, explained, _, axes = principal_components(line, 2)
    assert explained.tolist() == pytest.approx([1, 0], abs=1e-6)
    assert axes[0].tolist() == pytest.approx([0.6, 0.8], abs=1e-6)
    assert torch.allclose(coordinates[:, 0], torch.linspace(-5, 5, 30), atol=1e-5)


def test_equal_points_are_no_trouble() -> None:
    coordinates, explained, *_ = principal_components(torch.ones(30, 5), 2)
    assert coordinates.abs().max() == explained.abs().max() == 0


def test_a_generators_layer_before_and_after() -> None:
    model = tiny_model("cgan-mlp")
    found = hidden_projections(model, 300, seed=3, k=2)
    before, after = found.values()
    assert list(found) == ["hidden 1, before LeakyReLU", "hidden 1, after LeakyReLU"]
    assert list(projections(model, 300, 3, 2)) == list(reversed(found))
    y = cycle_labels(300)
    layers = model.hidden_layers(model.draw_latent(300, 3), y)  # type: ignore[operator]
    for projection, layer in ((before, "before"), (after, "after")):
        points = layers[f"hidden 1, {layer} LeakyReLU"].detach()
        expected = (points - projection.mean) @ projection.axes.T
        assert torch.allclose(projection.coordinates, expected, atol=1e-4)
        assert torch.equal(projection.classes, y)
        assert projection.asked
    assert torch.equal(after.images, generate(model, 300, 3)[0])


def test_without_labels_the_classifier_names_the_classes() -> None:
    found = hidden_projections(tiny_model("gan-dense-1"), 40)
    for projection in found.values():
        assert not projection.asked
        assert projection.classes.shape == (40,)


def test_points_beyond_those_fitted_are_placed_on_the_same_axes(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("cgan-mlp")
    monkeypatch.setattr(latent, "FITTED", 250)
    few, many = (hidden_projections(model, n)["hidden 1, after LeakyReLU"] for n in (250, 800))
    assert many.coordinates.shape == (800, 3)
    assert torch.allclose(few.coordinates, many.coordinates[:250], atol=1e-5)
    assert (few.separability, few.visible) == (many.separability, many.visible)
    hidden = model.hidden_layers(model.draw_latent(800, 0), cycle_labels(800))  # type: ignore[operator]
    expected = (hidden["hidden 1, after LeakyReLU"].detach() - many.mean) @ many.axes.T
    assert torch.allclose(many.coordinates, expected, atol=1e-4)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run: weights, and no fits yet."""
    return save_tiny(tmp_path, "cgan-mlp")


def test_kept_fits_place_points_as_their_own_fit_does(run: Path) -> None:
    model = load(run)
    assert load_fits(run) == {}
    fits, own = keep_fits(run), projections(model)
    again = projections(model, fits=fits)
    assert list(again) == list(own)
    for name, projection in own.items():
        kept = again[name]
        spread = projection.coordinates.std(0)
        assert ((kept.coordinates - projection.coordinates).abs() / spread).max() < 0.02
        assert torch.equal(kept.explained, projection.explained)
        assert (kept.separability, kept.visible) == pytest.approx((projection.separability, projection.visible))


def test_kept_fits_stay_put_as_the_seed_changes(run: Path) -> None:
    model, fits = load(run), keep_fits(run)
    y = cycle_labels(300)
    layers = model.hidden_layers(model.draw_latent(300, 7), y)  # type: ignore[operator]
    for name, projection in hidden_projections(model, 300, 7, fits=fits).items():
        assert projection.axes is fits[name].axes
        assert torch.allclose(projection.coordinates, fits[name].place(layers[name].detach()), atol=1e-4)


def test_fits_of_other_weights_or_in_pieces_are_not_used(run: Path) -> None:
    keep_fits(run)
    config, kept = json.loads((run / "config.json").read_text()), (run / FILE).read_bytes()
    (run / "config.json").write_text(json.dumps(config | {"sha256": "0" * 64}))
    assert load_fits(run) == {}
    (run / "config.json").write_text(json.dumps(config))
    assert len(load_fits(run)) == 2
    for damaged in (kept[:-1], b"", kept.replace(b"/axes", b"/exes"), kept.replace(b"accuracies", b"inaccurate")):
        (run / FILE).write_bytes(damaged)
        assert load_fits(run) == {}


def test_a_fit_places_points_of_its_own_size_alone(run: Path) -> None:
    fit = next(iter(keep_fits(run).values()))
    with refused(f"of {len(fit.mean)} numbers a point, not of 3"):
        fit.place(torch.zeros(2, 3))


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_generator_has_the_fits_of_its_layers(name: str) -> None:
    model, fits = load(name), load_fits(name)
    if isinstance(model, HiddenLayers):
        found = hidden_projections(model, 40, fits=fits)
        assert list(fits) == list(found)
        assert all(projection.axes is fits[layer].axes for layer, projection in found.items())
    else:
        assert fits == {}


def test_what_a_layer_is_told_is_told_apart_before_any_training() -> None:
    model = tiny_model("cgan-mlp")
    before = untrained_accuracies(model, 400)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    assert untrained_accuracies(model, 400) == before  # whatever the weights have become
    assert all(boundary > 0.5 for boundary, _ in before.values())
    assert untrained_accuracies(tiny_model("dcgan-32"), 100) == {}


@pytest.mark.parametrize("name", [name for name in SHIPPED if load_fits(name)])
def test_kept_fits_know_what_an_untrained_network_tells_apart(name: str) -> None:
    told = "conditional" in capabilities(get_preset(name).model_class)
    assert all((fit.untrained is not None) is told for fit in load_fits(name).values())


def test_encoders_place_test_images(test_split: FashionMNIST) -> None:
    model = tiny_model("vae-cnn")
    found = encoded_projection(model, 100, 2)
    with torch.inference_mode():
        points = model.encode(from_uint8(test_split.images[:100]))  # type: ignore[operator]
    assert torch.allclose(found.coordinates, (points - found.mean) @ found.axes.T, atol=1e-4)
    assert torch.equal(found.classes, test_split.labels[:100])
    assert outlines(model, found) == []


def test_a_mixtures_ellipses_are_two_deviations_from_its_means() -> None:
    model = tiny_model("gmm-10")
    (found,) = projections(model, 300).values()
    _, means, covariances = model.components()  # type: ignore[operator]
    for outline, mean, covariance in zip(outlines(model, found), means, covariances, strict=True):
        plane = found.axes[:2]
        away = outline - plane @ (mean - found.mean)
        distances = (away * torch.linalg.solve(plane @ covariance @ plane.T, away.T).T).sum(1)
        assert torch.allclose(distances, torch.full((64,), 4.0), atol=1e-2)
        assert torch.allclose(outline[0], outline[-1], atol=1e-4)


def test_clouds_far_apart_are_told_apart_and_noise_is_not() -> None:
    y = torch.arange(400) % 4
    corners = 50 * torch.tensor([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    apart = torch.randn(400, 2) + corners[y]
    assert linear_accuracy(apart, y) == nearest_mean_accuracy(apart, y) == 1
    noise = torch.randn(400, 2)
    assert max(linear_accuracy(noise, y), nearest_mean_accuracy(noise, y)) < 0.4
    assert linear_accuracy(noise, torch.zeros(400, dtype=torch.int64)) == 1


def test_bad_questions_are_refused() -> None:
    with refused("shows its hidden layers"):
        hidden_projections(tiny_model("vae-cnn"))
    with refused("encodes images, or a mixture"):
        encoded_projection(tiny_model("cgan-mlp"))
    for n in (39, 10_001, True, 50.0):
        with refused("n takes a whole number from 40 to 10000"):
            hidden_projections(tiny_model("cgan-mlp"), n)  # type: ignore[arg-type]
    with refused("1 to 3 components, not 4"):
        principal_components(torch.randn(9, 3), 4)


def test_a_layer_of_one_number_is_a_line_on_every_axis_but_the_first() -> None:
    found = encoded_projection(tiny_model("vae-dense-8", latent_size=1), 60)
    assert found.coordinates.shape == (60, 3)
    assert found.explained.tolist() == pytest.approx([1, 0, 0])
    assert found.coordinates[:, 1:].abs().max() == 0
    assert scatter({"a line": found.coordinates.numpy()}, found.classes.numpy()).any()
