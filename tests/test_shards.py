"""Samples in shards: the same bytes as in one piece, whole or not there, measured as one set."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import genlib.shards
from genlib.__main__ import main
from genlib.data import FashionMNIST
from genlib.distributed import Processes
from genlib.loading import load
from genlib.metrics.classification import balance_divergence, class_consistency
from genlib.metrics.features import load_extractor
from genlib.metrics.frechet import Gaussian, RunningGaussian, frechet_distance
from genlib.metrics.samples import measure_samples
from genlib.sampling import generate
from genlib.shards import INDEX, read_shard, write_shards
from genlib.stages import finish
from tests.tiny import refused

CONDITIONAL, UNCONDITIONAL = "cgan-mlp", "vae-dense-8"
N = 1_300


def measured(path: Path) -> dict[str, Any]:
    return finish(measure_samples(path))


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(genlib.shards, "SHARD", 500)


def arrays(directory: Path, name: str) -> np.ndarray:
    parts = [np.load(path)[name] for path in sorted(directory.glob("*.npz"))]
    assert [len(part) for part in parts] == [500, 500, 300]
    return np.concatenate(parts)


def test_shards_hold_what_generate_gives(tmp_path: Path) -> None:
    assert list(write_shards(CONDITIONAL, tmp_path / "d", N, seed=3)) == [500, 1000, 1300]
    images, labels = generate(load(CONDITIONAL), N, seed=3)
    assert labels is not None
    assert np.array_equal(arrays(tmp_path / "d", "images"), images.numpy())
    assert np.array_equal(arrays(tmp_path / "d", "labels"), labels.numpy())


def test_one_class_alone(tmp_path: Path) -> None:
    list(write_shards(CONDITIONAL, tmp_path / "d", N, label=7))
    assert set(arrays(tmp_path / "d", "labels")) == {7}


def test_processes_take_shards_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    list(write_shards(UNCONDITIONAL, tmp_path / "one", N))
    monkeypatch.setattr(Processes, "lead", lambda self, work: work())
    for index in (1, 0):
        monkeypatch.setattr(Processes, "join", lambda device, index=index: Processes(torch.device("cpu"), index, 2))
        *_, done = write_shards(UNCONDITIONAL, tmp_path / "two", N)
        assert done == (800, 500)[index]
    assert sorted(p.name for p in (tmp_path / "two").glob("*.npz")) == ["000000.npz", "000001.npz", "000002.npz"]
    for path in (tmp_path / "one").glob("*.npz"):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


@pytest.mark.parametrize("name", [pytest.param(CONDITIONAL, marks=pytest.mark.slow), UNCONDITIONAL])
def test_figures_are_those_of_the_whole_set(name: str, tmp_path: Path) -> None:
    list(write_shards(name, tmp_path / "d", N))
    told: list[float] = []
    figures = finish(measure_samples(tmp_path / "d"), told.append)
    images, labels = generate(load(name), N)
    extractor = load_extractor()
    assert told == sorted(told) and figures["samples"] == N and figures["model"] == name
    assert figures["fd"] == pytest.approx(frechet_distance(Gaussian.of(extractor.features(images)), extractor.test))
    seen = extractor.predict(images)
    if labels is None:
        assert figures["balance_kl"] == pytest.approx(balance_divergence(seen))
    else:
        assert figures["class_consistency"] == pytest.approx(class_consistency(seen, labels))


def test_a_running_fit_is_the_fit_of_the_whole() -> None:
    features = np.random.default_rng(0).normal(3.0, 2.0, (700, 9)).astype(np.float32)
    running = RunningGaussian(9)
    for part in np.array_split(features, 4):
        running.add(part)
    whole = Gaussian.of(features)
    np.testing.assert_allclose(running.fit().mean, whole.mean)
    np.testing.assert_allclose(running.fit().covariance, whole.covariance, atol=1e-10)
    with refused("a covariance needs at least 2 samples, not 0"):
        RunningGaussian(9).fit()


def test_only_what_is_missing_or_damaged_is_drawn_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / "d"
    list(write_shards(UNCONDITIONAL, directory, N))
    whole = {path.name: path.read_bytes() for path in directory.glob("*.npz")}
    (directory / "000001.npz").write_bytes(whole["000001.npz"][:5000])  # half written by a machine that lost power
    (directory / "000002.npz").unlink()
    (directory / ".000002.npz.77.tmp").write_bytes(b"half")
    with refused("lacks 1 shards"):
        measured(directory)
    drawn: list[int] = []

    def counted(*arguments: object, start: int) -> object:
        drawn.append(start)
        return generate(*arguments, start=start)  # type: ignore[arg-type]

    monkeypatch.setattr(genlib.shards, "generate", counted)
    list(write_shards(UNCONDITIONAL, directory, N))
    assert drawn == [500, 1000]
    assert {path.name: path.read_bytes() for path in directory.glob("*.npz")} == whole
    assert not list(directory.glob(".*.tmp"))


def test_a_damaged_shard_is_not_measured(tmp_path: Path) -> None:
    list(write_shards(UNCONDITIONAL, tmp_path, N))
    path = tmp_path / "000001.npz"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    with refused("000001.npz is damaged; the command that wrote it repairs it"):
        measured(tmp_path)


def test_a_shard_with_damaged_labels_is_drawn_again(tmp_path: Path) -> None:
    list(write_shards(CONDITIONAL, tmp_path, 20))
    path, whole = tmp_path / "000000.npz", (tmp_path / "000000.npz").read_bytes()
    damaged = bytearray(whole)
    damaged[whole.index(b"PK\x01\x02") - 8] ^= 255  # before the archive's directory: in its last array, the labels
    path.write_bytes(damaged)
    with refused("000000.npz is damaged"):
        measured(tmp_path)
    list(write_shards(CONDITIONAL, tmp_path, 20))
    assert path.read_bytes() == whole


@pytest.mark.parametrize("label", [-1, 10])
def test_a_shard_with_labels_of_no_class_is_damaged(label: int, tmp_path: Path) -> None:
    list(write_shards(CONDITIONAL, tmp_path, 20))
    path = tmp_path / "000000.npz"
    with np.load(path) as kept:
        images, labels = kept["images"], kept["labels"]
    labels[7] = label
    np.savez_compressed(path, images=images, labels=labels)
    with refused("000000.npz is damaged"):
        measured(tmp_path)


def test_another_set_is_not_mixed_in(tmp_path: Path) -> None:
    list(write_shards(UNCONDITIONAL, tmp_path / "d", 10))
    with refused("holds samples with seed 0, not 1"):
        list(write_shards(UNCONDITIONAL, tmp_path / "d", 10, seed=1))
    with refused("holds samples with n 10, not 11"):
        list(write_shards(UNCONDITIONAL, tmp_path / "d", 11))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("mine")
    with refused("is not empty and holds no shards"):
        list(write_shards(UNCONDITIONAL, tmp_path / "other", 10))
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["letter.txt"]


def test_two_do_not_write_to_one_directory(tmp_path: Path) -> None:
    """The first, which writes on; its torn files are left alone, and its end lets the next one in."""
    first = write_shards(UNCONDITIONAL, tmp_path / "d", N)
    assert next(first) == 500
    (tmp_path / "d" / ".000001.npz.1.1.tmp").write_bytes(b"half")
    for _ in range(2):
        with refused("another process is writing samples to .*; wait, or give a new directory"):
            next(write_shards(UNCONDITIONAL, tmp_path / "d", N))
    assert (tmp_path / "d" / ".000001.npz.1.1.tmp").is_file()
    first.close()  # type: ignore[attr-defined]
    assert list(write_shards(UNCONDITIONAL, tmp_path / "d", N)) == [500, 1000, 1300]


def test_bad_input(tmp_path: Path) -> None:
    for n in (0, -1, 2**40, True):
        with refused("n takes a whole number from 1 to"):
            list(write_shards(UNCONDITIONAL, tmp_path / "d", n))
    with refused("a VAE model takes no label"):
        list(write_shards(UNCONDITIONAL, tmp_path / "d", 10, label=3))
    with refused("no class 99"):
        list(write_shards(CONDITIONAL, tmp_path / "d", 10, label=99))
    assert not (tmp_path / "d").exists()
    (tmp_path / "file").write_text("")
    with refused("cannot make the directory"):
        list(write_shards(UNCONDITIONAL, tmp_path / "file", 10))
    with refused("there is no file or directory"):
        measured(tmp_path / "nothing")
    with refused("cannot be read: File name too long"):
        measured(tmp_path / f"{'x' * 300}.npz")
    for text in ('{"n": "many"}', '{"n": true, "labelled": true}', '{"n": 1, "labelled": "no"}'):
        (tmp_path / INDEX).write_text(text)
        with refused(f"{INDEX}: "):
            measured(tmp_path)


@pytest.mark.parametrize("number", ["|V2147483647", "<f8", "|u1"])
def test_a_shard_that_is_no_shard_is_refused(number: str, tmp_path: Path) -> None:
    """Of a type that fills no memory, of a usual one, and with more bytes than its shape takes."""
    with (
        zipfile.ZipFile(tmp_path / "000000.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("images.npy", "w") as entry,
    ):
        np.lib.format.write_array_header_1_0(entry, {"descr": number, "fortran_order": False, "shape": (10, 28, 28)})
        entry.write(bytes(100_000))
    with refused("000000.npz is damaged"):
        read_shard(tmp_path / "000000.npz", 10, False)


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = f"{tmp_path}/d/"
    assert main(["sample", UNCONDITIONAL, "--n", "600", "--out", directory]) == 0
    assert main(["evaluate", "--samples", directory, "--json", f"{tmp_path}/f.json"]) == 0
    told = capsys.readouterr().out
    assert "fd" in told and "balance_kl" in told
    assert json.loads((tmp_path / "f.json").read_text())["samples"] == 600
    assert main(["evaluate", UNCONDITIONAL, "--samples", directory]) == 2
    assert "evaluate takes names of models, --all, or --samples" in capsys.readouterr().err


KILLED = """
import sys
import genlib.shards
from genlib.__main__ import main
genlib.shards.SHARD = 50
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_stop_loses_no_shard(number: signal.Signals, tmp_path: Path) -> None:
    words = [sys.executable, "-c", KILLED, "sample", UNCONDITIONAL, "--n", "1000000", "--out", f"{tmp_path}/d/"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "preexec_fn": _hear}
    with subprocess.Popen(words, **quiet, text=True) as process:  # type: ignore[call-overload]
        deadline = time.monotonic() + 60
        while not (tmp_path / "d" / "000003.npz").is_file():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(process.pid, number)
        told = process.communicate()[1]
    if number == signal.SIGINT:
        assert process.returncode == 0 and "stopped; the same command continues" in told
    test = FashionMNIST.load("test").images
    for path in sorted((tmp_path / "d").glob("*.npz")):
        assert np.load(path)["images"].shape == (50, *test.shape[1:])


def _hear() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored by what a background shell starts
