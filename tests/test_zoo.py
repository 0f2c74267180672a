"""The presets are the models of the studies: layers, sizes and settings as written down, and their own mechanisms."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from sklearn.mixture import GaussianMixture
from torch import nn

import genlib.training.loop
from genlib.data import FashionMNIST
from genlib.distributed import Processes
from genlib.images import from_uint8
from genlib.layers.adversarial import discriminator_loss, generator_loss
from genlib.layers.dropout import Dropout
from genlib.models import get_preset, presets
from genlib.models.autoencoder import SHARE, Autoencoder
from genlib.models.gan import UpsampledConvolution
from genlib.models.latent_mixture import LatentMixture
from genlib.training.loop import Run
from genlib.training.run import train
from tests.tiny import refused, tiny_config, tiny_model, tiny_training

STUDIES = {
    *("cgan-mlp", "gan-dense-1", "gan-dense-2", "gan-cnn", "gan-dense-cnn", "dcgan-64", "dcgan-32", "dcgan-dense-stem"),
    *("gan-fid", "vae-dense-8", "vae-dense-64", "vae-cnn", "gmm-10"),
    *(f"{kind}-gmm-{size}" for kind in ("ae", "vae") for size in ("2", "11", "18", "best")),
}


def test_every_row_of_the_studies_is_a_preset() -> None:
    assert set(presets()) >= STUDIES


def dense(*widths: int) -> int:
    """Weights and biases of dense layers."""
    return sum(a * b + b for a, b in pairwise(widths))


PARAMETERS = {
    "gan-dense-1": dense(100, 256, 512, 1024, 784) + dense(784, 512, 256, 1),
    "gan-fid": dense(100, 256, 512, 1024, 784) + dense(784, 512, 256, 1),
    "gan-dense-2": dense(64, 512, 256, 128, 784) + 2 * (512 + 256 + 128) + dense(784, 256, 128, 64, 1),
    "gan-dense-cnn": dense(100, 256, 512, 1024, 784) + (25 + 1) * 32 + (25 * 32 + 1) * 64 + 64 * 49 + 1,
    "gan-cnn": dense(100, 128 * 49) + 2 * 128 + (9 * 128 + 1) * 64 + 2 * 64 + 9 * 64 + 1
    + (25 + 1) * 64 + (25 * 64 + 1) * 128 + 128 * 49 + 1,
    "dcgan-64": 100 * 256 * 49 + 2 * 256 + 256 * 128 * 16 + 2 * 128 + 128 * 16
    + 64 * 16 + 64 * 128 * 16 + 2 * 128 + 128 * 49,
    "dcgan-dense-stem": 100 * 12544 + 2 * 12544 + 256 * 128 * 25 + 2 * 128 + 128 * 64 * 25 + 2 * 64 + 64 * 25
    + (25 + 1) * 64 + (25 * 64 + 1) * 128 + 128 * 49 + 1,
    "vae-dense-8": dense(784, 256, 16) + dense(8, 256, 784),
    "vae-dense-64": dense(784, 256, 128) + dense(64, 256, 784),
    "ae-cnn": (9 + 1) * 16 + (9 * 16 + 1) * 8 + (9 * 8 + 1) * 16 + (9 * 16 + 1),
    "vae-gmm-11": get_preset("vae-cnn-50").build().parameter_count() + 10 + 11 * 8 + 11 * 36,
}  # fmt: skip


@pytest.mark.parametrize(("name", "count"), PARAMETERS.items())
def test_parameters_by_hand(name: str, count: int) -> None:
    assert get_preset(name).build().parameter_count() == count


def test_half_the_feature_maps() -> None:
    wide, narrow = (get_preset(name).build() for name in ("dcgan-64", "dcgan-32"))
    maps = [[m.out_channels for m in model.modules() if hasattr(m, "out_channels")] for model in (wide, narrow)]
    assert maps == [[256, 128, 1, 64, 128, 1], [128, 64, 1, 32, 64, 1]]
    assert not any(isinstance(module, nn.Linear) for module in wide.modules())
    weights = wide.state_dict()["generator.4.weight"]
    assert float(weights.std()) == pytest.approx(0.02, rel=0.05)


def test_losses_are_the_binary_cross_entropies_of_logits() -> None:
    real, fake = torch.tensor([0.3, -2.0, 40.0]), torch.tensor([1.5, -0.2, -60.0])
    entropy = nn.functional.binary_cross_entropy_with_logits
    whole = entropy(torch.cat([real, fake]), torch.tensor([1.0, 1, 1, 0, 0, 0]))
    assert float(discriminator_loss(real, fake)) == pytest.approx(float(whole))
    assert float(generator_loss(fake)) == pytest.approx(float(entropy(fake, torch.ones(3))))


@pytest.mark.parametrize("side", ["generator", "discriminator"])
def test_a_convolutional_side_takes_two_widths(side: str) -> None:
    with refused(f"{side}_widths takes two channel counts"):
        get_preset("gan-dense-1").config.replace(**{side: "convolutional", f"{side}_widths": (8, 8, 8)})


def test_latents_of_the_autoencoder_are_standardised(small_data: FashionMNIST) -> None:
    """Frozen weights: the running moments are those of the first ones, N(0, 1), mixed with the split's own."""
    model = tiny_model("ae-cnn").train()
    assert isinstance(model, Autoencoder)
    x = from_uint8(small_data.images)
    for _ in range(20):
        model.train_step(x, small_data.labels, lambda *_: None)
    with torch.inference_mode():
        latents = model.encoder((x + 1) / 2)
        variance, mean = torch.var_mean(latents, dim=0, correction=0)
        left = (1 - SHARE) ** 20
        torch.testing.assert_close(model.mean, (1 - left) * mean)
        torch.testing.assert_close(model.variance, left + (1 - left) * variance + left * (1 - left) * mean.square())
        torch.testing.assert_close(model.encode(x), (latents - model.mean) / model.variance.sqrt())
        torch.testing.assert_close(model.decode(model.encode(x)), model.decoder(latents) * 2 - 1)


