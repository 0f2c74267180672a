"""The loop: a run that is interrupted anywhere ends with the bytes of one left alone, and a bad start is one line."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

import genlib.training.loop
from genlib.data import FashionMNIST
from genlib.distributed import Processes
from genlib.errors import GenlibError
from genlib.io.files import runs_directory
from genlib.loading import load
from genlib.metrics.evaluation import KEYS
from genlib.model import Descend, Model, capabilities
from genlib.models import get_preset
from genlib.sampling import generate
from genlib.stages import finish
from genlib.training.checkpoint import read_checkpoint, write_checkpoint
from genlib.training.diagnostics import Diagnostics
from genlib.training.events import Checkpointed, Done, EpochDone, Event, Measuring, SamplesWritten, Started, Step
from genlib.training.loop import Run
from genlib.training.progress import read_progress
from genlib.training.run import train
from genlib.zoo.files import OF_TRAININGS
from tests.tiny import (
    ONE_PER_FAMILY,
    SAME,
    assert_same_model,
    comparable_history,
    every_pair,
    refused,
    tiny_config,
    tiny_training,
)

MODEL_FILES = (*SAME, "metrics.json", "history.json", "README.md")
Stop = Callable[[Event], bool]
Events = list[Event]
every_family = pytest.mark.parametrize("name", ONE_PER_FAMILY)


def run_until(name: str, directory: Path, data: FashionMNIST, stop: Stop, **options: Any) -> list[Event]:
    """Events up to the first that `stop` is true of; the iterator is closed there, as Ctrl-C does."""
    events, running = [], tiny_training(name, directory, data, **options)
    for event in running:
        events.append(event)
        if stop(event):
            running.close()
            return events
    raise AssertionError("the run ended before it was stopped")


def at_step(step: int) -> Stop:
    return lambda event: isinstance(event, Step) and event.step == step


def files(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, small_data: FashionMNIST) -> Callable[[str], tuple[Path, Events]]:
    """The directory of a whole run of a preset, trained once, and what it told."""
    root, known = tmp_path_factory.mktemp("undisturbed"), dict[str, Events]()

    def run(name: str) -> tuple[Path, Events]:
        if name not in known:
            known[name] = list(tiny_training(name, root / name, small_data))
        return root / name, known[name]

    return run


@pytest.fixture
def undisturbed(told: Callable[[str], tuple[Path, Events]]) -> Callable[[str], Path]:
    return lambda name: told(name)[0]


@every_family
def test_a_finished_run_is_a_model(name: str, undisturbed: Callable[[str], Path]) -> None:
    directory = undisturbed(name)
    assert set(MODEL_FILES) <= {path.name for path in directory.iterdir()}
    assert not list(directory.rglob("*.tmp"))
    metrics = json.loads((directory / "metrics.json").read_text())
    assert set(metrics) == set(KEYS)
    assert math.isfinite(metrics["fd"])
    assert metrics["train_epochs"] == 2
    assert generate(load(directory), 3)[0].shape == (3, 28, 28)
    assert metrics["extractor"][:12] in (directory / "README.md").read_text()


@every_family
def test_history_holds_what_cannot_be_measured_later(name: str, undisturbed: Callable[[str], Path]) -> None:
    history = json.loads((undisturbed(name) / "history.json").read_text())
    assert history["sample_epochs"] == [1, 2]
    expected = {"epoch", "losses", "seconds", "peak_memory_mb", "fd"}
    can = capabilities(get_preset(name).model_class)
    expected |= {"accuracy_train", "accuracy_test", "accuracy_fake", "fd_raw"} if "discriminates" in can else set()
    expected |= {"mse_test"} if "decodes" in can and "integrates" not in can else set()
    expected -= {"fd_raw"} if get_preset(name).model_class.average_only else set()
    for epoch, record in enumerate(history["epochs"], start=1):
        assert set(record) == expected
        assert record["epoch"] == epoch
        assert all(math.isfinite(value) for value in record["losses"].values())


@every_family
def test_events_tell_the_run(name: str, told: Callable[[str], tuple[Path, Events]]) -> None:
    directory, every = told(name)
    events = [event for event in every if not isinstance(event, Measuring)]
    shares = [event.share for event in every if isinstance(event, Measuring)]
    assert shares.count(1.0) >= 3 and min(shares) == 0.0  # after either epoch, and at the end
    started, *_, checkpointed, done = events
    assert isinstance(started, Started)
    assert isinstance(checkpointed, Checkpointed)
    assert isinstance(done, Done)
    steps = [event.step for event in events if isinstance(event, Step)]
    assert steps == list(range(1, started.epochs * started.steps_per_epoch + 1))
    assert [event.record["epoch"] for event in events if isinstance(event, EpochDone)] == [1, 2]
    for event in events:
        if isinstance(event, SamplesWritten):
            assert (directory / event.path).is_file()
    logged = [json.loads(line)["event"] for line in (directory / "events.jsonl").read_text().splitlines()]
    logged = [event for event in logged if event != "Measuring"]  # one a second
    assert logged == [type(event).__name__ for event in events if not isinstance(event, Step) or event.losses]


STOPS: dict[str, Stop] = {
    "before the first step": lambda event: isinstance(event, Started),
    "after the first step": at_step(1),
    "while it measures": lambda event: isinstance(event, Measuring),
    "at an epoch's end": lambda event: isinstance(event, EpochDone),
    "after a picture": lambda event: isinstance(event, SamplesWritten),
}


@pytest.mark.parametrize(("name", "moment"), every_pair(ONE_PER_FAMILY, STOPS))
def test_an_interrupted_run_ends_with_the_same_bytes(
    name: str, moment: str, small_data: FashionMNIST, tmp_path: Path, undisturbed: Callable[[str], Path]
) -> None:
    events = run_until(name, tmp_path / "run", small_data, STOPS[moment])
    resumed = list(tiny_training(name, tmp_path / "run", small_data, resume=True))
    assert isinstance(resumed[0], Started)
    assert resumed[0].step == max((event.step for event in events if isinstance(event, Step)), default=0)
    told = read_progress(tmp_path / "run")  # whatever stopped it, and where
    assert (sorted(told.records), sorted(told.samples)) == ([1, 2], [1, 2])
    assert_same_model(tmp_path / "run", undisturbed(name))


@pytest.mark.parametrize("name", ["cgan-mlp", "vae-cnn"])
def test_a_run_interrupted_in_every_epoch_ends_with_the_same_bytes(
    name: str, small_data: FashionMNIST, tmp_path: Path, undisturbed: Callable[[str], Path]
) -> None:
    for step in (2, 3, 7):
        run_until(name, tmp_path / "run", small_data, at_step(step), resume=step > 2)
    list(tiny_training(name, tmp_path / "run", small_data, resume=True))
    assert_same_model(tmp_path / "run", undisturbed(name))


KILLED = """
import sys
from genlib.data import FashionMNIST
from tests.tiny import tiny_training

