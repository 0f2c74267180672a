"""What a training run tells while it goes on, and the log that keeps it."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from genlib.errors import GenlibError
from genlib.zoo.files import has_checkpoint


@dataclass(frozen=True)
class Event:
    """Something that happened in a run; written to events.jsonl under its class's name."""


@dataclass(frozen=True)
class Started(Event):
    """The run begins at `step` (above 0 when resumed) of `epochs` x `steps_per_epoch`."""

    step: int
    epochs: int
    steps_per_epoch: int


@dataclass(frozen=True)
class Step(Event):
    """`step` steps are done; mean losses of the epoch so far, on the events that report them (about one a second)."""

    step: int
    epoch: int
    losses: dict[str, float] | None


@dataclass(frozen=True)
class Measuring(Event):
    """The run measures itself, after an epoch or at the end: `share` of that is done, from 0 to 1."""

    share: float


@dataclass(frozen=True)
class Preparing(Event):
    """Before its first step the run asks the model that it stands on: `share` of that is done, from 0 to 1."""

    share: float


@dataclass(frozen=True)
class EpochDone(Event):
    """An epoch's record, as history.json keeps it."""

    record: dict[str, Any]


@dataclass(frozen=True)
class SamplesWritten(Event):
    """A picture of fixed-noise samples after an epoch."""

    epoch: int
    path: str


@dataclass(frozen=True)
class Checkpointed(Event):
    """The run can be resumed from `step`."""

    step: int


@dataclass(frozen=True)
class Done(Event):
    """The run directory is a model now."""

    metrics: dict[str, Any]


MEASURING_SECONDS = 1.0


class EventLog:
    """Appends events to events.jsonl: steps only when they report their losses, a share once a second."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._measured = 0.0
        self._ends_torn_line()

    def _ends_torn_line(self) -> None:
        """What a power cut left half written must not swallow the next event."""
        with suppress(OSError), open(self.path, "rb+") as file:
            file.seek(-1, os.SEEK_END)
            if file.read() != b"\n":
                file.write(b"\n")

    def write(self, event: Event) -> None:
        if isinstance(event, Step) and event.losses is None:
            return
        if isinstance(event, Measuring | Preparing):
            if (now := time.monotonic()) - self._measured < MEASURING_SECONDS:
                return
            self._measured = now
        line = {"event": type(event).__name__, "time": round(time.time(), 3), **asdict(event)}
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            kept = "; the last checkpoint is intact" if has_checkpoint(self.path.parent) else ""
            raise GenlibError(f"cannot write {self.path}: {error.strerror}{kept}") from error