def mixture_run(data: FashionMNIST, **changes: object) -> LatentMixture:
    """A mixture on the shipped autoencoder's latents, fitted in memory."""
    config = tiny_config("ae-gmm-best", epochs=500, regularisation=1e-2, **changes)
    run = Run(get_preset("ae-gmm-best"), config, data, Processes(torch.device("cpu")), 50)
    assert isinstance(run.model, LatentMixture)
    while not run.model.converged:
        run.model.train_step(from_uint8(data.images), data.labels, lambda *_: None)
    return run.model


@pytest.mark.slow
def test_bic_is_scikit_learns_and_its_smallest_wins(test_split: FashionMNIST) -> None:
    data = FashionMNIST(test_split.images[:1500], test_split.labels[:1500])
    model = mixture_run(data, most_components=3, tolerance=1e-3)
    measured = model.measurements(data.images)
    curve = measured["bic_curve"]["bic"]
    assert [len(row) for row in curve] == [3, 3]
    assert measured["components"] == model.active == 1 + curve[0].index(min(curve[0]))
    points = model.points(from_uint8(data.images))
    weights, means, covariances = model.components()
    precisions = torch.linalg.inv(covariances.double()).numpy()
    reference = GaussianMixture(len(weights))
    reference.weights_, reference.means_, reference.covariances_ = (t.numpy() for t in (weights, means, covariances))
    reference.precisions_cholesky_ = torch.linalg.cholesky(torch.from_numpy(precisions)).numpy()
    gap = (measured["bic"] - reference.bic(points.numpy())) / len(data)
    assert abs(gap) < 1e-3  # nats a sample
    assert measured["bic"] == pytest.approx(min(curve[0]), rel=1e-4)  # the curve's is of the iteration before


def test_a_search_keeps_room_it_does_not_use(test_split: FashionMNIST) -> None:
    data = FashionMNIST(test_split.images[:300], test_split.labels[:300])
    model = mixture_run(data, most_components=2)
    assert model.active == 1  # 300 points cannot pay for a second covariance of 392 dimensions
    assert model.pick(model.draw_latent(500, 0)).max() == 0
    assert model.posterior(from_uint8(data.images[:5])).shape == (5, 1)


def test_a_mixture_without_its_autoencoder_says_what_to_train(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, small_data: FashionMNIST
) -> None:
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path / "none"))
    with refused("ae-cnn has no trained weights .* python -m genlib train ae-cnn"):
        list(tiny_training("ae-gmm-2", tmp_path / "run", small_data))


