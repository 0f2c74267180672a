"""A training in several processes on the CPU: the same losses as in one, and an end that loses nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from genlib.cli.terminal import normalises_batches
from genlib.data import FashionMNIST
from genlib.distributed import Processes, own_rows, sharing
from genlib.layers.dropout import ChannelDropout, Dropout
from genlib.models import get_preset
from tests.tiny import refused, tiny_config, tiny_training

ROOT = Path(__file__).parent.parent
CPU = torch.device("cpu")
SECONDS = 120
LOST = "another process of this training has ended"


def command(name: str, directory: Path, **changes: Any) -> list[str]:
    """The command line of a tiny training."""
    words = ["train", name, "--run-dir", str(directory), "--device", "cpu"]
    words += ["--resume"] if (directory / "run.json").is_file() else []
    words += ["--distance-samples", "50", "--evaluation-samples", "50"]
    config, standard = tiny_config(name, **changes).to_dict(), get_preset(name).config.to_dict()
    for key, value in config.items():
        if value != standard[key]:
            words += ["--set", f"{key}={','.join(map(str, value)) if isinstance(value, list | tuple) else value}"]
    return words


def together(words: Sequence[str], count: int = 2) -> list[subprocess.Popen[str]]:
    """What torchrun starts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    group = {"WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1"}
    group |= {"MASTER_PORT": str(port), "OMP_NUM_THREADS": "1", "GENLIB_CHECKPOINT_SECONDS": "0"}
    return [
        subprocess.Popen(
            [sys.executable, "-m", "tests.worker_process", *words],
            cwd=ROOT,
            env={**os.environ, **group, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Whatever a test starts and puts in here is gone after it."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def ended(processes: Sequence[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    """Exit status and stderr of each."""
    errors = [process.communicate(timeout=SECONDS)[1] for process in processes]
    return [(process.returncode, error) for process, error in zip(processes, errors, strict=True)]


def losses(directory: Path) -> list[dict[str, float]]:
    return [record["losses"] for record in json.loads((directory / "history.json").read_text())["epochs"]]


def assert_alike(one: Path, other: Path) -> None:
    """The same training to rounding."""
    for mine, theirs in zip(losses(one), losses(other), strict=True):
        assert mine == pytest.approx(theirs, rel=1e-4)
    tensors = load_file(other / "model.safetensors")
    for name, tensor in load_file(one / "model.safetensors").items():
        torch.testing.assert_close(tensor, tensors[name], rtol=1e-2, atol=1e-4, msg=name)


WITHOUT_BATCH_NORM = {
    "gan-dense-1": {"precision": "float32"},
    "gan-dense-cnn": {"precision": "float32", "generator_widths": (8,)},  # drops channels
    "gan-fid": {"precision": "float32", "generator_widths": (8,)},  # drops units
    "vae-dense-64": {},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gan-dense-1", "vae-dense-64"])
def test_two_processes_train_as_one(
    name: str, tmp_path: Path, small_data: FashionMNIST, started: list[subprocess.Popen[str]]
) -> None:
    list(tiny_training(name, tmp_path / "one", small_data, **WITHOUT_BATCH_NORM[name]))
    started += together(command(name, tmp_path / "two", **WITHOUT_BATCH_NORM[name]))
    (first, told), (second, silent) = ended(started)
    assert (first, second) == (0, 0), told + silent
    assert "epoch 2" in told and "epoch" not in silent
    assert_alike(tmp_path / "one", tmp_path / "two")
    assert json.loads((tmp_path / "two" / "metrics.json").read_text())["train_epochs"] == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gan-dense-cnn", "gan-fid"])
def test_two_processes_drop_what_one_drops(
    name: str, tmp_path: Path, small_data: FashionMNIST, started: list[subprocess.Popen[str]]
) -> None:
    test_two_processes_train_as_one(name, tmp_path, small_data, started)


def until(there: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not there.is_file():
        assert time.monotonic() < deadline, f"no {there}"
        time.sleep(0.02)


@pytest.mark.slow
def test_a_killed_process_ends_the_run_in_one_line_and_one_process_goes_on(
    tmp_path: Path, small_data: FashionMNIST, started: list[subprocess.Popen[str]]
) -> None:
    directory, checkpoint = tmp_path / "run", tmp_path / "run" / "checkpoint" / "last.safetensors"
    long = WITHOUT_BATCH_NORM["gan-dense-1"] | {"epochs": 20}
    started += together(command("gan-dense-1", directory, **long))
    until(checkpoint)
    started[1].send_signal(signal.SIGKILL)
    (status, told), _ = ended(started)
    assert status == 2
    assert [line for line in told.splitlines() if line.startswith("genlib:")] == [
        f"genlib: {LOST}; the last checkpoint is kept, continue with --resume"
    ]
    assert "Traceback" not in told
    list(tiny_training("gan-dense-1", directory, small_data, resume=True, **long))
    list(tiny_training("gan-dense-1", tmp_path / "one", small_data, **long))
    for mine, theirs in zip(losses(directory), losses(tmp_path / "one"), strict=True):
        assert mine == pytest.approx(theirs, rel=0.02)  # rounding, grown over 80 steps


@pytest.mark.slow
def test_a_stopped_training_goes_on_in_more_processes(
    tmp_path: Path, small_data: FashionMNIST, started: list[subprocess.Popen[str]]
) -> None:
    settings = WITHOUT_BATCH_NORM["gan-dense-1"]
    events = tiny_training("gan-dense-1", tmp_path / "run", small_data, **settings)
    for _ in range(4):  # Started, three steps
        next(events)
    events.close()  # type: ignore[attr-defined]
    list(tiny_training("gan-dense-1", tmp_path / "one", small_data, **settings))
    started += together(command("gan-dense-1", tmp_path / "run", **settings))
    assert [status for status, _ in ended(started)] == [0, 0]
    assert_alike(tmp_path / "one", tmp_path / "run")


def test_presets_with_batch_norm_are_known() -> None:
    found = {name: normalises_batches(name, tiny_config(name)) for name in ("dcgan-32", "gan-dense-1", "vae-dense-64")}
    assert found == {"dcgan-32": True, "gan-dense-1": False, "vae-dense-64": False}


@pytest.mark.slow
def test_a_stop_writes_a_checkpoint_and_ends_all(tmp_path: Path, started: list[subprocess.Popen[str]]) -> None:
    started += together(command("gan-dense-2", tmp_path / "run", precision="float32", epochs=10_000))
    until(tmp_path / "run" / "checkpoint" / "last.safetensors")
    for process in reversed(started):  # as torchrun does
        process.send_signal(signal.SIGTERM)
    (first, told), (_, silent) = ended(started)
    assert first == 0 and "stopped; continue with" in told
    assert "batch norm sees each process' share of a batch alone" in told
    assert "genlib:" not in silent and "Traceback" not in silent + told


@pytest.mark.slow
def test_bad_input_is_told_once(tmp_path: Path, started: list[subprocess.Popen[str]]) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "letter.txt").write_text("not a run")
    started += together(command("vae-dense-64", tmp_path / "run"))
    (first, told), (second, silent) = ended(started)
    assert (first, second) == (2, 2)
    assert "is not empty and holds no run" in told and "genlib:" not in silent


def test_a_batch_is_divided_alike_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = FashionMNIST.load("test")
    monkeypatch.setattr(Processes, "join", lambda device: Processes(CPU, 0, 3))
    monkeypatch.setattr(Processes, "lead", lambda self, work: work())
    with refused("a batch of 50 images cannot be shared by 3 processes alike"):
        list(tiny_training("vae-dense-64", tmp_path / "a", data))
    with refused("expectation-maximisation runs in one process, not in 3"):
        list(tiny_training("gmm-10", tmp_path / "b", data))


def test_a_strange_world_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "many")
    with refused("WORLD_SIZE takes a whole number, not 'many'"):
        Processes.join("cpu")


def test_processes_without_accelerate_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with refused("several processes need Accelerate: pip install"):
        Processes.join("cpu")


@pytest.mark.parametrize("layer", [Dropout(0.3), ChannelDropout(0.3)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_processes_drop_the_rows_that_one_drops(layer: torch.nn.Module, layout: torch.memory_format) -> None:
    """Real images over fakes, 6 each, in one process and in three."""
    x = torch.rand(12, 3, 5, 5).contiguous(memory_format=layout) + 1
    torch.manual_seed(0)
    whole = layer(x).view(2, 3, 2, 3, 5, 5)
    for index in range(3):
        part = x.view(2, 3, 2, 3, 5, 5)[:, index].flatten(0, 1).contiguous(memory_format=layout)
        torch.manual_seed(0)
        with sharing(2, Processes(CPU, index, 3)):
            assert torch.equal(layer(part).view(2, 2, 3, 5, 5), whole[:, index])


def test_shared_rows_are_those_of_the_whole() -> None:
    torch.manual_seed(0)
    whole = torch.randn(8, 3)
    parts = []
    for index in range(4):
        torch.manual_seed(0)
        with sharing(2, Processes(CPU, index, 4)):
            parts.append(own_rows(lambda n: torch.randn(n, 3), 2))
    assert torch.equal(torch.cat(parts), whole)
