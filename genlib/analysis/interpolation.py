"""Walks between two samples of a model: straight or spherical through the noise, linear through the classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from genlib.errors import GenlibError, whole
from genlib.images import from_uint8, to_uint8
from genlib.metrics.features import load_extractor
from genlib.model import Conditional, Decodes, Encodes, Mixture, Model, class_mixture
from genlib.sampling import cycle_labels, device_of, sample

PATHS = ("spherical", "straight")
EQUAL = ("input", "features")
MAX_STEPS = 200
FINE = 201  # points on which a walk's length in feature space is measured


@dataclass(frozen=True)
class Walk:
    """`images` uint8 (steps, 28, 28) at `positions` 0..1, and the `changes` (steps - 1,) from each to the next.

    A change is the root mean square pixel difference as a share of the full range (0 to 1). Even changes are a smooth
    walk; a lone spike is a jump between modes.
    """

    images: Tensor
    positions: Tensor
    changes: Tensor


def lerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Points (len(t), ...) on the straight line from a to b at positions t (steps,)."""
    t = t.view(-1, *[1] * a.ndim)
    return (1 - t) * a + t * b


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Points on the great arc from a to b (Shoemake 1985; for latents White 2016, arXiv:1609.04468, section 2.1).

    Directions turn at constant speed and lengths change linearly, so between vectors of equal length the length
    stays; parallel vectors and the origin are joined by a straight line.
    """
    length_a, length_b = a.norm(), b.norm()
    cosine = (a * b).sum() / (length_a * length_b).clamp(min=1e-12)
    angle = torch.arccos(cosine.clamp(-1, 1))
    if torch.sin(angle) < 1e-4 or min(length_a, length_b) == 0:
        return lerp(a, b, t)
    t = t.view(-1, *[1] * a.ndim)
    direction = (torch.sin((1 - t) * angle) * a / length_a + torch.sin(t * angle) * b / length_b) / torch.sin(angle)
    return direction * ((1 - t) * length_a + t * length_b)


def positions(steps: int) -> Tensor:
    """Evenly spaced positions 0..1, float32 (steps,)."""
    steps = whole("steps", steps, 2, MAX_STEPS)
    return torch.linspace(0, 1, steps, dtype=torch.float32)


def feature_steps(images: Tensor) -> Tensor:
    """Distances (N - 1,) from each image, uint8 (N, 28, 28), to the next in the classifier's feature space."""
    features = torch.from_numpy(load_extractor().features(images)).double()
    moves = (images[1:] != images[:-1]).flatten(1).any(1)  # equal images' features differ by rounding
    return (features[1:] - features[:-1]).norm(dim=1) * moves


def unevenness(images: Tensor) -> float:
    """Coefficient of variation of a walk's steps in feature space: 0 where all are equal."""
    steps = feature_steps(images)
    return float(steps.std(correction=0) / steps.mean().clamp(min=1e-12))


def feature_positions(frames: Callable[[Tensor], Tensor], steps: int) -> Tensor:
    """Positions 0..1 (steps,) whose frames are about equally far apart in feature space.

    `frames` draws positions (N,) as uint8 (N, 28, 28). The walk's cumulative length over 201 even positions is
    inverted; a second time from where that led, which is finer where the walk moves fast.
    """
    even, t = positions(steps), torch.linspace(0, 1, FINE, dtype=torch.float32)
    for target in (t, even):
        length = torch.cat([torch.zeros(1).double(), feature_steps(frames(t)).cumsum(0)])
        if not length[-1] > 0:  # nothing moves
            return even
        t = torch.from_numpy(np.interp(target.double(), length / length[-1], t.double())).float()
        t[0] = 0.0  # not the last of the positions before anything moves
    return t


