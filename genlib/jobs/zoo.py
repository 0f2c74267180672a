"""The whole zoo's training: each preset a run of the queue, so that it outlives the program which asked for it.

Nothing is kept but the runs themselves. What is to be done is seen from them every time: a preset whose run is done is
left alone, one whose run rests goes on, one whose run waits or trains is joined, and the others are queued.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields, replace
from math import inf
from pathlib import Path

from genlib.config import Config
from genlib.errors import GenlibError
from genlib.io.locks import locked
from genlib.jobs.limits import Limits
from genlib.jobs.queue import BUSY, PATIENCE_SECONDS, Queue
from genlib.jobs.run import RESTING, STOPPING, WORKING, Job
from genlib.models import get_preset, presets
from genlib.training.run import sample_counts
from genlib.zoo.catalogue import list_models

ACTIVE = ("queued", *WORKING)
BEST_FIRST = ("done", "running", "queued", "pausing", "cancelling", "paused", "failed", "cancelled")


def zoo_configs(settings: Mapping[str, str]) -> dict[str, Config]:
    """Every preset's own configuration by its name, with some of the fields that all have given as text.

    In the order of training: those first whose shipped weights took the least time, those not yet shipped last. No
    run needs another's outcome: a mixture's encoder is the shipped one (`genlib.models.latent_mixture`).
    """
    common = [field.name for field in fields(Config)]
    for key in settings:
        if key not in common:
            raise GenlibError(f"--all changes only what every preset has, {' and '.join(common)}, not {key[:40]!r}")
    known = {model["name"]: (model["metrics"] or {}).get("train_seconds") for model in list_models()}
    seconds = {name: inf if measured is None else measured for name, measured in known.items()}
    names = sorted(presets(), key=lambda name: seconds[name])
    return {name: presets()[name].config.parse(dict(settings)) for name in names}


def host_queue() -> Queue:
    """The queue as the host itself fills it, past the length that is set for visitors.

    The zoo is longer than that length's default. Adding runs as room comes would keep the length, but the zoo's
    training would end with the program that adds them.
    """
    return Queue(limits=replace(Limits.from_environment(), queue=sys.maxsize))


class ZooTraining:
    """Presets' trainings in a queue: begun or gone on with, seen, and stopped together.

    `samples` are the counts of `train`'s `distance_samples` and `evaluation_samples`, None for the usual ones. A run
    with others is another run.
    """

    def __init__(
        self,
        configs: Mapping[str, Config],
        queue: Queue | None = None,
        samples: tuple[int | None, int | None] = (None, None),
    ) -> None:
        self.configs, self.queue, self.samples = configs, queue or host_queue(), samples
        self._ids: dict[str, str] = {}  # of the runs, by preset
        self._stopping: set[str] = set()  # presets whose run someone stops: it goes on once it rests
        self._asked: set[str] = set()  # runs that were told to pause

    def enlist(self, name: str) -> Job | None:
        """See to it that a preset's run trains or is done; the run as it was found, None where there was none.

        Two programs that do so at once find the same run. Raises GenlibError where a run cannot be queued.
        """
        with locked(self._place(), PATIENCE_SECONDS, BUSY):
            found = self._find(name)
            if found is None:
                job = self.queue.submit(name, vars(self.configs[name]), samples=self._counts(name))
            elif found.state in RESTING:
                job = self.queue.resume(found.id)
            else:
                job = found
        self._ids[name] = job.id
        if job.state in STOPPING:
            self._stopping.add(name)
        return found

    def jobs(self) -> dict[str, Job]:
        """The enlisted runs by preset, the queue having moved on; one that was deleted is missing."""
        known = {job.id: job for job in self.queue.jobs()}
        found = {name: known[job_id] for name, job_id in self._ids.items() if job_id in known}
        for name in [name for name in self._stopping if name in found and found[name].state not in WORKING]:
            self._stopping.discard(name)
            with suppress(GenlibError):  # it rests, then, and that is told
                self.enlist(name)
                found[name] = self.queue.get(self._ids[name])
        return found

    def pause(self) -> list[Job]:
        """Ask each run to stop with a checkpoint, once; returns those yet to rest. To be called until there are none.

        A run that is trained from the command line, and was joined, goes on.
        """
        self._stopping.clear()
        for job in sorted(self._active(), key=lambda job: job.state != "queued"):  # these would start in others' places
            if job.state in ("queued", "running"):
                with suppress(GenlibError):  # the queue is busy, or the run is just being started: the next call asks
                    self.queue.pause(job.id)
                    self._asked.add(job.id)
        return self._active()

    def _place(self) -> Path:
        """A directory to lock. The queue's own lock is taken again by each of its methods."""
        place = self.queue.directory / ".zoo"
        try:
            place.mkdir(exist_ok=True)
        except OSError as error:
            raise GenlibError(f"cannot make {place}: {error.strerror}") from error
        return place

    def _active(self) -> list[Job]:
        """The queue's runs that have yet to rest. One that was paused and that another has taken up again is his."""
        jobs = [job for job in self.jobs().values() if job.managed and job.state in ACTIVE]
        return [job for job in jobs if job.id not in self._asked or job.state in STOPPING]

    def _find(self, name: str) -> Job | None:
        """The run of a preset with our configuration that is furthest, of several the newest."""
        found = [job for job in reversed(self.queue.jobs()) if self._is_same(job, name)]
        return min(found, key=lambda job: BEST_FIRST.index(job.state), default=None)

    def _is_same(self, job: Job, name: str) -> bool:
        """Whether a run is one of ours. A visitor's is, unless his minutes may end it before it is done."""
        if job.preset != name or (job.owner and self.queue.limits.minutes and job.state != "done"):
            return False
        config = self.configs[name]
        with suppress(GenlibError):  # of another version, or damaged
            samples = job.samples or sample_counts(get_preset(name))
            return samples == self._counts(name) and type(config).from_dict(job.config) == config
        return False

    def _counts(self, name: str) -> tuple[int, int]:
        """Samples of its distances, during and after the training."""
        return sample_counts(get_preset(name), *self.samples)
