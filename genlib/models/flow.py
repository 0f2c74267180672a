"""Class-conditional flow matching with a small U-Net (Lipman et al. 2023, arXiv:2210.02747)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlib.config import GradientConfig, option
from genlib.distributed import own_rows
from genlib.layers.conditioning import ClassEmbedding, required
from genlib.model import Descend, Looks, Model, Preset, register
from genlib.program import Program, Value
from genlib.solvers import MOST_STEPS, SOLVERS, Point, between, integrate

FREQUENCIES = 32
GROUPS = 8


@dataclass(frozen=True)
class FlowConfig(GradientConfig):
    """A U-Net on 14 x 14 places of four pixels and on 7 x 7 below; how it is integrated unless told otherwise."""

    epochs: int = option(100, "passes over the training split", 1, 10_000)
    lr: float = option(1e-3, "AdamW's learning rate", 1e-7, 1.0)
    width: int = option(40, "feature maps at 14 x 14", 4, 512)
    deep_width: int = option(128, "feature maps at 7 x 7", 4, 1024)
    deep_blocks: int = option(2, "residual blocks at 7 x 7", 1, 8)
    condition_size: int = option(128, "numbers in the embedding of time and class", 8, 1024)
    class_dropout: float = option(0.1, "share of the images whose class is kept from the network", 0.0, 1.0)
    steps: int = option(8, "steps from noise to image", 1, MOST_STEPS)
    solver: str = option("heun", "how a step is taken", choices=SOLVERS)
    guidance: float = option(1.2, "how far the class pulls: 1 as learned, above 1 cleaner and less varied", 0.0, 20.0)


class Embedding(nn.Module):
    """Time and class to a vector: sines and cosines of the time (arXiv:1706.03762, section 3.5), a vector a class."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.time = nn.Sequential(nn.Linear(2 * FREQUENCIES, size), nn.SiLU(), nn.Linear(size, size))
        self.classes = ClassEmbedding(size)
        self.none = nn.Parameter(torch.zeros(size))  # where no class is told

    def forward(self, t: Tensor, told: Tensor) -> Tensor:
        angles = t.unsqueeze(1) * _frequencies(t.device)  # (N, 32)
        return F.silu(self.time(torch.cat([angles.sin(), angles.cos()], dim=1)) + told)  # (N, c)

    def describe(self, program: Program, t: Value, y: Value) -> Value:
        told = program.embed(y, self.classes.weight, self.none)
        time = program.apply(self.time, program.sinusoids(t, _frequencies(torch.device("cpu"))))
        return program.activation(program.add(time, told), "silu")


def _frequencies(device: torch.device) -> Tensor:
    """From 100 down to 1/100 radians in the unit of time, (32,)."""
    return 100 ** torch.linspace(1, -1, FREQUENCIES, dtype=torch.float32, device=device)


def _norm(channels: int, affine: bool = True) -> nn.GroupNorm:
    """Up to eight groups, as many as the channels can be shared by."""
    return nn.GroupNorm(math.gcd(GROUPS, channels), channels, affine=affine)


