"""A training in memory: model, average, optimisers, data order, history, and where it stands.

Everything random in a step follows from (seed, step) and everything about data order from (seed, epoch), so a run
that is stopped anywhere and resumed ends with the bytes of one left alone (same machine, same thread count). Several
processes share each batch and the random numbers of its samples, and descend along the mean of their gradients: their
losses are those of one process, to rounding, but for batch norm, which sees a process' share alone (on GPUs, all).
"""

from __future__ import annotations

import copy
import math
import re
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from genlib import noise
from genlib.config import Config
from genlib.data import FashionMNIST
from genlib.distributed import Processes, sharing
from genlib.errors import GenlibError, without_places
from genlib.images import from_uint8, grid, png_bytes
from genlib.io.fields import NUMBER
from genlib.io.files import write_file, write_json
from genlib.loading import load
from genlib.model import Model, Preset, TakesBase, device_for, keeps_raw, single_precision
from genlib.sampling import generate
from genlib.stages import each, part
from genlib.store import save_model
from genlib.training.averaging import AveragedModel
from genlib.training.checkpoint import (
    check_facts,
    check_moments,
    check_run,
    check_weights,
    is_moment,
    optimizer_tensors,
    restore_optimizer,
    write_checkpoint,
)
from genlib.training.diagnostics import ROW, SIDE, Diagnostics, logged_epochs
from genlib.training.events import Checkpointed, EpochDone, Event, Measuring, Preparing, SamplesWritten, Started, Step
from genlib.training.memory import check_memory, peak_megabytes, reset_peak
from genlib.zoo.files import BEFORE_DECAY

REPORT_SECONDS = 1.0
SAMPLES = 40