def latent_walk(
    model: Model,
    z: tuple[Tensor, Tensor],
    y: tuple[Tensor, Tensor] | None,
    steps: int,
    path: str = "spherical",
    equal: str = "input",
) -> Walk:
    """Walk between two latents (*latent_shape) and, where the model takes classes, two class mixtures (10,).

    A mixture model's latents hold a component's number, so between two latents its walk is a straight line in its own
    space; between two classes of one latent it jumps from component to component. Steps are equal in the model's
    "input" (latent and class), or to a classifier's eye, in its "features".
    """
    for key, value, allowed in (("path", path, PATHS), ("equal", equal, EQUAL)):
        if value not in allowed:
            raise GenlibError(f"{key} takes {' or '.join(allowed)}, not {value!r}")
    ends = None if torch.equal(*z) else _own_points(model, torch.stack(z), y)

    def frames(t: Tensor) -> Tensor:
        if isinstance(model, Mixture) and ends is not None:
            return to_uint8(model.render(lerp(ends[0], ends[1], t.to(ends.device))))
        latents = (slerp if path == "spherical" else lerp)(z[0], z[1], t)
        if y is None and isinstance(model, Decodes):  # which a conditional model does without a class
            with torch.inference_mode():
                return to_uint8(model.decode(latents.to(device_of(model))))
        return to_uint8(sample(model, latents, None if y is None else lerp(y[0], y[1], t)))

    t = positions(steps) if equal == "input" else feature_positions(frames, steps)
    return _walk(frames(t), t)


def _own_points(model: Model, z: Tensor, y: tuple[Tensor, Tensor] | None) -> Tensor | None:
    """Latents (2, 1 + d) of a mixture model, each of its class, as points (2, d) of its space; None of another."""
    if not isinstance(model, Mixture):
        return None
    z = z.to(device_of(model))
    return model.locate(z, None if y is None else model.pick(z, torch.stack(y).to(z.device)))


def class_walk(model: Model, seed: int, start: int, end: int, steps: int, equal: str = "input") -> Walk:
    """Between two classes on the noise of one seed: their mixture goes from one to the other in the embedding."""
    z = _conditional(model).draw_latent(1, seed)[0]
    ends = class_mixture(torch.tensor([start, end]))
    return latent_walk(model, (z, z), (ends[0], ends[1]), steps, "straight", equal)


def label_number_walk(model: Model, seed: int, start: int, end: int, steps: int) -> tuple[Walk, Tensor]:
    """What averaging label *numbers* does, for comparison: the walk, and the labels it visits (steps,).

    Between Shirt (6) and Coat (4) the midpoint is 5, Sandal: class numbers are names, not quantities.
    """
    t = positions(steps)
    labels = (start + (end - start) * t + 0.5).floor().long()
    z = _conditional(model).draw_latent(1, seed).expand(steps, *model.latent_shape)
    return _walk(to_uint8(sample(model, z, labels)), t), labels


def seed_walk(
    model: Model,
    seeds: tuple[int, int],
    steps: int,
    path: str = "spherical",
    label: int | None = None,
    equal: str = "input",
) -> Walk:
    """Between the first samples of two seeds; a conditional model needs the class `label` of both."""
    z = tuple(model.draw_latent(1, seed)[0] for seed in seeds)
    y = None
    if isinstance(model, Conditional):
        if label is None:
            raise GenlibError("a conditional model walks between seeds within one class: give a label")
        y = (class_mixture(torch.tensor([label]))[0],) * 2
    return latent_walk(model, (z[0], z[1]), y, steps, path, equal)


def image_walk(model: Model, images: Tensor, steps: int, path: str = "straight", equal: str = "input") -> Walk:
    """Between the encodings of two images, uint8 (2, 28, 28), of a model that encodes and decodes."""
    if not (isinstance(model, Encodes) and isinstance(model, Decodes)):
        raise GenlibError("walking between images needs a model that encodes")
    with torch.inference_mode():
        z = model.encode(from_uint8(images).to(device_of(model))).cpu()
    return latent_walk(model, (z[0], z[1]), None, steps, path, equal)


def pair_walks(
    model: Model, seed: int, rows: int, steps: int, path: str = "spherical", equal: str = "input"
) -> list[Walk]:
    """Rows of walks between random pairs: sample 2r of the seed to sample 2r + 1, each with its own class."""
    rows = whole("rows", rows, 1, 100)
    z = model.draw_latent(2 * rows, seed)
    y = class_mixture(cycle_labels(2 * rows)) if isinstance(model, Conditional) else None
    return [
        latent_walk(model, (z[i], z[i + 1]), None if y is None else (y[i], y[i + 1]), steps, path, equal)
        for i in range(0, 2 * rows, 2)
    ]


def _conditional(model: Model) -> Model:
    if not isinstance(model, Conditional):
        raise GenlibError("walking between classes needs a conditional model")
    return model


def _walk(images: Tensor, t: Tensor) -> Walk:
    changes = [((b.float() - a.float()) / 255).square().mean().sqrt() for a, b in pairwise(images)]
    return Walk(images, t, torch.stack(changes))
