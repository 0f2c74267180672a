"""The whole zoo's training as a terminal shows it: a line as each run starts and ends, and one bar."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from tqdm import tqdm

from genlib.cli.terminal import signals_noted
from genlib.data import FashionMNIST
from genlib.errors import GenlibError
from genlib.jobs.queue import FOLLOW_SECONDS
from genlib.jobs.run import RESTING, Job
from genlib.jobs.zoo import ACTIVE, ZooTraining
from genlib.training.progress import Follower, Progress
from genlib.zoo.files import read_metrics
from genlib.zoo.signs import to_mind


def follow_zoo(zoo: ZooTraining) -> None:
    """Train the zoo, drawing its progress. SIGTERM and Ctrl-C pause it with checkpoints; a second one does not wait.

    Raises GenlibError, which names them, where runs have ended without being done.
    """
    if not FashionMNIST.available("train"):  # fetched once, before several workers would
        FashionMNIST.load("train", progress=lambda line: print(line, file=sys.stderr))
    bar = tqdm(total=len(zoo.configs), bar_format="{bar} {desc}", dynamic_ncols=True, disable=None, leave=False)
    with signals_noted() as asked, bar:
        screen = _Screen(zoo, bar)
        for name in zoo.configs:
            if not asked:
                screen.enlist(name)
        screen.tell_queued()
        while screen.update() and not asked:
            time.sleep(FOLLOW_SECONDS)
        if asked and screen.is_active:
            screen.say("stopping after a checkpoint (Ctrl-C again does not wait for it)")
            while zoo.pause() and len(asked) < 2:
                time.sleep(FOLLOW_SECONDS)
            screen.update(("done", "failed"))
    screen.conclude(bool(asked))


class _Screen:
    """What was told of each run so far."""

    def __init__(self, zoo: ZooTraining, bar: tqdm) -> None:
        self.zoo, self.bar = zoo, bar
        self.states: dict[str, str] = {}  # by preset, as last told
        self._queued: list[str] = []
        self._followed: dict[str, Follower] = {}

    @property
    def is_active(self) -> bool:
        """Whether a run still waits or trains."""
        return any(state in ACTIVE for state in self.states.values())

    @property
    def done(self) -> list[str]:
        """The presets whose run is done."""
        return [name for name, state in self.states.items() if state == "done"]

    def say(self, line: str) -> None:
        """Progress goes to stderr, above the bar; results go to stdout."""
        self.bar.write(line, file=sys.stderr)

    def enlist(self, name: str) -> None:
        """Queue a preset or find its run, and tell which."""
        try:
            found = self.zoo.enlist(name)
        except GenlibError as error:
            self.states[name] = "not queued"
            self.say(f"{name} cannot be queued: {error}")
            return
        self.states[name] = "done" if found and found.state == "done" else "queued"
        if found is None or found.state == "queued":
            self._queued.append(name)
        elif found.state == "done":
            self._tell_result(f"{name} is trained already, in {found.name}", found)
        elif found.state in RESTING:
            self.say(f"{name} goes on in {found.name}, which was {found.state}{_because(found)}")

    def tell_queued(self) -> None:
        """One line for all: there may be many."""
        if self._queued:
            self.say(f"queued: {', '.join(self._queued)}")

    def update(self, telling: Sequence[str] = ("running", "done", *RESTING)) -> bool:
        """Tell which runs have come into one of these states, draw the bar; whether a run still waits or trains."""
        jobs = self.zoo.jobs()
        for name, job in jobs.items():
            if self.states[name] != job.state and job.state in telling:
                self._tell(name, job)
            self.states[name] = job.state
        for name in self.states.keys() - jobs.keys():
            if self.states[name] != "not queued":
                self.states[name] = "deleted"
        self._draw({name: job for name, job in jobs.items() if job.state == "running"})
        return self.is_active

    def _tell(self, name: str, job: Job) -> None:
        if job.state == "done":
            self._tell_result(f"{job.name} holds the trained {name}", job)
        elif job.state == "running":
            self.say(f"{name} trains as {job.name}")
        else:
            self.say(f"{name} {'failed' if job.state == 'failed' else f'is {job.state}'}{_because(job)}")

    def _tell_result(self, line: str, job: Job) -> None:
        self.bar.write(f"{line}{_distance(job)}", file=sys.stdout)
        sys.stdout.flush()
        for sign in to_mind(job.directory):
            self.say(f"genlib: mind: {sign}")

    def _draw(self, running: dict[str, Job]) -> None:
        shares, texts = float(len(self.done)), [f"{len(self.done)} of {len(self.zoo.configs)} done"]
        for name, job in running.items():
            progress = self._followed.setdefault(job.id, Follower(job.directory)).now()
            shares += progress.step / max(progress.total, 1)
            texts.append(_where(name, progress))
        self.bar.n = shares
        self.bar.set_description_str("; ".join(texts))

    def conclude(self, stopped: bool) -> None:
        """The last line. Raises GenlibError where runs have ended without being done."""
        done, total = len(self.done), len(self.zoo.configs)
        if stopped and done < total:
            print(f"stopped with {done} of {total} trained; the same command continues", file=sys.stderr)
            return
        print(f"{done} of {total} trained; they are in {self.zoo.queue.directory}", flush=True)
        rest = [f"{name} ({state})" for name, state in self.states.items() if state != "done"]
        if rest:
            raise GenlibError(f"not trained: {', '.join(rest)}; the same command continues with them")


def _where(name: str, progress: Progress) -> str:
    if not progress.total:
        return f"{name} begins"
    if progress.step >= progress.total:
        return f"{name} is measured"
    left = progress.seconds_left
    told = "" if left is None else f", {tqdm.format_interval(left)} left"
    return f"{name} epoch {progress.epoch} of {progress.epochs}{told}"


def _because(job: Job) -> str:
    return f": {job.reason}" if job.reason else ""


def _distance(job: Job) -> str:
    with suppress(GenlibError):  # deleted while we look
        return f": Frechet distance {read_metrics(job.directory, ('fd',))['fd']:.2f}"
    return ""
