"""Real workers for tests: started through the queue, watched, stopped where they stand, and killed."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest

from genlib.io.files import write_json
from genlib.io.locks import is_held, locked
from genlib.jobs.process import reap
from genlib.jobs.queue import Queue
from genlib.jobs.run import WORKING, Job
from genlib.training.progress import EventReader

ROOT = Path(__file__).parent.parent
DEADLINE_SECONDS = 900.0  # of a machine with much else to do
POLL_SECONDS = 0.02
SAMPLES = (100, 100)
SMALL: dict[str, Any] = {"width": 4, "latent_size": 2, "batch_size": 1000}  # 60 steps an epoch
ENDLESS = SMALL | {"epochs": 10_000}
FIGURES: dict[str, Any] = {"fd": 5.0, "fd_floor": 0.05, "parameters": 9, "ms_64": 1.0, "train_epochs": 2}

T = TypeVar("T")


def until(look: Callable[[], T], what: str) -> T:
    """What `look` returns once that is true of anything."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (found := look()):
        if time.monotonic() > deadline:
            pytest.fail(f"waited in vain for {what}")
        time.sleep(POLL_SECONDS)
    return found


def submit(queue: Queue, settings: dict[str, Any] = ENDLESS, owner: str = "") -> Job:
    return queue.submit("vae-dense-8", settings, owner, SAMPLES)


def by_hand(queue: Queue, job_id: str, **fields: Any) -> Job:
    """A run in any state, without a worker."""
    directory = queue.directory / job_id
    directory.mkdir()
    job = Job(directory, "vae-dense-8", {}, **fields)
    write_json(directory / "run.json", {"preset": job.preset, "config": job.config})
    if job.state == "done":
        finish(directory)
    return job.save()


def finish(directory: Path) -> None:
    """Just enough of a finished run's files."""
    write_json(directory / "config.json", {"name": "vae-dense-8", "family": "VAE", "config": {}, "sha256": "0" * 64})
    write_json(directory / "metrics.json", FIGURES)


def freeze(job: Job) -> Job:
    """Stop a job's processes where they are: they live, hold their lock, do nothing and hear no SIGTERM.

    Not where they have the queue locked, as for a moment when they begin: nothing would go on then.
    """

    def stands_still() -> bool:
        os.killpg(job.process, signal.SIGSTOP)
        until(lambda: set(_states(job.process)) <= {"T", "Z"}, "the processes to stand still")
        if not is_held(job.directory.parent):
            return True
        os.killpg(job.process, signal.SIGCONT)
        return False

    if job.process:
        until(stands_still, "the queue to be free")
    return job


def _states(group: int) -> list[str]:
    """Of the processes of a group: R, S, T for stopped, ..."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            state, _, number = path.read_text().rpartition(")")[2].split()[:3]
            found += [state] if int(number) == group else []
    return found


def kill(job: Job) -> Job:
    """Kill the worker and the training, as a power cut does; the job as the queue then sees it."""
    kill_group(job.process)
    until(lambda: not is_held(job.directory), f"the end of {job.id}'s processes")
    return next(found for found in Queue(job.directory.parent).jobs() if found.id == job.id)


def end_workers(queue: Queue) -> None:
    """Leave no process behind, and start none."""

    def none_left() -> bool:
        with locked(queue.directory, DEADLINE_SECONDS, "the queue stays locked"):
            reap()
            working = [job for job in queue._read() if is_held(job.directory)]
            for job in working:
                if job.process:
                    kill_group(job.process)
        return not working

    until(none_left, "the end of all workers")


def kill_group(process: int) -> None:
    assert process > 1  # 0 would be this very process's group
    with suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)


def command_lines() -> dict[int, str]:
    """Of every process on this machine, by its number."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has just ended
            found[int(path.parent.name)] = path.read_text("utf-8", "replace").replace("\0", " ").strip()
    return found


def trainer(job: Job) -> int:
    """The process of the training itself, once it is there."""
    wanted = f"-m genlib train {job.preset} --run-dir {job.directory} "
    return until(lambda: [number for number, line in command_lines().items() if wanted in line], "the training")[0]


def checkpoints(reader: EventReader, job: Job, count: int) -> int:
    """Wait until a running job has written so many more checkpoints; the step of the newest."""
    steps: list[int] = []

    def enough() -> bool:
        steps.extend(event["step"] for event in reader.read() if event["event"] == "Checkpointed")
        now = Queue(job.directory.parent).get(job.id)
        assert now.state == "running", f"{now.state}: {now.reason}\n{now.log}"
        return len(steps) >= count

    until(enough, f"{count} checkpoints")
    return steps[-1]


def resting(queue: Queue, job: Job) -> Job:
    """The job once it has come to rest, seen without moving the queue on."""
    return until(lambda: (now := queue.get(job.id)).state not in ("queued", *WORKING) and now, "its end")


@contextmanager
def no_room(size: int = 0) -> Iterator[None]:
    """A full disk without being root: no file may grow beyond `size` bytes, for this process and those it starts."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
