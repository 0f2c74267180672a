"""The small convolutional classifier behind the feature metrics, and how it was trained.

Inception was made for natural colour photographs; for other domains the Frechet distance is better measured on
a classifier of that domain (Heusel et al. 2017, arXiv:1706.08500, appendix A1; Binkowski et al. 2018,
arXiv:1801.01401, section 4). This one is trained once on the official training split, before any generator, then
frozen and shipped. `genlib.metrics.features` says how, and asks a second network of another kind (`residual`) too.
"""

from __future__ import annotations

import sys

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlib.data import FashionMNIST
from genlib.images import from_uint8

FEATURES = 128


class Classifier(nn.Module):
    """Three 3x3 convolutions and two linear layers; `features` are the 128 activations before the last."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *self._block(1, 32), nn.MaxPool2d(2), *self._block(32, 64), nn.MaxPool2d(2), *self._block(64, 128)
        )  # (N, 1, 28, 28) -> (N, 128, 7, 7)
        self.penultimate = nn.Sequential(
            nn.Flatten(), nn.Dropout(0.3), nn.Linear(128 * 7 * 7, FEATURES), nn.BatchNorm1d(FEATURES), nn.ReLU()
        )
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(FEATURES, 10))

    @staticmethod
    def _block(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
        return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()

    def features(self, x: Tensor) -> Tensor:
        """Images (N, 1, 28, 28) in [-1, 1] to the penultimate activations (N, 128), none negative."""
        return self.penultimate(self.body(x))

    def forward(self, x: Tensor) -> Tensor:
        """Images (N, 1, 28, 28) in [-1, 1] to class logits (N, 10)."""
        return self.head(self.features(x))


def shifted(images: Tensor, generator: torch.Generator, reach: int = 2) -> Tensor:
    """Augmentation: each uint8 (N, 28, 28) image moved by up to `reach` pixels, black moving in."""
    n = len(images)
    padded = F.pad(images, (reach,) * 4)
    dy, dx = torch.randint(0, 2 * reach + 1, (2, n, 1, 1), generator=generator)
    rows = torch.arange(28).view(1, 28, 1) + dy
    columns = torch.arange(28).view(1, 1, 28) + dx
    return padded[torch.arange(n).view(n, 1, 1), rows, columns]


def accuracy(model: nn.Module, data: FashionMNIST) -> float:
    """Share of a split that the classifier names rightly, in evaluation mode."""
    model.eval()
    with torch.inference_mode():
        hits = [
            (model(from_uint8(x)).argmax(1) == y).sum()
            for x, y in zip(data.images.split(500), data.labels.split(500), strict=True)
        ]
    return float(torch.stack(hits).sum()) / len(data)


def train_classifier(
    data: FashionMNIST, epochs: int = 15, batch_size: int = 128, seed: int = 0, network: type[nn.Module] = Classifier
) -> nn.Module:
    """Train a network from scratch on one split (AdamW, one-cycle learning rate to 3e-3, shifts of two pixels).

    Nothing but the training split is looked at: no early stopping, no choice made on the test split.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = network().to(memory_format=torch.channels_last)
    steps = len(data) // batch_size
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=0.02, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=epochs * steps, pct_start=0.2)
    for epoch in range(epochs):
        model.train()
        total = 0.0
        for rows in torch.randperm(len(data), generator=generator)[: steps * batch_size].split(batch_size):
            x = from_uint8(shifted(data.images[rows], generator)).contiguous(memory_format=torch.channels_last)
            loss = F.cross_entropy(model(x), data.labels[rows], label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}/{epochs} loss {total / steps:.4f}", file=sys.stderr, flush=True)
    return model.eval()
