"""`train --all`: the zoo through the queue, by real commands and workers on small presets, interrupted in every way."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import genlib
from genlib.__main__ import main
from genlib.cli.zoo_terminal import follow_zoo
from genlib.io.files import write_json
from genlib.jobs.limits import Limits
from genlib.jobs.queue import Queue
from genlib.jobs.run import Job
from genlib.jobs.zoo import ZooTraining, host_queue, zoo_configs
from genlib.models import get_preset, presets
from genlib.training.progress import EventReader
from tests.tiny import assert_same_model, refused
from tests.workers import ENDLESS, ROOT, by_hand, checkpoints, finish, freeze, kill, kill_group, submit, until

Capture = pytest.CaptureFixture[str]
EPOCHS = {"epochs": 4}
ZOO: dict[str, dict[str, Any]] = {"vae-dense-64": EPOCHS, "vae-dense-8": EPOCHS}  # the second has trained faster
DIVERGES = {"width": 64, "beta": 1000.0, "lr": 1.0}
trains = pytest.mark.usefixtures("training_split")


@pytest.fixture(autouse=True)
def _checkpoint_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_CHECKPOINT_SECONDS", "0")


class Command:
    """`train --all` of a small zoo, under way."""

    def __init__(self, printed: Path, zoo: dict[str, dict[str, Any]] = ZOO, *more: str) -> None:
        self.printed = printed  # its stderr
        counts = ("--distance-samples", "100", "--evaluation-samples", "100")
        line = [sys.executable, "-m", "tests.tiny_zoo", json.dumps(zoo), "train", "--all", *counts, *more]
        with open(printed, "w") as file:
            self.process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=file, text=True)
        started.append(self)

    def finish(self) -> tuple[int, list[str], list[str]]:
        """Exit status and the lines of stdout and stderr."""
        out, _ = self.process.communicate()
        assert "Traceback" not in self.printed.read_text()
        return self.process.returncode, out.splitlines(), self.printed.read_text().splitlines()

    def frozen_run(self, queue: Queue) -> Job:
        """The run that it follows, stopped in the middle of its training."""
        until(lambda: " trains as " in self.printed.read_text(), "a run")
        (job,) = (job for job in queue.jobs() if job.state == "running")
        reader = EventReader(job.directory)
        reader.read()
        os.killpg(job.process, signal.SIGCONT)
        checkpoints(reader, job, 3)
        return freeze(job)


started: list[Command] = []


@pytest.fixture
def printed(queue: Queue, tmp_path: Path) -> Iterator[Path]:
    """For a command's stderr; no command outlives the test, or it would start what the queue's fixture ends."""
    yield tmp_path / "printed.txt"
    for command in started:
        command.process.kill()
        command.process.wait()
    started.clear()


def runs(queue: Queue) -> list[str]:
    return [f"{job.preset} {job.state}" for job in queue.jobs()]


def without_signs(err: list[str]) -> list[str]:
    """What else was printed: so little training has its signs, and so few samples too."""
    return [line for line in err if not line.startswith("genlib: mind: ")]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory in which two commands at once have trained the zoo, and what they printed."""
    directory = tmp_path_factory.mktemp("zoo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENLIB_RUNS", str(directory))
        patch.setenv("CUDA_VISIBLE_DEVICES", "")
        both = [Command(directory / f".{number}.txt") for number in (1, 2)]
        (directory / ".printed.json").write_text(json.dumps([each.finish() for each in both]))
    yield directory


