"""The model contract, what a model may additionally be able to do, and how a family is registered.

A family is a `Model` subclass in `genlib/models/`, registered with its presets by `@register`. Capabilities are
protocols: a class has one by having its methods, never by a stub that raises.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from genlib import noise
from genlib.config import Config
from genlib.errors import GenlibError
from genlib.lazy import lazily
from genlib.solvers import Point
from genlib.stages import Stages

N_CLASSES = 10
Descend = Callable[[Tensor, str], None]


@dataclass(frozen=True)
class Looks:
    """How a training looks at its samples for its history, in which only like may be compared with like."""

    epochs: int = 60  # at most, of a training
    samples: int = 5_000  # of a distance
    options: Mapping[str, Any] = field(default_factory=dict)  # of `sample`


class Model(nn.Module, ABC):
    """A generative image model: what the loop, the analyses and the studio rely on."""

    family: ClassVar[str]
    idea: ClassVar[str] = ""  # of this family alone, in Markdown: its objective, how it samples, its source
    config_class: ClassVar[type[Config]]
    averaged: ClassVar[tuple[str, ...]] = ()  # submodules whose moving average is sampled from
    average_only: ClassVar[bool] = False  # whether the average alone is shipped, not the raw weights beside it
    average_decay: ClassVar[float] = 0.999
    looks: ClassVar[Looks] = Looks()
    base_name: ClassVar[str | None] = None  # the trained preset that it stands on, which its training hands it
    base_answers: ClassVar[bool] = False  # whether it is asked for as long as the training lasts, not just at its start
    converged: bool = False  # true once another epoch would change nothing

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.memory: dict[str, Tensor] = {}  # what a training needs from step to step beside the state; never shipped

    @property
    @abstractmethod
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of one sample's latent."""

    def draw_latent(self, n: int, seed: int, start: int = 0) -> Tensor:
        """Latents (n, *latent_shape) on the CPU of the samples start, ..., start + n - 1 of a seed."""
        return noise.normal(seed, n, int(torch.Size(self.latent_shape).numel()), start).view(n, *self.latent_shape)

    def temper(self, z: Tensor, temperature: float) -> Tensor:
        """Latents with their noise scaled: 0 is the most typical picture, 1 the model as it was trained."""
        return z * temperature

    def shifted(self, z: Tensor, shift: Tensor) -> Tensor:
        """Latents with a step (*latent_shape) added to each."""
        return z + shift

    @abstractmethod
    def sample(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """Latents (N, *latent_shape) [and labels (N,) or class mixtures (N, 10)] to images (N, 1, 28, 28).

        Deterministic. y belongs to `Conditional` models, which require it; the others ignore it.
        """

    def configure_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """The optimisers by the names that `train_step` gives to `descend`; none where EM fits the model."""
        return {}

    @abstractmethod
    def train_step(self, x: Tensor, y: Tensor, descend: Descend) -> dict[str, Tensor]:
        """One step on images x (N, 1, 28, 28) and labels y (N,).

        Calls `descend(loss, name)` for each optimiser, which belongs to the loop (zero, backward, step), and
        returns its losses as scalars without gradient. Without a `batch_size` in the config, x is the whole split.
        """

    def measurements(self, images: Tensor) -> dict[str, Any]:
        """What a fit to images, uint8 (N, 28, 28), knows of itself, for metrics.json; most models: nothing."""
        return {}

    def parameter_count(self) -> int:
        """Free parameters of everything that was trained."""
        return sum(p.numel() for p in self.parameters())


@runtime_checkable
class TakesBase(Protocol):
    """Stands on another model, the preset `base_name`, which its training hands it."""

    def take_base(self, base: Model) -> Stages[None]:
        """Stand on a trained model; GenlibError where its sizes are others."""
        ...


@runtime_checkable
class Conditional(Protocol):
    """Takes a class: `sample` needs labels or class mixtures."""

    def embed_classes(self, y: Tensor) -> Tensor:
        """Labels (N,) or class mixtures (N, 10) to embeddings (N, e)."""
        ...


@runtime_checkable
class Encodes(Protocol):
    """Maps images back to latents."""

    def encode(self, x: Tensor) -> Tensor:
        """Images (N, 1, 28, 28) to latents (N, *latent_shape)."""
        ...


@runtime_checkable
class Decodes(Protocol):
    """Maps latents to images without labels."""

    def decode(self, z: Tensor) -> Tensor:
        """Latents (N, *latent_shape) to images (N, 1, 28, 28)."""
        ...


@runtime_checkable
class Discriminates(Protocol):
    """Judges whether an image is real."""

    def discriminate(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Images (N, 1, 28, 28) [and labels] to the probability of being real, (N,) in [0, 1]."""
        ...


@runtime_checkable
class HiddenLayers(Protocol):
    """Shows the generator's hidden activations."""

    def hidden_layers(self, z: Tensor, y: Tensor | None = None) -> dict[str, Tensor]:
        """Activations (N, ...) by name, input to output, each before and after its non-linearity."""
        ...


@runtime_checkable
class Integrates(Protocol):
    """Follows a velocity from noise to image; `sample` takes the same options."""

    def trajectory(
        self,
        z: Tensor,
        y: Tensor | None = None,
        steps: int | None = None,
        solver: str | None = None,
        guidance: float | None = None,
    ) -> Iterator[Point]:
        """The way from latents (N, *latent_shape) to images (N, 1, 28, 28), point by point, both ends included.

        `steps`, `solver` and `guidance` are the config's unless told otherwise.
        """
        ...


class Components(NamedTuple):
    """A mixture's weights (K,), means (K, d) and covariances (K, d, d), in the mixture's own space."""

    weights: Tensor
    means: Tensor
    covariances: Tensor


@runtime_checkable
class Mixture(Protocol):
    """A mixture of Gaussians in a space of its own, which `points`, `locate` and `render` join to the rest."""

    def components(self) -> Components:
        """The fitted parameters."""
        ...

    def posterior(self, x: Tensor) -> Tensor:
        """Images (N, 1, 28, 28) to the probability of each component, (N, K), rows sum to 1."""
        ...

    def points(self, x: Tensor) -> Tensor:
        """Images (N, 1, 28, 28) to points (N, d) of the mixture's space."""
        ...

    def pick(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """The component, int64 (N,), that each latent (N, 1 + d) is drawn from; of its class, where there are some."""
        ...

    def locate(self, z: Tensor, chosen: Tensor | None = None) -> Tensor:
        """Latents (N, 1 + d) to points (N, d) of the mixture's space, of the `chosen` components (N,) or z's own."""
        ...

    def render(self, points: Tensor) -> Tensor:
        """Points (N, d) of the mixture's space to images (N, 1, 28, 28)."""
        ...


CAPABILITIES: dict[str, type] = {
    "conditional": Conditional,
    "encodes": Encodes,
    "decodes": Decodes,
    "discriminates": Discriminates,
    "hidden_layers": HiddenLayers,
    "mixture": Mixture,
    "integrates": Integrates,
}


def capabilities(model: type[Model] | Model) -> list[str]:
    """Names of what a model can do beyond sampling."""
    kind = model if isinstance(model, type) else type(model)
    return [name for name, protocol in CAPABILITIES.items() if issubclass(kind, protocol)]


def keeps_raw(model: type[Model] | Model) -> bool:
    """Whether a model is shipped with raw and averaged weights, between which one can choose."""
    return bool(model.averaged) and not model.average_only


def unit_of_training(can: Collection[str]) -> str:
    """What `train_epochs` counts, for a model of these capabilities."""
    return "EM iteration" if "mixture" in can else "epoch"


def class_mixture(y: Tensor) -> Tensor:
    """Labels int64 (N,) or mixtures float (N, 10) whose rows sum to 1, to mixtures float32 (N, 10).

    Raises GenlibError for any other shape and for labels out of range.
    """
    if y.ndim == 1 and not y.is_floating_point():
        if y.device.type == "cpu" and ((y < 0) | (y >= N_CLASSES)).any():  # a GPU would have to be waited for
            raise GenlibError(f"labels are 0 to {N_CLASSES - 1}, not {y[(y < 0) | (y >= N_CLASSES)][0]}")
        return nn.functional.one_hot(y.long(), N_CLASSES).to(torch.float32)
    if y.ndim != 2 or y.shape[1] != N_CLASSES:
        raise GenlibError(f"classes are labels (N,) or mixtures (N, {N_CLASSES}), not {tuple(y.shape)}")
    return y.to(torch.float32)


M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Preset:
    """A named configuration of a family: one trained model of the zoo."""

    name: str
    config: Config
    summary: str
    milestones: tuple[int, ...] = ()  # epochs whose samples the study shows
    differs: str = ""  # from its study, and why, for the card
    in_training: bool = False  # what weights it has are a leg of its training, and it is in no list of trained models
    model_class: type[Model] = Model  # type: ignore[type-abstract]  # `register` fills it in

    @property
    def family(self) -> str:
        return self.model_class.family

    @property
    def unit(self) -> str:
        """What its training is counted in."""
        return unit_of_training(capabilities(self.model_class))

    def build(self, config: Config | None = None) -> Model:
        """A new model with initial weights decided by the configuration's seed."""
        return untrained(self.model_class, config or self.config)


def untrained(model_class: type[M], config: Config) -> M:
    """A model of a family before its training, with the initial weights of the configuration's seed."""
    with torch.random.fork_rng(devices=[]), single_precision():
        torch.manual_seed(noise.derive_seed(config.seed, 0))
        return model_class(config)


@dataclass
class _Precision:
    """How many are inside `single_precision`, and the program's own default."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    inside: int = 0
    before: torch.dtype = torch.float32


_PRECISION = _Precision()


@contextmanager
def single_precision() -> Iterator[None]:
    """What is made inside is float32 where nothing else is said, whatever the program around has as its default.

    torch has one default for all threads: the first that comes in keeps it, and the last that leaves gives it back.
    """
    with _PRECISION.lock:
        if not _PRECISION.inside:
            _PRECISION.before = torch.get_default_dtype()
            torch.set_default_dtype(torch.float32)
        _PRECISION.inside += 1
    try:
        yield
    finally:
        with _PRECISION.lock:
            _PRECISION.inside -= 1
            if not _PRECISION.inside:
                torch.set_default_dtype(_PRECISION.before)


class _NoInitialWeights(TorchFunctionMode):
    """torch.nn.init does nothing. On the meta device its functions would load the compiler, which takes seconds."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if getattr(func, "__module__", "") == "torch.nn.init":
            return kwargs["tensor"] if kwargs and "tensor" in kwargs else args[0]
        return func(*args, **kwargs or {})


@contextmanager
def shapes_only() -> Iterator[None]:
    """Models built inside have shapes and no numbers: they take no memory, whatever their sizes, and no time."""
    with torch.device("meta"), _NoInitialWeights(), single_precision():
        yield


PRESETS: dict[str, Preset] = {}
FAMILIES: dict[str, type[Model]] = {}
C = TypeVar("C", bound=type[Model])


def register(family: str, config_class: type[Config], presets: Sequence[Preset]) -> Callable[[C], C]:
    """Class decorator: enters a family and its presets into the zoo."""

    def enter(model_class: C) -> C:
        model_class.family, model_class.config_class = family, config_class
        FAMILIES[family] = model_class
        for preset in presets:
            values: dict[str, Any] = dict(vars(preset), model_class=model_class)
            PRESETS[preset.name] = Preset(**values)
        return model_class

    return enter


def students_of(name: str) -> list[str]:
    """The presets, of the families imported so far, that learn from what the preset `name` answers."""
    classes = {other: preset.model_class for other, preset in PRESETS.items()}
    return [other for other, each in classes.items() if each.base_answers and each.base_name == name]


def device_for(model: Model, wanted: torch.device) -> torch.device:
    """The device, or the CPU for a model with double precision where the device is MPS, which has none."""
    double = any(tensor.dtype == torch.float64 for tensor in model.state_dict().values())
    return torch.device("cpu") if double and wanted.type == "mps" else wanted


def resolve_device(name: str = "auto") -> torch.device:
    """ "auto" is CUDA, else MPS, else the CPU; any other name must be a device that is there."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise GenlibError(f"no device {name!r} here; use auto, cpu, or cuda / mps where there is one") from error


# `genlib.models` knows the presets; here are the names under which they were first known.
__getattr__ = lazily(__name__, dict.fromkeys(("presets", "released", "families", "get_preset"), "genlib.models"))
