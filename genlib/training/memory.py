"""Memory of a training: what it will need, what the machine has, and the peak of a stretch of work."""

from __future__ import annotations

import math
import os
import sys
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from genlib.config import Config
from genlib.errors import GenlibError
from genlib.model import Model, Preset, shapes_only

PROCESS_MEGABYTES = 800.0  # of a training of next to nothing, measured: libraries, the split, its measuring
COPIES = 5  # of the weights: with their gradients, Adam's two moments and the average
AGAIN = 2.0  # what a step saves for its gradients, and those gradients beside it: 1.3 to 2.5 measured
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
MIXTURES = 5  # that a search keeps at most, the fit under way among them


def check_memory(preset: Preset, config: Config, images: int, device: torch.device) -> None:
    """Raise GenlibError where a training on so many images cannot fit into the device's memory."""
    needed, there = needed_megabytes(preset, config, images), memory_megabytes(device)
    if needed > there:
        smaller = "batch size or smaller layers" if hasattr(config, "batch_size") else "number of components"
        raise GenlibError(
            f"this training needs about {needed:,.0f} MB of memory and this machine has {there:,.0f}; "
            f"choose a smaller {smaller}"
        )


def needed_megabytes(preset: Preset, config: Config, images: int) -> float:
    """About what a training holds at its peak, in 10^6 bytes; nothing of that size is allocated to find out."""
    with shapes_only():
        model = preset.build(config)
        weights = sum(value.nbytes for value in model.state_dict().values())
        if hasattr(config, "batch_size"):
            work = COPIES * weights + AGAIN * _saved_by_a_step(model, min(config.batch_size, images))
            work += getattr(config, "answers", 0) * (4 * math.prod(model.latent_shape) + 28 * 28)  # and their noises
        else:  # EM: the points four times over, and each packed factor as several whole matrices of doubles
            work = 20 * weights + 16 * images * model.latent_shape[0]
    return PROCESS_MEGABYTES + work / 1e6


@lru_cache(maxsize=64)
def disk_megabytes(preset: Preset, config: Config) -> float:
    """About what a run takes in the end, in 10^6 bytes: its checkpoints (weights, moments, average), the finished model
    in half precision, and what another model answers to it, which is kept in the cache for the next run."""
    with shapes_only():
        model = preset.build(config)
    weights = sum(value.nbytes for value in model.state_dict().values())
    averaged = tuple(f"{name}." for name in model.averaged)
    average = sum(value.nbytes for key, value in model.state_dict().items() if key.startswith(averaged))
    if hasattr(config, "batch_size"):
        beside = 2 * sum(value.nbytes for value in model.parameters())  # Adam's moments
    else:  # EM: the mixtures of its search, with their whole covariances
        k = getattr(config, "components", 0) or getattr(config, "most_components", 1)
        d = model.state_dict()["means"].shape[1]
        beside = MIXTURES * 4 * k * (1 + d + d * d)
    checkpoints = 2 if getattr(config, "lr_decay", 0.0) else 1  # the newest, and the one before the decay
    answers = getattr(config, "answers", 0) * 28 * 28
    return (checkpoints * (weights + beside + average) + (weights + average) / 2 + answers) / 1e6


def _saved_by_a_step(model: Model, batch_size: int) -> int:
    """The most bytes that a training step keeps at a time until its gradients are known."""
    saved: dict[int, int] = {}
    peak = 0

    def keep(value: Tensor) -> Tensor:
        storage = value.untyped_storage()
        saved[storage._cdata] = storage.nbytes()
        return value

    def descend(loss: Tensor, optimizer: str) -> None:
        nonlocal peak
        peak = max(peak, sum(saved.values()))
        saved.clear()

    for name, buffer in list(model.named_buffers()):
        if not buffer.is_floating_point():  # a count, which a step may read
            parent, _, own = name.rpartition(".")
            setattr(model.get_submodule(parent), own, torch.zeros(buffer.shape, dtype=buffer.dtype, device="cpu"))
    model.train()
    x, y = torch.empty(batch_size, 1, 28, 28), torch.zeros(batch_size, dtype=torch.int64)
    with suppress(RuntimeError), torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value):
        model.train_step(x, y, descend)  # RuntimeError: a step that looks at numbers, which are not there
    return max(peak, sum(saved.values()))


def memory_megabytes(device: torch.device) -> float:
    """The GPU's memory, or what this process may have of the machine's, in 10^6 bytes."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory / 1e6
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in CGROUP_LIMITS:  # of a container
        with suppress(OSError, ValueError):  # ValueError: "max"
            limits.append(int(Path(path).read_text()))
    return min(limits) / 1e6


def reset_peak(device: torch.device) -> None:
    """Start a new stretch. Where the system cannot (not Linux), the peak is that of the whole process."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_megabytes(device: torch.device) -> float:
    """Peak since the last reset, in 10^6 bytes."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024 / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