class Run:
    """A training in memory: model, average, optimisers, and where it stands."""

    def __init__(
        self, preset: Preset, config: Config, data: FashionMNIST, processes: Processes, distance_samples: int | None
    ) -> None:
        self.preset, self.config, self.processes = preset, config, processes
        check_memory(preset, config, len(data), processes.device)
        model = preset.build(config)
        self.device = device_for(model, processes.device)
        model = model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.data, self.images, self.labels = data, data.images.to(self.device), data.labels.to(self.device)
        self.average = AveragedModel(model) if model.averaged else None
        self.model = _synchronised(model, processes)
        self.optimizers = self.model.configure_optimizers()
        self.diagnostics = Diagnostics(self.model, data, distance_samples)
        self.batch_size = _batch_size(config, len(data), processes.count)
        self.steps_per_epoch = len(data) // self.batch_size
        self.lower = getattr(config, "precision", "float32") == "bfloat16" and _multiplies_bfloat16(self.device)
        self.logged = logged_epochs(config.epochs, preset.milestones, model.looks.epochs)
        self.wide = torch.float32 if self.device.type == "mps" else torch.float64  # MPS has no float64
        self.step = 0
        self.saved: int | None = None  # the step of the newest checkpoint
        self.history: list[dict[str, Any]] = []
        self.rows: dict[int, Tensor] = {}
        self.sums: dict[str, Tensor] = {}
        self.seconds, self.peak = 0.0, 0.0
        self.base: Model | None = None  # what it stands on, where that is asked for
        self.origin: dict[str, Any] | None = None  # the model whose weights it began with
        self.extended: list[int] = []  # epochs after which it had ended before
        self.torn = False  # whether it stands in the middle of a step
        self._whole: Tensor | None = None

    @property
    def epoch(self) -> int:
        """The epoch under way, counted from 1."""
        return len(self.history) + 1

    def events(self, directory: Path, checkpoint: Path, interval: float) -> Iterator[Event]:
        """Train from where the run stands to its end; a checkpoint every `interval` seconds, by the first process."""
        yield Started(self.step, self.config.epochs, self.steps_per_epoch)
        if self.base and isinstance(self.model, TakesBase):
            yield from each(self.model.take_base(self.base), Preparing)
        saved = reported = time.monotonic()
        while self.epoch <= self.config.epochs and not self.over:
            for rows in self._remaining_batches():
                if self.step == self._decay_begins and self.processes.leads:
                    self.save(checkpoint.with_name(BEFORE_DECAY))
                self._train_on(rows)
                now = time.monotonic()
                report = now - reported >= REPORT_SECONDS
                reported = now if report else reported
                yield Step(self.step, self.epoch, self.mean_losses() if report else None)
                if now - saved >= interval and self.processes.leads:
                    self.save(checkpoint)
                    saved = time.monotonic()
                    yield Checkpointed(self.step)
            record = yield from self._close_epoch()
            if record["epoch"] in self.rows:
                yield self.write_row(directory, record["epoch"])
            yield EpochDone(record)
        if self.processes.leads:
            self.save(checkpoint)
            yield Checkpointed(self.step)

    def write_row(self, directory: Path, epoch: int) -> SamplesWritten:
        """Write the samples of an epoch that was looked at."""
        picture = directory / "samples" / f"{epoch:05d}.png"
        write_file(picture, png_bytes(self.rows[epoch].numpy()))
        return SamplesWritten(epoch, str(picture.relative_to(directory)))

    @property
    def over(self) -> bool:
        """Whether another epoch would change little: EM has converged, or the distance has long been flat."""
        return self.model.converged or is_flat(self.history, self.preset, self.config)

    def _remaining_batches(self) -> Iterator[Tensor]:
        """The epoch's batches from the current step on, as rows of the split; the last incomplete batch is left out."""
        if self.batch_size == len(self.images):
            order = torch.arange(len(self.images))
        else:
            generator = torch.Generator().manual_seed(noise.derive_seed(self.config.seed, 2, self.epoch))
            order = torch.randperm(len(self.images), generator=generator)
        done = self.step - (self.epoch - 1) * self.steps_per_epoch
        if done == 0:
            reset_peak(self.device)
        batches = order[: self.steps_per_epoch * self.batch_size].to(self.device).split(self.batch_size)
        yield from batches[done:]

    def _train_on(self, rows: Tensor) -> None:
        """One step. What interrupts it leaves a torn state, but for EM, whose state is small and put back."""
        before = None if self.optimizers else (copy.deepcopy(self.model.state_dict()), dict(self.model.memory))
        self.torn = True
        try:
            self._step_on(rows)
        except KeyboardInterrupt:
            if before is not None:
                self.model.load_state_dict(before[0])
                self.model.memory = before[1]
                self.torn = False
            raise
        self.torn = False

    def _step_on(self, rows: Tensor) -> None:
        started = time.perf_counter()
        torch.manual_seed(noise.derive_seed(self.config.seed, 3, self.step))
        self.model.train()
        rows = self.processes.own(rows)
        x = self._pixels(rows)
        lower = torch.autocast(self.device.type, torch.bfloat16, enabled=self.lower)
        with sharing(len(rows), self.processes), single_precision(), lower:
            losses = self.model.train_step(x, self.labels[rows], self._descend)
        if self.average:
            self.average.update(self.step)
        means = self.processes.mean([loss.to(self.wide) for loss in losses.values()])
        for name, loss in zip(losses, means, strict=True):
            self.sums[name] = self.sums.get(name, 0) + loss
        self.step += 1
        self.seconds += time.perf_counter() - started

    def _pixels(self, rows: Tensor) -> Tensor:
        """A batch as the model takes it; the whole split, which EM gets every time, is converted once."""
        if len(rows) < len(self.images):
            return from_uint8(self.images[rows]).contiguous(memory_format=torch.channels_last)
        if self._whole is None:
            self._whole = from_uint8(self.images).contiguous(memory_format=torch.channels_last)
        return self._whole

    def _descend(self, loss: Tensor, name: str) -> None:
        """Zero, backward, the processes' mean, step; gradients are computed for this optimiser's parameters alone."""
        optimizer = self.optimizers[name]
        for group in optimizer.param_groups:
            group["lr"] = self.config.lr * self._decayed()  # type: ignore[attr-defined]
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        optimizer.zero_grad()
        loss.backward(inputs=parameters)
        if self.processes.count > 1:
            gradients = [p.grad for p in parameters if p.grad is not None]
            torch._foreach_copy_(gradients, self.processes.mean(gradients))
        optimizer.step()

    @property
    def _decay_begins(self) -> int | None:
        """The last step at the full learning rate; None where it stays."""
        part = getattr(self.config, "lr_decay", 0.0)
        return math.floor((1 - part) * self.config.epochs * self.steps_per_epoch) if part else None

    def _decayed(self) -> float:
        """The share of the learning rate that is left at this step: 1, then over `lr_decay` of the epochs down to 0."""
        part = getattr(self.config, "lr_decay", 0.0)
        left = 1 - self.step / (self.config.epochs * self.steps_per_epoch)
        return min(1.0, left / part) if part else 1.0

    def mean_losses(self) -> dict[str, float]:
        """Mean losses of the epoch so far; a GPU is waited for. GenlibError where a file cannot hold one."""
        self._wait()
        steps = self.step - (self.epoch - 1) * self.steps_per_epoch
        totals = {name: float(total) for name, total in self.sums.items()}
        losses = {name: total / max(steps, 1) for name, total in totals.items()}
        for name, value in losses.items():
            if not NUMBER.fits(totals[name]):
                what = name if name == "loss" else f"{name} loss"
                raise GenlibError(f"training diverged: the {what} is {value:.3g} by step {self.step}; {self._kept()}")
        return losses

    def _wait(self) -> None:
        """Until a GPU has done what it was given: that it takes its time, and not the steps, which only ask."""
        if self.device.type != "cpu":
            started = time.perf_counter()
            torch.accelerator.synchronize(self.device)
            self.seconds += time.perf_counter() - started

    def _kept(self) -> str:
        """What is left of a training that diverged, and what to try instead; EM has no learning rate."""
        lr = getattr(self.config, "lr", None)
        kept = "" if self.saved is None else f"the last good checkpoint, of step {self.saved}, is kept; "
        return f"{kept}start a new run{'' if lr is None else f' with a smaller lr than {lr:g}'}"

    def _close_epoch(self) -> Generator[Event, None, dict[str, Any]]:
        """Measure the epoch and begin the next one."""
        self.peak = max(self.peak, peak_megabytes(self.device))
        record = yield from self.processes.lead_on(self._measure)
        self.history.append(record)
        self.sums, self.seconds = {}, 0.0
        return record

    def _measure(self) -> Generator[Event, None, dict[str, Any]]:
        record: dict[str, Any] = {
            "epoch": self.epoch,
            "losses": self.mean_losses(),
            "seconds": round(self.seconds, 3),
            "peak_memory_mb": round(self.peak, 1),
            **self.diagnostics.every_epoch(self.model, self.device),
        }
        if self.epoch in self.logged or self.model.converged:
            record |= yield from self._look()
        for name, value in record.items():
            if name != "losses" and not NUMBER.fits(value):
                raise GenlibError(f"training diverged: {name} is {value:.3g} in epoch {self.epoch}; {self._kept()}")
        return record

    def _look(self) -> Generator[Event, None, dict[str, float]]:
        """Frechet distances and a row of samples: what `sample` draws, and for a GAN the raw generator."""
        self.model.eval()
        models = {"fd": self.average.calibrate() if self.average else self.model}
        models |= {"fd_raw": self.model} if keeps_raw(self.model) else {}
        rows = [image for model in models.values() for image in self.diagnostics.row(model)]
        found: dict[str, float] = {}
        for key, model in models.items():
            stages = part(self.diagnostics.distance(model), len(found), len(models))
            found[key] = yield from each(stages, Measuring)
        self.rows[self.epoch] = torch.cat(rows, dim=1)
        return found

    def save(self, path: Path) -> None:
        """Write the checkpoint, unless losses or weights have gone bad since the last one."""
        self.mean_losses()
        if not all(weight.isfinite().all() for weight in self.model.parameters()):  # a loss is that before its update
            raise GenlibError(f"training diverged: a weight is not finite by step {self.step}; {self._kept()}")
        tensors = {f"model.{key}": value for key, value in self.model.state_dict().items()}
        tensors |= {f"average.{key}": value for key, value in (self.average.state() if self.average else {}).items()}
        for name, optimizer in self.optimizers.items():
            tensors |= optimizer_tensors(name, optimizer)
        tensors |= {f"row.{epoch}": row for epoch, row in self.rows.items()}
        tensors |= {f"memory.{key}": value.clone() for key, value in self.model.memory.items()}  # some are one tensor
        facts = {"step": self.step, "history": self.history, "seconds": self.seconds, "peak": self.peak}
        facts["sums"] = {name: float(total) for name, total in self.sums.items()}
        facts["moments"] = sum(map(is_moment, tensors))
        facts |= {"preset": self.preset.name, "config": self.config.to_dict(), "images": len(self.images)}
        write_checkpoint(path, tensors, facts)
        self.saved = self.step

    def restore(self, tensors: dict[str, Tensor], facts: dict[str, Any], path: Path) -> None:
        """Put back everything that `save` wrote to the checkpoint of that path; GenlibError for another run's."""
        check_facts(path, facts)
        check_run(path, facts, self.preset.name, self.config, len(self.images))
        self._check_place(path, facts)
        if (moments := sum(map(is_moment, tensors))) != facts.get("moments", moments):
            raise GenlibError(f"checkpoint {path} holds {moments} of its {facts['moments']} optimiser moments")
        groups: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "row": {}, "memory": {}}
        for key, tensor in tensors.items():
            group, _, rest = key.partition(".")
            if group in groups:
                groups[group][rest] = tensor
        check_weights(path, "model", groups["model"], self.model.state_dict())
        if self.average:
            check_weights(path, "average", groups["average"], self.average.model.state_dict())
        try:
            self.model.load_state_dict(groups["model"])
            self.model.memory = {key: value.to(self.device) for key, value in groups["memory"].items()}
            if self.average:
                self.average.restore(groups["average"])
            for name, optimizer in self.optimizers.items():
                restore_optimizer(name, optimizer, tensors)
                if facts["step"]:
                    check_moments(name, optimizer)
            self.rows = {self._sampled(epoch, row): row for epoch, row in groups["row"].items()}
            self.sums = {name: self._scalar(total) for name, total in facts["sums"].items()}
            self.step, self.history = facts["step"], facts["history"]
            self.saved = self.step
            self.seconds, self.peak = facts["seconds"], facts["peak"]
        except RuntimeError as error:
            raise GenlibError(f"checkpoint {path} does not fit this model: {str(error).splitlines()[0]}") from error

    def _check_place(self, path: Path, facts: dict[str, Any]) -> None:
        """GenlibError for a checkpoint at a step that this run does not have."""
        step, done, steps = facts["step"], len(facts["history"]), self.steps_per_epoch
        if not done * steps <= step <= min((done + 1) * steps, self.config.epochs * steps):
            raise GenlibError(
                f"checkpoint {path} is damaged and cannot be resumed: it is of step {step} after {done} epochs, and "
                f"this run has {self.config.epochs} epochs of {steps} steps"
            )

    def _sampled(self, epoch: str, row: Tensor) -> int:
        """The epoch of a row of samples, whose tensor every other row must match."""
        wanted = SIDE, SIDE * ROW * (1 + keeps_raw(self.model))
        if not re.fullmatch("[0-9]{1,5}", epoch) or row.dtype != torch.uint8 or row.shape != wanted:
            raise RuntimeError(f"row.{epoch} is no row of samples")
        return int(epoch)

    def _scalar(self, value: float) -> Tensor:
        return torch.tensor(value, dtype=self.wide, device=self.device)

    def export(self, directory: Path) -> None:
        """Make the run directory a model: weights, configuration, history and pictures."""
        if self.average:
            self.average.calibrate()
        if self.average and self.model.average_only:
            save_model(directory, self.preset.name, self.average.model, {})
        else:
            save_model(directory, self.preset.name, self.model, self.average.state() if self.average else {})
        epochs = sorted(self.rows)
        write_json(directory / "history.json", {"epochs": self.history, "sample_epochs": epochs} | self._looks())
        sprite = torch.cat([self.rows[epoch] for epoch in epochs])
        write_file(directory / "progress.png", png_bytes(sprite.numpy()))
        images, _ = generate(load(directory), SAMPLES)
        write_file(directory / "samples.png", png_bytes(grid(images, columns=10)))

    def _looks(self) -> dict[str, Any]:
        """How the history's distances were measured, what the run began with and where it had ended before.

        The history is published, and names no place on this machine.
        """
        looks: dict[str, Any] = {"looks": {"samples": self.diagnostics.samples, **self.model.looks.options}}
        if self.origin:
            looks |= {"start_from": self.origin | {"name": without_places(self.origin["name"])}}
        return looks | ({"extended": self.extended} if self.extended else {})

    def cost(self) -> dict[str, Any]:
        """What the training took, and what only it could measure."""
        return {
            "train_seconds": round(sum(record["seconds"] for record in self.history), 1),
            "train_epochs": len(self.history),
            "peak_memory_mb": round(self.peak, 1),
            **({"train_device": torch.cuda.get_device_name(self.device)} if self.device.type == "cuda" else {}),
            **self.model.measurements(self.images),
        }


