"""The exponential moving average of a generator's weights (Yazici et al. 2019, arXiv:1806.04498)."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from genlib.model import Conditional, Model
from genlib.noise import normal
from genlib.sampling import cycle_labels


class AveragedModel:
    """A copy of a model whose averaged submodules follow the trained ones.

    After step t (counted from 0) average += (1 - d) (weights - average) with d = min(decay, (1 + t) / (10 + t)), where
    decay is the family's: without that warm-up the first epochs of the average would still be the random start.
    (torch.optim.swa_utils follows whole modules; here the rest, the discriminator above all, is not to be averaged.)
    """

    def __init__(self, model: Model) -> None:
        self.model = copy.deepcopy(model).requires_grad_(False)
        self._pairs: list[tuple[Tensor, Tensor]] = [
            (mine, theirs)
            for name in model.averaged
            for mine, theirs in zip(
                self.model.get_submodule(name).parameters(), model.get_submodule(name).parameters(), strict=True
            )
        ]

    @torch.no_grad()
    def update(self, t: int) -> None:
        """Follow the weights after step t."""
        decay = min(self.model.average_decay, (1 + t) / (10 + t))
        mine, theirs = [pair[0] for pair in self._pairs], [pair[1] for pair in self._pairs]
        torch._foreach_lerp_(mine, theirs, 1 - decay)

    def state(self) -> dict[str, Tensor]:
        """The averaged submodules' tensors by their names in the model."""
        prefixes = tuple(f"{name}." for name in self.model.averaged)
        return {key: value for key, value in self.model.state_dict().items() if key.startswith(prefixes)}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Put back what `state` gave; RuntimeError where a tensor is missing or does not fit."""
        if lacking := sorted(self.state().keys() - state.keys()):
            raise RuntimeError(f"it lacks the average's {lacking[0]}")
        self.model.load_state_dict(state, strict=False)

    def calibrate(self) -> Model:
        """The averaged model, its batch-norm statistics measured anew on 2,000 latents, ready to sample from."""
        norms = [m for m in self.model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        if norms:
            _measure_statistics(self.model, norms)
        return self.model.eval()


@torch.no_grad()
def _measure_statistics(model: Model, norms: list[nn.modules.batchnorm._BatchNorm]) -> None:
    """Statistics of the raw weights do not fit averaged ones; momentum None makes a plain mean over batches."""
    device = next(model.parameters()).device
    model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.train()
        norm.momentum = None
    for start in range(0, 2000, 200):
        z = normal(0, 200, torch.Size(model.latent_shape).numel(), start).view(200, *model.latent_shape)
        model.sample(z.to(device), cycle_labels(200).to(device) if isinstance(model, Conditional) else None)
    model.eval()
