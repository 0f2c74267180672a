"""Relativistic pairs and two gradient penalties: a modern GAN loss, and the small networks that play by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genlib.config import option
from genlib.distributed import own_rows
from genlib.layers.adversarial import GANConfig, adversaries
from genlib.layers.conditioning import ClassEmbedding, ClassToldGAN, required
from genlib.model import N_CLASSES, Descend, class_mixture
from genlib.program import Program, Value


@dataclass(frozen=True)
class RelativisticGANConfig(GANConfig):
    """`width` is the number of the generator's feature maps next to the image; deeper layers have twice and 4 times."""

    batch_size: int = option(64, "images a step", 2, 10_000)
    beta1: float = option(0.0, "Adam's decay of the first moment", 0.0, 0.999)
    beta2: float = option(0.99, "Adam's decay of the second moment", 0.0, 0.9999)
    latent_size: int = option(64, "numbers in a latent", 1, 1024)
    embedding_size: int = option(32, "numbers in a class embedding", 1, 128)
    width: int = option(32, "the generator's feature maps next to the image", 1, 512)
    discriminator_width: int = option(32, "the discriminator's feature maps next to the image", 1, 512)
    gamma: float = option(0.2, "weight of the gradient penalties", 0.0, 100.0)
    lazy: int = option(4, "steps between two penalties, which then weigh as much more", 1, 64)
    shift: int = option(3, "pixels by which real and fake images are moved before they are judged", 0, 8)


class ConditionalNorm(nn.Module):
    """Batch norm whose scale and shift are linear in the latent and the class embedding (arXiv:1707.00683)."""

    def __init__(self, channels: int, condition: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.affine = nn.Linear(condition, 2 * channels)
        nn.init.zeros_(self.affine.weight)
        nn.init.zeros_(self.affine.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.affine(condition)[:, :, None, None].chunk(2, dim=1)  # (N, C, 1, 1)
        return self.norm(x) * (1 + scale) + shift

    def describe(self, program: Program, x: Value, condition: Value) -> Value:
        return program.modulate(program.apply(self.norm, x), program.apply(self.affine, condition))


class Generator(nn.Module):
    """Latent and class embedding to an image: a dense stem, two transposed convolutions, one convolution."""

    def __init__(self, config: RelativisticGANConfig) -> None:
        super().__init__()
        w, condition = config.width, config.latent_size + config.embedding_size
        self.code: nn.Module = nn.Identity()  # of the latent, for what is not told place by place
        self.embedding = ClassEmbedding(config.embedding_size)
        self.layers = nn.ModuleList(
            [
                nn.Sequential(nn.Linear(condition, 4 * w * 7 * 7, bias=False), nn.Unflatten(1, (4 * w, 7, 7))),
                nn.ConvTranspose2d(4 * w, 2 * w, 4, stride=2, padding=1, bias=False),  # (N, 64, 14, 14)
                nn.ConvTranspose2d(2 * w, w, 4, stride=2, padding=1, bias=False),  # (N, 32, 28, 28)
            ]
        )
        self.norms = nn.ModuleList(ConditionalNorm(channels, condition) for channels in (4 * w, 2 * w, w))
        self.output = nn.Conv2d(w, 1, 3, padding=1)

    def trace(self, z: Tensor, y: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The image, and every hidden layer's activations before and after its ReLU."""
        condition = torch.cat([self.code(z), self.embedding(y)], dim=1)  # (N, d + e)
        found: dict[str, Tensor] = {}
        h = condition
        for i, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True), start=1):
            found[f"hidden {i}, before ReLU"] = before = norm(self.place(i, layer(h), z), condition)
            found[f"hidden {i}, after ReLU"] = h = F.relu(before)
        return torch.tanh(self.output(h)), found

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return self.trace(z, y)[0]

    def place(self, i: int, h: Tensor, z: Tensor) -> Tensor:
        """Layer i's feature maps, with what the latent adds place by place: here nothing."""
        return h

    def describe_place(self, program: Program, i: int, h: Value, z: Value) -> Value:
        """`place` as a program."""
        return h

    def describe(self, program: Program, z: Value, y: Value) -> Value:
        h = condition = program.concatenate(program.apply(self.code, z), program.apply(self.embedding, y))
        for i, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True), start=1):
            placed = self.describe_place(program, i, program.apply(layer, h), z)
            h = program.activation(program.apply(norm, placed, condition), "relu")
        return program.activation(program.apply(self.output, h), "tanh")


class Discriminator(nn.Module):
    """Image and class to a logit, the class by projection (Miyato and Koyama 2018, arXiv:1802.05637, eq. 5)."""

    def __init__(self, config: RelativisticGANConfig) -> None:
        super().__init__()
        w = config.discriminator_width
        self.body = nn.Sequential(
            nn.Conv2d(1, w, 4, stride=2, padding=1),  # (N, 32, 14, 14)
            nn.LeakyReLU(0.2),
            nn.Conv2d(w, 2 * w, 4, stride=2, padding=1),  # (N, 64, 7, 7)
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * w, 4 * w, 3, padding=1),
            nn.LeakyReLU(0.2),
        )
        self.output = nn.Linear(4 * w, 1)
        self.embedding = ClassEmbedding(4 * w)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        h = self.body(x).sum((2, 3))  # (N, 128)
        return self.output(h).squeeze(1) + (self.embedding(y) * h).sum(1)


