"""Drawing images from any model, the same ones everywhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genlib.config import as_python
from genlib.data import parse_label
from genlib.errors import GenlibError, is_number, shown, whole
from genlib.images import to_uint8
from genlib.model import N_CLASSES, Conditional, Integrates, Model, single_precision

MAX_SAMPLES = 100_000
MAX_START = 2**53
BATCH = 250


def cycle_labels(n: int, start: int = 0) -> Tensor:
    """Labels 0..9 in turn for the samples start, ..., start + n - 1, int64 (n,)."""
    return torch.arange(start, start + n) % N_CLASSES


def generate(
    model: Model,
    n: int,
    seed: int = 0,
    label: int | str | Sequence[int] | np.ndarray | Tensor | None = None,
    temperature: float = 1.0,
    shift: Tensor | None = None,
    start: int = 0,
    *,
    steps: int | None = None,
    solver: str | None = None,
    guidance: float | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Samples start, ..., start + n - 1 of a seed: uint8 images (n, 28, 28), and a conditional model's labels (n,).

    `label` is a class 0-9 or its name, labels (n,), or class mixtures (n, 10), which give no labels back; without it a
    conditional model cycles through the classes. `temperature` scales the noise, then `shift` (*latent_shape) is
    added to every latent. A model that integrates takes `steps` from noise to image (1 to 1,000), a `solver` ("euler"
    or "heun") and `guidance` (0 to 20: how far the class pulls); its config's unless given. Raises GenlibError where
    a model is given what it does not take.
    """
    n, start = whole("n", n, 1, MAX_SAMPLES), whole("start", start, 0, MAX_START)
    shift = None if shift is None else _step(model, shift)
    y, parts, options = asked_classes(model, n, label, start), [], path_options(model, steps, solver, guidance)
    for done in range(0, n, BATCH):
        count = min(BATCH, n - done)
        z = tempered(model, model.draw_latent(count, seed, start + done), temperature)
        z = z if shift is None else model.shifted(z, shift)
        drawn = sample(model, z, None if y is None else y[done : done + count], **options)
        if (temperature != 1 or shift is not None) and not drawn.isfinite().all():
            raise GenlibError(
                "at this temperature or shift the model draws nothing: its numbers overflow; take a smaller one"
            )
        parts.append(to_uint8(drawn))
    return torch.cat(parts), y if y is None or y.ndim == 1 else None


def tempered(model: Model, z: Tensor, temperature: Any) -> Tensor:
    """`model.temper` by a temperature that anyone may have given; GenlibError for what scales no noise."""
    if not is_number(temperature) or temperature < 0:
        raise GenlibError(f"temperature takes a finite number from 0, not {shown(temperature)}")
    found = model.temper(z, float(temperature))
    if not found.isfinite().all():
        raise GenlibError(f"a temperature of {temperature:g} makes the noise larger than can be reckoned with")
    return found


@torch.inference_mode()
def sample(model: Model, z: Tensor, y: Tensor | None = None, **options: Any) -> Tensor:
    """`model.sample` in evaluation mode on the model's own device."""
    device = device_of(model)
    model.eval()
    with single_precision():
        return model.sample(z.to(device, torch.float32), None if y is None else y.to(device), **options)


def path_options(model: Model, steps: int | None, solver: str | None, guidance: float | None) -> dict[str, Any]:
    """What was given of `steps`, `solver` and `guidance`, checked as the fields of the model's config are."""
    asked = {"steps": steps, "solver": solver, "guidance": guidance}
    given = {key: as_python(value) for key, value in asked.items() if value is not None}
    if given and not isinstance(model, Integrates):
        raise GenlibError(f"a {model.family} model takes no {' or '.join(given)}: it draws in one step")
    model.config.replace(**given)
    return given


def device_of(model: Model) -> torch.device:
    """Where a model's numbers lie."""
    return next((t.device for t in (*model.parameters(), *model.buffers())), torch.device("cpu"))


def _tensor(name: str, values: Any) -> Tensor:
    """Numbers in any form, of any type and order in memory, as int64 or float32."""
    try:
        found = values if isinstance(values, Tensor) else torch.from_numpy(_array(values))
        if found.is_complex():
            raise ValueError("no real numbers")
        return found.to(torch.float32 if found.is_floating_point() else torch.int64)
    except (ValueError, TypeError, RuntimeError) as error:
        raise GenlibError(f"{name} takes numbers, not {shown(values)}") from error


def _array(values: Any) -> np.ndarray:
    """As torch takes it; ValueError where it holds no numbers."""
    found = np.asarray(values)
    if found.dtype.kind not in "biuf":
        raise ValueError("no numbers")
    return found.astype(np.float64 if found.dtype.kind == "f" else np.int64, order="C")


def _step(model: Model, shift: Any) -> Tensor:
    """A shift as float32, checked; the numbers of a latent of several dimensions may come in one row."""
    found = _tensor("shift", shift).to(torch.float32)
    if tuple(found.shape) == (math.prod(model.latent_shape),):
        found = found.view(model.latent_shape)
    if tuple(found.shape) != model.latent_shape:
        raise GenlibError(f"shift takes numbers of shape {model.latent_shape}, not {shown(tuple(found.shape))}")
    if not bool(found.isfinite().all()):
        raise GenlibError("shift takes finite numbers that a float32 holds, up to 3.4e38; some are not")
    return found


def asked_classes(model: Model, n: int, label: Any, start: int) -> Tensor | None:
    """Labels (n,) or class mixtures (n, 10) as `generate` understands its `label`."""
    if not isinstance(model, Conditional):
        if label is not None:
            raise GenlibError(f"a {model.family} model takes no label")
        return None
    if label is None:
        return cycle_labels(n, start)
    if isinstance(label, Sequence | np.ndarray | Tensor) and not isinstance(label, str):
        label = _tensor("label", label)
    if not isinstance(label, Tensor):
        return torch.full((n,), parse_label(label))
    if label.ndim == 0:
        return torch.full((n,), parse_label(label.item()))
    if len(label) != n or tuple(label.shape[1:]) not in ((), (N_CLASSES,)):
        raise GenlibError(f"label takes {n} labels or mixtures ({n}, {N_CLASSES}), not shape {tuple(label.shape)}")
    if label.ndim == 1 and not bool(((label >= 0) & (label < N_CLASSES) & (label == label.long())).all()):
        raise GenlibError(f"label takes classes from 0 to {N_CLASSES - 1}, not {label.tolist()[:10]}")
    if label.ndim == 2 and not bool(((label >= 0).all(1) & ((label.sum(1) - 1).abs() < 1e-3)).all()):
        raise GenlibError("the shares of a class mixture must be non-negative and sum to 1")
    return label.long() if label.ndim == 1 else label
