"""The contract: every preset of the registry, at a tiny size, does what the loop and the studio rely on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from genlib.data import FashionMNIST
from genlib.images import from_uint8
from genlib.loading import load
from genlib.model import (
    CAPABILITIES,
    Conditional,
    Decodes,
    Discriminates,
    Encodes,
    HiddenLayers,
    Integrates,
    Mixture,
    Model,
    capabilities,
    class_mixture,
    device_for,
    keeps_raw,
    resolve_device,
)
from genlib.models import families, get_preset, presets
from genlib.models.class_mixture import ClassMixture
from genlib.sampling import cycle_labels, sample
from genlib.store import save_model
from tests.tiny import NAMES, TINY, refused, save_tiny, tiny_config, tiny_model, tiny_training

N = 12
every_preset = pytest.mark.parametrize("name", NAMES)


def having(capability: type) -> pytest.MarkDecorator:
    """The presets whose class has a capability."""
    return pytest.mark.parametrize("name", [n for n in NAMES if issubclass(presets()[n].model_class, capability)])


def labels(model: Model, n: int = N) -> Tensor | None:
    return cycle_labels(n) if isinstance(model, Conditional) else None


def draw(model: Model, n: int = N, seed: int = 0) -> Tensor:
    return sample(model, model.draw_latent(n, seed), labels(model, n))


def images(data: FashionMNIST, n: int = N) -> Tensor:
    return from_uint8(data.images[:n])


def averaged_tensors(model: Model) -> dict[str, Tensor]:
    """The averaged submodules' tensors, as if the average were the weights."""
    prefixes = tuple(f"{part}." for part in model.averaged) if keeps_raw(model) else ()
    return {key: value.clone() for key, value in model.state_dict().items() if key.startswith(prefixes)}


class Descent:
    """What the loop does with a loss, kept for looking at: every parameter's gradient as its optimiser saw it."""

    def __init__(self, model: Model) -> None:
        self.optimizers = model.configure_optimizers()
        self.gradients: dict[Tensor, Tensor] = {}

    def __call__(self, loss: Tensor, name: str) -> None:
        parameters = [p for group in self.optimizers[name].param_groups for p in group["params"]]
        self.optimizers[name].zero_grad()
        loss.backward(inputs=parameters)
        self.gradients |= {p: p.grad.clone() for p in parameters}
        self.optimizers[name].step()


def test_every_family_has_a_tiny_configuration() -> None:
    assert set(TINY) == set(families())
    assert {preset.family for preset in presets().values()} == set(families())


@every_preset
def test_sample_shape_and_range(name: str) -> None:
    model = tiny_model(name)
    z = model.draw_latent(N, 0)
    assert z.shape == (N, *model.latent_shape)
    assert z.dtype == torch.float32
    x = draw(model)
    assert x.shape == (N, 1, 28, 28)
    assert x.dtype == torch.float32
    assert x.min() >= -1
    assert x.max() <= 1


@every_preset
def test_sampling_is_deterministic_and_latents_matter(name: str) -> None:
    model = tiny_model(name)
    assert torch.equal(draw(model), draw(model))
    assert not torch.equal(draw(model, seed=0), draw(model, seed=1))
    assert len(draw(model).flatten(1).unique(dim=0)) == N


@every_preset
def test_a_latent_depends_on_seed_and_index_alone(name: str) -> None:
    model = tiny_model(name)
    assert torch.equal(model.draw_latent(9, 4)[5:], model.draw_latent(4, 4, start=5))


@every_preset
def test_a_picture_does_not_depend_on_its_batch(name: str) -> None:
    model = tiny_model(name)
    z, y = model.draw_latent(N, 0), labels(model)
    alone = [sample(model, z[i : i + 1], None if y is None else y[i : i + 1]) for i in range(N)]
    torch.testing.assert_close(torch.cat(alone), sample(model, z, y), atol=1e-5, rtol=0)


@every_preset
def test_temperature_scales_the_noise(name: str) -> None:
    model = tiny_model(name)
    z = model.draw_latent(N, 0)
    assert torch.equal(model.temper(z, 1.0), z)
    typical = sample(model, model.temper(z, 0.0), torch.zeros(N, dtype=torch.int64))
    components = model.components().weights.numel() if isinstance(model, Mixture) else 1
    assert len(typical.flatten(1).unique(dim=0)) <= components


