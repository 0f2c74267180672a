"""Training on a machine rented from Hugging Face Jobs: submitted, followed, and brought home as a run directory.

hf-job.json in the run directory is how the same command finds its job again instead of starting a second one.
"""

from __future__ import annotations

import secrets
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from genlib.errors import GenlibError, in_brief, printable
from genlib.io.locks import locked
from genlib.remote.repository import METRICS, asking, bring_home, is_refusal, send
from genlib.remote.request import (
    COUNTS,
    FLAVOR,
    JOBS,
    LABEL,
    STATE,
    Rental,
    Wanted,
    check_access,
    check_flavor,
    job_request,
    read_rental,
    time_limit,
)
from genlib.zoo.files import CHECKPOINT, RUN_FILE, SAID_OF_EACH, read_metrics, read_run
from genlib.zoo.signs import to_mind

if TYPE_CHECKING:
    from huggingface_hub import HfApi, JobInfo

LOCK_SECONDS = 2.0
POLL_SECONDS = 3.0
PAUSES = (2.0, 5.0, 10.0, 30.0, 60.0, 120.0)  # seconds between tries while the network is away
ENDS = {"ERROR": "failed", "CANCELED": "was cancelled", "DELETED": "was deleted"}
LONGEST_LINE = 1_000  # of a job's log, in characters


def train_on_hf_jobs(wanted: Wanted) -> None:
    """Train on a rented machine until the finished run is in the run directory; the job's log goes to stderr.

    A job that the run directory knows is followed. Ctrl-C and SIGTERM leave it going on. Raises GenlibError, in one
    line, where the training cannot be had, has failed, or the network stays away.
    """
    from genlib.training.run import check_samples, refuse_runs_directory

    refuse_runs_directory(wanted.directory)
    check_flavor(wanted.flavor or FLAVOR)
    check_access()
    check_samples(*map(int, wanted.counts[1::2]))  # before a machine is paid for
    both = (signal.SIGINT, signal.SIGTERM)  # the first, too: what a background shell starts ignores it
    before = {number: signal.signal(number, signal.default_int_handler) for number in both}
    busy = f"{wanted.directory} is being trained, or its job followed, by another process"
    try:
        with _made(wanted.directory), locked(wanted.directory, LOCK_SECONDS, busy):
            _train(wanted)
    except KeyboardInterrupt:
        _say_goodbye(wanted)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _made(directory: Path) -> Iterator[None]:
    """The directory, made where it is not, and then removed again if it is left empty."""
    new = not directory.exists()
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GenlibError(f"cannot make the run directory {directory}: {error.strerror}") from error
    try:
        yield
    finally:
        if new:
            with suppress(OSError):
                directory.rmdir()


def _train(wanted: Wanted) -> None:
    from huggingface_hub import HfApi

    api, rental = HfApi(), read_rental(wanted.directory)
    _refuse_other(wanted, rental)
    wanted = _with_counts(wanted, rental)
    if (wanted.directory / METRICS).is_file():
        _announce(wanted)
        return
    rental, job = _found(api, wanted, rental) if rental else (None, None)
    if rental and rental.job and (job is None or _is_over(job)):  # it ended while nobody looked
        if bring_home(api, rental.repository, wanted.preset, wanted.config, wanted.directory):
            _announce(wanted, rental)
            return
        if not wanted.resume:
            raise _ended(api, wanted, rental, job)
        job = None
    if rental is None or job is None:
        rental = _submit(api, wanted, rental)
    job = _follow(api, wanted, rental)
    if not bring_home(api, rental.repository, wanted.preset, wanted.config, wanted.directory):
        raise _ended(api, wanted, rental, job)
    _announce(wanted, rental)


def _refuse_other(wanted: Wanted, rental: Rental | None) -> None:
    """A directory of something else, of another run, or of this one with other settings."""
    from genlib.training.run import refuse_wrong_directory

    directory, preset, config = wanted.directory, wanted.preset, wanted.config
    if rental is None:
        if wanted.resume or (directory / "run.json").is_file() or any(directory.iterdir()):
            refuse_wrong_directory(directory, preset, config, None, directory / CHECKPOINT, wanted.resume)
        return
    if rental.preset != preset.name:
        raise GenlibError(f"{directory} holds a run of {rental.preset}, not of {preset.name}")
    submitted = type(config).from_dict(rental.config).to_dict()  # a field that is newer than it had its default
    for key, value in config.to_dict().items():
        if submitted[key] != value:
            given = f"{key}={submitted[key]}"
            raise GenlibError(f"{directory} was submitted with {given}; leave that as it was, or give a new directory")


