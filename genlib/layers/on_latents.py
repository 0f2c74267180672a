"""Gaussians on the latents of an autoencoder that was trained before them and is shared."""

from __future__ import annotations

import math
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from genlib.errors import GenlibError
from genlib.layers.gaussians import Gaussians
from genlib.model import PRESETS, Model
from genlib.program import Program, Value
from genlib.stages import Stages

BATCH = 500


class OnLatents(Gaussians):
    """Gaussians on z = encode(x), shown through decode. The autoencoder is the shipped one; only EM trains."""

    base_name: ClassVar[str]
    base: Model
    _known: tuple[Tensor, Tensor] | None = None

    @classmethod
    def base_dimensions(cls) -> int:
        """Numbers in a latent of the autoencoder."""
        return math.prod(PRESETS[cls.base_name].build().latent_shape)

    def add_base(self) -> None:
        """The autoencoder as it is before `take_base`, in the state after the Gaussians."""
        self.base = PRESETS[self.base_name].build().requires_grad_(False)

    def points(self, x: Tensor, fitting: bool = False) -> Tensor:
        if not fitting:
            return self._encoded(x)
        if self._known is None or self._known[0] is not x:  # every iteration is on the same split
            self._known = x, self._encoded(x)
        return self._known[1]

    def take_base(self, base: Model) -> Stages[None]:
        state = base.state_dict()
        for key, wanted in self.base.state_dict().items():
            shape = getattr(state.get(key), "shape", None)
            if shape != wanted.shape:
                raise GenlibError(
                    f"the shipped {self.base_name} is of another configuration than its preset ({key} has shape "
                    f"{shape and tuple(shape)}, not {tuple(wanted.shape)}); this mixture stands on the preset's"
                )
        self.base = base.to(self.weights.device)
        yield from ()

    @torch.no_grad()
    def _encoded(self, x: Tensor) -> Tensor:
        base = cast(Any, self.base.eval())
        return torch.cat([base.encode(part).flatten(1) for part in x.split(BATCH)])

    def render(self, points: Tensor) -> Tensor:
        base = cast(Any, self.base)
        return base.decode(points.view(-1, *base.latent_shape))

    def describe_rendering(self, program: Program, points: Value) -> Value:
        return program.apply(self.base, program.reshape(points, self.base.latent_shape))