@every_preset
def test_a_step_reaches_every_parameter(name: str, small_data: FashionMNIST) -> None:
    model = tiny_model(name).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    descent = Descent(model)
    losses = model.train_step(images(small_data, 64), small_data.labels[:64], descent)
    assert losses
    for loss in losses.values():
        assert loss.ndim == 0
        assert not loss.requires_grad
        assert loss.isfinite()
    trained = {key: parameter for key, parameter in model.named_parameters() if parameter.requires_grad}
    for key, parameter in trained.items():
        assert descent.gradients[parameter].isfinite().all(), key
        assert descent.gradients[parameter].any(), key
    unchanged = {key for key, value in model.state_dict().items() if torch.equal(value, before[key])}
    frozen = {key for key in unchanged if key.startswith("base.")}  # the autoencoder under a mixture
    assert not unchanged - frozen - {"finished", "bic"}


@every_preset
def test_save_and_load(name: str, small_data: FashionMNIST, tmp_path: Path) -> None:
    model = tiny_model(name)
    model.train_step(images(small_data, 64), small_data.labels[:64], Descent(model))
    model.eval()
    averaged = averaged_tensors(model)
    save_model(tmp_path, name, model, averaged)
    loaded = load(tmp_path)
    assert type(loaded) is type(model)
    assert loaded.config == model.config
    assert not loaded.training
    torch.testing.assert_close(draw(loaded), draw(model), atol=0.02, rtol=0)  # half precision
    again = tmp_path / "again"
    again.mkdir()
    save_model(again, name, loaded, averaged_tensors(loaded))
    assert (again / "model.safetensors").read_bytes() == (tmp_path / "model.safetensors").read_bytes()


@every_preset
def test_initial_weights_follow_from_the_seed_alone(name: str) -> None:
    before = torch.get_rng_state()
    first, second, other = (tiny_model(name, seed=seed).state_dict() for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[key], second[key]) for key in first)
    if any(parameter.requires_grad for parameter in tiny_model(name).parameters()):
        assert not all(torch.equal(first[key], other[key]) for key in first)


@every_preset
def test_config_round_trip(name: str) -> None:
    for config in (presets()[name].config, tiny_config(name)):
        assert type(config).from_dict(json.loads(json.dumps(config.to_dict()))) == config


@every_preset
def test_every_field_is_documented(name: str) -> None:
    for field in presets()[name].config.__dataclass_fields__.values():
        assert field.metadata["help"]


@every_preset
def test_averaged_parts_exist(name: str) -> None:
    model = tiny_model(name)
    for part in model.averaged:
        assert list(model.get_submodule(part).parameters())


CLAIMED = {
    "cgan-mlp": ["conditional", "discriminates", "hidden_layers"],
    "gan-dense-1": ["discriminates", "hidden_layers"],
    "dcgan-64": ["discriminates", "hidden_layers"],
    "vae-cnn": ["encodes", "decodes"],
    "cvae-cnn": ["conditional", "encodes", "decodes"],
    "ae-cnn": ["encodes", "decodes"],
    "gmm-10": ["mixture"],
    "ae-gmm-2": ["mixture"],
    "vae-gmm-best": ["mixture"],
    "cgmm": ["conditional", "mixture"],
    "flow-unet": ["conditional", "encodes", "decodes", "integrates"],
}


def test_capabilities_are_what_the_families_claim() -> None:
    claimed = {name: capabilities(presets()[name].model_class) for name in CLAIMED}
    assert claimed == CLAIMED
    assert {capability for having in claimed.values() for capability in having} == set(CAPABILITIES)


@having(Conditional)
def test_one_hot_mixture_is_the_label(name: str) -> None:
    model = tiny_model(name)
    z, y = model.draw_latent(10, 0), torch.arange(10)
    torch.testing.assert_close(sample(model, z, class_mixture(y)), sample(model, z, y))
    embedded = model.embed_classes(y)
    assert embedded.ndim == 2
    assert len(embedded.unique(dim=0)) == 10
    half = model.embed_classes(torch.full((1, 10), 0.1))
    torch.testing.assert_close(half, embedded.mean(0, keepdim=True))


