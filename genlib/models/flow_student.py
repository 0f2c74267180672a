"""A generator of one step that learns from a flow what noise becomes, and from photographs to be sharp."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlib.config import option
from genlib.data.sources import cache_directory
from genlib.distributed import own_rows
from genlib.errors import GenlibError
from genlib.images import from_uint8, to_uint8
from genlib.io.tensor_file import read_tensors, write_tensors
from genlib.layers.relativistic import Generator, RelativisticGANConfig, RelativisticPairs
from genlib.model import N_CLASSES, Integrates, Model, Preset, register
from genlib.noise import MAX_SEED
from genlib.program import Program, Value
from genlib.stages import Stages

BATCH = 250  # noises that are asked at a time
FACTORS = (4, 2, 1)  # pixels along a side of a place, layer by layer


@dataclass(frozen=True)
class FlowStudentConfig(RelativisticGANConfig):
    """A relativistic GAN's; and how much, and how strongly, the flow is listened to."""

    answers: int = option(20_000, "noises to which the flow's answers are learned", N_CLASSES, 1_000_000)
    agreement: float = option(4.0, "weight of the squared distance from the flow's answers", 0.0, 1000.0)


class NoiseGenerator(Generator):
    """A noise image (N, 1, 28, 28) and a class to an image: the noise is heard as a code of all its pixels, which works
    as a latent, and place by place before each layer's norm.
    """

    def __init__(self, config: RelativisticGANConfig) -> None:
        super().__init__(config)
        w = config.width
        self.code = nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, config.latent_size))
        self.places = nn.ModuleList(
            [
                nn.Conv2d(16, 4 * w, 3, padding=1, bias=False),  # at 7 x 7
                nn.Conv2d(4, 2 * w, 1, bias=False),  # at 14 x 14
                nn.Conv2d(1, w, 1, bias=False),  # at 28 x 28
            ]
        )

    def place(self, i: int, h: Tensor, z: Tensor) -> Tensor:
        return h + self.places[i - 1](F.pixel_unshuffle(z, FACTORS[i - 1]))

    def describe_place(self, program: Program, i: int, h: Value, z: Value) -> Value:
        return program.add(h, program.apply(self.places[i - 1], program.unshuffle(z, FACTORS[i - 1])))


IDEA = r"""
A flow needs many steps from noise to garment. This generator learns to do it in **one**: it is shown noises $z$ and
what the flow made of them, $F(z, y)$, and plays the game of pairs against a discriminator, to be as sharp as
photographs:

$$\min_G \; \lambda\,\mathbb{E}_{z}\,\lVert G(z, y) - F(z, y)\rVert^2
  - \mathbb{E}_{x, z}\,\log \sigma\big(D(G(z, y)|y) - D(x|y)\big)$$

The first term says which garment a noise becomes, and keeps all kinds; alone it would blur what it cannot tell. The
second has no teacher and knows only what garments look like. The flow answers 20,000 noises before the training begins.
Sources: Luhman and Luhman 2021, [arXiv:2101.02388](https://arxiv.org/abs/2101.02388); Huang et al. 2024,
[arXiv:2501.05441](https://arxiv.org/abs/2501.05441).
"""


@register(
    "distilled flow",
    FlowStudentConfig,
    [
        Preset(
            "flow-one-step",
            FlowStudentConfig(epochs=32, lr_decay=0.4),
            "The flow's garments in one step: it learns where noise goes, and to be sharp from photographs.",
            milestones=(1, 5, 10, 20, 32),
        )
    ],
)
class FlowStudent(RelativisticPairs):
    """Descends the relativistic loss and, for every second sample, the squared distance from what the flow makes of the
    same noise and class with its own guidance (distillation as in Luhman and Luhman 2021, arXiv:2101.02388, eq. 6; with
    an adversary as in arXiv:2405.05967 and arXiv:2311.17042). The flow answers once, before the training, to noises of
    its own seed.
    """

    idea = IDEA

    generator_class = NoiseGenerator
    base_name = "flow-unet"
    base_answers = True
    config: FlowStudentConfig

    def __init__(self, config: FlowStudentConfig) -> None:
        super().__init__(config)
        self._questions: Tensor | None = None  # noises (A, 1, 28, 28) of the highest seed, of the classes 0..9 in turn
        self._answers: Tensor | None = None  # uint8 (A, 28, 28)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (1, 28, 28)

    def take_base(self, base: Model) -> Stages[None]:
        device = self.middle.device
        answers = yield from _ask(base.to(device).eval(), self.config.answers)
        self._answers = answers.to(device)
        self._questions = base.draw_latent(len(answers), MAX_SEED).to(device)

    def _noise(self, y: Tensor) -> tuple[Tensor, Tensor | None]:
        z, _ = super()._noise(y)
        if self._answers is None or self._questions is None:
            return z, None
        of_a_class = len(self._answers) // N_CLASSES
        rows = own_rows(lambda n: torch.randint(of_a_class, (n,), device=y.device), len(y)) * N_CLASSES + y
        z[::2] = self._questions[rows[::2]]
        return z, from_uint8(self._answers[rows[::2]])

    def _lesson(self, fake: Tensor, answers: Tensor | None) -> dict[str, Tensor]:
        if answers is None:
            return {}
        return {"agreement": self.config.agreement * (fake[::2] - answers).square().mean()}


def _ask(flow: Model, count: int) -> Stages[Tensor]:
    """What the flow makes of `count` noises, uint8 (count, 28, 28); asked once and kept in the cache."""
    parts: list[Tensor] = []
    kept = cache_directory() / f"answers-{_digest(flow)}"
    for start in range(0, count, BATCH):
        size = min(BATCH, count - start)
        path = kept / f"{start:07d}-{size}.safetensors"
        images = _read_answers(path, size)
        if images is None:
            images = _answers(flow, start, size)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_tensors(path, {"images": images}, {})
        parts.append(images)
        yield (start + size) / count
    return torch.cat(parts)


def _read_answers(path: Path, size: int) -> Tensor | None:
    """What is kept there; None where nothing is, or nothing whole."""
    with suppress(GenlibError):
        images = read_tensors(path)[0].get("images")
        if images is not None and (images.shape, images.dtype) == ((size, 28, 28), torch.uint8):
            return images
    return None


@torch.inference_mode()
def _answers(flow: Model, start: int, size: int) -> Tensor:
    device = next(flow.parameters()).device
    y = torch.arange(start, start + size, device=device) % N_CLASSES
    assert isinstance(flow, Integrates)
    *_, end = flow.trajectory(flow.draw_latent(size, MAX_SEED, start).to(device), y)
    return to_uint8(end.x)


def _digest(model: Model) -> str:
    """Names a model by its configuration and weights."""
    digest = hashlib.sha256(repr(model.config).encode())
    for key, value in sorted(model.state_dict().items()):
        digest.update(key.encode() + value.cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
