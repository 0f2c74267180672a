"""One training run as the queue sees it: its state, its worker's start and how it ended."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genlib.errors import GenlibError
from genlib.files import read_json, write_json
from genlib.locks import INHERITED, acquire, is_held

WORKING = ("running", "pausing", "cancelling")  # states with a worker
RESTING = ("paused", "cancelled", "failed")  # states that can be resumed
FULL_BYTES = 5_000_000  # free space that leaves no room for a checkpoint
_children: list[subprocess.Popen[bytes]] = []  # kept until they have ended, or they would stay as zombies


@dataclass(frozen=True)
class Job:
    """A run as the queue sees it.

    State: queued, running, pausing, paused, cancelling, cancelled, done or failed.
    """

    directory: Path
    preset: str
    config: dict[str, Any]
    state: str
    since: float = 0.0  # unix time at which it came into its state
    reason: str = ""  # one line: why it failed, or was stopped
    owner: str = ""  # of the visitor who submitted it; empty for the host's own
    seconds: float = 0.0  # a worker has spent on it before `since`
    process: int = 0  # group of the worker's processes; 0 where it has none
    place: int = 0  # among those that train at the same time: the number of its GPU, where there are some
    threads: int = 0  # a resumed run is the same to the byte only with as many as it began with
    samples: tuple[int, int] | None = None  # of the Frechet distance while training and of the evaluation

    @property
    def id(self) -> str:
        """The name of its directory."""
        return self.directory.name

    @property
    def name(self) -> str:
        """By which `load` and the studio know the model."""
        return f"runs/{self.id}"

    @property
    def log(self) -> str:
        """The end of what its worker printed."""
        try:
            text = (self.directory / "log.txt").read_text("utf-8", "replace")
        except OSError:
            return ""
        return "\n".join(text[-4000:].splitlines()[-20:])

    def save(self) -> Job:
        """Write job.json."""
        kept = {key: value for key, value in vars(self).items() if key not in ("directory", "preset", "config")}
        write_json(self.directory / "job.json", kept)
        return self

    def become(self, state: str, reason: str = "", **changes: Any) -> Job:
        """The job in another state from now on, saved."""
        return replace(self, state=state, reason=reason, since=time.time(), **changes).save()


def read_job(directory: Path) -> Job | None:
    """The job of a run's directory; None where it holds no run, or one that cannot be read."""
    try:
        run = read_json(directory / "run.json")
        known = read_json(directory / "job.json") if (directory / "job.json").is_file() else _unmanaged(directory)
        samples = known.pop("samples", None)
        return Job(directory, run["preset"], run["config"], samples=samples and tuple(samples), **known)
    except (GenlibError, KeyError, TypeError):
        return None


def _unmanaged(directory: Path) -> dict[str, Any]:
    """State of a run that was started from the command line."""
    if (directory / "metrics.json").is_file():
        return {"state": "done", "since": (directory / "metrics.json").stat().st_mtime}
    return {"state": "running" if is_held(directory) else "paused", "since": directory.stat().st_mtime}


def reap() -> None:
    """Let go of workers of this process that have ended."""
    _children[:] = [child for child in _children if child.poll() is None]


def gpus() -> list[str]:
    """The NVIDIA GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them; found without loading torch."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [name.strip() for name in chosen.split(",") if name.strip() not in ("", "-1")]
    return [str(number) for number, _ in enumerate(Path("/proc/driver/nvidia/gpus").glob("*"))]


def is_abandoned(job: Job) -> bool:
    """Whether no worker is left of a job that should have one."""
    return bool(job.process) and not is_held(job.directory)


def has_begun(job: Job) -> bool:
    """Whether its worker has written an event since it was started."""
    with suppress(OSError):
        return (job.directory / "events.jsonl").stat().st_mtime >= job.since
    return False


def launch(job: Job, place: int) -> None:
    """Start a worker, which inherits the lock of its run's directory; one that is locked already waits on."""
    lock = acquire(job.directory)
    if lock is None:
        return
    threads = job.threads or max(1, _cores() - 1)  # leaves a core to whoever looks
    job = job.become("running", threads=threads, place=place)
    try:
        with open(job.directory / "log.txt", "ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "genlib.worker", str(job.directory)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(job),
                pass_fds=[lock],
                start_new_session=True,
            )
        _children.append(child)
        replace(job, process=child.pid).save()
    except OSError as error:
        job.become("failed", f"the worker could not be started: {error.strerror}")
    finally:
        os.close(lock)


def _environment(job: Job) -> dict[str, str]:
    package = str(Path(__file__).resolve().parent.parent)
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(job.threads))
    ours = {"TQDM_DISABLE": "1", "PYTHONPATH": os.pathsep.join(paths), INHERITED: str(job.directory)}
    return {**os.environ, **threads, **ours}


def _cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ended(job: Job, code: int | None) -> Job:
    """A job whose worker is no more, in the state in which that has left it; `code` is None where not known."""
    spent = job.seconds
    if job.state == "running":
        log = job.directory / "log.txt"
        last = log.stat().st_mtime if code is None and log.is_file() else time.time()
        spent += max(0.0, last - job.since)
    if (job.directory / "metrics.json").is_file():
        state, reason = "done", ""
    elif job.state == "cancelling":
        state, reason = "failed" if job.reason else "cancelled", job.reason
    elif job.state == "pausing" or code == 0:
        state, reason = "paused", job.reason
    else:
        state, reason = "failed", _why(job, code)
    return replace(job, state=state, reason=reason, seconds=spent, since=time.time(), process=0)


def _why(job: Job, code: int | None) -> str:
    """Why a worker ended that should not have, in one line that names no place on this machine."""
    if shutil.disk_usage(job.directory).free < FULL_BYTES:
        return "the disk is full; the last checkpoint is kept"
    if code is None:
        return "the training ended without a word: it was killed, or the machine stopped"
    if code == -signal.SIGKILL:
        return "the training was killed; mostly that means that the machine ran out of memory"
    if code < 0:
        return f"the training was ended by signal {-code}"
    lines = [line for line in job.log.splitlines() if line.strip()]
    told = [line.removeprefix("genlib: ") for line in lines if line.startswith("genlib: ")]
    line = (told or lines or [f"the training ended with status {code}"])[-1]
    return line.replace(str(job.directory), job.id)[:300]
