"""Ctrl-C and SIGTERM are heard within seconds wherever a training is, and what was done is gone on with."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from genlib.__main__ import main
from genlib.cli.terminal import asked_to_stop
from tests.tiny import assert_same_model

ROOM_SECONDS = 8.0  # two on an idle machine, which the tests do not have to themselves

# A training whose parts are as slow as those of a large model, each in one call that looks at nothing: an epoch of
# steps, the distance after it, an EM iteration, the final figures. `SLOW` names the one that is slow.
PROGRAM = """
import sys, time
import genlib.layers.gaussian_mixture, genlib.metrics.evaluation, genlib.metrics.features
import genlib.training.diagnostics, genlib.training.run
from genlib.__main__ import main
from genlib.data import FashionMNIST

slow, directory, resume = sys.argv[1:]
whole = FashionMNIST.load("test")
FashionMNIST.load = staticmethod(lambda split, progress=None: FashionMNIST(whole.images[:200], whole.labels[:200]))
FashionMNIST.available = staticmethod(lambda split: True)

def slowly(module, name):
    quick = getattr(module, name)
    def act(*arguments, **options):
        print("here", flush=True)
        time.sleep(30)
        return quick(*arguments, **options)
    setattr(module, name, act)

if slow == "iteration":
    slowly(genlib.layers.gaussian_mixture, "em_step")
elif slow == "distance":
    slowly(genlib.training.diagnostics, "frechet_distance")
elif slow == "figures":
    slowly(genlib.metrics.evaluation, "score_set")
elif slow == "card":
    slowly(genlib.training.run, "write_card")
model = "gmm-10" if slow == "iteration" or directory.endswith("mixture") else "vae-dense-8"
size = ["--set", "components=2"] if model == "gmm-10" else ["--set", "width=4", "--batch-size", "50"]
sys.exit(main(["train", model, "--run-dir", directory, "--epochs", "2", *size, "--device", "cpu",
               "--distance-samples", "50", "--evaluation-samples", "50", *([resume] if resume else [])]))
"""


def start(slow: str, directory: Path, resume: str = "") -> subprocess.Popen[str]:
    words = [sys.executable, "-c", PROGRAM, slow, str(directory), resume]
    environment = os.environ | {"GENLIB_CHECKPOINT_SECONDS": "0"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(words, text=True, env=environment, preexec_fn=_hear, **pipes)  # type: ignore[call-overload]


def _hear() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored by what a background shell starts


@pytest.mark.slow
@pytest.mark.parametrize(
    ("slow", "number"), [("iteration", signal.SIGTERM), ("distance", signal.SIGINT), ("figures", signal.SIGTERM)]
)
def test_a_stop_is_heard_in_the_midst_of_a_long_call(slow: str, number: signal.Signals, tmp_path: Path) -> None:
    name = "mixture" if slow == "iteration" else "run"
    whole, parts = tmp_path / "whole" / name, tmp_path / "parts" / name
    with start(slow, parts) as process:
        assert process.stdout and process.stdout.readline() == "here\n"
        asked = time.monotonic()
        process.send_signal(number)
        _, told = process.communicate(timeout=25)
    assert time.monotonic() - asked < ROOM_SECONDS
    assert process.returncode == 0, told
    assert "stopped; continue with: " in told and "Traceback" not in told
    assert not (parts / "metrics.json").exists()
    for directory, resume in ((parts, "--resume"), (whole, "")):
        with start("nothing", directory, resume) as process:
            _, told = process.communicate()
        assert process.returncode == 0, told
    assert_same_model(parts, whole)


@pytest.mark.slow
def test_twenty_stops_of_twenty_are_heard(tmp_path: Path) -> None:
    """At any moment of a real training, its measuring included; each leg goes on from where the last one stopped."""
    chance, took = random.Random(0), list[float]()
    command = [sys.executable, "-m", "genlib", "train", "vae-dense-64", "--epochs", "3", "--run-dir", str(tmp_path)]
    while len(took) < 20:
        again = ["--resume"] if (tmp_path / "run.json").is_file() else []
        with subprocess.Popen([*command, *again], stderr=subprocess.PIPE, preexec_fn=_hear, text=True) as process:
            time.sleep(chance.uniform(0, 12))
            if process.poll() is not None:  # it came to its end before it was asked
                (tmp_path / "metrics.json").unlink()
                continue
            asked, number = time.monotonic(), chance.choice((signal.SIGINT, signal.SIGTERM))
            process.send_signal(number)
            _, told = process.communicate()
            took.append(time.monotonic() - asked)
            assert "Traceback" not in told
            early = (130, -signal.SIGTERM, -signal.SIGINT)  # before there was anything to keep
            assert process.returncode in (0, *early)
    assert max(took) < ROOM_SECONDS, sorted(took)


def test_a_long_call_is_interrupted_and_what_follows_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genlib.cli.terminal.GRACE_SECONDS", 0.05)
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)]
    done = []
    with asked_to_stop() as asked:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(20)
        done.append("slept")
    assert asked == [signal.SIGTERM] and not done
    time.sleep(0.1)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)] == handlers


def test_a_stop_before_the_run_began_advises_no_resuming(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fetch(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(20)

    monkeypatch.setattr("genlib.data.FashionMNIST.load", fetch)
    assert main(["train", "vae-dense-8", "--run-dir", str(tmp_path / "run"), "--device", "cpu"]) == 0
    assert capsys.readouterr().err == "stopped before the run began\n"
    assert not (tmp_path / "run").exists()


def test_an_interrupt_that_nobody_asked_for_is_passed_on() -> None:
    with pytest.raises(KeyboardInterrupt), asked_to_stop():
        raise KeyboardInterrupt