@pytest.mark.slow
def test_products_in_bfloat16_train(small_data: FashionMNIST, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(genlib.training.loop, "_multiplies_bfloat16", lambda device: True)
    losses = {}
    for precision in ("float32", "bfloat16"):
        directory = tmp_path / precision
        for _ in tiny_training("dcgan-32", directory, small_data, precision=precision):
            pass
        losses[precision] = json.loads((directory / "history.json").read_text())["epochs"][-1]["losses"]
    assert losses["float32"] != losses["bfloat16"]
    for name, value in losses["float32"].items():
        assert losses["bfloat16"][name] == pytest.approx(value, rel=0.05)


def test_a_processor_without_bfloat16_trains_in_float32(
    small_data: FashionMNIST, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Emulated, gan-dense-1 took 300 s an epoch where float32 takes 20."""
    for supported in (True, False):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda known=supported: {"avx2": True, "avx512_bf16": known})
        preset = get_preset("dcgan-32")
        run = Run(preset, tiny_config("dcgan-32"), small_data, Processes.join("cpu"), 50)
        assert run.lower is supported


@pytest.mark.slow
def test_a_flat_distance_ends_the_run(small_data: FashionMNIST, tmp_path: Path) -> None:
    config = tiny_config("vae-dense-8", epochs=40, lr=1e-7, stop_when_flat=True)
    settings = {"data": small_data, "device": "cpu", "distance_samples": 50, "evaluation_samples": 50}
    for _ in train("vae-dense-8", tmp_path, config, **settings):
        pass
    history = json.loads((tmp_path / "history.json").read_text())
    assert len(history["epochs"]) == 30  # the last milestone of the preset comes first
    assert history["sample_epochs"][-1] == 30


def test_a_run_begun_before_a_setting_existed_goes_on(small_data: FashionMNIST, tmp_path: Path) -> None:
    run = tiny_training("vae-dense-8", tmp_path, small_data)
    next(run)
    next(run)
    run.close()  # type: ignore[attr-defined]
    described = json.loads((tmp_path / "run.json").read_text())
    del described["config"]["precision"]
    (tmp_path / "run.json").write_text(json.dumps(described))
    *_, last = tiny_training("vae-dense-8", tmp_path, small_data, resume=True)
    assert type(last).__name__ == "Done"


def test_hidden_layers_are_named_by_their_non_linearity() -> None:
    model = tiny_model("dcgan-32")
    layers = model.hidden_layers(model.draw_latent(2, 0))
    assert [(name, tuple(value.shape)) for name, value in layers.items()] == [
        ("hidden 1, before ReLU", (2, 12, 7, 7)),
        ("hidden 1, after ReLU", (2, 12, 7, 7)),
        ("hidden 2, before ReLU", (2, 6, 14, 14)),
        ("hidden 2, after ReLU", (2, 6, 14, 14)),
    ]
    assert float(layers["hidden 1, after ReLU"].detach().min()) == 0


@pytest.mark.parametrize(("inputs", "outputs", "size"), [(3, 5, 7), (4, 1, 14), (1, 2, 1)])
def test_an_upsampled_convolution_is_both_in_one(inputs: int, outputs: int, size: int) -> None:
    layer = UpsampledConvolution(inputs, outputs)
    x = torch.randn(2, inputs, size, size)
    plain = nn.functional.conv2d(nn.functional.interpolate(x, scale_factor=2), layer.weight, layer.bias, padding=1)
    torch.testing.assert_close(layer(x), plain, atol=1e-5, rtol=0)


@pytest.mark.parametrize("p", [0.3, 0.5, 0.9])
@pytest.mark.parametrize("shape", [(1001,), (4, 5, 6, 7)])
def test_dropout_drops_its_share_and_keeps_the_mean(p: float, shape: tuple[int, ...]) -> None:
    layer = Dropout(p)
    x = torch.ones(shape)
    x = x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x
    with torch.random.fork_rng():
        torch.manual_seed(0)
        y = torch.stack([layer(x) for _ in range(300)])
    assert float((y == 0).float().mean()) == pytest.approx(p, abs=0.01)
    assert float(y.mean()) == pytest.approx(1, abs=0.02)
    assert y.mean(0).std() < 0.3  # no place is dropped more than another
    assert layer(x).stride() == x.stride()
    assert torch.equal(layer.eval()(x), x)


def test_dropout_passes_the_gradient_of_what_it_kept() -> None:
    x = torch.randn(3, 50, requires_grad=True)
    y = Dropout(0.5)(x)
    y.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad * x.detach(), y.detach())
