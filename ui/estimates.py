"""How long a training would take, found out in a process of its own for the settings that were asked for last."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import OrderedDict
from typing import Any

import streamlit as st

from genlib.errors import without_places
from genlib.jobs.run import python_environment
from genlib.threads import spinning_less
from genlib.training.estimate import Estimate

KEPT = 200
SECONDS = 300  # until an estimate is given up
NICE = 10

Question = tuple[str, str]  # a preset and its settings as JSON


class Estimator:
    """One thread for all sessions. A newer question of a session replaces its older one, unless that is being timed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._wanted: OrderedDict[str, Question] = OrderedDict()  # by session
        self._known: OrderedDict[Question, Estimate | str] = OrderedDict()
        threading.Thread(target=self._work, daemon=True).start()

    def ask(self, session: str, preset: str, settings: dict[str, Any]) -> Estimate | str | None:
        """The estimate, or the line that says why there is none; None while it is being found out."""
        question = preset, json.dumps(settings, sort_keys=True)
        with self._changed:
            if question in self._known:
                return self._known[question]
            self._wanted[session] = question
            self._changed.notify()
        return None

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._wanted:
                    self._changed.wait()
                _, question = self._wanted.popitem(last=False)
                if question in self._known:
                    continue
            answer = _measure(question)
            with self._changed:
                self._known[question] = answer
                while len(self._known) > KEPT:
                    self._known.popitem(last=False)


def _measure(question: Question) -> Estimate | str:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "genlib.training.estimate", *question],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            env=python_environment() | spinning_less(),
            preexec_fn=lambda: os.nice(NICE),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "it took too long to find out"
    if done.returncode == 0:
        return Estimate(**json.loads(done.stdout))
    lines = [line.removeprefix("genlib: ") for line in done.stderr.splitlines() if line.startswith("genlib: ")]
    return without_places((lines or ["the timing failed"])[-1])


@st.cache_resource(show_spinner=False)
def estimator() -> Estimator:
    """The server's one."""
    return Estimator()


def duration(seconds: float) -> str:
    """Seconds, minutes or hours, as one says them."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
