"""The processes of the runs' workers: started, known again, signalled."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from genlib.errors import GenlibError
from genlib.io.locks import INHERITED, acquire
from genlib.io.processes import has_open
from genlib.jobs.run import EVENTS, LOCK_SECONDS, UNTOUCHED, Job
from genlib.threads import spinning_less

_children: list[subprocess.Popen[bytes]] = []  # kept until they have ended, or they would stay as zombies


def is_worker(job: Job) -> bool:
    """Whether a job's process group is still its worker's: the worker and its training hold the run's lock."""
    return bool(job.process) and has_open(job.process, job.directory)


def signal_worker(job: Job, number: int) -> None:
    """Send a signal to a job's worker and its training, if those are still there."""
    if is_worker(job):
        with suppress(ProcessLookupError, PermissionError):  # it has ended; a stranger has its number
            os.killpg(job.process, number)


def launch(job: Job, place: int) -> None:
    """Start a worker, which inherits the lock of its run's directory; one that is locked already waits on.

    The state is written first: where there is no room for that, nothing starts.
    """
    lock = acquire(job.directory, LOCK_SECONDS)
    if lock is None:
        return
    threads = job.threads or max(1, _cores() - 1)  # leaves a core to whoever looks
    try:
        with suppress(OSError):  # it has written none yet
            os.utime(job.directory / EVENTS, (UNTOUCHED, UNTOUCHED), follow_symlinks=False)
        job = job.become("running", threads=threads, place=place)
        child = _start(job, lock)
        with suppress(GenlibError):  # the worker writes it down too
            replace(job, process=child.pid).save()
    except OSError as error:
        job.become("failed", f"the worker could not be started: {error.strerror}")
    finally:
        os.close(lock)


def _start(job: Job, lock: int) -> subprocess.Popen[bytes]:
    (job.directory / "log.txt").unlink(missing_ok=True)  # which might be a link, or a pipe that waits for a reader
    with open(job.directory / "log.txt", "xb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "genlib.jobs.worker", str(job.directory)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(job),
            pass_fds=[lock],
            start_new_session=True,
        )
    _children.append(child)
    return child


def _environment(job: Job) -> dict[str, str]:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(job.threads))
    quiet = {"TQDM_DISABLE": "1", INHERITED: str(job.directory.resolve())}
    return {**python_environment(), **threads, **spinning_less(), **quiet}


def python_environment() -> dict[str, str]:
    """The environment of a Python that finds this very package, once, wherever it is started."""
    package = str(Path(__file__).resolve().parents[2])
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != package]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([package, *paths])}


def _cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def reap() -> None:
    """Let go of workers of this process that have ended."""
    _children[:] = [child for child in _children if child.poll() is None]


def gpus() -> list[str]:
    """The NVIDIA GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them; found without loading torch."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [name.strip() for name in chosen.split(",") if name.strip() not in ("", "-1")]
    return [str(number) for number, _ in enumerate(Path("/proc/driver/nvidia/gpus").glob("*"))]