class Block(nn.Module):
    """A residual block of two convolutions; time and class scale and shift what lies between them."""

    def __init__(self, inputs: int, outputs: int, condition: int) -> None:
        super().__init__()
        self.first = nn.Sequential(_norm(inputs), nn.SiLU(), nn.Conv2d(inputs, outputs, 3, padding=1, bias=False))
        self.norm = _norm(outputs, affine=False)
        self.affine = nn.Linear(condition, 2 * outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        nn.init.normal_(self.second.weight, std=1e-3)  # a new block changes next to nothing

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.affine(condition)[:, :, None, None].chunk(2, dim=1)
        h = self.norm(self.first(x)) * (1 + scale) + shift
        return self.skip(x) + self.second(F.silu(h))

    def describe(self, program: Program, x: Value, condition: Value) -> Value:
        affine = program.apply(self.affine, condition)
        h = program.modulate(program.apply(self.norm, program.apply(self.first, x)), affine)
        changed = program.apply(self.second, program.activation(h, "silu"))
        return program.add(program.apply(self.skip, x), changed)


class UNet(nn.Module):
    """Noisy images, time and class to velocities."""

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        wide, deep, condition = config.width, config.deep_width, config.condition_size
        self.embedding = Embedding(condition)
        self.input = nn.Conv2d(4, wide, 3, padding=1)  # (N, 4, 14, 14) -> (N, 40, 14, 14)
        self.down_block = Block(wide, wide, condition)
        self.down = nn.Conv2d(wide, deep, 3, stride=2, padding=1)  # (N, 128, 7, 7)
        self.deep = nn.ModuleList(Block(deep, deep, condition) for _ in range(config.deep_blocks))
        self.up = nn.ConvTranspose2d(deep, wide, 4, stride=2, padding=1)
        self.up_block = Block(2 * wide, wide, condition)
        self.output = nn.Sequential(_norm(wide), nn.SiLU(), nn.Conv2d(wide, 4, 3, padding=1))

    def forward(self, x: Tensor, t: Tensor, told: Tensor) -> Tensor:
        """Images (N, 1, 28, 28), times (N,) and class vectors (N, c) to velocities (N, 1, 28, 28)."""
        condition = self.embedding(t, told)
        wide = self.down_block(self.input(F.pixel_unshuffle(x, 2)), condition)
        deep = self.down(wide)
        for block in self.deep:
            deep = block(deep, condition)
        joined = torch.cat([self.up(deep), wide], dim=1)
        return F.pixel_shuffle(self.output(self.up_block(joined, condition)), 2)

    def describe(self, program: Program, x: Value, t: Value, y: Value) -> Value:
        condition = program.apply(self.embedding, t, y)
        wide = program.apply(self.down_block, program.apply(self.input, program.unshuffle(x, 2)), condition)
        deep = program.apply(self.down, wide)
        for block in self.deep:
            deep = program.apply(block, deep, condition)
        joined = program.concatenate(program.apply(self.up, deep), wide)
        return program.shuffle(program.apply(self.output, program.apply(self.up_block, joined, condition)), 2)


IDEA = r"""
One network learns a **velocity**: where a point $x_t = (1 - t)\,x + t\,\varepsilon$ on the straight way from a garment
$x$ to noise $\varepsilon$ is heading:

$$\min_v \; \mathbb{E}_{x, \varepsilon, t}\,\lVert v(x_t, t, y) - (\varepsilon - x)\rVert^2$$

Many ways cross at each point, so it learns their mean. A sample begins as pure noise at $t = 1$ and follows the
velocity back to $t = 0$ in a few steps of one or two evaluations. **Guidance** $w$ pulls harder towards the class:
$v_\text{none} + w\,(v_y - v_\text{none})$, cleaner pictures and fewer kinds. There is no game and no bottleneck: run
backwards, it turns a photograph into the noise that gives it.
Sources: Lipman et al. 2023, [arXiv:2210.02747](https://arxiv.org/abs/2210.02747); Ho and Salimans 2022,
[arXiv:2207.12598](https://arxiv.org/abs/2207.12598).
"""


@register(
    "flow matching",
    FlowConfig,
    [
        Preset(
            "flow-unet",
            FlowConfig(epochs=62, lr_decay=0.4),
            "A U-Net that moves noise to garments along learned velocities, class by class.",
            milestones=(1, 5, 10, 20, 38, 62),
        )
    ],
)
class Flow(Model):
    """Minimises E|v(x_t, t, y) - (e - x)|^2 over images x, noise e and times t (arXiv:2210.02747, eq. 23).

    t is logit-normal (Esser et al. 2024, arXiv:2403.03206, section 3.1). In a tenth of the images no class is told, so
    that v = v_none + w (v_class - v_none) can be followed with any guidance w (Ho and Salimans 2022, arXiv:2207.12598,
    eq. 6). Sampling solves dx/dt = v from noise, time 1, to the image, time 0; encoding solves it back without a class.
    """

    idea = IDEA
    averaged = ("network",)
    average_only = True
    average_decay = 0.9995
    looks = Looks(epochs=15, samples=2_000, options={"steps": 8, "solver": "euler"})
    config: FlowConfig

    def __init__(self, config: FlowConfig) -> None:
        super().__init__(config)
        self.network = UNet(config)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (1, 28, 28)

    def embed_classes(self, y: Tensor) -> Tensor:
        return self.network.embedding.classes(y)

    def velocity(self, x: Tensor, t: Tensor, y: Tensor | None, guidance: float) -> Tensor:
        """Velocities (N, 1, 28, 28) at points x and times t (N,); without a class where y is None or guidance is 0."""
        none = self.network.embedding.none.expand(x.shape[0], -1)
        if y is None or guidance == 0:
            return self.network(x, t, none)
        told = self.embed_classes(y)
        if guidance == 1:
            return self.network(x, t, told)
        both = self.network(torch.cat([x, x]), torch.cat([t, t]), torch.cat([told, none]))
        with_class, without = both.unflatten(0, (2, -1))
        return without + guidance * (with_class - without)

    def trajectory(
        self,
        z: Tensor,
        y: Tensor | None = None,
        steps: int | None = None,
        solver: str | None = None,
        guidance: float | None = None,
    ) -> Iterator[Point]:
        """The way from noise z (N, 1, 28, 28), time 1, to images, time 0, in the config's steps unless told others."""
        steps, solver = steps or self.config.steps, solver or self.config.solver
        weight = self.config.guidance if guidance is None else guidance
        return integrate(lambda x, t: self.velocity(x, t, y, weight), z, steps, solver, 1.0, 0.0)

    def sample(self, z: Tensor, y: Tensor | None = None, **options: Any) -> Tensor:
        *_, last = self.trajectory(z, required(y), **options)
        return last.x.clamp(-1, 1)

    def describe(self, program: Program, z: Value, y: Value) -> Value:
        program.integrate(self.config.steps, self.config.solver, self.config.guidance)
        return program.apply(self.network, z, program.time(), y)

    def encode(self, x: Tensor) -> Tensor:
        *_, last = integrate(
            lambda x, t: self.velocity(x, t, None, 0), x, self.config.steps, self.config.solver, 0.0, 1.0
        )
        return last.x

    def decode(self, z: Tensor) -> Tensor:
        *_, last = self.trajectory(z, guidance=0)
        return last.x.clamp(-1, 1)

    def configure_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        betas = (self.config.beta1, 0.999)
        return {"network": torch.optim.AdamW(self.parameters(), lr=self.config.lr, betas=betas, fused=True)}

    def train_step(self, x: Tensor, y: Tensor, descend: Descend) -> dict[str, Tensor]:
        n = len(x)
        noise = own_rows(lambda n: torch.randn(n, *x.shape[1:], device=x.device), n)
        t = torch.sigmoid(own_rows(lambda n: torch.randn(n, device=x.device), n))
        kept = own_rows(lambda n: torch.rand(n, 1, device=x.device), n) >= self.config.class_dropout
        told = torch.where(kept, self.embed_classes(y), self.network.embedding.none)
        loss = (self.network(between(x, noise, t), t, told) - (noise - x)).square().mean()
        descend(loss, "network")
        return {"loss": loss.detach()}
