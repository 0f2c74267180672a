"""The loop that the source studies and the PyTorch tutorials write: what genlib's is measured against.

Each image goes through torchvision's own FashionMNIST.__getitem__: a PIL image of the stored bytes, ToTensor,
Normalize(0.5, 0.5). A shuffling DataLoader collates. A step is that of the PyTorch DCGAN tutorial: D on the real
batch, backward; one generator pass; D on the detached fakes, backward; D's Adam; D on the fakes again, backward
through both networks; G's Adam; three `.item()` for the log. Adam and memory format are PyTorch's defaults. Losses
take logits (the tutorial's sigmoid and BCELoss are folded together) so that the network is genlib's, to the bit.

With `fresh`, G is trained on fakes of its own, drawn anew after D's step, as many studies do: one more pass of G.
"""

from __future__ import annotations

import copy
import time
from itertools import islice
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import FashionMNIST as Official

from genlib.data import FashionMNIST


class Networks(NamedTuple):
    """A pair of networks and what the loop must know of them; `conditional` ones take labels too."""

    generator: nn.Module
    discriminator: nn.Module
    latent_shape: tuple[int, ...]
    conditional: bool
    lr: float
    beta1: float


class ItemByItem(Official):  # type: ignore[misc]  # torchvision ships no types
    """torchvision's data set on tensors that are in memory already; an item is made as torchvision makes it."""

    def __init__(self, data: FashionMNIST) -> None:
        self.data, self.targets, self.target_transform = data.images, data.labels, None
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])


class PlainLoop:
    """A naive training of its own copy of the networks."""

    def __init__(self, networks: Networks, data: FashionMNIST, batch_size: int, workers: int, fresh: bool) -> None:
        self.networks = copy.deepcopy(networks)
        self.fresh, self.batch_size = fresh, batch_size
        self.loader: DataLoader[tuple[Tensor, Tensor]] = DataLoader(
            ItemByItem(data), batch_size=batch_size, shuffle=True, num_workers=workers, drop_last=True
        )
        betas = (networks.beta1, 0.999)
        self.optimizer_g = torch.optim.Adam(self.networks.generator.parameters(), lr=networks.lr, betas=betas)
        self.optimizer_d = torch.optim.Adam(self.networks.discriminator.parameters(), lr=networks.lr, betas=betas)
        self.criterion = nn.BCEWithLogitsLoss()
        self.losses: list[tuple[float, float, float]] = []

    def images_a_second(self, steps: int) -> float:
        """Over so many steps of an epoch, from its second batch on: workers are up and have batches ready."""
        batches = iter(self.loader)
        self.step(*next(batches))
        started = time.perf_counter()
        for x, y in islice(batches, steps):
            self.step(x, y)
        return steps * self.batch_size / (time.perf_counter() - started)

    def step(self, x: Tensor, y: Tensor) -> None:
        """One step, written as the tutorial writes it."""
        n, discriminator = len(x), self.networks.discriminator
        real_target, fake_target = torch.ones(n), torch.zeros(n)
        discriminator.zero_grad()
        error_real = self.criterion(discriminator(x, *self._condition(y)), real_target)
        error_real.backward()
        fake, fake_y = self._fake(n)
        error_fake = self.criterion(discriminator(fake.detach(), *fake_y), fake_target)
        error_fake.backward()
        self.optimizer_d.step()
        self.networks.generator.zero_grad()
        if self.fresh:
            fake, fake_y = self._fake(n)
        error_g = self.criterion(discriminator(fake, *fake_y), real_target)
        error_g.backward()
        self.optimizer_g.step()
        self.losses.append((error_real.item(), error_fake.item(), error_g.item()))

    def _fake(self, n: int) -> tuple[Tensor, tuple[Tensor, ...]]:
        y = self._condition(torch.randint(10, (n,)))
        return self.networks.generator(torch.randn(n, *self.networks.latent_shape), *y), y

    def _condition(self, y: Tensor) -> tuple[Tensor, ...]:
        return (y,) if self.networks.conditional else ()