class RelativisticPairs(ClassToldGAN):
    """D descends softplus(-(D(x|y) - D(G(z|y)|y))), G the same with the signs turned (Huang et al. 2024,
    arXiv:2501.05441, eq. 3): only which of a pair is more real is judged, so that no mode can be left alone.

    D also descends gamma / 2 |grad D|^2 at real images (R1) and at fakes (R2) (eqs. 5 and 6), every fourth step with
    four times the weight (Karras et al. 2020, arXiv:1912.04958, appendix B). No normalisation in D. Real and fake
    images are moved by up to three pixels before they are judged (Zhao et al. 2020, arXiv:2006.10738).
    """

    generator_class: ClassVar[type[Generator]] = Generator
    config: RelativisticGANConfig
    middle: Tensor
    steps: Tensor

    def __init__(self, config: RelativisticGANConfig) -> None:
        super().__init__(config, self.generator_class(config), Discriminator(config))
        self.register_buffer("middle", torch.zeros(N_CLASSES))
        self.register_buffer("steps", torch.zeros(1, dtype=torch.int64))
        self._taken: int | None = None  # `steps`, read once: to read it at each step is to wait for a GPU
        self.register_load_state_dict_post_hook(_forget_steps)

    def discriminate(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """A relativistic logit has no zero of its own, and pairs of one class leave one free for each class: it is
        counted from midway between the class's real images and fakes, as training saw them last."""
        y = required(y)
        return torch.sigmoid(self.discriminator(x, y) - class_mixture(y) @ self.middle)

    def configure_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return adversaries(self, self.config, self.config.beta2)

    def train_step(self, x: Tensor, y: Tensor, descend: Descend) -> dict[str, Tensor]:
        if self._taken is None:
            self._taken = int(self.steps)
        n, penalised = len(x), self._taken % self.config.lazy == 0
        z, answers = self._noise(y)
        fake = self.generator(z, y)  # a pair is of one class
        images = self._moved(torch.cat([x, fake.detach()])).requires_grad_(penalised)
        both = torch.cat([y, y])
        logits = self.discriminator(images, both)
        d_loss = loss = F.softplus(logits[n:] - logits[:n]).mean()
        if penalised:
            (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
            penalty = gradient.square().sum() / n  # the means over real images and over fakes, added
            loss = loss + self.config.lazy * self.config.gamma / 2 * penalty
        descend(loss, "discriminator")
        fake_logits = self.discriminator(self._moved(fake), y)
        with torch.no_grad():
            real_logits = self.discriminator(images[:n], y)
            self._follow_middle((real_logits + fake_logits) / 2, y)
            self.steps += 1
            self._taken += 1
        losses = {"generator": F.softplus(real_logits - fake_logits).mean(), **self._lesson(fake, answers)}
        descend(torch.stack(list(losses.values())).sum(), "generator")
        return {"discriminator": d_loss.detach()} | {name: loss.detach() for name, loss in losses.items()}

    def _noise(self, y: Tensor) -> tuple[Tensor, Tensor | None]:
        """Latents for classes y (N,), and what another model answers to some of them: here none is asked."""
        return own_rows(lambda n: torch.randn(n, *self.latent_shape, device=y.device), len(y)), None

    def _lesson(self, fake: Tensor, answers: Tensor | None) -> dict[str, Tensor]:
        """What the generator descends besides, by name."""
        return {}

    def _follow_middle(self, logits: Tensor, y: Tensor) -> None:
        """Move the middle of each class in the batch to the mean of its logits (N,), by a hundredth of the way."""
        classes = class_mixture(y)  # (N, 10)
        counts = classes.sum(0)
        self.middle.lerp_(logits @ classes / counts.clamp(min=1), 0.01 * (counts > 0))

    def _moved(self, images: Tensor) -> Tensor:
        """Each image moved by up to `shift` pixels along either axis, black moving in."""
        reach, n = self.config.shift, len(images)
        if not reach:
            return images
        offsets = own_rows(lambda n: torch.randint(2 * reach + 1, (n, 2), device=images.device), n)
        padded = F.pad(images, (reach,) * 4, value=-1.0)
        span = torch.arange(images.shape[-1], device=images.device)
        rows = (offsets[:, :1] + span)[:, :, None]  # (N, 28, 1)
        columns = (offsets[:, 1:] + span)[:, None, :]
        return padded[torch.arange(n, device=images.device)[:, None, None], 0, rows, columns].unsqueeze(1)


def _forget_steps(model: nn.Module, _keys: object) -> None:
    assert isinstance(model, RelativisticPairs)
    model._taken = None
