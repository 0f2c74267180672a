"""One training run as the queue sees it: its state, its worker's start and how it ended."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from genlib.errors import GenlibError, without_places
from genlib.io.fields import NUMBER, TEXT, Kind, misfit, optional, whole
from genlib.io.files import may_look_into, read_json, read_on, within, write_json
from genlib.io.locks import is_held
from genlib.zoo.files import (
    METRICS_FILE,
    RUN_FILE,
    SAID_OF_EACH,
    SAMPLES,
    has_checkpoint,
    read_described,
    read_metrics,
    read_run,
)

STOPPING = ("pausing", "cancelling")  # states of a worker that was asked to end
WORKING = ("running", *STOPPING)  # states with a worker
RESTING = ("paused", "cancelled", "failed")  # states that can be resumed
STATES = ("queued", *WORKING, *RESTING, "done")
UNHEARD = "it did not stop when it was asked to, and was killed"
EVENTS = "events.jsonl"
UNTOUCHED = 0.0  # its time of change from a worker's start to the worker's first event
LOCK_SECONDS = 5.0  # a worker that has written its end down takes a moment to leave
LOG_BYTES = 8_000  # of the end of a log, which are shown
LINE = 1_000  # characters of a line of it that are looked through
FULL_BYTES = 5_000_000  # free space that leaves no room for a checkpoint
_NOT_KEPT = ("directory", "preset", "config", "by_hand")  # fields of a job that job.json has not
NO_ROOM = tuple(os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


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
    by_hand: bool = False  # never written down: whether the command line, not a worker, trains a run of the queue now

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
        """The end of what its newest worker printed, less the places on this machine that it names."""
        try:
            end = read_on(within(self.directory, "log.txt"), -LOG_BYTES)
        except GenlibError:
            return ""
        text = end.decode("utf-8", "replace").replace(str(self.directory), self.id)
        lines = text.splitlines()[1 if len(end) == LOG_BYTES else 0 :]  # the first may be cut, and a place in it too
        return "\n".join(without_places(line[:LINE]) for line in lines[-20:])

    @property
    def managed(self) -> bool:
        """Whether it is in the queue, rather than trained from the command line."""
        return not self.by_hand and (self.directory / "job.json").is_file()

    def save(self) -> Job:
        """Write job.json."""
        kept = {key: value for key, value in vars(self).items() if key not in _NOT_KEPT}
        try:
            write_json(self.directory / "job.json", kept)
        except GenlibError as error:
            raise GenlibError(without_places(str(error))) from error
        return self

    def become(self, state: str, reason: str = "", **changes: Any) -> Job:
        """The job in another state from now on, saved."""
        return replace(self, state=state, reason=reason, since=time.time(), **changes).save()


def read_job(directory: Path) -> Job | None:
    """The job of a run's directory; None where it holds no run. One with damaged files has failed for that reason."""
    if not may_look_into(directory):  # another user's, or deleted while we look
        return None
    try:
        known = _object(directory / "job.json")
        if known is None and not (directory / RUN_FILE).is_file():
            return None
        described = _known(directory, known or {})
        job = _gone_on_with(described) if described else _found(directory)
    except OSError:  # deleted while we look
        return None
    try:
        run = read_run(directory)
    except GenlibError as error:  # what trains comes to its end, and what is done is still a model
        return replace(job, state=job.state if job.state in (*WORKING, "done") else "failed", reason=_damage(error))
    try:
        _check_finished(job)
    except GenlibError as error:
        return replace(job, state="failed", reason=_damage(error))
    samples = run.get("samples")
    return replace(job, preset=run["preset"], config=run["config"], samples=job.samples or (samples and tuple(samples)))


def _check_finished(job: Job) -> None:
    """GenlibError where a file of a run that is done is damaged."""
    if job.state == "done":
        read_metrics(job.directory, SAID_OF_EACH)
        read_described(job.directory)


def _damage(error: GenlibError) -> str:
    return f"its files are damaged: {without_places(str(error))}; delete the run"


def _object(path: Path) -> dict[str, Any] | None:
    """A JSON object, empty where it is damaged; None where there is no such file."""
    if not path.is_file():
        return None
    with suppress(GenlibError):
        return read_json(path)
    return {}


def _known(directory: Path, known: dict[str, Any]) -> Job | None:
    """The job that job.json describes; None where it makes no sense."""
    if not known.keys() <= _KINDS.keys() or misfit(known, _KINDS, ("state",)):
        return None
    samples = known.pop("samples", None)
    return Job(directory, "", {}, samples=samples and (samples[0], samples[1]), **known)


_BY_TYPE = {str: TEXT, float: NUMBER, int: whole(0, 2**31 - 1)}
_KINDS = {field.name: _BY_TYPE[type(field.default)] for field in fields(Job) if type(field.default) in _BY_TYPE}
_KINDS |= {"state": Kind("a state", lambda value: value in STATES), "samples": optional(SAMPLES)}
_KINDS |= {"threads": whole(0, 4096)}  # which are made


