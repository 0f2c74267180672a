"""The layer table says what the model really has."""

from __future__ import annotations

from genlib.models import get_preset
from genlib.zoo.layers import layer_table, planned_layers
from tests.tiny import tiny_model


def test_the_table_lists_the_vae_encoder_to_decoder() -> None:
    model = tiny_model("vae-cnn")
    layers = layer_table(model)
    assert [layer.kind for layer in layers[:2]] == ["Conv2d", "ReLU"]
    assert layers[0].output == (4, 14, 14)
    assert layers[-1].output == (1, 28, 28)
    assert sum(layer.parameters for layer in layers) == model.parameter_count()


def test_watching_leaves_no_hooks() -> None:
    model = tiny_model("cgan-mlp")
    assert layer_table(model)
    assert not any(module._forward_hooks for module in model.modules())


def test_a_mixture_has_no_layers() -> None:
    assert layer_table(tiny_model("gmm-10")) == []


def test_what_integrates_is_watched_for_one_step() -> None:
    model, calls = tiny_model("flow-unet", steps=1000), []
    layer = next(module for module in model.modules() if not list(module.children()))
    layer.register_forward_hook(lambda *_: calls.append(1))
    assert layer_table(model) == layer_table(tiny_model("flow-unet", steps=1))
    assert 0 < len(calls) < 10
    assert model.config.steps == 1000  # type: ignore[attr-defined]


def test_layers_can_be_listed_before_any_training() -> None:
    preset = get_preset("vae-dense-8")
    assert planned_layers(preset, {"latent_size": 16}) != planned_layers(preset, {}) != []
    assert planned_layers(preset, {"latent_size": -1}) == planned_layers(preset, {"width": 8_192}) == []
