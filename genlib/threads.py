"""How OpenMP's threads wait for one another.

By default a thread that waits spins for milliseconds. On idle cores that is quickest. Beside another program it takes
the core from the very thread that is waited for: gan-dense-1 with two threads, one of two cores busy, made 2 steps a
second, and 11 to 16 with a thousand spins; on idle cores 22.5 against 18.3.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

SPINS = "1000"
CHOSEN = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")  # variables by which a user chooses himself


def spinning_less(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables of a process that shares its cores: none where the user has chosen. They hold from its start."""
    return {} if any(key in environment for key in CHOSEN) else {"GOMP_SPINCOUNT": SPINS}


def cores_are_shared() -> bool:
    """Whether other programs were at work in the last minute and are now (Linux; elsewhere it is not known)."""
    with suppress(OSError, ValueError):
        minute, _, _, now, _ = Path("/proc/loadavg").read_text().split()
        return float(minute) > 0.5 and int(now.split("/")[0]) > 1  # which counts this process
    return False
