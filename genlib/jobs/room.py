"""Whether a host's limits leave room for one more run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from math import ceil
from pathlib import Path
from typing import Any

from genlib.errors import GenlibError
from genlib.io.files import size_megabytes
from genlib.jobs.limits import Limits
from genlib.jobs.run import WORKING, Job


def check_room(
    directory: Path, jobs: list[Job], limits: Limits, owner: str | None, megabytes: Callable[[], float]
) -> None:
    """Raise GenlibError where a limit leaves no room for one more run.

    `jobs` are all of the directory; `owner` is None for a run that is among them. `megabytes` is what it will write,
    asked for only where the disk is limited: to know it, torch is loaded.
    """
    under_way = [job for job in jobs if job.state in ("queued", *WORKING)]
    if len(under_way) >= limits.queue:
        raise GenlibError(f"the queue is full ({limits.queue} of {limits.queue}); try again when one has finished")
    if owner and limits.runs and sum(job.owner == owner for job in jobs) >= limits.runs:
        raise GenlibError(f"this host's limit of runs a visitor is {limits.runs}; delete one of yours first")
    if limits.disk_mb is None:
        return
    if (used := size_megabytes(directory)) >= limits.disk_mb:
        raise GenlibError(f"all runs together take {used:.0f} MB, and this host keeps {limits.disk_mb}; delete some")
    in_the_end = used + sum(map(still_to_write, under_way)) + megabytes()
    if in_the_end > limits.disk_mb:
        raise GenlibError(
            f"this run, those that wait or train and all others will take {ceil(in_the_end)} MB, and this host keeps "
            f"{limits.disk_mb}; delete some"
        )


def megabytes_of(preset: str, config: Mapping[str, Any]) -> float:
    """About what a run will take in the end, in 10^6 bytes; 0 where its files do not say what it trains."""
    from genlib.models import get_preset
    from genlib.training.memory import disk_megabytes

    with suppress(GenlibError):
        known = get_preset(preset)
        return disk_megabytes(known, known.config.from_dict(dict(config)))
    return 0.0


def still_to_write(job: Job) -> float:
    """Megabytes (10^6 bytes) that a run will take beyond what it has."""
    return max(0.0, megabytes_of(job.preset, job.config) - size_megabytes(job.directory))
