"""What a training will need of memory is known before it begins, and what cannot fit is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from genlib import train
from genlib.data import FashionMNIST
from genlib.distributed import Processes
from genlib.io.files import size_megabytes
from genlib.model import Preset
from genlib.models import get_preset
from genlib.store import save_model
from genlib.training.loop import Run
from genlib.training.memory import disk_megabytes, memory_megabytes, needed_megabytes
from tests.tiny import NAMES, refused, tiny_config

CPU = torch.device("cpu")
PROGRAM = """
import json, sys, torch
from genlib.data import FashionMNIST
from genlib.distributed import Processes
from genlib.models import get_preset
from genlib.training.loop import Run
from genlib.training.memory import needed_megabytes, peak_megabytes, reset_peak
preset = get_preset(sys.argv[1])
config = preset.config.replace(batch_size=int(sys.argv[2]))
images = torch.zeros(60_000, 28, 28, dtype=torch.uint8).random_()
run = Run(preset, config, FashionMNIST(images, torch.arange(60_000) % 10), Processes.join("cpu"), 1_000)
reset_peak(run.device)
run._train_on(next(run._remaining_batches()))
print(json.dumps([needed_megabytes(preset, config, 60_000), peak_megabytes(run.device)]))
"""


@pytest.mark.parametrize("name", NAMES)
def test_every_preset_fits_a_small_machine(name: str) -> None:
    preset = get_preset(name)
    assert 800 < needed_megabytes(preset, preset.config, 60_000) < 4_000


def test_memory_grows_with_batch_and_width() -> None:
    preset = get_preset("vae-cnn")
    plain, batch, width = (
        needed_megabytes(preset, preset.config.replace(**settings), 60_000)
        for settings in ({}, {"batch_size": 10_000}, {"width": 512})
    )
    assert batch > plain + 2_000 and width > plain + 500


def test_a_batch_larger_than_the_split_is_the_split() -> None:
    preset = get_preset("vae-cnn")
    assert needed_megabytes(preset, preset.config.replace(batch_size=10_000), 64) == needed_megabytes(
        preset, preset.config.replace(batch_size=64), 60_000
    )


@pytest.mark.parametrize(("name", "advice"), [("vae-cnn", "batch size or smaller layers"), ("gmm-10", "components")])
def test_what_cannot_fit_is_refused_before_it_is_made(
    name: str, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genlib.training.memory.memory_megabytes", lambda device: 512.0)
    monkeypatch.setattr(Preset, "build", _shapes_alone(Preset.build))
    data = FashionMNIST(torch.zeros(100, 28, 28, dtype=torch.uint8), torch.arange(100) % 10)
    with refused(rf"needs about [0-9,]+ MB of memory and this machine has 512; choose a smaller .*{advice}"):
        list(train(name, tmp_path / "run", config=tiny_config(name), data=data, device="cpu"))


def _shapes_alone(build):
    def checked(preset: Preset, config: object) -> object:
        assert torch.empty(0).device.type == "meta", "the model was made before its size was known"
        return build(preset, config)

    return checked


def test_a_containers_limit_is_the_machines_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, limit, none = memory_megabytes(CPU), tmp_path / "memory.max", tmp_path / "max"
    limit.write_text("500000000\n")
    none.write_text("max\n")
    monkeypatch.setattr("genlib.training.memory.CGROUP_LIMITS", (str(none), str(tmp_path / "missing")))
    assert memory_megabytes(CPU) >= whole
    monkeypatch.setattr("genlib.training.memory.CGROUP_LIMITS", (str(none), str(limit)))
    assert memory_megabytes(CPU) == 500.0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a stretch of work is known on Linux alone")
@pytest.mark.parametrize(("name", "batch_size"), [("vae-cnn", 2_000), ("dcgan-64", 500)])
def test_what_is_said_is_what_a_training_holds(name: str, batch_size: int) -> None:
    words = [sys.executable, "-c", PROGRAM, name, str(batch_size)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=os.environ | {"OMP_NUM_THREADS": "2"})
    needed, held = json.loads(done.stdout)
    assert 0.75 * held < needed < 2 * held  # one step: what is said counts the measuring after it as well


def test_a_students_answers_are_counted() -> None:
    preset = get_preset("flow-one-step")
    few, many = (needed_megabytes(preset, preset.config.replace(answers=n), 60_000) for n in (20_000, 1_000_000))
    assert many - few == pytest.approx(980_000 * (4 * 784 + 784) / 1e6)
    few, many = (disk_megabytes(preset, preset.config.replace(answers=n)) for n in (20_000, 1_000_000))
    assert many - few == pytest.approx(980_000 * 784 / 1e6)


def test_a_mixtures_disk_grows_with_what_its_search_keeps() -> None:
    """Measured: 26 MB with 11 components, 67 with a search over 20."""
    sizes = {name: disk_megabytes(get_preset(name), get_preset(name).config) for name in ("ae-gmm-11", "ae-gmm-best")}
    assert 26 < sizes["ae-gmm-11"] < 52 and 67 < sizes["ae-gmm-best"] < 134


def test_the_disk_that_a_run_will_take(small_data: FashionMNIST, tmp_path: Path) -> None:
    """Its checkpoint and its model, of a family with an average and two optimisers."""
    preset = get_preset("dcgan-32")
    run = Run(preset, preset.config, small_data, Processes.join("cpu"), 50)
    run._train_on(next(run._remaining_batches()))  # before that there are no moments
    run.save(tmp_path / "checkpoint" / "last.safetensors")
    assert run.average
    save_model(tmp_path, preset.name, run.model, run.average.state())
    assert disk_megabytes(preset, preset.config) == pytest.approx(size_megabytes(tmp_path), rel=0.05)
