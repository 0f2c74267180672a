"""Locks on directories, by which processes that know nothing of one another keep out of each other's way.

A lock is held by whoever has the directory open through it, a child that inherits it included, and the kernel gives
it back when the last of them is gone, however it went: no lock is ever stale. (The package filelock locks a file
beside the directory, which a child does not inherit, and cannot ask whether a lock is held without taking it.)
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genlib.errors import GenlibError

try:
    import fcntl
except ImportError:  # Windows, where directories cannot be locked
    fcntl = None  # type: ignore[assignment]

POLL_SECONDS = 0.02
INHERITED = "GENLIB_LOCKED"  # the directory whose lock this process has from its parent


def acquire(directory: Path, seconds: float = 0.0) -> int | None:
    """The open lock, to be closed when done; None where another process still holds it after `seconds`.

    Raises GenlibError where the directory cannot be locked, or on a system without such locks.
    """
    if fcntl is None:
        raise GenlibError("runs cannot be locked on this system; use Linux or macOS")
    lock = _open(directory)
    deadline = time.monotonic() + seconds
    while not _take(lock, fcntl.LOCK_EX, directory):
        if time.monotonic() >= deadline:
            os.close(lock)
            return None
        time.sleep(POLL_SECONDS)
    return lock


def is_held(directory: Path) -> bool:
    """Whether some process holds the lock. Two that ask at once do not take each other for a holder."""
    if fcntl is None:
        return False
    try:
        lock = _open(directory)
    except GenlibError:
        if directory.is_dir():
            raise
        return False  # there is none, or it has gone while we look
    free = _take(lock, fcntl.LOCK_SH, directory)
    os.close(lock)
    return not free


def _open(directory: Path) -> int:
    try:
        return os.open(directory, os.O_RDONLY)
    except OSError as error:
        raise GenlibError(f"cannot open {directory}: {error.strerror}") from error


def _take(lock: int, kind: int, directory: Path) -> bool:
    """Whether the open lock is now ours. A file system without locks must not look like one that is always locked."""
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        os.close(lock)
        raise GenlibError(f"cannot lock {directory}: {error.strerror}") from error
    return True


@contextmanager
def locked(directory: Path, seconds: float, refusal: str) -> Iterator[None]:
    """Hold the lock for a while; GenlibError with `refusal` where it is not to be had within `seconds`.

    A process whose parent handed it the lock on starting it has it already.
    """
    if fcntl is None or os.environ.get(INHERITED) == str(directory.resolve()):
        yield
        return
    lock = acquire(directory, seconds)
    if lock is None:
        raise GenlibError(refusal)
    try:
        yield
    finally:
        os.close(lock)