test = FashionMNIST.load("test")
for event in tiny_training(sys.argv[1], sys.argv[2], FashionMNIST(test.images[:200], test.labels[:200])):
    print(type(event).__name__, getattr(event, "step", ""), flush=True)
"""


def kill_at(name: str, directory: Path, line: str) -> None:
    """Train in a process of its own, checkpointing after each step, and SIGKILL it when it prints `line`."""
    root = Path(__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": str(root), "GENLIB_CHECKPOINT_SECONDS": "0"}
    command = [sys.executable, "-c", KILLED, name, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=root) as process:
        assert process.stdout
        for printed in process.stdout:
            if printed.strip() == line:
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL


def assert_survives_kill(name: str, line: str, data: FashionMNIST, tmp_path: Path, whole: Path) -> None:
    kill_at(name, tmp_path / "run", line)
    resumed = list(tiny_training(name, tmp_path / "run", data, resume=True))
    assert isinstance(resumed[0], Started)
    assert resumed[0].step >= int(line.split()[1])
    assert_same_model(tmp_path / "run", whole)


def test_a_killed_run_ends_with_the_same_bytes(
    small_data: FashionMNIST, tmp_path: Path, undisturbed: Callable[[str], Path]
) -> None:
    assert_survives_kill("vae-cnn", "Checkpointed 3", small_data, tmp_path, undisturbed("vae-cnn"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "line"), [("cgan-mlp", "Step 2"), ("cgan-mlp", "Checkpointed 5"), ("gmm-10", "Step 2")]
)
def test_any_killed_run_ends_with_the_same_bytes(
    name: str, line: str, small_data: FashionMNIST, tmp_path: Path, undisturbed: Callable[[str], Path]
) -> None:
    whole = undisturbed(name)
    if line.startswith("Step"):  # one checkpoint less is promised: the kill may come while it is written
        kill_at(name, tmp_path / "run", line)
        list(tiny_training(name, tmp_path / "run", small_data, resume=True))
        assert_same_model(tmp_path / "run", whole)
    else:
        assert_survives_kill(name, line, small_data, tmp_path, whole)


@every_family
def test_resuming_a_finished_run_changes_nothing(
    name: str, small_data: FashionMNIST, undisturbed: Callable[[str], Path]
) -> None:
    before = files(undisturbed(name))
    events = list(tiny_training(name, undisturbed(name), small_data, resume=True))
    assert [type(event) for event in events] == [Done]
    assert files(undisturbed(name)) == before


def test_a_finished_or_started_run_is_not_begun_anew(
    small_data: FashionMNIST, tmp_path: Path, undisturbed: Callable[[str], Path]
) -> None:
    with refused("already holds a run; continue with --resume"):
        list(tiny_training("vae-cnn", undisturbed("vae-cnn"), small_data))
    run_until("vae-cnn", tmp_path / "run", small_data, at_step(2))
    with refused("already holds a run; continue with --resume"):
        list(tiny_training("vae-cnn", tmp_path / "run", small_data))


def test_another_presets_or_configurations_run_is_refused(
    small_data: FashionMNIST, undisturbed: Callable[[str], Path]
) -> None:
    directory = undisturbed("vae-cnn")
    before = files(directory)
    with refused("holds a run of vae-cnn, not of cgan-mlp"):
        list(tiny_training("cgan-mlp", directory, small_data, resume=True))
    with refused("was started with beta=3.0; resume it as it was, or start anew"):
        list(tiny_training("vae-cnn", directory, small_data, resume=True, beta=1.0))
    assert files(directory) == before


def test_a_directory_of_something_else_is_left_alone(small_data: FashionMNIST, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with refused("is not empty and holds no run"):
        list(tiny_training("vae-cnn", tmp_path, small_data))
    with refused("cannot make the directory"):
        list(tiny_training("vae-cnn", tmp_path / "thesis.tex", small_data))
    assert files(tmp_path) == {"thesis.tex": b"precious"}


def test_a_torn_checkpoint_is_named(small_data: FashionMNIST, tmp_path: Path) -> None:
    run_until("vae-cnn", tmp_path / "run", small_data, at_step(2))
    checkpoint = tmp_path / "run" / "checkpoint" / "last.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    with refused("checkpoint .*last.safetensors is damaged"):
        list(tiny_training("vae-cnn", tmp_path / "run", small_data, resume=True))


def test_what_a_killed_run_left_half_written_is_swept_away(small_data: FashionMNIST, tmp_path: Path) -> None:
    run_until("vae-cnn", tmp_path, small_data, at_step(2))
    half, queues = tmp_path / "checkpoint" / ".last.safetensors.7.tmp", tmp_path / ".job.json.7.tmp"
    half.write_bytes(b"ha")
    queues.write_bytes(b"{")
    run_until("vae-cnn", tmp_path, small_data, at_step(3), resume=True)
    assert (half.exists(), queues.exists()) == (False, True)


@pytest.mark.parametrize(
    ("lacking", "told"),
    [
        ("model.encoder.0.bias", "vae-cnn|does not fit this model"),
        ("sums", "is damaged and cannot be resumed: it has no sums"),
        ("optimizer.vae.0.exp_avg", "holds [0-9]+ of its [0-9]+ optimiser moments"),
    ],
    ids=["another model's", "without a fact", "without a moment"],
)
def test_a_checkpoint_that_lacks_something_is_named(
    lacking: str, told: str, small_data: FashionMNIST, tmp_path: Path
) -> None:
    run_until("vae-cnn", tmp_path / "run", small_data, at_step(2))
    checkpoint = tmp_path / "run" / "checkpoint" / "last.safetensors"
    tensors, facts = read_checkpoint(checkpoint)
    del (tensors if lacking in tensors else facts)[lacking], facts["version"]
    write_checkpoint(checkpoint, tensors, facts)
    with refused(f"last.safetensors {told}"):
        list(tiny_training("vae-cnn", tmp_path / "run", small_data, resume=True))


def test_a_finished_run_without_a_figure_is_one_line(small_data: FashionMNIST, tmp_path: Path) -> None:
    list(tiny_training("vae-cnn", tmp_path, small_data))
    figures = json.loads((tmp_path / "metrics.json").read_text())
    del figures["fd"]
    (tmp_path / "metrics.json").write_text(json.dumps(figures))
    with refused("metrics.json: it has no fd"):
        list(tiny_training("vae-cnn", tmp_path, small_data, resume=True))


DAMAGED = [
    ("cgan-mlp", "model.generator.hidden.0.weight", lambda x: x.fill_(math.inf), "is not finite"),
    ("cgan-mlp", "model.generator.hidden.0.weight", lambda x: x.long(), "is of torch.int64, not torch.float32"),
    ("cgan-mlp", "average.generator.hidden.0.weight", lambda x: x.fill_(math.nan), "is not finite"),
    *(("gmm-10", f"memory.{key}", lambda x: torch.zeros(3), "is no number") for key in ("fit", "iterations", "idle")),
    ("gmm-10", "memory.move", lambda x: x.fill_(math.nan), "is no number"),
    ("gmm-10", "memory.fit", lambda x: x.fill_(math.inf), "is inf, not a whole number to"),
    ("gmm-10", "memory.move", lambda x: x.fill_(2), "the checkpoint's memory lacks here.weights"),
    ("vae-gmm-best", "memory.fine.covariances", lambda x: x[0], "the checkpoint's memory.fine is no mixture"),
    ("vae-gmm-best", "memory.curve", lambda x: torch.zeros(0), "the checkpoint's memory.curve is no curve"),
    ("vae-gmm-best", "memory.curve", lambda x: x.fill_(math.nan), "memory.curve is no curve of likelihoods"),
    ("gmm-10", "model.weights", lambda x: x.fill_(math.nan), "model.weights is not finite"),
    ("gmm-10", "model.weights", lambda x: x.fill_(2.0), "the weights of a mixture must be non-negative and sum"),
    ("dcgan-32", "model.generator.2.running_var", lambda x: x.fill_(math.inf), "is not finite"),
    ("cgmm", "memory.class", lambda x: torch.tensor(99), "is 99, not a whole number to 9"),
    ("cgmm", "model.cholesky", lambda x: x.fill_(math.nan), "model.cholesky is not finite"),
]


@pytest.mark.parametrize(("name", "key", "change", "told"), DAMAGED)
def test_a_checkpoint_with_anything_in_its_tensors_is_one_line(
    name: str, key: str, change: Callable[[Tensor], Tensor], told: str, small_data: FashionMNIST, tmp_path: Path
) -> None:
    run_until(name, tmp_path, small_data, at_step(2), epochs=4)
    checkpoint = tmp_path / "checkpoint" / "last.safetensors"
    tensors, facts = read_checkpoint(checkpoint)
    tensors[key] = change(tensors.get(key, torch.zeros(())).clone())
    if key == "memory.move":
        tensors["memory.iterations"] = torch.zeros((), dtype=torch.float64)
    write_checkpoint(checkpoint, tensors, {key: fact for key, fact in facts.items() if key != "version"})
    with refused(told):
        list(tiny_training(name, tmp_path, small_data, resume=True, epochs=4))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"step": 9}, "is of step 9 after 0 epochs, and this run has 2 epochs of 4 steps"),
        ({"step": 5}, "is of step 5 after 0 epochs"),
        ({"step": "2"}, "step is '2', not a whole number from 0"),
        ({"history": [{"epoch": 2, "losses": {}}]}, "its history is not that of one epoch after another"),
        ({"history": [{"epoch": 1}]}, "history is "),
        ({"history": [{"epoch": 1, "losses": {}}]}, "its history does not say how long an epoch took"),
        ({"sums": {"loss": None}}, "sums is "),
        ({"seconds": -1.0}, "seconds is -1.0, not a number from 0"),
        ({"preset": "cgan-mlp"}, "is that of a run with preset cgan-mlp, and this one has vae-cnn"),
        ({"images": 60_000}, "is that of a run with training images 60000, and this one has 200"),
        ({"config": tiny_config("vae-cnn", lr=0.5).to_dict()}, "a run with lr 0.5, and this one has 0.001; resume it"),
        ({"config": tiny_config("vae-cnn", seed=7).to_dict()}, "a run with seed 7, and this one has 0; resume it as"),
    ],
)
def test_a_checkpoint_of_another_run_or_of_none_is_refused(
    change: dict[str, Any], told: str, small_data: FashionMNIST, begun: Path, tmp_path: Path
) -> None:
    shutil.copytree(begun, tmp_path / "run")
    checkpoint = tmp_path / "run" / "checkpoint" / "last.safetensors"
    tensors, facts = read_checkpoint(checkpoint)
    write_checkpoint(checkpoint, tensors, facts | change)
    with refused(f"checkpoint {checkpoint} .*{told}"):
        list(tiny_training("vae-cnn", tmp_path / "run", small_data, resume=True))


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory, small_data: FashionMNIST) -> Path:
    """The directory of a run that was stopped after two steps."""
    directory = tmp_path_factory.mktemp("begun") / "run"
    run_until("vae-cnn", directory, small_data, at_step(2))
    return directory


def test_a_checkpoint_of_an_older_version_is_resumed_but_not_without_its_moments(
    small_data: FashionMNIST, begun: Path, tmp_path: Path
) -> None:
    shutil.copytree(begun, tmp_path / "run")
    checkpoint = tmp_path / "run" / "checkpoint" / "last.safetensors"
    tensors, facts = read_checkpoint(checkpoint)
    facts = {key: facts[key] for key in ("step", "history", "seconds", "peak", "sums")}
    moments = [key for key in tensors if key.startswith("optimizer.")]
    for lost, told in ((moments, "the moments of the optimiser vae"), (moments[:1], r"optimizer\.vae\.0\.")):
        write_checkpoint(checkpoint, {key: tensor for key, tensor in tensors.items() if key not in lost}, facts)
        with refused(f"the checkpoint lacks {told}.*; it cannot be resumed"):
            list(tiny_training("vae-cnn", tmp_path / "run", small_data, resume=True))
    write_checkpoint(checkpoint, tensors, facts)
    assert run_until("vae-cnn", tmp_path / "run", small_data, at_step(3), resume=True)


def test_an_average_that_lacks_a_tensor_or_a_row_of_no_samples_is_refused(
    small_data: FashionMNIST, tmp_path: Path
) -> None:
    run_until("cgan-mlp", tmp_path, small_data, lambda event: isinstance(event, EpochDone))
    checkpoint = tmp_path / "checkpoint" / "last.safetensors"
    tensors, facts = read_checkpoint(checkpoint)
    lost = min(key for key in tensors if key.startswith("average."))
    for change in ({key: value for key, value in tensors.items() if key != lost}, tensors | {"row.1": torch.zeros(3)}):
        write_checkpoint(checkpoint, change, facts)
        with refused("does not fit this model: (it lacks the average's|row.1 is no row of samples)"):
            list(tiny_training("cgan-mlp", tmp_path, small_data, resume=True))


@pytest.mark.parametrize("closed", [False, True], ids=["runs on", "is interrupted"])
def test_a_diverging_run_keeps_its_last_good_checkpoint(
    closed: bool, small_data: FashionMNIST, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_until("vae-cnn", tmp_path / "run", small_data, at_step(2))
    checkpoint = tmp_path / "run" / "checkpoint" / "last.safetensors"
    good = checkpoint.read_bytes()
    model_class, nan = get_preset("vae-cnn").model_class, torch.tensor(math.nan)
    with (
        monkeypatch.context() as patch,
        refused("training diverged: the loss is nan by step .*; the last good checkpoint, of step 2, is kept"),
    ):
        patch.setattr(model_class, "train_step", lambda *_: {"loss": nan})
        if closed:
            run_until("vae-cnn", tmp_path / "run", small_data, at_step(3), resume=True)
        else:
            list(tiny_training("vae-cnn", tmp_path / "run", small_data, resume=True))
    assert checkpoint.read_bytes() == good


def test_a_run_that_diverges_at_once_promises_no_checkpoint(
    small_data: FashionMNIST, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nan = torch.tensor(math.nan)
    monkeypatch.setattr(get_preset("vae-cnn").model_class, "train_step", lambda *_: {"loss": nan})
    with refused("the loss is nan by step 4; start a new run with a smaller lr than 0.001$"):
        list(tiny_training("vae-cnn", tmp_path / "my run", small_data))
    with refused(
        rf"a run of vae-cnn that is not finished; continue with: .* vae-cnn --run-dir '{tmp_path}/my run' --resume$"
    ):
        load(tmp_path / "my run")


@pytest.mark.parametrize("value", [math.nan, -math.inf, 1e18])
def test_what_a_history_cannot_hold_is_a_divergence(
    value: float, small_data: FashionMNIST, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what was written of it would be refused when it is read."""
    model_class, shown = get_preset("vae-cnn").model_class, re.escape(f"{value:.3g}")
    with monkeypatch.context() as patch, refused(f"training diverged: the loss is {shown} by step 4; start a new run"):
        patch.setattr(model_class, "train_step", lambda *_: {"loss": torch.tensor(value)})
        list(tiny_training("vae-cnn", tmp_path / "a", small_data))
    monkeypatch.setattr(Diagnostics, "every_epoch", lambda *_: {"mse_test": value})
    with refused(f"training diverged: mse_test is {shown} in epoch 1; start a new run"):
        list(tiny_training("vae-cnn", tmp_path / "b", small_data))


