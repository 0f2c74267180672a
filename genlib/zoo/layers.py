"""The layers of a model as a table, read off the model itself."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from genlib.errors import GenlibError
from genlib.model import Conditional, Discriminates, Encodes, Integrates, Model, Preset, shapes_only
from genlib.sampling import cycle_labels, device_of

MOST_PARAMETERS = 20_000_000  # of a model that is built to list its layers


class Layer(NamedTuple):
    """One layer as it ran: where it sits, what it is, the shape it gave for one image, its parameters."""

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int


def layer_table(model: Model) -> list[Layer]:
    """Every layer that runs when the model samples, encodes or judges one image, in that order.

    Functions between layers (concatenation, the activations a family applies itself) are not listed; a mixture,
    which has no layers, gives an empty table.
    """
    layers: dict[str, Layer] = {}

    def watch(name: str, module: nn.Module) -> torch.utils.hooks.RemovableHandle:
        def note(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            parameters = sum(p.numel() for p in module.parameters())
            layers[name] = Layer(name, type(module).__name__, tuple(output.shape[1:]), parameters)

        return module.register_forward_hook(note)

    handles = [watch(name, module) for name, module in model.named_modules() if not list(module.children())]
    try:
        _run_once(model)
    finally:
        for handle in handles:
            handle.remove()
    return list(layers.values())


def planned_layers(preset: Preset, settings: Mapping[str, Any]) -> list[Layer]:
    """The layers of a model that is yet to be trained, with some settings changed.

    None where the settings fit no model, or one too large to build for a table.
    """
    try:
        config = preset.config.from_dict(preset.config.to_dict() | dict(settings))
        with shapes_only():
            planned = preset.build(config)
        if sum(each.numel() for each in planned.state_dict().values()) > MOST_PARAMETERS:
            return []
        return layer_table(preset.build(config).eval())
    except GenlibError:
        return []


@torch.inference_mode()
def _run_once(model: Model) -> None:
    if isinstance(model, Integrates):  # in one step, for each has the same layers
        model = copy(model)
        model.config = model.config.replace(steps=1)
    device = device_of(model)
    y = cycle_labels(1).to(device) if isinstance(model, Conditional) else None
    if isinstance(model, Encodes):
        model.encode(torch.zeros(1, 1, 28, 28, device=device))
    x = model.sample(model.draw_latent(1, 0).to(device), y)
    if isinstance(model, Discriminates):
        model.discriminate(x, y)
