"""What runs on a rented machine; once the very command of a job, as a process of this machine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import genlib
from genlib.__main__ import main
from genlib.remote import worker as hf_worker
from genlib.training.checkpoint import read_checkpoint
from genlib.zoo.files import CHECKPOINT
from tests.hub import READER, WRITER, Hub
from tests.test_hf_jobs import _at_once, come_back, only_line  # noqa: F401  # fixtures among them
from tests.test_hub import hub, writer  # noqa: F401  # fixtures
from tests.workers import until

NAME = "vae-dense-8"
START = subprocess.Popen
Capture = pytest.CaptureFixture[str]

pytestmark = pytest.mark.usefixtures("writer", "_at_once")


@pytest.fixture
def rented(request: pytest.FixtureRequest) -> Hub:
    return request.getfixturevalue("hub")


def work(monkeypatch: pytest.MonkeyPatch, training: str) -> int:
    """The worker's exit status, with a program in the training's place."""

    monkeypatch.setattr(sys, "argv", ["hf_worker", "me/run", NAME, "--device", "cpu"])
    monkeypatch.setattr(hf_worker.subprocess, "Popen", lambda command: START([sys.executable, "-c", training]))
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        return hf_worker.main()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


WRITE = """
import pathlib, time
run = pathlib.Path("run")
run.joinpath("checkpoint").mkdir(parents=True)
run.joinpath("checkpoint/last.safetensors").write_bytes(b"first")
run.joinpath("checkpoint/.last.safetensors.7.tmp").write_bytes(b"half")
"""


def test_the_run_is_sent_while_it_grows(rented: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hf_worker, "UPLOAD_SECONDS", 0.05)
    held = rented.model("me/run")
    path = f"run/{CHECKPOINT}"
    threading.Thread(
        target=lambda: (until(lambda: held.files.get(path) == b"first", "the checkpoint"), Path("go").touch())
    ).start()
    rest = "while not pathlib.Path('go').exists(): time.sleep(0.01)\nrun.joinpath('metrics.json').write_text('{}')"
    assert work(monkeypatch, WRITE + rest) == 0
    assert held.files == {path: b"first", "run/metrics.json": b"{}"}


def test_a_training_that_stops_early_or_fails_is_sent_and_told(rented: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    held = rented.model("me/run")
    assert work(monkeypatch, WRITE) == 1
    shutil.rmtree("run")
    assert work(monkeypatch, WRITE + "raise SystemExit(2)") == 2
    assert held.files == {f"run/{CHECKPOINT}": b"first"}


def test_what_cannot_be_sent_does_not_end_the_training(
    rented: Hub, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(hf_worker, "UPLOAD_SECONDS", 0.05)
    monkeypatch.setenv("HF_TOKEN", READER)
    held = rented.model("me/run")
    finish = "time.sleep(0.5)\nrun.joinpath('metrics.json').write_text('{}')"
    assert work(monkeypatch, WRITE + finish) == 1
    lines = capsys.readouterr().err.splitlines()
    told = [line for line in lines if line.startswith("not sent: ")]  # huggingface_hub's logger may have its own to say
    assert len(told) > 3  # once at least while it trained, and each try at the end
    assert {line[:57] for line in told} == {"not sent: me/run on the Hub: your token may not do that: "}
    assert (Path("run") / "metrics.json").exists()
    assert held.files == {}


class Machine:
    """A job as a process of this machine, with everything but its pip, which has nothing to install."""

    def __init__(self, wanted: dict[str, Any], rented: Hub, directory: Path, cut_short: bool) -> None:
        self.message, self.directory, self.cut_short, self.cancelled = None, directory, cut_short, False
        tools = directory / "bin"
        tools.mkdir(parents=True)
        (tools / "pip").write_text("#!/bin/sh\n")
        (tools / "pip").chmod(0o755)
        places = {name: str(directory) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "HF_HOME")}
        path = os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]])
        surroundings = {"PATH": path, "HF_ENDPOINT": rented.url, "OMP_NUM_THREADS": "1", **places}
        with open(directory / "log", "wb") as log:
            self.process = subprocess.Popen(
                wanted["command"],
                env=surroundings | wanted["environment"] | wanted["secrets"],
                cwd=directory,
                stdout=log,
                stderr=log,
            )

    def stage(self) -> str:
        status = self.process.poll()
        if status is None:
            return "RUNNING"
        return "CANCELED" if self.cancelled else "ERROR" if status else "COMPLETED"

    def lines(self) -> Iterator[str]:
        if self.cut_short and self.process.poll() is None:
            until(lambda: self.process.poll() is not None or self._epochs(), "an epoch")
            self.cancel()
        self.process.wait()
        yield from (self.directory / "log").read_text().splitlines()

    def _epochs(self) -> bool:
        return any("EpochDone" in path.read_text() for path in self.directory.glob("tmp.*/run/events.jsonl"))

    def cancel(self) -> None:
        self.cancelled = True
        self.process.terminate()


@pytest.mark.slow
def test_what_a_job_runs_trains_is_cancelled_and_goes_on(
    rented: Hub, training_split: None, tmp_path_factory: pytest.TempPathFactory, capsys: Capture
) -> None:
    """The very command of the request, twice: its sources come from the Hub, and so does the first one's checkpoint."""
    place = tmp_path_factory.mktemp("machines")
    machines: list[Machine] = []

    def machine(wanted: dict[str, Any]) -> Machine:
        machines.append(Machine(wanted, rented, place / str(len(machines)), cut_short=not machines))
        return machines[-1]

    rented.machine = machine
    settings = ["--epochs", "3", "--batch-size", "2000", "--set", "width=4", "--set", "latent_size=2"]
    counts = ["--distance-samples", "50", "--evaluation-samples", "50"]
    try:
        command = ["train", NAME, "--on", "hf-jobs", "--flavor", "cpu-basic", *settings, *counts]
        assert main(command) == 2
        assert "the job was cancelled: " in only_line(capsys)
        run = Path(f"runs/{NAME}")
        _, facts = read_checkpoint(run / CHECKPOINT)
        assert 30 <= facts["step"] < 90
        assert come_back("--resume", name=NAME) == 0
    finally:
        for each in machines:
            with suppress(ProcessLookupError):
                each.process.kill()
            each.process.wait()
    told = capsys.readouterr()
    assert told.out.startswith(f"runs/{NAME} holds the trained {NAME}: Frechet distance ")
    assert "epoch 3: " in told.err
    assert "epoch 1: " not in told.err  # it went on from the checkpoint
    assert WRITER not in told.err
    assert len(json.loads((run / "history.json").read_text())["epochs"]) == 3
    assert genlib.load(f"runs/{NAME}").config.to_dict()["latent_size"] == 2