def _with_counts(wanted: Wanted, rental: Rental | None) -> Wanted:
    """Where counts of samples are asked for, all of them; GenlibError unless they are those that the run began with."""
    from genlib.training.run import sample_counts

    def counts(options: list[str]) -> list[int]:
        given = dict(zip(options[::2], map(int, options[1::2]), strict=True))
        return [*sample_counts(wanted.preset, *map(given.get, COUNTS))]

    known = counts(rental.counts) if rental else None
    if (wanted.directory / RUN_FILE).is_file():
        known = read_run(wanted.directory).get("samples", known)
    if not wanted.counts or known is None:
        return wanted
    began = [part for name, count in zip(COUNTS, known, strict=True) for part in (name, str(count))]
    if counts([*began, *wanted.counts]) != known:
        raise GenlibError(
            f"{wanted.directory} was started with distances of {known} samples; leave that as it was, or give a new "
            "directory"
        )
    return replace(wanted, counts=began)


def _found(api: HfApi, wanted: Wanted, rental: Rental) -> tuple[Rental, JobInfo | None]:
    """The run directory's job, None where the Hub knows none; one whose submission was never confirmed included."""
    job = _inspected(api, rental) if rental.job else _labelled(api, rental)
    if job is None:
        return rental, None
    rental = replace(rental, job=job.id)
    rental.save(wanted.directory)
    if not _is_over(job):
        if wanted.flavor not in (None, rental.flavor):
            raise GenlibError(f"{job.url} trains the run on {rental.flavor}; stop it first: {rental.stop}")
        _tell(f"following {job.url}")
    return rental, job


def _inspected(api: HfApi, rental: Rental) -> JobInfo | None:
    from huggingface_hub.errors import HfHubHTTPError

    with asking(JOBS):
        try:
            return api.inspect_job(job_id=rental.job, namespace=rental.owner)
        except HfHubHTTPError as error:
            if error.response.status_code != 404:
                raise
    return None


def _labelled(api: HfApi, rental: Rental) -> JobInfo | None:
    with asking(JOBS):
        jobs = api.list_jobs(labels={LABEL: rental.label}, namespace=rental.owner)
        return next((job for job in jobs if (job.labels or {}).get(LABEL) == rental.label), None)


def _is_over(job: JobInfo) -> bool:
    return job.status.stage in ("COMPLETED", *ENDS)


def _submit(api: HfApi, wanted: Wanted, before: Rental | None) -> Rental:
    """Send what is trained and start a job. Refused, it leaves nothing behind; unanswered, a label to find it by."""
    from huggingface_hub import get_token

    rental = _planned(api, wanted, before)
    try:
        with asking(f"{rental.repository} on the Hub"):
            if before is None:
                api.create_repo(rental.repository, private=True)
            _tell(f"sending the sources and the run to {rental.repository} on the Hub, private")
            send(api, rental.repository, wanted.preset, wanted.config, wanted.directory)
    except BaseException as error:
        _undo(api, wanted, rental, before)
        if isinstance(error, KeyboardInterrupt):
            raise GenlibError("stopped; nothing was submitted") from error
        raise
    rental.save(wanted.directory)
    seconds = time_limit(wanted.preset, wanted.config)
    try:
        with asking(JOBS):
            job = api.run_job(**job_request(rental, get_token() or "", seconds))
    except GenlibError as error:
        if not is_refusal(error):
            lost = f"{error}; whether the job was submitted is not known: {wanted.command} looks for it first"
            raise GenlibError(lost) from error
        _undo(api, wanted, rental, before)
        raise
    rental = replace(rental, job=job.id)
    rental.save(wanted.directory)
    _tell(f"submitted: {job.url} on {rental.flavor}, ended after {seconds / 3600:.1f} hours at the latest")
    return rental


