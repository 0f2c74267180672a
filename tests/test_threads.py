"""Threads beside other programs wait without spinning, unless the user has chosen otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from genlib import threads
from genlib.threads import cores_are_shared, spinning_less

SHOW = "import os, genlib.cli; print(os.environ.get('GOMP_SPINCOUNT'), 'torch' in sys.modules)"


@pytest.mark.parametrize(
    ("environment", "variables"),
    [
        ({}, {"GOMP_SPINCOUNT": threads.SPINS}),
        ({"GOMP_SPINCOUNT": "5"}, {}),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, {}),
    ],
)
def test_what_the_user_has_chosen_stays(environment: dict[str, str], variables: dict[str, str]) -> None:
    assert spinning_less(environment) == variables


@pytest.mark.parametrize(
    ("load", "shared"),
    [
        ("1.20 0.80 0.50 3/96 666", True),
        ("0.10 0.80 0.50 3/96 666", False),  # something has just begun, or is just a moment's work
        ("1.20 0.80 0.50 1/96 666", False),  # what was at work is over
        ("", False),
    ],
)
def test_cores_are_shared_while_others_work(
    load: str, shared: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loadavg").write_text(load)
    monkeypatch.setattr(threads, "Path", lambda name: tmp_path / "loadavg")
    assert cores_are_shared() is shared


def test_the_command_line_decides_before_torch_is_loaded() -> None:
    plain = {key: value for key, value in os.environ.items() if key not in threads.CHOSEN}
    program = "import sys, genlib.threads; genlib.threads.cores_are_shared = lambda: True; " + SHOW
    done = subprocess.run([sys.executable, "-c", program], env=plain, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [threads.SPINS, "False"]
