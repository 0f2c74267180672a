"""Locks on directories: one holder, handed on to children, and gone with the last of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from genlib.io.locks import INHERITED, acquire, is_held, locked
from tests.tiny import refused


def test_one_holds_it_and_the_next_is_told(tmp_path: Path) -> None:
    with locked(tmp_path, 0, "taken"):
        assert is_held(tmp_path)
        assert acquire(tmp_path) is None
        with refused("^taken$"), locked(tmp_path, 0.05, "taken"):
            pass
    assert not is_held(tmp_path)


def test_it_is_given_back_when_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyError), locked(tmp_path, 0, "taken"):
        raise KeyError
    assert not is_held(tmp_path)


def test_looking_does_not_look_like_holding(tmp_path: Path) -> None:
    import fcntl

    looker = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(looker, fcntl.LOCK_SH)  # as `is_held` does
    try:
        assert not is_held(tmp_path)
    finally:
        os.close(looker)


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="POSIX alone hands locks on")
def test_a_child_keeps_it_until_it_is_killed(tmp_path: Path) -> None:
    lock = acquire(tmp_path)
    assert lock is not None
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    with subprocess.Popen(command, pass_fds=[lock]) as child:
        os.close(lock)
        assert is_held(tmp_path)
        child.send_signal(signal.SIGKILL)
    assert not is_held(tmp_path)


def test_who_inherited_it_need_not_take_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with locked(tmp_path, 0, "taken"):
        monkeypatch.setenv(INHERITED, str(tmp_path.resolve()))
        with locked(tmp_path, 0, "taken"):
            pass
        (tmp_path / "other").mkdir()
        with locked(tmp_path / "other", 0, "taken"):
            assert is_held(tmp_path / "other")


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "gone")
    (tmp_path / "file").write_text("")
    assert not is_held(tmp_path / "file")
    with refused("cannot open .*gone: No such file"), locked(tmp_path / "gone", 0, "taken"):
        pass