@having(Conditional)
def test_the_class_changes_the_picture_and_is_required(name: str) -> None:
    model = tiny_model(name)
    z = model.draw_latent(1, 0).repeat(10, *[1] * len(model.latent_shape))
    assert len(sample(model, z, torch.arange(10)).flatten(1).unique(dim=0)) == 10
    with refused("needs labels"):
        sample(model, z)


@having(Encodes)
def test_encode(name: str, small_data: FashionMNIST) -> None:
    model = tiny_model(name)
    z = model.encode(images(small_data))
    assert z.shape == (N, *model.latent_shape)
    assert torch.equal(z, model.encode(images(small_data)))


@having(Decodes)
def test_decode_is_sampling(name: str) -> None:
    model = tiny_model(name)
    z, without_class = model.draw_latent(N, 0), {"guidance": 0.0} if isinstance(model, Integrates) else {}
    with torch.inference_mode():
        decoded, sampled = model.decode(z), sample(model, z, labels(model), **without_class)
    told = isinstance(model, Conditional) and not without_class  # decoding knows no class
    assert decoded.shape == sampled.shape
    assert torch.equal(decoded, sampled) is not told


@having(Discriminates)
def test_discriminate(name: str, small_data: FashionMNIST) -> None:
    model = tiny_model(name)
    judged = model.discriminate(images(small_data), small_data.labels[:N])
    assert judged.shape == (N,)
    assert judged.min() >= 0
    assert judged.max() <= 1
    assert len(judged.unique()) > 1