def _planned(api: HfApi, wanted: Wanted, before: Rental | None) -> Rental:
    """The rental as it is submitted: in the repository of the job before, else in a new one."""
    label = secrets.token_hex(8)
    flavor = wanted.flavor or (before.flavor if before else FLAVOR)
    counts = wanted.counts or (before.counts if before else [])
    if before:
        check_flavor(flavor)  # it is paid for, and a file of the run directory may have named it
        return replace(before, counts=counts, flavor=flavor, label=label, job="")
    with asking(JOBS):
        owner = api.whoami()["name"]
    repository = f"{owner}/genlib-run-{wanted.preset.name}-{label[:8]}"
    return Rental(wanted.preset.name, wanted.config.to_dict(), counts, flavor, repository, label)


def _undo(api: HfApi, wanted: Wanted, rental: Rental, before: Rental | None) -> None:
    """Everything is as it was before a submission that was refused."""
    if before:
        before.save(wanted.directory)
        return
    (wanted.directory / STATE).unlink(missing_ok=True)
    with suppress(Exception):  # what was refused may be its creation, and the refusal is what is told
        api.delete_repo(rental.repository, missing_ok=True)


def _follow(api: HfApi, wanted: Wanted, rental: Rental) -> JobInfo:
    """Show the job's log until it is over. A network that goes away is waited for, some minutes long."""
    shown = failures = 0
    waiting = False
    job = None
    while True:
        try:
            with asking(JOBS):
                job = api.inspect_job(job_id=rental.job, namespace=rental.owner)
            if job.status.stage == "SCHEDULING":
                if not waiting:
                    _tell("waiting for a machine")
                waiting = True
            else:
                for line in _log(api, rental, not _is_over(job), shown):
                    _tell(line)
                    shown, failures = shown + 1, 0
                if _is_over(job):
                    return job
            failures = 0
            time.sleep(POLL_SECONDS)
        except GenlibError as error:
            if is_refusal(error) and job and _is_over(job):  # it never ran, and has no log
                return job
            if is_refusal(error) or failures == len(PAUSES):
                raise GenlibError(f"{error}; {rental.url} goes on; come back with: {wanted.command}") from error
            time.sleep(PAUSES[failures])
            failures += 1


def _log(api: HfApi, rental: Rental, follow: bool, shown: int) -> Iterator[str]:
    """Lines of the job's log but the first ones that have been shown."""
    with asking(JOBS):
        lines = api.fetch_job_logs(job_id=rental.job, namespace=rental.owner, follow=follow)
        yield from islice(lines, shown, None)


def _ended(api: HfApi, wanted: Wanted, rental: Rental, job: JobInfo | None) -> GenlibError:
    """How a job ended that leaves no finished run, and how to go on."""
    if job is None:
        return GenlibError(f"the Hub no longer knows the job {rental.url}; continue with: {wanted.command} --resume")
    how = ENDS.get(job.status.stage, "ended before the training did")
    why = f" ({in_brief(str(job.status.message))})" if job.status.message else ""
    last: list[str] = []
    with suppress(GenlibError):
        last = [line[:200] for line in _log(api, rental, False, 0) if line.strip()][-3:]
    told = f"; the end of its log: {' | '.join(last)}" if last else ""
    return GenlibError(f"the job {how}{why}: {rental.url}; continue with: {wanted.command} --resume{told}")


def _announce(wanted: Wanted, rental: Rental | None = None) -> None:
    fd = read_metrics(wanted.directory, SAID_OF_EACH)["fd"]
    print(f"{wanted.directory} holds the trained {wanted.preset.name}: Frechet distance {fd:.2f}")
    for sign in to_mind(wanted.directory):
        _tell(f"genlib: mind: {sign}")
    if rental:
        _tell(f"its repository is no longer needed; delete it with: hf repos delete {rental.repository}")


def _say_goodbye(wanted: Wanted) -> None:
    rental = read_rental(wanted.directory)
    if rental is None:
        _tell("stopped; nothing was submitted")
    elif not rental.job:
        _tell(f"stopped; whether the job was submitted is not known: {wanted.command} looks for it first")
    else:
        _tell(f"no longer following; {rental.url} goes on until it is over")
        _tell(f"follow it again with: {wanted.command}")
        _tell(f"stop it with: {rental.stop}")


def _tell(line: str) -> None:
    """Print a line to stderr, fit for a terminal, though a stranger may have given it its words."""
    print(printable(line)[:LONGEST_LINE], file=sys.stderr, flush=True)
