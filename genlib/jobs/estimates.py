"""How long a training would take, found out in a process of its own for the settings that were asked for last."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from functools import cache
from typing import Any

from genlib.errors import is_number, without_places
from genlib.jobs.process import python_environment
from genlib.threads import spinning_less
from genlib.training.estimate import Estimate

KEPT = 200
SECONDS = 300  # until an estimate is given up
GONE_SECONDS = 30.0  # after which a session that no longer asks is forgotten; a page asks every second
FRESH_SECONDS = 600.0  # until it is timed anew: the machine may be busier by then, or less
RETRY_SECONDS = 60.0  # until what failed is tried again: a directory may have been put right
FAILED = "the timing failed"
NICE = 10

Question = tuple[str, str]  # a preset and its settings as JSON


class Estimator:
    """One question at a time for all sessions. A newer one of a session replaces its older, unless that is being timed.
    A session that no longer asks is forgotten.

    Its thread ends when nothing is left to find out. What is asked for a while later is timed anew, and sooner what
    failed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wanted: OrderedDict[str, tuple[Question, float]] = OrderedDict()  # by session, and when it asked last
        self._known: OrderedDict[Question, tuple[Estimate | str, float]] = OrderedDict()  # and until when

    def ask(self, session: str, preset: str, settings: dict[str, Any]) -> Estimate | str | None:
        """The estimate, or the line that says why there is none; None while it is being found out."""
        question = preset, json.dumps(settings, sort_keys=True)
        with self._lock:
            if (answer := self._answer(question)) is not None:
                return answer
            self._wanted[session] = question, time.monotonic()
            if self._thread is None:
                thread = threading.Thread(target=self._work, name="estimates", daemon=True)
                thread.start()
                self._thread = thread
        return None

    def _answer(self, question: Question) -> Estimate | str | None:
        answer, until = self._known.get(question, (None, 0.0))
        return answer if time.monotonic() < until else None

    def _work(self) -> None:
        while (question := self._next()) is not None:
            answer = _measure(question)
            until = time.monotonic() + (RETRY_SECONDS if isinstance(answer, str) else FRESH_SECONDS)
            with self._lock:
                self._known[question] = answer, until
                while len(self._known) > KEPT:
                    self._known.popitem(last=False)

    def _next(self) -> Question | None:
        with self._lock:
            while self._wanted:
                _, (question, asked) = self._wanted.popitem(last=False)
                if self._answer(question) is None and time.monotonic() - asked < GONE_SECONDS:
                    return question
            self._thread = None
            return None


def _measure(question: Question) -> Estimate | str:
    """The answer, whatever happens: the thread lives on it."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "genlib.training.estimate", *question],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS,
            env=python_environment() | spinning_less(),
            preexec_fn=lambda: os.nice(NICE),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "it took too long to find out"
    except Exception:  # of the system, of the fork, of a NUL in the settings: there is no estimate
        return FAILED
    if done.returncode == 0:
        return _estimate(done.stdout)
    lines = [line.removeprefix("genlib: ") for line in done.stderr.splitlines() if line.startswith("genlib: ")]
    return without_places((lines or [FAILED])[-1])


def _estimate(printed: str) -> Estimate | str:
    """What the last line says; a library may have printed lines of its own before."""
    try:
        found = Estimate(**json.loads(printed.strip().splitlines()[-1]))
    except (ValueError, TypeError, IndexError):
        return FAILED
    return found if all(map(is_number, (found.seconds, found.evaluation_seconds, found.megabytes))) else FAILED


@cache
def estimator() -> Estimator:
    """The server's one, which no clearing of Streamlit's caches doubles."""
    return Estimator()


def duration(seconds: float) -> str:
    """Seconds, minutes or hours, as one says them."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