@pytest.mark.slow
@trains
def test_two_commands_at_once_train_the_zoo_once(undisturbed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_RUNS", str(undisturbed))
    for status, out, err in json.loads((undisturbed / ".printed.json").read_text()):
        assert status == 0
        small, large, last = out  # the one that takes less time first
        assert small.startswith("runs/vae-dense-8-run-1 holds the trained vae-dense-8: Frechet distance ")
        assert large.startswith("runs/vae-dense-64-run-2 holds the trained vae-dense-64: Frechet distance ")
        assert last == f"2 of 2 trained; they are in {undisturbed}"
        assert "vae-dense-64 trains as runs/vae-dense-64-run-2" in err
        assert len(without_signs(err)) <= 3  # no flood where there is no terminal
    assert runs(Queue(undisturbed)) == ["vae-dense-8 done", "vae-dense-64 done"]
    assert genlib.load("runs/vae-dense-8-run-1").config.epochs == 4


@pytest.mark.slow
@trains
def test_what_is_done_is_told_and_left_alone(undisturbed: Path, printed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_RUNS", str(undisturbed))
    before = {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*") if path.is_file()}
    status, out, err = Command(printed).finish()
    assert (status, without_signs(err)) == (0, [])
    assert out[0].startswith("vae-dense-8 is trained already, in runs/vae-dense-8-run-1: Frechet distance ")
    assert out[-1] == f"2 of 2 trained; they are in {undisturbed}"
    assert {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*") if path.is_file()} == before


def stop(queue: Queue, printed: Path, number: signal.Signals = signal.SIGINT) -> None:
    """Stop a command; everything rests, and it says how to go on."""
    command = Command(printed)
    job = command.frozen_run(queue)
    command.process.send_signal(number)
    until(lambda: queue.get(job.id).state == "pausing", "the pause")
    os.killpg(job.process, signal.SIGCONT)
    status, _, err = command.finish()
    assert (status, err[-1]) == (0, "stopped with 0 of 2 trained; the same command continues")
    assert {job.state for job in queue.jobs()} == {"paused"}


def kill_command(queue: Queue, printed: Path) -> None:
    """The queue goes on without it."""
    command = Command(printed)
    job = command.frozen_run(queue)
    command.process.kill()
    command.finish()
    assert queue.get(job.id).state == "running"


def kill_everything(queue: Queue, printed: Path) -> None:
    command = Command(printed)
    job = command.frozen_run(queue)
    command.process.kill()
    command.finish()
    kill_group(job.process)


def kill_worker(queue: Queue, printed: Path) -> None:
    """The command goes on with the next run, and names the one that failed."""
    command = Command(printed)
    job = command.frozen_run(queue)
    kill_group(job.process)
    status, out, err = command.finish()
    assert status == 2
    assert f"{job.preset} failed: the training ended without a word: it was killed, or the machine stopped" in err
    assert err[-1] == f"genlib: not trained: {job.preset} (failed); the same command continues with them"
    assert out[-1].startswith("1 of 2 trained")


def assert_goes_on(queue: Queue, printed: Path, undisturbed: Path) -> None:
    status, out, _ = Command(printed).finish()
    assert status == 0
    assert out[-1].startswith("2 of 2 trained")
    assert sorted(runs(queue)) == ["vae-dense-64 done", "vae-dense-8 done"]  # nothing twice
    for name in ("vae-dense-8-run-1", "vae-dense-64-run-2"):
        assert_same_model(queue.directory / name, undisturbed / name)


@pytest.mark.slow
@trains
def test_interrupted_in_every_way_it_goes_on_where_it_was(queue: Queue, printed: Path, undisturbed: Path) -> None:
    for interrupt in (stop, kill_command, kill_everything, kill_worker):
        interrupt(queue, printed)
    assert_goes_on(queue, printed, undisturbed)


@pytest.mark.slow
@trains
def test_sigterm_is_a_stop_too(queue: Queue, printed: Path) -> None:
    stop(queue, printed, signal.SIGTERM)


@pytest.mark.slow
@trains
def test_a_second_stop_does_not_wait(queue: Queue, printed: Path) -> None:
    command = Command(printed)
    job = command.frozen_run(queue)
    command.process.send_signal(signal.SIGINT)
    until(lambda: queue.get(job.id).state == "pausing", "the pause")
    command.process.send_signal(signal.SIGINT)
    status, _, err = command.finish()
    assert (status, err[-1]) == (0, "stopped with 0 of 2 trained; the same command continues")
    assert runs(queue) == ["vae-dense-8 pausing", "vae-dense-64 paused"]


@trains
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_interrupted_many_times(queue: Queue, printed: Path, undisturbed: Path, seed: int) -> None:
    """At moments that nothing waits for: a start, a change of runs, a measurement."""
    chance = random.Random(seed)
    for _ in range(6):
        command = Command(printed)
        with suppress(subprocess.TimeoutExpired):
            command.process.wait(chance.uniform(2, 15))
        number = chance.choice((signal.SIGINT, signal.SIGTERM, signal.SIGKILL))
        command.process.send_signal(number)
        working = [job.process for job in queue.jobs() if job.process]
        if working and chance.random() < 0.3:
            kill_group(working[0])
        command.process.communicate()
    assert_goes_on(queue, printed, undisturbed)


@pytest.mark.slow
@trains
def test_a_run_that_fails_is_named_and_the_others_train(queue: Queue, printed: Path) -> None:
    zoo: dict[str, dict[str, Any]] = {"vae-dense-8": DIVERGES, "vae-dense-64": {}}
    status, out, err = Command(printed, zoo, "--epochs", "1", "--seed", "3").finish()
    assert status == 2
    assert any(line.startswith("vae-dense-8 failed: training diverged: the ") for line in err)
    assert err[-1] == "genlib: not trained: vae-dense-8 (failed); the same command continues with them"
    assert out[-1] == f"1 of 2 trained; they are in {queue.directory}"
    (done,) = [job for job in queue.jobs() if job.state == "done"]
    assert (done.preset, done.config["epochs"], done.config["seed"]) == ("vae-dense-64", 1, 3)


# What a preset's run is found to be -------------------------------------------------------------------------------


@pytest.fixture
def zoo(queue: Queue) -> ZooTraining:
    """One small preset without an end."""
    config = get_preset("vae-dense-8").config.replace(**ENDLESS)
    return ZooTraining({"vae-dense-8": config}, queue, (100, 100))


def kept(queue: Queue, state: str, **fields: Any) -> Job:
    """A run of that preset at rest, trained by no one."""
    job = freeze(submit(queue))
    os.killpg(job.process, signal.SIGKILL)
    until(lambda: queue.jobs()[-1].state == "failed", "its end")
    return replace(queue.get(job.id), state=state, **fields).save()


@pytest.mark.parametrize("state", ["paused", "failed", "cancelled"])
def test_a_run_at_rest_goes_on(state: str, zoo: ZooTraining, queue: Queue) -> None:
    job = kept(queue, state)
    found = zoo.enlist("vae-dense-8")
    assert found
    assert (found.id, found.state) == (job.id, state)
    assert [(job.id, job.state) for job in queue.jobs()] == [(job.id, "running")]


@pytest.mark.parametrize("state", ["running", "queued", "done"])
def test_a_run_under_way_is_joined_and_one_that_is_done_left(state: str, zoo: ZooTraining, queue: Queue) -> None:
    job = freeze(submit(queue))
    if state == "queued":
        job = submit(queue, ENDLESS | {"epochs": 9})
        zoo.configs = {"vae-dense-8": get_preset("vae-dense-8").config.replace(**ENDLESS | {"epochs": 9})}
    elif state == "done":
        finish(kill(job).directory)
        job = replace(queue.get(job.id), state="done").save()
    before = queue.jobs()
    found = zoo.enlist("vae-dense-8")
    assert found
    assert (found.id, found.state) == (job.id, state)
    assert queue.jobs() == before


def test_a_run_that_is_being_paused_goes_on_once_it_rests(zoo: ZooTraining, queue: Queue) -> None:
    job = freeze(submit(queue))
    queue.pause(job.id)
    found = zoo.enlist("vae-dense-8")
    assert found
    assert (found.id, found.state) == (job.id, "pausing")
    os.killpg(job.process, signal.SIGCONT)
    until(lambda: zoo.jobs()["vae-dense-8"].state == "running", "its going on")


def test_another_configuration_is_another_run(zoo: ZooTraining, queue: Queue) -> None:
    freeze(submit(queue, ENDLESS | {"seed": 1}))
    damaged = submit(queue)
    description = json.loads((damaged.directory / "run.json").read_text())
    write_json(damaged.directory / "run.json", description | {"config": description["config"] | {"mood": 1}})
    assert zoo.enlist("vae-dense-8") is None
    assert zoo.jobs()["vae-dense-8"].id == "vae-dense-8-run-3"


@pytest.mark.parametrize("samples", [(None, None), (None, 100), (100, 200)])
def test_other_counts_of_samples_are_another_run(
    samples: tuple[int | None, int | None], zoo: ZooTraining, queue: Queue
) -> None:
    kept(queue, "paused")
    zoo.samples = samples
    assert zoo.enlist("vae-dense-8") is None
    job = zoo.jobs()["vae-dense-8"]
    assert job.samples == (samples[0] or 5_000, samples[1] or 10_000)
    found = zoo.enlist("vae-dense-8")
    assert found
    assert found.id == job.id


def test_of_several_runs_the_furthest_is_taken(zoo: ZooTraining, queue: Queue) -> None:
    first = kept(queue, "paused")
    directory = queue.directory / "mine"  # trained from the command line
    directory.mkdir()
    write_json(directory / "run.json", {"preset": "vae-dense-8", "config": first.config, "samples": [100, 100]})
    finish(directory)
    found = zoo.enlist("vae-dense-8")
    assert found
    assert (found.id, found.state) == ("mine", "done")


def test_a_visitors_run_is_joined_unless_his_minutes_may_end_it(zoo: ZooTraining, queue: Queue) -> None:
    visitors = freeze(submit(queue, owner="ada"))
    found = zoo.enlist("vae-dense-8")
    assert found
    assert found.id == visitors.id
    zoo.queue = Queue(queue.directory, Limits(minutes=9))
    assert zoo.enlist("vae-dense-8") is None


def test_pausing_stops_what_waits_first(queue: Queue) -> None:
    configs = {name: get_preset(name).config.replace(**ENDLESS) for name in ("vae-dense-8", "vae-dense-64")}
    zoo = ZooTraining(configs, queue, (100, 100))
    for name in configs:
        zoo.enlist(name)
    job = freeze(zoo.jobs()["vae-dense-8"])
    assert [left.id for left in zoo.pause()] == [job.id]
    assert runs(queue) == ["vae-dense-8 pausing", "vae-dense-64 paused"]
    os.killpg(job.process, signal.SIGCONT)
    until(lambda: not zoo.pause(), "the pause")
    assert runs(queue) == ["vae-dense-8 paused", "vae-dense-64 paused"]
    queue.resume(job.id)  # by another, whose it is now
    assert zoo.pause() == []
    assert queue.get(job.id).state == "running"


def test_the_whole_zoo_fits_a_host_that_limits_its_visitors(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("QUEUE", "RUNS", "EPOCHS", "MINUTES"):
        monkeypatch.setenv(f"GENLIB_TRAINING_{key}", "1")
    zoo = ZooTraining(zoo_configs({}), host_queue())
    freeze(submit(queue))  # has the one place
    for name in zoo.configs:
        assert zoo.enlist(name) is None
    assert [job.preset for job in queue.jobs()[1:]] == list(zoo.configs)
    assert {job.state for job in queue.jobs()[1:]} == {"queued"}
    assert set(zoo.configs) == set(presets())


def test_the_shortest_are_first_and_those_not_yet_measured_last() -> None:
    seconds = {model["name"]: (model["metrics"] or {}).get("train_seconds") for model in genlib.list_models()}
    known = [seconds[name] for name in zoo_configs({}) if seconds[name]]
    assert known == sorted(known)
    assert all(seconds[name] for name in list(zoo_configs({}))[: len(known)])


def test_what_every_preset_has_can_be_set() -> None:
    for name, config in zoo_configs({"epochs": "3", "seed": "7"}).items():
        assert config == get_preset(name).config.replace(epochs=3, seed=7)


# A command in process: no room, and all there is to do done ----------------------------------------------------------


def test_runs_that_cannot_be_queued_are_named(
    queue: Queue, capsys: Capture, monkeypatch: pytest.MonkeyPatch, training_split: None
) -> None:
    monkeypatch.setenv("GENLIB_TRAINING_DISK_MB", "1")
    (kept(queue, "failed").directory / "model.safetensors").write_bytes(bytes(1_500_000))
    assert main(["train", "--all"]) == 2
    captured = capsys.readouterr()
    first, *_, last = captured.err.splitlines()
    assert first.endswith("cannot be queued: all runs together take 2 MB, and this host keeps 1; delete some")
    assert last.startswith("genlib: not trained: vae-gmm-2 (not queued), ")
    assert captured.out == f"0 of {len(presets())} trained; they are in {queue.directory}\n"


def test_torchrun_is_refused(queue: Queue, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["train", "--all"]) == 2
    assert "start it without torchrun or accelerate launch" in capsys.readouterr().err
    assert queue.jobs() == []


def test_a_stop_before_all_are_queued_is_no_end(queue: Queue, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """Though what has been found by then is done."""
    done = by_hand(queue, "vae-dense-8-run-1", state="done")

    def stop(name: str) -> Job:
        zoo._ids[name] = done.id
        os.kill(os.getpid(), signal.SIGINT)
        return done

    zoo = ZooTraining(zoo_configs({}), queue)
    monkeypatch.setattr("genlib.cli.zoo_terminal.FashionMNIST.available", lambda split: True)
    monkeypatch.setattr(zoo, "enlist", stop)
    follow_zoo(zoo)
    told = capsys.readouterr()
    assert told.err.splitlines()[-1] == f"stopped with 1 of {len(presets())} trained; the same command continues"
    assert len(told.out.splitlines()) == 1  # of the one that is trained already


def test_a_run_deleted_meanwhile_is_named(queue: Queue, monkeypatch: pytest.MonkeyPatch, training_split: None) -> None:
    zoo = ZooTraining({"vae-dense-8": get_preset("vae-dense-8").config.replace(**ENDLESS)}, queue, (100, 100))
    freeze(submit(queue, ENDLESS | {"seed": 1}))  # has the one place
    waits = ZooTraining.jobs

    def delete(self: ZooTraining) -> dict[str, Job]:
        for job in queue.jobs()[1:]:
            queue.delete(job.id)
        return waits(self)

    monkeypatch.setattr(ZooTraining, "jobs", delete)
    with refused(r"^not trained: vae-dense-8 \(deleted\); the same command continues with them$"):
        follow_zoo(zoo)
