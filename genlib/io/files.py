"""Where runs live, files written whole or not at all, and JSON objects in them. Nothing here needs torch."""

from __future__ import annotations

import json
import math
import os
import re
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from genlib.errors import GenlibError, shown

LARGEST_JSON = 8_000_000  # bytes; 10,000 epochs of history are 4 million
LARGEST_LOG = 200_000_000  # bytes of events.jsonl, which grows by some 150 a second
_TORN = re.compile(r"\..+\.[0-9]+\.tmp")  # as `write_file` calls what it is writing


def write_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: to a temporary name beside it, flushed, then renamed."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):  # where the directory is a file, or gone, there is nothing to remove
            temporary.unlink()
        raise GenlibError(f"cannot write {path}: {error.strerror or error}") from error


def read_file(path: Path, most: int) -> bytes:
    """A file's bytes. What is no regular file (a device never ends) or holds more than `most` bytes is not read.

    It is the open file that is looked at: the name may have come to lead elsewhere, or the file have grown.
    """
    with _opened(path) as file:
        return file.read(_size(path, os.fstat(file.fileno()), most))


def check_file(path: Path, most: float) -> None:
    """GenlibError for what is no regular file, or one of more than `most` bytes."""
    with _told(path):
        _size(path, path.stat(), most)


def _size(path: Path, found: os.stat_result, most: float) -> int:
    if not stat.S_ISREG(found.st_mode):
        raise GenlibError(f"{path.name} cannot be read: not a regular file")
    if found.st_size > most:
        raise GenlibError(f"{path.name} has {found.st_size:,} bytes; it takes at most {most:,}")
    return found.st_size


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A file to be read; a pipe is not waited for."""
    with _told(path), open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        yield file


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Whatever the system refuses to read is one line."""
    try:
        yield
    except GenlibError:
        raise
    except (OSError, ValueError) as error:  # ValueError: of a name with a NUL
        raise GenlibError(f"{path.name} cannot be read: {getattr(error, 'strerror', None) or error}") from error


def torn_files(directory: Path) -> list[Path]:
    """What processes that were killed while they wrote have left below a directory."""
    return list(filter(is_torn, directory.rglob(".*.tmp")))


def is_torn(path: Path) -> bool:
    """Whether it is what a process that was killed while it wrote a file has left."""
    return bool(_TORN.fullmatch(path.name)) and path.is_file()


def make_directory(path: Path) -> None:
    """Make a directory, with those above it, where there is none."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GenlibError(f"cannot make the directory {path}: {error.strerror or error}") from error


def may_look_into(directory: Path) -> bool:
    """Whether this process may list a directory and open what is in it."""
    try:
        with os.scandir(directory):
            os.stat(os.path.join(directory, "."))
    except (OSError, ValueError):  # ValueError: of a name with a NUL
        return False
    return True


def read_on(path: Path, place: int, most: int = LARGEST_LOG) -> bytes:
    """What a growing file holds from a byte on, of its first `most`; a negative place counts from the end.

    GenlibError for what is no regular file: a pipe might never answer.
    """
    with _opened(path) as file:
        size = _size(path, os.fstat(file.fileno()), math.inf)
        if place < 0:
            file.seek(max(0, size + place))
            return file.read(-place)
        file.seek(place)
        return file.read(max(0, most - place))


def within(directory: Path, name: object) -> Path:
    """A file that a directory's own files name; GenlibError where the name, or a link behind it, leads out."""
    try:
        path = directory / str(name)
        inside = path.resolve().is_relative_to(directory.resolve())
    except (OSError, ValueError, RuntimeError) as error:  # a NUL; links in a circle
        raise GenlibError(f"{shown(name)} is no file's name") from error
    if not inside:
        raise GenlibError(f"{shown(name)} leads out of {directory}")
    return path


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object, or GenlibError naming the file."""
    try:
        value = json.loads(read_file(path, LARGEST_JSON))
    except (ValueError, RecursionError) as error:
        raise GenlibError(f"{path} is not readable JSON: {error}") from error
    if not isinstance(value, dict):
        raise GenlibError(f"{path} holds no JSON object")
    return value


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON object whole or not at all."""
    write_file(path, (json.dumps(value, indent=1) + "\n").encode())


def runs_directory() -> Path:
    """Where training runs live: $GENLIB_RUNS, else runs/ in the working directory."""
    return Path(os.environ.get("GENLIB_RUNS") or "runs")


def size_megabytes(directory: Path) -> float:
    """Of all files below a directory, in 10^6 bytes."""
    total = 0
    for place, _, names in os.walk(directory):  # a directory that goes while we look is passed over, and so is a file
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total / 1e6
