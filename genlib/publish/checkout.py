"""What is published is copied from a checkout of genlib: its place, and its files, none of which leads out of it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from genlib.errors import GenlibError
from genlib.io.files import within

ROOT = Path(__file__).resolve().parents[2]


def check_checkout(what: str, root: Path, names: Sequence[str]) -> None:
    """GenlibError unless the files and directories are there: an installed genlib has only the library."""
    if lacking := [name for name in names if not (root / name).exists()]:
        raise GenlibError(f"{what} is built from a checkout of genlib; {root} lacks {', '.join(lacking)}")


def files_of(directory: Path, patterns: Sequence[str]) -> list[str]:
    """The files below a directory that have such names, hidden ones and those of hidden directories left out."""
    found = {path.relative_to(directory) for pattern in patterns for path in directory.rglob(pattern)}
    return sorted(str(path) for path in found if not any(part.startswith(".") for part in path.parts))


def copy(directory: Path, name: str, target: Path) -> None:
    """A file of a directory into another; GenlibError where a link leads out of it."""
    path = within(directory, name)
    (target / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target / name)
