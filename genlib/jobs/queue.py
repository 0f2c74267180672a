"""Training runs in processes of their own, in a queue that outlives the program which looks at it.

A run is a directory, and its job is what job.json says of it. Whoever looks moves the queue on: a studio, a script, or
the worker that has just finished. All of them take the lock of the runs' directory first, so no job starts twice. A
worker holds the lock of its run's directory, so that a job whose lock is free is known to have ended, even when a
power cut left no one to say so.

    from genlib.jobs.queue import Queue

    queue = Queue()
    job = queue.submit("vae-dense-8", {"epochs": 3})
    for event in queue.follow(job.id):
        print(event)
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from genlib.errors import GenlibError, shown, without_places
from genlib.io.fields import TEXT, read_fields, whole
from genlib.io.files import runs_directory, write_json
from genlib.io.locks import locked
from genlib.jobs.limits import Limits
from genlib.jobs.process import gpus, is_worker, launch, reap, signal_worker
from genlib.jobs.room import check_room, megabytes_of, still_to_write
from genlib.jobs.run import (
    LOCK_SECONDS,
    RESTING,
    STOPPING,
    UNHEARD,
    WORKING,
    Job,
    as_is,
    elapsed,
    ended,
    has_begun,
    is_abandoned,
    read_job,
    run_number,
    waiting,
)
from genlib.training.progress import EventReader

START_SECONDS = 600.0  # until a worker must have begun to train
KILL_SECONDS = 15.0  # between asking a worker to stop and making it

BUSY = "the queue of runs is busy; try again"
IN_USE = "{} is in use by another process; try again"
BUSY_SECONDS = 20.0  # of waiting for another process to leave the queue alone
PATIENCE_SECONDS = 300.0  # of a worker, for which no one waits
FOLLOW_SECONDS = 0.5


class Queue:
    """The runs of a directory in the order in which they train.

    `by` is the visitor who asks, None the host itself: a visitor may only touch his own runs, or every visitor's where
    the host shares them. Every method raises GenlibError, in one line, where what was asked for cannot be. The limits
    are those of the environment unless given; the workers, which move the queue on while no one looks, know the
    environment's alone. Those on a visitor's runs, their epochs and their minutes do not bind the host's own, which
    have no owner.
    """

    def __init__(self, directory: str | Path | None = None, limits: Limits | None = None) -> None:
        self.directory = Path(directory or runs_directory()).resolve()
        self.limits = limits or Limits.from_environment()
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise GenlibError(f"cannot make the directory of runs {self.directory}: {error.strerror}") from error

    def jobs(self) -> list[Job]:
        """Every job, the queue having moved on: the oldest first."""
        found = self._read()
        if self._is_due(found):
            with suppress(GenlibError), self._changing():  # where another has the queue now, it sees to that
                pass
            found = self._read()
        return [as_is(job) for job in found]

    def get(self, job_id: str) -> Job:
        """One job as it is."""
        plain = job_id == Path(job_id).name and 0 < len(job_id) <= 200 and not job_id.startswith(".")
        job = read_job(self.directory / job_id) if plain else None
        if job is None:
            raise GenlibError(f"no run {job_id[:60]!r} here")
        return as_is(job)

    def submit(
        self, preset: str, settings: Mapping[str, Any], owner: str = "", samples: tuple[int, int] | None = None
    ) -> Job:
        """Queue a run of a preset with some fields of its configuration changed.

        `samples` are the counts of `train`'s `distance_samples` and `evaluation_samples`.
        """
        from genlib.model import shapes_only
        from genlib.models import get_preset
        from genlib.training.run import check_samples

        self._refuse_off(owner)
        config = get_preset(preset).config.replace(**settings)
        if samples is not None:
            check_samples(*samples)
            if len(samples) != 2:
                raise GenlibError(f"samples takes two counts, not {shown(samples)}")
        with shapes_only():  # refuses layers that do not fit together
            get_preset(preset).build(config)
        if owner and self.limits.epochs and config.epochs > self.limits.epochs:
            raise GenlibError(f"this host trains at most {self.limits.epochs} epochs a run, not {config.epochs}")
        with self._changing():
            self._check_room(owner, lambda: megabytes_of(preset, config.to_dict()))
            job_id = self._keep(preset, config.to_dict(), owner, samples)
        return self.get(job_id)

    def pause(self, job_id: str, by: str | None = None) -> Job:
        """Stop a run where it is, with a checkpoint; a waiting one leaves the queue."""
        with self._changing():
            job = self._taken(job_id, by, "paused", ("queued", "running"))
            return self._stop(job, "pausing") if job.state == "running" else job.become("paused")

    def resume(self, job_id: str, by: str | None = None) -> Job:
        """Queue a run that rests; it goes on from its newest checkpoint."""
        self._refuse_off(by)
        with self._changing():
            job = self._taken(job_id, by, "resumed", RESTING)
            if not job.preset:
                raise GenlibError(f"{job.id} cannot be resumed: {job.reason}")
            self._check_room(None, lambda: still_to_write(job))
            if job.owner and self.limits.minutes and job.seconds >= 60 * self.limits.minutes:
                raise GenlibError(f"{job.id} has trained for the {self.limits.minutes} min that this host allows")
            with locked(job.directory, LOCK_SECONDS, IN_USE.format(job.id)):  # a worker that is leaving has left
                job.become("queued")
        return self.get(job_id)

    def cancel(self, job_id: str, by: str | None = None) -> Job:
        """Stop a run for good; what it has reached stays until it is deleted."""
        with self._changing():
            job = self._taken(job_id, by, "cancelled", ("queued", "running", "pausing"))
            return self._stop(job, "cancelling") if job.state in WORKING else job.become("cancelled")

    def delete(self, job_id: str, by: str | None = None) -> None:
        """Remove a run and all its files."""
        with self._changing():
            self._sweep()  # of that name, too
            job = self._taken(job_id, by, "deleted", ("queued", "done", *RESTING))
            with locked(job.directory, LOCK_SECONDS, IN_USE.format(job.id)):
                try:
                    job.directory.rename(self.directory / f".deleted-{job.id}")
                except OSError as error:
                    raise GenlibError(f"{job.id} cannot be deleted: {error.strerror}") from error
            self._sweep()

    def follow(self, job_id: str) -> Iterator[dict[str, Any]]:
        """The run's events as they come, until it no longer waits or trains."""
        reader = EventReader(self.get(job_id).directory)
        resting = False
        while True:
            yield from reader.read()
            if resting:
                return
            resting = all(job.id != job_id or job.state not in ("queued", *WORKING) for job in self.jobs())
            if not resting:
                time.sleep(FOLLOW_SECONDS)

    def _refuse_off(self, visitor: str | None) -> None:
        if visitor and self.limits.training == "off":
            raise GenlibError("training is switched off on this host")

    def may_touch(self, job: Job, by: str | None) -> bool:
        """Whether a visitor may stop, resume or delete a job; the host's own, which has no owner, never."""
        return by is None or (bool(job.owner) and (self.limits.shared or job.owner == by))

    def begin(self, job_id: str) -> Job:
        """Write down that this process is a job's worker: who started it may have been killed before doing so."""
        with locked(self.directory, PATIENCE_SECONDS, BUSY):
            job = self.get(job_id)
            return job if job.process == os.getpid() else replace(job, process=os.getpid()).save()

    def settle(self, job_id: str, code: int) -> None:
        """Write down how a worker ended, with its exit status, then start what waits."""
        with self._changing(PATIENCE_SECONDS):
            if (job := self.get(job_id)).state in WORKING:
                ended(job, code).save()

    def tend(self, job_id: str) -> Job:
        """Make a worker stop that overruns a limit, never began its work, or did not stop when it was asked to."""
        job = self.get(job_id)
        if self._overrun(job):
            with locked(self.directory, BUSY_SECONDS, BUSY):
                job = self._tend(self.get(job_id))
        return job

    @contextmanager
    def _changing(self, seconds: float | None = None) -> Iterator[None]:
        """Alone with the queue: ended workers are seen to before, waiting jobs start after."""
        with locked(self.directory, BUSY_SECONDS if seconds is None else seconds, BUSY):
            reap()
            for job in self._read():
                with suppress(GenlibError, OSError):  # of a full disk, or a run that is gone: others can be deleted
                    if is_abandoned(job):
                        ended(job, None).save()
                    else:
                        self._tend(job)
            try:
                yield
            finally:
                self._start_waiting()

    def _read(self) -> list[Job]:
        try:
            names = [path.name for path in self.directory.iterdir() if not path.name.startswith(".")]
        except OSError as error:
            raise GenlibError(f"cannot read the directory of runs {self.directory}: {error.strerror}") from error
        found = [read_job(self.directory / name) for name in names if TEXT.fits(name)]
        return sorted((job for job in found if job), key=lambda job: (run_number(job.id), job.id))

    def _taken(self, job_id: str, by: str | None, action: str, states: tuple[str, ...]) -> Job:
        job = self.get(job_id)
        if not self.may_touch(job, by):
            raise GenlibError(f"{job.id} is {'another visitor' if job.owner else 'the host'}'s run")
        if job.state in WORKING and not job.managed:
            raise GenlibError(f"{job.id} is being trained from the command line; stop it there")
        if job.state in WORKING and job.process and not is_worker(job):
            raise GenlibError(f"{job.id} is being trained by a process that is not its worker; stop it there")
        if job.state not in states or (job.state in WORKING and not job.process):
            raise GenlibError(f"{job.id} is {job.state}; it cannot be {action} now")
        return job

    def _check_room(self, owner: str | None, megabytes: Callable[[], float]) -> None:
        check_room(self.directory, self._read(), self.limits, owner, megabytes)

    def _keep(self, preset: str, config: dict[str, Any], owner: str, samples: tuple[int, int] | None) -> str:
        """Make a run's directory, which is there whole or not at all; its id."""
        self._sweep()
        draft = self.directory / ".draft"
        try:
            job_id = f"{preset}-run-{self._new_number()}"
            draft.mkdir()
            counts = {"samples": [*samples]} if samples else {}  # which hold for whoever trains it
            write_json(draft / "run.json", {"preset": preset, "config": config} | counts)
            Job(draft, preset, config, "queued", time.time(), owner=owner, samples=samples).save()
            draft.rename(self.directory / job_id)
        except (OSError, GenlibError) as error:
            raise GenlibError(f"the run cannot be kept: {without_places(str(error))}") from error
        return job_id

    def _new_number(self) -> int:
        """Numbers are not given twice, so that no cache takes a run for another that had its name."""
        counter, last = self.directory / ".counter.json", 0
        with suppress(GenlibError):  # damaged: the runs themselves are numbered too
            last = read_fields(counter, {"last": whole(0, 10**14)}, ("last",))["last"]
        number = max([last, *(run_number(path.name) for path in self.directory.iterdir())]) + 1
        write_json(counter, {"last": number})
        return number

    def _sweep(self) -> None:
        """Remove what is deleted, and what a killed program has left half made."""
        for trash in (*self.directory.glob(".deleted-*"), self.directory / ".draft"):
            if trash.is_symlink():  # to a run that lies elsewhere, and stays there
                with suppress(OSError):
                    trash.unlink()
            shutil.rmtree(trash, ignore_errors=True)

    def _is_due(self, jobs: list[Job]) -> bool:
        """Whether the queue has to be moved on."""
        waits = bool(waiting(jobs)) and bool(self._free(jobs))
        return waits or any(is_abandoned(job) or self._overrun(job) for job in jobs)

    def _start_waiting(self) -> None:
        jobs = self._read()
        for job, place in zip(waiting(jobs), self._free(jobs), strict=False):
            with suppress(GenlibError):  # it waits on until there is room to write down that it runs
                launch(job, place)

    def _free(self, jobs: list[Job]) -> list[int]:
        """Places that no worker has: one a GPU, or one, unless the host says how many."""
        taken = {job.place for job in jobs if job.state in WORKING and job.managed}
        return [place for place in range(self.limits.at_once or max(1, len(gpus()))) if place not in taken]

    def _stop(self, job: Job, state: str) -> Job:
        """Ask a worker to write a checkpoint and end."""
        signal_worker(job, signal.SIGTERM)
        return job.become(state, seconds=job.seconds + elapsed(job))

    def _overrun(self, job: Job) -> str:
        """Why a worker must be made to stop; empty where it need not."""
        why = self._limit_overrun(job) if job.process else ""
        return why if why and is_worker(job) else ""

    def _limit_overrun(self, job: Job) -> str:
        here, minutes = elapsed(job), self.limits.minutes if job.owner else None
        if job.state in STOPPING:  # after its worker, which should have killed it, there is still us
            return "it did not stop" if here > 2 * KILL_SECONDS else ""
        if minutes and job.seconds + here > 60 * minutes:
            return f"stopped after {minutes} min of training, this host's limit"
        if here > START_SECONDS and not has_begun(job):
            return f"the worker did not begin within {START_SECONDS / 60:.0f} minutes"
        return ""

    def _tend(self, job: Job) -> Job:
        why = self._overrun(job)
        if why and job.state in STOPPING:
            if job.state == "pausing":
                job = replace(job, reason="; ".join(filter(None, [job.reason, UNHEARD]))).save()
            signal_worker(job, signal.SIGKILL)
        elif why:
            state = "pausing" if has_begun(job) else "cancelling"
            job = replace(self._stop(job, state), reason=why).save()
        return job
