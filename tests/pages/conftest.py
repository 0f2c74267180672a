"""The studio served as `make run` serves it, and a headless Chromium to look at it with."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import streamlit as st

from genlib.training.estimate import Estimate
from tests.pages.studio import ROOT
from ui import zoo

START_SECONDS = 120  # a cold disk is slow to give Streamlit up
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Server:
    """A running studio: where it is and what it prints."""

    address: str
    log: Path


def run_arguments(port: int) -> list[str]:
    """The arguments of the Makefile's own `run` recipe."""
    (command,) = re.findall(r"^\t.*\bpython -m (streamlit run .*)$", (ROOT / "Makefile").read_text("utf-8"), re.M)
    return command.replace("$(PORT)", str(port)).split()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


@contextmanager
def serve(directory: Path) -> Iterator[Server]:
    """A fresh process, stopped at the end; none of the user's variables reaches it, and no desktop browser opens."""
    log, port = directory / "server.log", free_port()
    address = f"http://localhost:{port}"
    ours = {"STREAMLIT_SERVER_HEADLESS": "true", "HF_HUB_OFFLINE": "1", "XDG_CACHE_HOME": str(directory / "cache")}
    ours["GENLIB_RUNS"] = str(directory / "runs")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("GENLIB_", "STREAMLIT_"))}
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *run_arguments(port)],
            cwd=ROOT,
            env=inherited | ours,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not is_healthy(address):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the studio did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")
            time.sleep(POLL_SECONDS)
        yield Server(address, log)
    finally:
        end(process)


def end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One studio for all browser tests."""
    with serve(tmp_path_factory.mktemp("studio")) as running:
        yield running


def installed(program: str, package: str) -> str:
    """A browser's path. Continuous integration must have it; elsewhere its tests are skipped."""
    path = shutil.which(program)
    if path is None:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up(f"this browser test needs {program} (Debian: apt-get install {package})")
    return path


@pytest.fixture(scope="module")  # not for the session: while it lives, its event loop is the main thread's
def chromium() -> Iterator:
    """Debian's Chromium."""
    executable = installed("chromium", "chromium")
    from playwright.sync_api import sync_playwright

    arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def _no_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A visit to Train has its settings timed by a process of its own: here it would only take the others' time."""
    monkeypatch.setattr("genlib.jobs.estimates._measure", lambda question: Estimate(60.0, 20.0, 1.0, False))


@pytest.fixture(autouse=True)
def _no_others_runs(tmp_path: Path) -> Iterator[None]:
    """Each test has runs of its own, and the studio remembers for half a minute which there are."""
    yield
    if (tmp_path / "runs").is_dir():
        zoo.entries.clear()


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty place for weights; what the studio keeps in memory is forgotten before and after."""
    directory = tmp_path / "weights"
    directory.mkdir()
    monkeypatch.setenv("GENLIB_WEIGHTS", str(directory))
    st.cache_data.clear()
    st.cache_resource.clear()
    yield directory
    st.cache_data.clear()
    st.cache_resource.clear()
