"""Generators as programs: the operations that turn a latent into an image, as data that other engines can run.

A program is a list of operations, each of which fills one numbered buffer from earlier ones and names the tensors it
needs. Shapes are those of one sample: (features,) or (channels, height, width). What a module amounts to is said by its
own `describe`, or here for torch's own layers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from genlib.errors import GenlibError
from genlib.model import N_CLASSES

FORMAT = 1


@dataclass(frozen=True)
class Value:
    """What an operation gives: the buffer's number and the shape of one sample."""

    number: int
    shape: tuple[int, ...]


class Program:
    """Operations, in the order of their buffers, and the tensors that they name.

    A tensor of the model is named as in its state; `constant` names what is computed from them.
    """

    def __init__(self, model: nn.Module) -> None:
        self.operations: list[dict[str, Any]] = []
        self.tensors: dict[str, Tensor] = {}
        self.constants: dict[str, Tensor] = {}
        self.integration: dict[str, Any] | None = None
        self._state = model.state_dict(keep_vars=True)  # kept: an identity is good as long as its tensor
        self._names = {id(tensor): name for name, tensor in self._state.items()}

    def apply(self, module: nn.Module, *inputs: Value) -> Value:
        """A module's operations on its inputs; GenlibError where nothing says what they are."""
        if isinstance(module, Described):
            return module.describe(self, *inputs)
        for kind, describe in _LAYERS.items():
            if isinstance(module, kind):
                return describe(self, module, *inputs)
        raise GenlibError(f"a {type(module).__name__} has no live program yet")

    def constant(self, name: str, tensor: Tensor) -> Tensor:
        """A tensor that is in no state, under a name of its own; it is kept in full precision."""
        self._names[id(tensor)] = name
        self.constants[name] = tensor
        return tensor

    # inputs -------------------------------------------------------------------------------------------------------

    def latent(self, shape: tuple[int, ...]) -> Value:
        """A latent: standard normal numbers."""
        return self._emit("latent", (), shape, noise="normal")

    def classes(self) -> Value:
        """A mixture of the classes, (10,)."""
        return self._emit("classes", (), (N_CLASSES,))

    def time(self) -> Value:
        """The time of the path that is integrated, (1,)."""
        return self._emit("time", (), (1,))

    # layers -------------------------------------------------------------------------------------------------------

    def linear(self, x: Value, weight: Tensor, bias: Tensor | None) -> Value:
        """Weight (o, i) times x (i,), plus bias (o,)."""
        return self._emit("linear", (x,), (len(weight),), weight=weight, bias=bias)

    def convolution(self, x: Value, layer: nn.Conv2d) -> Value:
        """A convolution's weight (o, i, h, w) on x (i, h, w), the same stride and padding on all sides."""
        stride, padding, kernel = _square(layer.stride), _square(layer.padding), _square(layer.kernel_size)
        _refuse_exotic(layer)
        sides = tuple((side + 2 * padding - kernel) // stride + 1 for side in x.shape[1:])
        shape = (layer.out_channels, *sides)
        return self._emit(
            "convolution", (x,), shape, weight=layer.weight, bias=layer.bias, stride=stride, padding=padding
        )

    def transposed_convolution(self, x: Value, layer: nn.ConvTranspose2d) -> Value:
        """A transposed convolution's weight (i, o, h, w) on x (i, h, w)."""
        stride, padding, kernel = _square(layer.stride), _square(layer.padding), _square(layer.kernel_size)
        _refuse_exotic(layer)
        more = _square(layer.output_padding)
        sides = tuple((side - 1) * stride - 2 * padding + kernel + more for side in x.shape[1:])
        return self._emit(
            "transposed_convolution",
            (x,),
            (layer.out_channels, *sides),
            **{"weight": layer.weight, "bias": layer.bias, "stride": stride, "padding": padding},
        )

    def upsample(self, x: Value, factor: int) -> Value:
        """Each place repeated factor x factor times (nearest neighbour)."""
        channels, height, width = x.shape
        return self._emit("upsample", (x,), (channels, height * factor, width * factor), factor=factor)

    def shuffle(self, x: Value, factor: int) -> Value:
        """Channels to places: (c f f, h, w) to (c, f h, f w) (arXiv:1609.05158)."""
        channels, height, width = x.shape
        shape = (channels // factor**2, height * factor, width * factor)
        return self._emit("pixel_shuffle", (x,), shape, factor=factor)

    def unshuffle(self, x: Value, factor: int) -> Value:
        """Places to channels: the inverse of `shuffle`."""
        channels, height, width = x.shape
        shape = (channels * factor**2, height // factor, width // factor)
        return self._emit("pixel_unshuffle", (x,), shape, factor=factor)

    def batch_norm(self, x: Value, layer: nn.BatchNorm1d | nn.BatchNorm2d) -> Value:
        """(x - mean) / sqrt(variance + eps) by the running statistics of each channel, times weight, plus bias."""
        statistics = {"mean": layer.running_mean, "variance": layer.running_var}
        return self._emit(
            "batch_norm", (x,), x.shape, **statistics, weight=layer.weight, bias=layer.bias, eps=layer.eps
        )

    def group_norm(self, x: Value, layer: nn.GroupNorm) -> Value:
        """The same by each sample's own statistics over groups of channels (arXiv:1803.08494)."""
        options = {"groups": layer.num_groups, "eps": layer.eps}
        return self._emit("group_norm", (x,), x.shape, **options, weight=layer.weight, bias=layer.bias)

    def modulate(self, x: Value, affine: Value) -> Value:
        """x (c, h, w) times (1 + scale) plus shift; affine (2c,) is the scales, then the shifts."""
        return self._emit("modulate", (x, affine), x.shape)

    def embed(self, y: Value, weight: Tensor, none: Tensor | None = None) -> Value:
        """The mixture y (10,) of the rows of weight (10, e); `none` (e,) where no class is told."""
        return self._emit("embed", (y,), (weight.shape[1],), weight=weight, none=none)

    def sinusoids(self, t: Value, frequencies: Tensor) -> Value:
        """sin(f t) of each frequency f, then cos(f t)."""
        return self._emit("sinusoids", (t,), (2 * len(frequencies),), frequencies=frequencies.tolist())

    def mixture(
        self, z: Value, weights: Tensor, means: Tensor, cholesky: Tensor, components: int, y: Value | None = None
    ) -> Value:
        """Mean plus packed lower triangle (d (d + 1) / 2,) times z[1:], of the component that z[0] picks.

        z must be the latent itself, whose first number is uniform from here on, not normal. Where there are classes y
        (10,), each has a tenth of the components in turn, and its share is a factor of their weights.
        """
        self.operations[z.number]["noise"] = "uniform, then normal"
        tensors = {"weights": weights, "means": means, "cholesky": cholesky}
        kind, inputs = ("mixture", (z,)) if y is None else ("class_mixture", (z, y))
        return self._emit(kind, inputs, (means.shape[1],), **tensors, components=components)

    # elements -----------------------------------------------------------------------------------------------------

    def activation(self, x: Value, kind: str, **options: float) -> Value:
        """relu, leaky_relu (slope), tanh, sigmoid, silu or clamp (low, high)."""
        return self._emit(kind, (x,), x.shape, **options)

    def affine(self, x: Value, scale: Tensor, offset: Tensor) -> Value:
        """x times scale plus offset, element by element, both of x's shape."""
        return self._emit("affine", (x,), x.shape, scale=scale, offset=offset)

    def rescale(self, x: Value, factor: float, offset: float) -> Value:
        """x times one number plus another."""
        return self._emit("rescale", (x,), x.shape, factor=factor, offset=offset)

    def add(self, x: Value, y: Value) -> Value:
        """Two buffers of one shape, added."""
        return self._emit("add", (x, y), x.shape)

    def concatenate(self, x: Value, y: Value) -> Value:
        """y's channels or features after x's."""
        return self._emit("concatenate", (x, y), (x.shape[0] + y.shape[0], *x.shape[1:]))

    def reshape(self, x: Value, shape: tuple[int, ...]) -> Value:
        """The same numbers in another shape, in torch's order."""
        return self._emit("reshape", (x,), shape)

    # ----------------------------------------------------------------------------------------------------------------

    def integrate(self, steps: int, solver: str, guidance: float) -> None:
        """The output is a velocity: an image is the latent's end along it, from time 1 to 0, in [-1, 1]."""
        self.integration = {"steps": steps, "solver": solver, "guidance": guidance}

    def described(self, output: Value) -> dict[str, Any]:
        """The program as JSON has it."""
        integration = {"integrate": self.integration} if self.integration else {}
        return {"format": FORMAT, "operations": self.operations, "output": output.number, **integration}

    def _emit(self, kind: str, inputs: tuple[Value, ...], shape: tuple[int, ...], **fields: Any) -> Value:
        given = {key: self._field(value) for key, value in fields.items() if value is not None}
        numbers = {"inputs": [value.number for value in inputs]} if inputs else {}
        self.operations.append({"op": kind, **numbers, "shape": list(shape), **given})
        return Value(len(self.operations) - 1, tuple(shape))

    def _field(self, value: Any) -> Any:
        """A number as it is; a tensor as its name, under which it is kept."""
        if not isinstance(value, Tensor):
            return value
        name = self._names.get(id(value))
        if name is None:
            raise GenlibError(
                f"a tensor of shape {tuple(value.shape)} is not of the model's state; name it by `constant`"
            )
        self.tensors[name] = value.detach()
        return name


@runtime_checkable
class Described(Protocol):
    """Says what operations it amounts to in evaluation mode."""

    def describe(self, program: Program, *inputs: Value) -> Value:
        """Adds them to the program and gives the value of the last."""
        ...


def _square(sides: Any) -> int:
    """The one number of a layer's equal sides."""
    numbers = set(sides if isinstance(sides, tuple) else (sides,))
    if len(numbers) != 1 or not all(isinstance(number, int) for number in numbers):
        raise GenlibError(f"a live program takes layers of equal sides, not {sides}")
    return int(numbers.pop())


def _refuse_exotic(layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
    if layer.groups != 1 or set(layer.dilation) != {1} or layer.padding_mode != "zeros":
        raise GenlibError("a live program takes convolutions without groups, dilation or padding other than zeros")


def _sequential(program: Program, module: nn.Sequential, x: Value) -> Value:
    for layer in module:
        x = program.apply(layer, x)
    return x


def _unflatten(program: Program, module: nn.Unflatten, x: Value) -> Value:
    return program.reshape(
        x, torch.empty(1, *x.shape, device="meta").unflatten(module.dim, module.unflattened_size).shape[1:]
    )


_LAYERS: dict[type[nn.Module], Callable[..., Value]] = {
    nn.Sequential: _sequential,
    nn.Identity: lambda program, module, x: x,
    nn.Linear: lambda program, module, x: program.linear(x, module.weight, module.bias),
    nn.Conv2d: lambda program, module, x: program.convolution(x, module),
    nn.ConvTranspose2d: lambda program, module, x: program.transposed_convolution(x, module),
    nn.BatchNorm1d: lambda program, module, x: program.batch_norm(x, module),
    nn.BatchNorm2d: lambda program, module, x: program.batch_norm(x, module),
    nn.GroupNorm: lambda program, module, x: program.group_norm(x, module),
    nn.Unflatten: _unflatten,
    nn.Flatten: lambda program, module, x: program.reshape(x, (math.prod(x.shape),)),
    nn.ReLU: lambda program, module, x: program.activation(x, "relu"),
    nn.LeakyReLU: lambda program, module, x: program.activation(x, "leaky_relu", slope=module.negative_slope),
    nn.Tanh: lambda program, module, x: program.activation(x, "tanh"),
    nn.Sigmoid: lambda program, module, x: program.activation(x, "sigmoid"),
    nn.SiLU: lambda program, module, x: program.activation(x, "silu"),
}
