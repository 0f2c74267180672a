"""Processes as Linux shows them: which goes first when memory runs out, and which have a directory open.

A group is known by what it has open: its number alone may have gone to strangers since it was written down.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

PROCESSES = Path("/proc")


def end_first() -> None:
    """Have this process killed before others, such as the studio, when memory runs out (Linux)."""
    with suppress(OSError):
        (PROCESSES / "self" / "oom_score_adj").write_text("800")


def has_open(group: int, directory: Path) -> bool:
    """Whether a process of a group has a directory open, as one has that holds its lock.

    Where processes cannot be looked into (not Linux) the group is trusted.
    """
    if not (PROCESSES / "self" / "stat").is_file():
        return True
    with suppress(OSError):
        found = directory.stat()
        leader = PROCESSES / str(group)
        return _has_open(leader, group, found) or any(
            _has_open(each, group, found) for each in PROCESSES.glob("[0-9]*")
        )
    return False


def _has_open(process: Path, group: int, directory: os.stat_result) -> bool:
    try:
        _, _, number = (process / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[:3]
        return int(number) == group and any(_is(each, directory) for each in (process / "fd").iterdir())
    except (OSError, ValueError):  # it has just ended, or is another user's
        return False


def _is(descriptor: Path, directory: os.stat_result) -> bool:
    with suppress(OSError):  # closed meanwhile
        return os.path.samestat(descriptor.stat(), directory)
    return False