@pytest.mark.parametrize("lr_decay", [0.0, 0.5])
def test_an_extended_run_is_one_that_was_longer(lr_decay: float, small_data: FashionMNIST, tmp_path: Path) -> None:
    set_to = {"lr_decay": lr_decay}
    list(tiny_training("cgan-mlp", tmp_path / "a", small_data, epochs=2, **set_to))
    for name in OF_TRAININGS:
        (tmp_path / "a" / name).touch()
    events = list(tiny_training("cgan-mlp", tmp_path / "a", small_data, True, epochs=4, **set_to))
    steps = [event.step for event in events if isinstance(event, Step)]
    assert steps == list(range(5 if lr_decay else 9, 17))  # where the rate fell, that part is repeated
    list(tiny_training("cgan-mlp", tmp_path / "b", small_data, epochs=4, **set_to))
    for name in SAME:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    assert comparable_history(tmp_path / "a") == comparable_history(tmp_path / "b") | {"extended": [2]}
    assert "extended after 2 epochs" in (tmp_path / "a" / "README.md").read_text()
    assert not any((tmp_path / "a" / name).exists() for name in OF_TRAININGS)  # which were no longer
    before = files(tmp_path / "a")
    list(tiny_training("cgan-mlp", tmp_path / "a", small_data, True, epochs=4, **set_to))
    assert files(tmp_path / "a") == before
    for changes in ({"epochs": 3, "lr_decay": lr_decay}, {"epochs": 5, "lr_decay": 0.25}):
        with refused("was started with"):
            list(tiny_training("cgan-mlp", tmp_path / "a", small_data, True, **changes))