def test_the_judge_of_pairs_has_a_zero_for_each_class(small_data: FashionMNIST) -> None:
    """Pairs of one class leave open what is added to all logits of a class: it is no sign of being real."""
    model = tiny_model("cgan-conv")
    model.train_step(images(small_data), torch.tensor([3, 7]).repeat_interleave(N // 2), lambda loss, name: None)
    assert model.middle.nonzero().flatten().tolist() == [3, 7]
    y = torch.full((N,), 7)
    before = model.discriminate(images(small_data), y)
    with torch.no_grad():
        model.middle[3] += 1
        assert torch.equal(model.discriminate(images(small_data), y), before)
        model.middle[7] += 1
        assert (model.discriminate(images(small_data), y) < before).all()


@having(HiddenLayers)
def test_hidden_layers(name: str) -> None:
    model = tiny_model(name)
    layers = model.hidden_layers(model.draw_latent(N, 0), labels(model))
    names = list(layers)
    assert len(layers) >= 2
    assert all(activations.shape[0] == N for activations in layers.values())
    assert [n for n in names if "before" in n] == names[0::2]
    assert [n for n in names if "after" in n] == names[1::2]


@having(Mixture)
def test_mixture(name: str, small_data: FashionMNIST) -> None:
    model = tiny_model(name)
    model.train_step(images(small_data, 200), small_data.labels, Descent(model))
    weights, means, covariances = model.components()
    k, d = means.shape
    assert float(weights.sum()) == pytest.approx(1, abs=1e-5)
    assert covariances.shape == (k, d, d)
    assert torch.linalg.eigvalsh(covariances.double()).min() > 0
    posterior = model.posterior(images(small_data))
    assert posterior.shape == (N, k)
    torch.testing.assert_close(posterior.sum(1), torch.ones(N))
    z = model.draw_latent(N, 0)
    assert model.locate(z).shape == (N, d)
    y = labels(model)
    own = () if y is None else (model.pick(z, y),)
    assert torch.equal(model.render(model.locate(z, *own)), sample(model, z, y))


def class_mixture_of(*weights: float) -> ClassMixture:
    """A model whose every class has the same two components but for their place: class c is about c."""
    model = tiny_model("cgmm")
    assert isinstance(model, ClassMixture)
    model.weights.copy_(torch.tensor(weights).repeat(10) / 10)
    model.means.copy_(torch.arange(20).div(2).unsqueeze(1))
    return model


def test_a_class_is_asked_of_its_own_components() -> None:
    model = class_mixture_of(0.25, 0.75)
    z = model.draw_latent(2000, 0)
    for label in (0, 7):
        chosen = model.pick(z, torch.full((2000,), label))
        assert set(chosen.tolist()) == {2 * label, 2 * label + 1}
        assert float((chosen % 2).float().mean()) == pytest.approx(0.75, abs=0.03)


def test_classes_are_picked_by_share_times_weight_and_empty_places_never() -> None:
    model = class_mixture_of(1.0, 0.0)
    assert model.active == len(model.components().weights) == 10
    z = model.draw_latent(2000, 0)
    z[0, 0] = 1 - 2**-24
    shares = torch.zeros(2000, 10)
    shares[:, 3], shares[:, 9] = 0.3, 0.7
    counts = model.pick(z, shares).bincount(minlength=10)
    assert counts.nonzero().flatten().tolist() == [3, 9]
    assert float(counts[9] / 2000) == pytest.approx(0.7, abs=0.03)
    assert torch.equal(model.locate(model.temper(z, 0.0), model.pick(z, shares)).unique(), torch.tensor([3.0, 9.0]))


def test_a_walk_between_classes_jumps() -> None:
    model = class_mixture_of(1.0, 0.0)
    z = model.draw_latent(1, 0).repeat(101, 1)
    shares = torch.zeros(101, 10)
    shares[:, 2], shares[:, 5] = torch.linspace(1, 0, 101), torch.linspace(0, 1, 101)
    chosen = model.pick(z, shares)
    assert chosen.unique().tolist() == [2, 5]
    assert len(chosen.unique_consecutive()) == 2


@pytest.mark.parametrize(
    "name",  # one that takes a class picks among the components of that class: above
    [n for n in NAMES if issubclass(c := presets()[n].model_class, Mixture) and not issubclass(c, Conditional)],
)
def test_components_are_picked_by_their_weight(name: str) -> None:
    """A latent without normals is its component's mean, drawn as often as the weights say."""
    model = tiny_model(name)
    model.weights.copy_(torch.tensor([0.25, 0.75]))
    model.means[1] += 0.1
    points = model.locate(model.temper(model.draw_latent(2000, 0), 0.0))
    second = (points - model.means[1]).abs().max(1).values < 1e-6
    assert float(second.float().mean()) == pytest.approx(0.75, abs=0.03)
    assert torch.equal(points[~second], model.means[0].expand(int((~second).sum()), -1))


def test_class_mixture_refuses_other_shapes() -> None:
    for y in (torch.zeros(3, 9), torch.zeros(3), torch.zeros(1, 10, 1)):
        with refused("labels .N,. or mixtures"):
            class_mixture(y)


def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    with refused("no model 'cgan'; models are .*cgan-mlp"):
        get_preset("cgan")


def test_devices() -> None:
    assert resolve_device("cpu").type == "cpu"
    assert resolve_device("auto").type in ("cuda", "mps", "cpu")
    for name in ("tpu", "cuda:99", ""):
        with refused("no device"):
            resolve_device(name)


def test_double_precision_keeps_a_model_off_mps() -> None:
    mps = torch.device("mps")
    assert device_for(tiny_model("gmm-10"), mps).type == "cpu"
    assert device_for(tiny_model("vae-cnn"), mps) == mps
    assert device_for(tiny_model("gmm-10"), torch.device("cuda")).type == "cuda"


@pytest.mark.parametrize("labels", [[10], [-1], [0, 50]])
def test_a_label_out_of_range_is_refused(labels: list[int]) -> None:
    with refused("labels are 0 to 9, not (10|-1|50)"):
        class_mixture(torch.tensor(labels))


def test_mixtures_of_classes_are_single_precision() -> None:
    assert class_mixture(torch.eye(10, dtype=torch.float64)).dtype == torch.float32


def test_a_mixture_refuses_an_encoder_of_another_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, small_data: FashionMNIST
) -> None:
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path))
    (tmp_path / "ae-cnn").mkdir()
    save_tiny(tmp_path / "ae-cnn", "ae-cnn")
    with refused("the shipped ae-cnn is of another configuration"):
        list(tiny_training("ae-gmm-2", tmp_path / "run", small_data))
