"""The resumable training loop: an iterator of events, the same for the command line, the studio and the tests.

Everything random in a step follows from (seed, step) and everything about data order from (seed, epoch), so a run
that is stopped anywhere and resumed ends with the bytes of one left alone (same machine, same thread count).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

from genlib import noise
from genlib.averaging import AveragedModel
from genlib.card import write_card
from genlib.checkpoint import (
    checkpoint_seconds,
    optimizer_tensors,
    read_checkpoint,
    restore_optimizer,
    write_checkpoint,
)
from genlib.config import Config
from genlib.data import FashionMNIST
from genlib.diagnostics import DISTANCE_SAMPLES, Diagnostics, logged_epochs
from genlib.errors import GenlibError
from genlib.events import Checkpointed, Done, EpochDone, Event, EventLog, SamplesWritten, Started, Step
from genlib.files import read_json, write_file, write_json
from genlib.images import from_uint8, grid, png_bytes
from genlib.locks import locked
from genlib.memory import peak_megabytes, reset_peak
from genlib.metrics.evaluation import EVALUATION_SAMPLES, FEWEST, evaluate
from genlib.model import Preset, get_preset, resolve_device
from genlib.sampling import MAX_SAMPLES, generate
from genlib.store import load, save_model

LOCK_SECONDS = 2.0  # someone may just be looking whether the run is being trained
REPORT_SECONDS = 1.0
SAMPLES = 40


def train(
    name: str,
    run_dir: str | Path,
    config: Config | None = None,
    *,
    data: FashionMNIST | None = None,
    device: str = "auto",
    resume: bool = False,
    distance_samples: int = DISTANCE_SAMPLES,
    evaluation_samples: int = EVALUATION_SAMPLES,
) -> Iterator[Event]:
    """Train a preset, with its own or a changed configuration, in a run directory; yields events.

    Closing the iterator writes a checkpoint; `resume` goes on from the newest one, and changes nothing in a finished
    run. `data` is the training split unless given. The sample counts are those of the Frechet distance during and
    after training. A checkpoint is written every $GENLIB_CHECKPOINT_SECONDS, 60 unless set: a host whose machines are
    taken away at short notice sets it lower. Raises GenlibError for a run directory of another preset or
    configuration, one that another process trains, a damaged checkpoint, or losses that stop being finite.
    """
    preset, directory, place = get_preset(name), Path(run_dir), resolve_device(device)
    for samples in (distance_samples, evaluation_samples):
        if not FEWEST <= samples <= MAX_SAMPLES:
            raise GenlibError(f"a distance takes {FEWEST} to {MAX_SAMPLES} samples, not {samples}")
    interval = checkpoint_seconds()
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GenlibError(f"cannot make the run directory {directory}: {error.strerror}") from error
    with locked(directory, LOCK_SECONDS, f"{directory} is being trained by another process"):
        config, checkpoint = config or preset.config, directory / "checkpoint" / "last.safetensors"
        _refuse_wrong_directory(directory, preset, config, checkpoint, resume)
        if (directory / "metrics.json").is_file():
            yield Done(read_json(directory / "metrics.json"))
            return
        for torn in directory.rglob(".*.tmp"):  # left by one that was killed while it wrote
            if not torn.name.startswith(".job.json."):  # which is the queue's
                torn.unlink(missing_ok=True)
        run = Run(preset, config, data or FashionMNIST.load("train"), place, distance_samples)
        if checkpoint.is_file():
            run.restore(checkpoint)
        yield from _log(run, directory, checkpoint, interval, evaluation_samples)


def _log(run: Run, directory: Path, checkpoint: Path, interval: float, evaluation_samples: int) -> Iterator[Event]:
    """Train to the end and measure; every event is kept before it is told."""
    (directory / "samples").mkdir(exist_ok=True)
    log = EventLog(directory / "events.jsonl")
    try:
        for event in run.events(directory, checkpoint, interval):
            log.write(event)
            yield event
    except GeneratorExit:
        run.save(checkpoint)
        log.write(Checkpointed(run.step))
        raise
    run.export(directory)
    metrics = evaluate(directory, evaluation_samples) | run.cost()
    write_json(directory / "metrics.json", metrics)
    write_card(directory)
    log.write(Done(metrics))
    yield Done(metrics)


def _refuse_wrong_directory(directory: Path, preset: Preset, config: Config, checkpoint: Path, resume: bool) -> None:
    description = directory / "run.json"
    wanted: dict[str, Any] = {"preset": preset.name, "config": config.to_dict()}
    if not description.is_file():
        if any(directory.iterdir()):
            raise GenlibError(f"{directory} is not empty and holds no run; give a new run directory")
        write_json(description, wanted)
        return
    found = read_json(description)
    if found.get("preset") != preset.name:
        raise GenlibError(f"{directory} holds a run of {found.get('preset')}, not of {preset.name}")
    started = checkpoint.is_file() or (directory / "metrics.json").is_file()
    if started and not resume:
        raise GenlibError(f"{directory} already holds a run; go on with --resume or give a new run directory")
    # a field that is newer than the run had its default
    before = type(config).from_dict(found.get("config", {})).to_dict()
    changed = [key for key, value in wanted["config"].items() if before.get(key) != value]
    if changed and started:
        key = changed[0]
        raise GenlibError(f"{directory} was started with {key}={before.get(key)}; resume it as it was, or start anew")
    write_json(description, wanted)


class Run:
    """A training in memory: model, average, optimisers, and where it stands."""

    def __init__(
        self, preset: Preset, config: Config, data: FashionMNIST, device: torch.device, distance_samples: int
    ) -> None:
        self.preset, self.config, self.device = preset, config, device
        self.data, self.images, self.labels = data, data.images.to(device), data.labels.to(device)
        self.model = preset.build(config).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizers = self.model.configure_optimizers()
        self.average = AveragedModel(self.model) if self.model.averaged else None
        self.diagnostics = Diagnostics(self.model, data, distance_samples)
        self.batch_size = min(getattr(config, "batch_size", len(data)), len(data))
        self.steps_per_epoch = len(data) // self.batch_size
        self.lower = getattr(config, "precision", "float32") == "bfloat16"
        self.logged = logged_epochs(config.epochs, preset.milestones)
        self.wide = torch.float32 if device.type == "mps" else torch.float64  # MPS has no float64
        self.step = 0
        self.history: list[dict[str, Any]] = []
        self.rows: dict[int, Tensor] = {}
        self.sums: dict[str, Tensor] = {}
        self.seconds, self.peak = 0.0, 0.0
        self._whole: Tensor | None = None

    @property
    def epoch(self) -> int:
        """The epoch under way, counted from 1."""
        return len(self.history) + 1

    def events(self, directory: Path, checkpoint: Path, interval: float) -> Iterator[Event]:
        """Train from where the run stands to its end, with a checkpoint every `interval` seconds."""
        yield Started(self.step, self.config.epochs, self.steps_per_epoch)
        saved = reported = time.monotonic()
        while self.epoch <= self.config.epochs and not self.over:
            for rows in self._remaining_batches():
                self._train_on(rows)
                now = time.monotonic()
                report = now - reported >= REPORT_SECONDS
                reported = now if report else reported
                yield Step(self.step, self.epoch, self.mean_losses() if report else None)
                if now - saved >= interval:
                    self.save(checkpoint)
                    saved = time.monotonic()
                    yield Checkpointed(self.step)
            record = self._close_epoch()
            if record["epoch"] in self.rows:
                picture = directory / "samples" / f"{record['epoch']:05d}.png"
                write_file(picture, png_bytes(self.rows[record["epoch"]].numpy()))
                yield SamplesWritten(record["epoch"], str(picture.relative_to(directory)))
            yield EpochDone(record)
        self.save(checkpoint)
        yield Checkpointed(self.step)

    @property
    def over(self) -> bool:
        """Whether another epoch would change little: EM has converged, or the distance has long been flat."""
        return self.model.converged or (getattr(self.config, "stop_when_flat", False) and self._flat())

    def _flat(self) -> bool:
        """The median distance over the last fifth of the budget is within 2 % of that over the fifth before.

        Decided at epochs whose distance is measured, and not before the last milestone.
        """
        fifth = self.config.epochs / 5
        measured = [(record["epoch"], record["fd"]) for record in self.history if "fd" in record]
        now = measured[-1][0] if measured else 0
        if now < max(2 * fifth, *self.preset.milestones, 0):
            return False
        last = [fd for epoch, fd in measured if now - fifth < epoch]
        before = [fd for epoch, fd in measured if now - 2 * fifth < epoch <= now - fifth]
        return abs(median(last) / median(before) - 1) < 0.02

    def _remaining_batches(self) -> Iterator[Tensor]:
        """The epoch's batches from the current step on: rows of the split, the last incomplete batch left out."""
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
        started = time.perf_counter()
        torch.manual_seed(noise.derive_seed(self.config.seed, 3, self.step))
        self.model.train()
        x = self._pixels(rows)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.lower):
            losses = self.model.train_step(x, self.labels[rows], self._descend)
        if self.average:
            self.average.update(self.step)
        for name, loss in losses.items():
            self.sums[name] = self.sums.get(name, 0) + loss.to(self.wide)
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
        """Zero, backward, step; gradients are computed for this optimiser's parameters alone."""
        optimizer = self.optimizers[name]
        optimizer.zero_grad()
        loss.backward(inputs=[p for group in optimizer.param_groups for p in group["params"]])
        optimizer.step()

    def mean_losses(self) -> dict[str, float]:
        """Mean losses of the epoch so far. Raises GenlibError where one is not finite."""
        steps = self.step - (self.epoch - 1) * self.steps_per_epoch
        losses = {name: float(total) / max(steps, 1) for name, total in self.sums.items()}
        for name, value in losses.items():
            if not math.isfinite(value):
                raise GenlibError(
                    f"training diverged: the {name} loss is {value} by step {self.step}; the last good checkpoint is "
                    "kept; start a new run with a smaller lr"
                )
        return losses

    def _close_epoch(self) -> dict[str, Any]:
        """Measure the epoch and begin the next one."""
        self.peak = max(self.peak, peak_megabytes(self.device))
        record: dict[str, Any] = {
            "epoch": self.epoch,
            "losses": self.mean_losses(),
            "seconds": round(self.seconds, 3),
            "peak_memory_mb": round(self.peak, 1),
            **self.diagnostics.every_epoch(self.model, self.device),
        }
        if self.epoch in self.logged or self.model.converged:
            record |= self._look()
        self.history.append(record)
        self.sums, self.seconds = {}, 0.0
        return record

    def _look(self) -> dict[str, float]:
        """Frechet distances and a row of samples: what `sample` draws, and for a GAN the raw generator."""
        self.model.eval()
        raw = self.diagnostics.row(self.model)
        if self.average is None:
            self.rows[self.epoch] = torch.cat(list(raw), dim=1)
            return {"fd": self.diagnostics.distance(self.model)}
        model = self.average.calibrate()
        self.rows[self.epoch] = torch.cat([*self.diagnostics.row(model), *raw], dim=1)
        return {"fd": self.diagnostics.distance(model), "fd_raw": self.diagnostics.distance(self.model)}

    def save(self, path: Path) -> None:
        """Write the checkpoint, unless the losses have gone bad since the last one."""
        self.mean_losses()
        tensors = {f"model.{key}": value for key, value in self.model.state_dict().items()}
        tensors |= {f"average.{key}": value for key, value in (self.average.state() if self.average else {}).items()}
        for name, optimizer in self.optimizers.items():
            tensors |= optimizer_tensors(name, optimizer)
        tensors |= {f"row.{epoch}": row for epoch, row in self.rows.items()}
        facts = {"step": self.step, "history": self.history, "seconds": self.seconds, "peak": self.peak}
        facts["sums"] = {name: float(total) for name, total in self.sums.items()}
        write_checkpoint(path, tensors, facts)

    def restore(self, path: Path) -> None:
        """Put back everything that `save` wrote."""
        tensors, facts = read_checkpoint(path)
        groups: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "row": {}}
        for key, tensor in tensors.items():
            group, _, rest = key.partition(".")
            if group in groups:
                groups[group][rest] = tensor
        try:
            self.model.load_state_dict(groups["model"])
            if self.average:
                self.average.model.load_state_dict(groups["average"], strict=False)
            for name, optimizer in self.optimizers.items():
                restore_optimizer(name, optimizer, tensors)
        except RuntimeError as error:
            raise GenlibError(f"checkpoint {path} does not fit this model: {str(error).splitlines()[0]}") from error
        self.rows = {int(epoch): row for epoch, row in groups["row"].items()}
        self.sums = {name: self._scalar(total) for name, total in facts["sums"].items()}
        self.step, self.history = facts["step"], facts["history"]
        self.seconds, self.peak = facts["seconds"], facts["peak"]

    def _scalar(self, value: float) -> Tensor:
        return torch.tensor(value, dtype=self.wide, device=self.device)

    def export(self, directory: Path) -> None:
        """Make the run directory a model: weights, configuration, history and pictures."""
        if self.average:
            self.average.calibrate()
        averaged = self.average.state() if self.average else {}
        save_model(directory, self.preset.name, self.model, averaged)
        epochs = sorted(self.rows)
        write_json(directory / "history.json", {"epochs": self.history, "sample_epochs": epochs})
        sprite = torch.cat([self.rows[epoch] for epoch in epochs])
        write_file(directory / "progress.png", png_bytes(sprite.numpy()))
        images, _ = generate(load(directory), SAMPLES)
        write_file(directory / "samples.png", png_bytes(grid(images, columns=10)))

    def cost(self) -> dict[str, Any]:
        """What the training took, and what only it could measure."""
        return {
            "train_seconds": round(sum(record["seconds"] for record in self.history), 1),
            "train_epochs": len(self.history),
            "peak_memory_mb": round(self.peak, 1),
            **self.model.measurements(len(self.data)),
        }
