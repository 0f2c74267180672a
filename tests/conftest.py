"""What every test stands on: no GPU, no downloads, no one's own directories, and a data set of 200 images."""

from __future__ import annotations

import os
from collections.abc import Iterator

# One thread: on tiny matrices two of them mostly wait for each other, ten times as long where a core is busy.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"  # read when huggingface_hub is imported: a download fails at once, untried
os.environ.pop("HF_TOKEN", None)

from pathlib import Path

import pytest
import torch

from genlib.data import FashionMNIST
from genlib.jobs.queue import Queue
from tests.workers import end_workers


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The user's variables and cache decide nothing."""
    for name in [name for name in os.environ if name.startswith("GENLIB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path / "runs"))


@pytest.fixture(autouse=True)
def _fixed_global_seed() -> None:
    """Nothing in genlib leans on the global generator unseeded; what does in a test is at least repeatable."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def test_split() -> FashionMNIST:
    return FashionMNIST.load("test")


@pytest.fixture(scope="session")
def small_data(test_split: FashionMNIST) -> FashionMNIST:
    return FashionMNIST(test_split.images[:200], test_split.labels[:200])


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    """An empty queue; no process of its runs outlives the test."""
    queue = Queue(tmp_path / "runs")
    yield queue
    end_workers(queue)


@pytest.fixture
def training_split() -> None:
    """Continuous integration must have it; elsewhere what trains on it is skipped."""
    if not FashionMNIST.available("train"):
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up("workers train on the training split (Debian: apt-get install dataset-fashion-mnist)")