def _gone_on_with(job: Job) -> Job:
    """A run as its files have it: the command line may have gone on with it, ended or extended it since job.json was
    written."""
    figures = job.directory / METRICS_FILE
    if figures.is_file():
        return replace(job, state="done", reason="", since=figures.stat().st_mtime) if job.state in RESTING else job
    told = _last_event(job)
    if job.state not in WORKING and told > job.since and is_held(job.directory):  # who is leaving writes no more
        return replace(job, state="running", reason="", since=told, by_hand=True)
    return replace(job, state="paused") if job.state == "done" else job


def _found(directory: Path) -> Job:
    """A job by its files: one that was started from the command line, or whose job.json is damaged."""
    job = Job(directory, "", {}, "paused", directory.stat().st_mtime)
    if (directory / METRICS_FILE).is_file():
        return _gone_on_with(job)
    if is_held(directory):
        return replace(job, state="running")
    lost = "its job.json, which says how far it was, is damaged"
    return replace(job, state="failed", reason=lost) if job.managed else job


def is_abandoned(job: Job) -> bool:
    """Whether no worker is left of a job that should have one."""
    return job.state in WORKING and job.managed and not is_held(job.directory)


def as_is(job: Job) -> Job:
    """The job with the end of its worker seen, should no one have written that down yet."""
    with suppress(OSError):  # it is deleted while we look
        return ended(job, None) if is_abandoned(job) else job
    return job


def waiting(jobs: list[Job]) -> list[Job]:
    """Jobs that could be started, the longest waiting first; one that the command line trains cannot."""
    free = [job for job in jobs if job.state == "queued" and not is_held(job.directory)]
    return sorted(free, key=lambda job: job.since)


def has_begun(job: Job) -> bool:
    """Whether its worker has written an event since it was started, whatever the clock was set to meanwhile."""
    return _last_event(job) > UNTOUCHED


def _last_event(job: Job) -> float:
    """When the last event was written, in unix time; 0 where none was since a worker's start."""
    with suppress(OSError):
        return (job.directory / EVENTS).stat().st_mtime
    return UNTOUCHED


def elapsed(job: Job) -> float:
    """Seconds since a job came into its state. Once this process has seen it there, no setting of the clock counts."""
    now, state = time.monotonic(), (job.state, job.since)
    known = _seen.get(job.directory)
    if known is None or known[0] != state:
        known = _seen[job.directory] = (state, max(0.0, time.time() - job.since), now)
    return known[1] + now - known[2]


_seen: dict[Path, tuple[tuple[str, float], float, float]] = {}  # state, seconds in it at first sight, that moment


def ended(job: Job, code: int | None) -> Job:
    """A job whose worker is no more, in the state in which that has left it; `code` is None where not known."""
    spent = job.seconds
    if job.state == "running":
        here = elapsed(job)
        spent += here if code is not None else max(0.0, min(here, _last_sign(job) - job.since))
    state, reason = _outcome(job, code)
    return replace(job, state=state, reason=reason, seconds=spent, since=time.time(), process=0)


def _last_sign(job: Job) -> float:
    """When a worker that was killed was last seen at work, in unix time."""
    written = [job.directory / name for name in (EVENTS, "log.txt")]
    return max((path.stat().st_mtime for path in written if path.is_file()), default=job.since)


def _outcome(job: Job, code: int | None) -> tuple[str, str]:
    """State and reason."""
    if (job.directory / METRICS_FILE).is_file():
        return "done", ""
    if job.state == "running" and not job.process and not has_begun(job):  # who had written that it runs was killed
        return "queued", ""
    if job.state == "cancelling":
        return ("failed", job.reason) if job.reason else ("cancelled", "")
    unsaid = code in (None, -signal.SIGTERM) and not _told(job)  # it was asked to stop, and had nothing to save yet
    if code == 0 or (job.state == "pausing" and unsaid):
        return "paused", job.reason
    if job.state == "pausing" and code == -signal.SIGKILL:
        return "paused", "; ".join(filter(None, [job.reason, UNHEARD]))
    return "failed", _why(job, code)


def _told(job: Job) -> str:
    """What the training itself gave as the reason of its end; empty where it did not."""
    told = [line for line in job.log.splitlines() if line.startswith("genlib: ")]
    return told[-1].removeprefix("genlib: ")[:500] if told else ""


def _why(job: Job, code: int | None) -> str:
    """Why a worker ended that should not have, in one line."""
    told, lines = _told(job), [line for line in job.log.splitlines() if line.strip()]
    last = told or (lines[-1][:300] if lines else f"the training ended with status {code}")
    full = not told and shutil.disk_usage(job.directory).free < FULL_BYTES
    if full or any(text in last for text in NO_ROOM):
        return "the disk has no room left" + ("; the last checkpoint is kept" if has_checkpoint(job.directory) else "")
    if told:
        return told
    if code is None:
        return "the training ended without a word: it was killed, or the machine stopped"
    if code == -signal.SIGKILL:
        return "the training was killed; mostly that means that the machine ran out of memory"
    return f"the training was ended by signal {-code}" if code < 0 else last


def run_number(name: str) -> int:
    """The number at the end of a run's name, 0 where it has none: a run of the command line, or a name of its own."""
    found = re.search(r"-run-([0-9]{1,12})$", name)
    return int(found[1]) if found else 0