def is_flat(history: Sequence[dict[str, Any]], preset: Preset, config: Config) -> bool:
    """Whether a training that is to stop then has a distance that is flat: its median over the last fifth of the budget
    is within 2 % of that over the fifth before.

    Decided at epochs whose distance is measured, and not before the last milestone within the budget.
    """
    if not getattr(config, "stop_when_flat", False):
        return False
    fifth = config.epochs / 5
    measured = [(record["epoch"], record["fd"]) for record in history if "fd" in record]
    now = measured[-1][0] if measured else 0
    if now < max(2 * fifth, *(epoch for epoch in preset.milestones if epoch <= config.epochs), 0):
        return False
    last = [fd for epoch, fd in measured if now - fifth < epoch]
    before = [fd for epoch, fd in measured if now - 2 * fifth < epoch <= now - fifth]
    return bool(last and before) and abs(median(last) / median(before) - 1) < 0.02


def _batch_size(config: Config, images: int, processes: int) -> int:
    """Images a step, by all processes; EM, whose config has none, takes them all."""
    if processes > 1 and not hasattr(config, "batch_size"):
        raise GenlibError(f"expectation-maximisation runs in one process, not in {processes}")
    size = min(getattr(config, "batch_size", images), images)
    if size % processes:
        raise GenlibError(
            f"a batch of {size} images cannot be shared by {processes} processes alike; take a number of processes "
            f"that divides {size}, or, for a new run, a --batch-size that is a multiple of {processes}"
        )
    return size


def _synchronised(model: Model, processes: Processes) -> Model:
    """On GPUs, batch norm over the whole batch; torch has none for CPUs, where each process sees its own share."""
    if processes.count > 1 and processes.device.type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(model)
    return model


def _multiplies_bfloat16(device: torch.device) -> bool:
    """Whether a device has bfloat16 products; older processors emulate them, up to ten times slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        return any(known is True for name, known in torch.cpu.get_capabilities().items() if "bf16" in name)
    return True
