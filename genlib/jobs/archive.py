"""A finished run as one file to take away."""

from __future__ import annotations

import io
import threading
import zipfile
from pathlib import Path

from genlib.io.files import check_file, read_file, within
from genlib.jobs.run import Job

LARGEST_FILE = 100_000_000  # bytes of a file in an archive, which is made in memory: one archive at a time
MODEL_FILES = (
    *("model.safetensors", "config.json", "metrics.json", "history.json"),
    *("samples.png", "progress.png", "README.md"),
)
_ONE = threading.Lock()


def check_archive(job: Job) -> None:
    """GenlibError where one of the model's files is too large for an archive."""
    for path in _files(job):
        check_file(path, LARGEST_FILE)


def _files(job: Job) -> list[Path]:
    """Those that there are: a run that was killed at its end may lack the card."""
    return [path for path in (within(job.directory, name) for name in MODEL_FILES) if path.is_file()]


def archived(job: Job) -> bytes:
    """The model's files as a zip. GenlibError where one is too large, or leads out of the run's directory."""
    buffer = io.BytesIO()
    with _ONE, zipfile.ZipFile(buffer, "w") as archive:
        for path in _files(job):
            entry = zipfile.ZipInfo(f"{job.id}/{path.name}")  # of no date: the studio keeps equal archives once
            archive.writestr(entry, read_file(path, LARGEST_FILE))
    return buffer.getvalue()