def test_a_run_that_ended_flat_before_its_decay_goes_on(
    small_data: FashionMNIST, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And keeps where it had ended, which is not its budget."""
    set_to = {"lr_decay": 0.25, "stop_when_flat": True}
    with monkeypatch.context() as patch:
        patch.setattr("genlib.training.loop.is_flat", lambda history, *_: len(history) == 1)
        list(tiny_training("vae-cnn", tmp_path, small_data, epochs=4, **set_to))
    started = next(tiny_training("vae-cnn", tmp_path, small_data, True, epochs=5, **set_to))
    assert isinstance(started, Started) and (started.step, started.epochs) == (4, 5)
    assert json.loads((tmp_path / "run.json").read_text())["extended"] == [1]


@pytest.fixture(scope="module")
def decayed(tmp_path_factory: pytest.TempPathFactory, small_data: FashionMNIST) -> Path:
    """The directory of a whole run whose learning rate fell over its second epoch."""
    directory = tmp_path_factory.mktemp("decayed") / "run"
    list(tiny_training("vae-cnn", directory, small_data, lr_decay=0.5))
    return directory


@pytest.mark.parametrize("written", range(6))
def test_an_extension_that_is_killed_on_its_way_is_gone_on_with(
    written: int, decayed: Path, small_data: FashionMNIST, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After any of the six files that it changes."""
    run, longer, done = tmp_path / "run", {"lr_decay": 0.5, "epochs": 4}, iter(range(9))
    shutil.copytree(decayed, run)

    def until_killed(change: Callable[..., None]) -> Callable[..., None]:
        def act(*arguments: Any, **options: Any) -> None:
            if next(done) >= written:
                raise SystemError("killed")
            change(*arguments, **options)

        return act

    with monkeypatch.context() as patch, pytest.raises(SystemError):
        for place, name in ((genlib.training.run, "write_json"), (genlib.training.run, "write_file")):
            patch.setattr(place, name, until_killed(getattr(place, name)))
        patch.setattr(Path, "unlink", until_killed(Path.unlink))
        list(tiny_training("vae-cnn", run, small_data, True, **longer))
    started = next(tiny_training("vae-cnn", run, small_data, True, **longer))
    assert isinstance(started, Started) and (started.step, started.epochs) == (4, 4)
    assert not (run / "metrics.json").exists()
    assert json.loads((run / "run.json").read_text()).keys() == {"preset", "config", "samples", "extended"}


def test_the_figures_by_which_a_run_is_done_are_written_last(
    small_data: FashionMNIST, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise SystemError("killed")

    monkeypatch.setattr(genlib.training.run, "write_card", killed)
    with pytest.raises(SystemError):
        list(tiny_training("vae-cnn", tmp_path, small_data))
    assert (tmp_path / "model.safetensors").exists() and not (tmp_path / "metrics.json").exists()


def test_a_run_without_its_checkpoint_is_not_extended(
    small_data: FashionMNIST, undisturbed: Callable[[str], Path], tmp_path: Path
) -> None:
    shutil.copytree(undisturbed("vae-cnn"), tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "checkpoint")
    with refused("has no checkpoint to go on from; begin a new run with its weights: --start-from"):
        list(tiny_training("vae-cnn", tmp_path / "run", small_data, True, epochs=4))
    assert (tmp_path / "run" / "metrics.json").is_file()


def test_a_run_is_not_extended_from_a_checkpoint_of_before_it_went_on_elsewhere(
    small_data: FashionMNIST, undisturbed: Callable[[str], Path], tmp_path: Path
) -> None:
    """A rented machine keeps its own."""
    run = shutil.copytree(undisturbed("vae-cnn"), tmp_path / "run")
    run_until("vae-cnn", tmp_path / "begun", small_data, at_step(5))
    shutil.copytree(tmp_path / "begun" / "checkpoint", run / "checkpoint", dirs_exist_ok=True)
    before = files(run)
    with refused("has no checkpoint to go on from; begin a new run with its weights: --start-from"):
        list(tiny_training("vae-cnn", run, small_data, True, epochs=4))
    assert files(run) == before


def test_a_run_that_would_be_flat_by_more_epochs_too_is_not_extended(
    small_data: FashionMNIST, undisturbed: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shutil.copytree(undisturbed("vae-cnn"), tmp_path / "run")
    before = files(run)
    monkeypatch.setattr(
        "genlib.training.run.is_flat", lambda history, _, config: (len(history), config.epochs) == (2, 4)
    )
    with refused("was flat after 2 epochs, and is so by 4 too: nothing would be trained; give more epochs$"):
        list(tiny_training("vae-cnn", run, small_data, True, epochs=4))
    assert files(run) == before


@pytest.mark.parametrize("asked", ["other samples", "an origin", "no data", "other data", "no memory"])
def test_an_extension_that_is_refused_leaves_the_run_done(
    asked: str,
    small_data: FashionMNIST,
    undisturbed: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = shutil.copytree(undisturbed("vae-cnn"), tmp_path / "run")
    for name in OF_TRAININGS:
        (run / name).touch()
    before = files(run)
    options = {"data": small_data, "distance_samples": 50, "evaluation_samples": 50}
    match asked:
        case "other samples":
            options |= {"distance_samples": 60}
        case "an origin":
            options |= {"start_from": run}
        case "no data":
            options |= {"data": None}
            gone = Mock(side_effect=GenlibError("there is no training split"))
            monkeypatch.setattr(FashionMNIST, "load", gone)
        case "other data":
            options |= {"data": FashionMNIST(small_data.images[:128], small_data.labels[:128])}
        case "no memory":
            monkeypatch.setattr("genlib.training.memory.memory_megabytes", lambda _: 1)
    told = {
        "other samples": "was started with distances of",
        "an origin": "began with new weights; --start-from is for a new run",
        "no data": "there is no training split",
        "other data": "images",
        "no memory": "this training needs about",
    }
    with refused(told[asked]):
        longer = tiny_config("vae-cnn", epochs=4)
        list(train("vae-cnn", run, longer, device="cpu", resume=True, **options))
    assert files(run) == before


def test_there_must_be_a_run_to_resume(small_data: FashionMNIST, tmp_path: Path) -> None:
    with refused("there is no run in .*mistyped to resume; leave out --resume to begin one"):
        list(tiny_training("vae-cnn", tmp_path / "mistyped", small_data, resume=True))
    assert not (tmp_path / "mistyped").exists()
    (tmp_path / "mine.txt").touch()
    with refused("there is no run in .* to resume; give the directory of one$"):
        list(tiny_training("vae-cnn", tmp_path, small_data, resume=True))


def test_a_run_by_a_presets_name_is_pointed_at(
    undisturbed: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path / "none"))
    monkeypatch.setenv("GENLIB_RUNS", str(undisturbed("vae-cnn").parent))
    with refused("vae-cnn has no trained weights at .*, but a run of that name has: runs/vae-cnn$"):
        load("vae-cnn")
    assert load("runs/vae-cnn").family == "VAE"


def test_every_step_has_noise_and_every_epoch_an_order_of_its_own(
    small_data: FashionMNIST, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise, batches = [], []

    def look(model: Model, x: Tensor, y: Tensor, descend: Descend) -> dict[str, Tensor]:
        noise.append(float(torch.rand(())))
        batches.append(x.sum((1, 2, 3)))
        return {"loss": torch.zeros(())}

    monkeypatch.setattr(get_preset("vae-cnn").model_class, "train_step", look)
    run_until("vae-cnn", tmp_path / "run", small_data, at_step(8))
    assert len(set(noise)) == 8
    first, second = torch.cat(batches[:4]), torch.cat(batches[4:])
    assert not torch.equal(first, second)
    assert torch.equal(first.sort().values, second.sort().values)  # every image once an epoch


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_an_epochs_seconds_are_those_that_its_steps_take_and_not_their_launch(
    kind: str, small_data: FashionMNIST, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A GPU that takes five seconds for what it was given, as a clock has it that only moves while it is waited for."""
    run = Run(get_preset("vae-cnn"), tiny_config("vae-cnn"), small_data, Processes.join("cpu"), 50)
    clock, given = [0.0], list[torch.device]()

    def wait(device: torch.device) -> None:
        given.append(device)
        clock[0] += 5.0

    monkeypatch.setattr("genlib.training.loop.time.perf_counter", lambda: clock[0])
    monkeypatch.setattr("torch.accelerator.synchronize", wait)
    run._train_on(next(run._remaining_batches()))
    run.logged, run.device = [], torch.device(kind)
    monkeypatch.setattr(run.diagnostics, "every_epoch", lambda *_: {})
    assert finish(run._measure())["seconds"] == 5.0
    assert given == [run.device]


def test_checkpoints_are_written_on_the_way(
    small_data: FashionMNIST, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_CHECKPOINT_SECONDS", "0")
    monkeypatch.setattr(genlib.training.loop, "REPORT_SECONDS", 0.0)
    events = list(tiny_training("vae-cnn", tmp_path / "run", small_data))
    assert [event.step for event in events if isinstance(event, Checkpointed)] == [*range(1, 9), 8]
    losses = [event.losses for event in events if isinstance(event, Step)]
    assert all(loss and set(loss) == {"loss", "squared_error", "kl"} for loss in losses)


def test_training_learns(small_data: FashionMNIST, undisturbed: Callable[[str], Path]) -> None:
    for name, key, better in (("vae-cnn", "loss", -1), ("gmm-10", "log_likelihood", 1)):
        first, last = (record["losses"][key] for record in comparable_history(undisturbed(name))["epochs"])
        assert better * (last - first) > 0, name


def test_a_mixture_stops_when_it_has_converged(small_data: FashionMNIST, tmp_path: Path) -> None:
    list(tiny_training("gmm-10", tmp_path / "run", small_data, epochs=9, components=1, tolerance=1e-3))
    history = comparable_history(tmp_path / "run")
    assert len(history["epochs"]) <= 3  # one Gaussian is fitted at once, the rest is rounding
    assert "fd" in history["epochs"][-1]
    before = files(tmp_path / "run")
    more = {"epochs": 20, "components": 1, "tolerance": 1e-3}
    with refused(f"has converged after {len(history['epochs'])} EM iterations: more would change nothing"):
        list(tiny_training("gmm-10", tmp_path / "run", small_data, True, **more))
    assert files(tmp_path / "run") == before


def test_a_mixture_without_its_checkpoint_is_not_told_to_start_from_its_weights(
    small_data: FashionMNIST, tmp_path: Path
) -> None:
    list(tiny_training("gmm-10", tmp_path / "run", small_data))
    shutil.rmtree(tmp_path / "run" / "checkpoint")
    with refused("has no checkpoint to go on from$"):
        list(tiny_training("gmm-10", tmp_path / "run", small_data, True, epochs=9))


def test_both_generators_are_shipped(undisturbed: Callable[[str], Path]) -> None:
    averaged, raw = (generate(load(undisturbed("cgan-mlp"), kind), 4)[0] for kind in ("averaged", "raw"))
    assert not torch.equal(averaged, raw)


def test_matrices_are_shipped_in_half_precision(undisturbed: Callable[[str], Path]) -> None:
    tensors = load_file(undisturbed("vae-cnn") / "model.safetensors")
    assert {tensor.dtype for tensor in tensors.values() if tensor.ndim > 1} == {torch.float16}
    assert {tensor.dtype for tensor in tensors.values() if tensor.ndim == 1} == {torch.float32}


def test_another_kind_of_distance_is_no_part_of_the_history(tmp_path: Path, small_data: FashionMNIST) -> None:
    run_until("vae-dense-8", tmp_path, small_data, at_step(2))
    config = tiny_config("vae-dense-8")
    with refused("was started with distances of .50, 50. samples"):
        list(train("vae-dense-8", tmp_path, config, data=small_data, resume=True, distance_samples=60))


def test_a_weight_that_is_not_finite_reaches_no_checkpoint(tmp_path: Path, small_data: FashionMNIST) -> None:
    run = Run(get_preset("vae-dense-8"), tiny_config("vae-dense-8"), small_data, Processes.join("cpu"), 50)
    run.save(tmp_path / "good")
    next(run.model.parameters()).data.view(-1)[0] = math.inf
    with refused("a weight is not finite by step 0; the last good checkpoint, of step 0, is kept"):
        run.save(tmp_path / "bad")
    assert not (tmp_path / "bad").exists()


@pytest.mark.parametrize(
    ("epochs", "distances", "flat"),
    [
        (20, [*[9] * 8, *[5] * 4, *[5.05] * 4], True),  # epochs 9-12 against 13-16
        (20, [*[9] * 8, *[5] * 4, *[4.8] * 4], False),
        (20, [5] * 14, False),  # the milestone at 15 is to come
        (20, [5] * 15, True),
        (9, [5] * 4, False),  # the milestone at 5 is to come
        (9, [5] * 5, True),  # and those at 10 and 15 lie outside of the budget
        (4, [5] * 1, False),  # two fifths are not over
        (2, [5], False),
    ],
)
def test_a_flat_distance_is_told(epochs: int, distances: list[float], flat: bool, small_data: FashionMNIST) -> None:
    config = tiny_config("vae-cnn", epochs=epochs, stop_when_flat=True)
    run = Run(get_preset("vae-cnn"), config, small_data, Processes.join("cpu"), 50)
    assert max(get_preset("vae-cnn").milestones) == 15
    run.history = [{"epoch": epoch, "fd": fd} for epoch, fd in enumerate(distances, start=1)]
    assert run.over is flat


def test_without_images_nothing_is_trained(tmp_path: Path, small_data: FashionMNIST) -> None:
    with refused("no images to train on"):
        list(tiny_training("vae-dense-8", tmp_path, FashionMNIST(small_data.images[:0], small_data.labels[:0])))


# --start-from -----------------------------------------------------------------------------------------------------


def test_a_run_begins_with_a_models_weights(
    small_data: FashionMNIST, tmp_path: Path, undisturbed: Callable[[str], Path]
) -> None:
    origin = undisturbed("cgan-mlp")
    events = tiny_training("cgan-mlp", tmp_path / "run", small_data, start_from=origin)
    assert isinstance(next(events), Started)
    events.close()  # before the first step, with a checkpoint
    tensors, _ = read_checkpoint(tmp_path / "run" / "checkpoint" / "last.safetensors")
    raw = load(origin, weights="raw").state_dict()
    assert all(torch.equal(tensors[f"model.{key}"], value) for key, value in raw.items())
    list(tiny_training("cgan-mlp", tmp_path / "run", small_data, resume=True))  # need not be said again
    digest = json.loads((origin / "config.json").read_text())["sha256"]
    for file, told in (("run.json", str(origin)), ("history.json", "cgan-mlp")):  # which is published
        kept = json.loads((tmp_path / "run" / file).read_text())["start_from"]
        assert kept == {"name": told, "sha256": digest}
    assert "began with the weights of cgan-mlp (" in (tmp_path / "run" / "README.md").read_text()


def test_what_a_run_cannot_begin_with(
    small_data: FashionMNIST, tmp_path: Path, undisturbed: Callable[[str], Path]
) -> None:
    def begin(name: str, run: str, origin: Path | str, **changes: Any) -> None:
        list(tiny_training(name, tmp_path / run, small_data, start_from=origin, **changes))

    with refused("does not fit vae-cnn: decoder.0.bias has shape"):
        begin("vae-cnn", "a", undisturbed("vae-dense-8"))
    assert not (tmp_path / "a").exists()  # nothing of it decides how the next command there begins
    with refused("is fitted by expectation-maximisation"):
        begin("gmm-10", "b", undisturbed("gmm-10"))
    with refused("no model 'nothing'"):
        begin("vae-cnn", "c", "nothing")
    run_until("vae-cnn", tmp_path / "d", small_data, at_step(2))
    with refused("began with new weights; --start-from is for a new run"):
        begin("vae-cnn", "d", undisturbed("vae-cnn"), resume=True)


def test_a_run_that_begins_anew_forgets_what_a_killed_one_began_with(
    small_data: FashionMNIST, tmp_path: Path, undisturbed: Callable[[str], Path]
) -> None:
    def killed(**options: Any) -> dict[str, Any]:
        run_until("vae-cnn", tmp_path, small_data, at_step(1), **options)
        shutil.rmtree(tmp_path / "checkpoint")  # as if it had come to none
        return json.loads((tmp_path / "run.json").read_text())

    begun = killed(start_from=undisturbed("vae-cnn"))["start_from"]
    assert killed(resume=True)["start_from"] == begun
    assert "start_from" not in killed()


def test_the_directory_of_all_runs_is_no_run(small_data: FashionMNIST, tmp_path: Path) -> None:
    with refused("is the directory of all runs; give one in it: --run-dir .*runs/NAME$"):
        list(tiny_training("vae-cnn", runs_directory(), small_data))
    assert not (runs_directory() / "run.json").exists()


def test_a_finished_run_has_the_counts_that_it_was_measured_with(
    small_data: FashionMNIST, undisturbed: Callable[[str], Path]
) -> None:
    config = tiny_config("vae-cnn")
    with refused(r"was started with distances of \[50, 50\] samples; resume it as it was"):
        list(train("vae-cnn", undisturbed("vae-cnn"), config, data=small_data, resume=True, distance_samples=50))


def test_a_path_that_a_run_begins_with_stays_a_path(
    small_data: FashionMNIST, tmp_path: Path, undisturbed: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENLIB_RUNS", "elsewhere")
    for name, origin in (("runs/foo", "vae-cnn"), ("elsewhere/foo", "vae-dense-8")):
        shutil.copytree(undisturbed(origin), name)
    run_until("vae-cnn", Path("new"), small_data, at_step(1), start_from=Path("runs/foo"))
    assert json.loads(Path("new/run.json").read_text())["start_from"]["name"] == str(tmp_path / "runs" / "foo")
