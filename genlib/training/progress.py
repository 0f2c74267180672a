"""How far a run has come, from the events that it writes."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from genlib.errors import GenlibError
from genlib.io.fields import NUMBER, SHARE, TABLE, TEXT, WHOLE, Kind, misfit, optional, table_of, whole
from genlib.io.files import LARGEST_JSON, LARGEST_LOG, read_on
from genlib.zoo.files import RECORD

WINDOW_SECONDS = 300.0  # of training, behind the time left
MEASURED = 5.0  # seconds of training before a time left is told


REPLACED = "Replaced"  # the event before those of a new run that has taken the place of the one read so far
LONGEST_LINE = 1_000_000  # bytes; what is longer is no event
PART = 4_000_000  # bytes that are read at a time; more than a line
MOST_EPOCHS = 100_000  # or iterations, of any model's configuration
MARK = 200  # bytes by which a file is known again: a line or two, which tell the time


class EventReader:
    """Reads a growing events.jsonl from where it stopped the last time."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "events.jsonl"
        self._place = 0
        self._mark = b""  # what the file held before that place
        self._kept = 0  # bytes of events that are to be kept

    def read(self) -> Iterator[dict[str, Any]]:
        """Events written since; a line still being written waits, one torn by a power cut is passed over.

        Where the file is gone, or is not the one that was read before, a REPLACED comes first: what was read is of a
        run that is no more. A part of the file at a time is in memory, and no more epochs are told than a history.json
        may hold: the file may be a stranger's.
        """
        text = self._read_on()
        if text is None:
            self._place, self._mark, self._kept = 0, b"", 0
            yield {"event": REPLACED, "time": time.time()}
            text = self._read_on()
        while text:
            before = self._place
            yield from self._events(text)
            text = self._read_on() if self._place > before else None

    def _read_on(self) -> bytes | None:
        """What came since; None where that is no longer the file that was read."""
        try:
            text = read_on(self.path, self._place - len(self._mark), min(self._place + PART, LARGEST_LOG))
        except GenlibError:  # not begun, or deleted meanwhile
            return None if self._mark else b""
        return text.removeprefix(self._mark) if text.startswith(self._mark) else None

    def _events(self, text: bytes) -> list[dict[str, Any]]:
        whole = text[: text.rfind(b"\n") + 1] or (text if len(text) > LONGEST_LINE else b"")
        self._place += len(whole)
        self._mark = (self._mark + whole)[-MARK:]
        return [event for line in whole.splitlines() if (event := _parse(line)) and self._has_room(event, line)]

    def _has_room(self, event: dict[str, Any], line: bytes) -> bool:
        self._kept += len(line) if event["event"] in _KEPT else 0
        return event["event"] not in _KEPT or self._kept <= LARGEST_JSON


_FIELDS: dict[str, dict[str, Kind]] = {  # of each event, as `genlib.training.events` has them
    "Started": {"step": WHOLE, "epochs": WHOLE, "steps_per_epoch": WHOLE},
    "Step": {"step": WHOLE, "epoch": WHOLE, "losses": optional(table_of(NUMBER))},
    "Measuring": {"share": SHARE},
    "Preparing": {"share": SHARE},
    "EpochDone": {"record": RECORD},
    "SamplesWritten": {"epoch": whole(1, MOST_EPOCHS), "path": TEXT},
    "Checkpointed": {"step": WHOLE},
    "Done": {"metrics": TABLE},
}
_KEPT = ("EpochDone", "SamplesWritten")  # which whoever follows a run keeps, all others' place being taken by the next


def _parse(line: bytes) -> dict[str, Any]:
    """The event of a line; empty where it is none."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(event, dict) or misfit(event, {"event": TEXT, "time": NUMBER}, ("event", "time")):
        return {}
    fields = _FIELDS.get(event["event"], {})
    return {} if misfit(event, fields, fields) else event


@dataclass
class Progress:
    """Where a run stands, event by event."""

    step: int = 0
    epochs: int = 0
    steps_per_epoch: int = 0
    losses: dict[str, float] = field(default_factory=dict)  # mean of the epoch under way
    records: dict[int, dict[str, Any]] = field(default_factory=dict)  # of finished epochs, as history.json has them
    samples: dict[int, str] = field(default_factory=dict)  # pictures by epoch, within the run directory
    measuring: float | None = None  # the share that is done where the run measures itself
    preparing: float | None = None  # and where it asks the model that it stands on
    times: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=1_000))  # recent, and their steps

    @property
    def total(self) -> int:
        """Steps of the whole run; 0 before it has begun."""
        return self.epochs * self.steps_per_epoch

    @property
    def epoch(self) -> int:
        """The epoch under way, counted from 1."""
        return min(self.step // max(self.steps_per_epoch, 1) + 1, self.epochs)

    @property
    def seconds_left(self) -> float | None:
        """Of training, at the speed of the last minutes; None while too little was seen of it."""
        if len(self.times) < 2 or not self.total:
            return None
        (began, first), (now, last) = self.times[0], self.times[-1]
        if now - began < MEASURED or last <= first:
            return None
        return (self.total - self.step) * (now - began) / (last - first)

    def take(self, event: dict[str, Any]) -> None:
        """Go on by one event of an EventReader."""
        if event["event"] == REPLACED:
            vars(self).update(vars(Progress()))
            return
        self.measuring = event["share"] if event["event"] == "Measuring" else None
        self.preparing = event["share"] if event["event"] == "Preparing" else None
        if event["event"] == "Started":
            self._start(event)
        elif event["event"] == "Step":
            self.losses = event["losses"] or {}
            self._reach(event["step"], event["time"])
        elif event["event"] == "EpochDone" and event["record"]["epoch"] <= MOST_EPOCHS:
            self.records[event["record"]["epoch"]] = event["record"]
            self._reach(event["record"]["epoch"] * self.steps_per_epoch, event["time"])
        elif event["event"] == "SamplesWritten":
            self.samples[event["epoch"]] = event["path"]

    def _start(self, event: dict[str, Any]) -> None:
        """Begin, or begin again from a checkpoint: what came after it did not happen."""
        self.step, self.epochs, self.steps_per_epoch = event["step"], event["epochs"], event["steps_per_epoch"]
        done = self.step // max(self.steps_per_epoch, 1)
        self.records = {epoch: record for epoch, record in self.records.items() if epoch <= done}
        self.samples = {epoch: path for epoch, path in self.samples.items() if epoch <= done}
        self.times.clear()
        self.times.append((event["time"], self.step))

    def _reach(self, step: int, moment: float) -> None:
        self.step = step
        if self.times and moment < self.times[-1][0]:  # the clock was set back
            self.times.clear()
        self.times.append((moment, step))
        while moment - self.times[0][0] > WINDOW_SECONDS:
            self.times.popleft()


class Follower:
    """A run's events as far as they were read, for any number of threads."""

    def __init__(self, directory: Path) -> None:
        self._reader, self._progress, self._lock = EventReader(directory), Progress(), threading.Lock()

    def now(self) -> Progress:
        """Where the run stands now; what comes later does not change it."""
        with self._lock:
            for event in self._reader.read():
                self._progress.take(event)
            known = self._progress
            return replace(known, records=dict(known.records), samples=dict(known.samples), times=known.times.copy())


def read_progress(directory: Path) -> Progress:
    """Where a run stands now."""
    return Follower(directory).now()
