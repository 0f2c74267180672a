"""What can happen to a training in the queue, made to happen: every end has a reason, and what was good is kept."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from genlib.io.locks import is_held
from genlib.jobs.queue import Queue
from genlib.jobs.run import Job, read_job
from genlib.training.progress import EventReader
from tests.tiny import assert_same_model
from tests.workers import (
    ENDLESS,
    ROOT,
    SAMPLES,
    SMALL,
    checkpoints,
    freeze,
    kill,
    kill_group,
    no_room,
    resting,
    submit,
    trainer,
    until,
)

pytestmark = pytest.mark.usefixtures("training_split")
KILLED = "the training ended without a word: it was killed, or the machine stopped"


@pytest.fixture(autouse=True)
def _checkpoint_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_CHECKPOINT_SECONDS", "0")


def begun(job: Job) -> tuple[EventReader, int]:
    """The run's events from here on, and the step of a checkpoint that its worker has written."""
    reader = EventReader(job.directory)
    reader.read()
    return reader, checkpoints(reader, job, 2)


def resumed_step(reader: EventReader, job: Job) -> int:
    """The step from which a resumed training goes on."""
    found: list[int] = []

    def started() -> bool:
        found.extend(event["step"] for event in reader.read() if event["event"] == "Started")
        return bool(found)

    until(started, f"the start of {job.id}")
    return found[0]


def lose_training(job: Job) -> None:
    os.kill(trainer(job), signal.SIGKILL)


def lose_both(job: Job) -> None:
    kill_group(job.process)


def lose_worker(job: Job) -> None:
    """The training goes on alone, until it is killed too."""
    alone = trainer(job)
    os.kill(job.process, signal.SIGKILL)
    reader = EventReader(job.directory)
    reader.read()
    checkpoints(reader, job, 1)  # asserts that the job is still running
    os.kill(alone, signal.SIGKILL)


LOSSES: tuple[Callable[[Job], None], ...] = (lose_training, lose_both, lose_worker)


def lose(queue: Queue, job: Job, how: Callable[[Job], None], written: int) -> None:
    """Kill a training once it has written so many checkpoints; the queue notices, and takes it up again."""
    job = queue.get(job.id)
    reader = EventReader(job.directory)
    reader.read()
    step = checkpoints(reader, job, written) if written else 0
    how(job)
    job = resting(queue, job)
    assert job.state == "failed"
    assert job.reason == KILLED or job.reason.startswith("the training was killed; mostly")
    until(lambda: not is_held(job.directory), "the end of the worker")
    queue.jobs()
    reader.read()
    assert queue.resume(job.id).state == "running"
    if written:
        assert resumed_step(reader, job) >= step


def undisturbed(queue: Queue, epochs: int) -> Path:
    job = submit(queue, SMALL | {"epochs": epochs})
    assert [event["event"] for event in queue.follow(job.id)][-1] == "Done"
    job = queue.get(job.id)
    assert (job.state, job.reason) == ("done", "")
    return job.directory


def assert_killed_run_is_the_same(queue: Queue, epochs: int, losses: list[tuple[Callable[[Job], None], int]]) -> None:
    job = submit(queue, SMALL | {"epochs": epochs})
    for how, written in losses:
        lose(queue, job, how, written)
    assert resting(queue, job).state == "done", queue.get(job.id).log
    assert not list(job.directory.rglob("*.tmp"))
    assert_same_model(job.directory, undisturbed(queue, epochs))


@pytest.mark.slow
def test_many_kills_end_with_the_same_bytes(queue: Queue) -> None:
    chance = random.Random(0)
    losses = [(how, chance.randrange(1, 12)) for how in 2 * LOSSES]
    losses[2:2] = [(lose_both, 0)]  # before it has begun
    assert_killed_run_is_the_same(queue, 8, losses)


@pytest.mark.slow
def test_a_paused_run_goes_on_from_where_it_was(queue: Queue) -> None:
    job = submit(queue)
    reader, step = begun(job)
    assert queue.pause(job.id).state == "pausing"
    assert resting(queue, job).state == "paused"
    written = [event["step"] for event in reader.read() if event["event"] == "Checkpointed"]
    last = max([step, *written])
    until(lambda: not is_held(job.directory), "the end of the worker")
    assert queue.resume(job.id).state == "running"
    assert resumed_step(reader, job) == last
    freeze(queue.get(job.id))
    assert queue.get(job.id).seconds > 0


@pytest.mark.slow
def test_a_full_disk_keeps_the_last_checkpoint(queue: Queue) -> None:
    job = submit(queue)
    begun(job)
    queue.pause(job.id)
    resting(queue, job)
    checkpoint = job.directory / "checkpoint" / "last.safetensors"
    good = checkpoint.read_bytes()
    until(lambda: not is_held(job.directory), "the end of the worker")
    with no_room(len(good) - 500):  # another step's header may be some bytes shorter
        queue.resume(job.id)
    full = resting(queue, job)
    assert (full.state, full.reason) == ("failed", "the disk has no room left; the last checkpoint is kept")
    assert checkpoint.read_bytes() == good
    assert not list(job.directory.rglob("*.tmp"))
    until(lambda: not is_held(job.directory), "the end of the worker")
    queue.resume(job.id)
    begun(queue.get(job.id))


@pytest.mark.slow
def test_a_training_that_diverges_and_the_next_in_the_queue(queue: Queue) -> None:
    """The next one starts though no one looks: the worker that ends moves the queue on."""
    diverging = submit(queue, ENDLESS | {"width": 64, "beta": 1000.0, "lr": 1.0})
    waiting = submit(queue)
    until(lambda: (found := read_job(waiting.directory)) and found.process, "the second worker")
    failed = queue.get(diverging.id)
    assert failed.state == "failed"
    assert "training diverged: the" in failed.reason
    assert re.search(
        "the last good checkpoint, of step [0-9]+, is kept; start a new run with a smaller lr than 1$", failed.reason
    )
    assert "genlib: training diverged" in failed.log
    assert kill(queue.get(waiting.id)).state == "failed"
    kept = (diverging.directory / "checkpoint" / "last.safetensors").read_bytes()
    until(lambda: not is_held(diverging.directory), "the end of the first worker")
    assert queue.resume(diverging.id).state == "running"
    again = resting(queue, diverging)
    assert again.reason == failed.reason  # exactly
    assert (diverging.directory / "checkpoint" / "last.safetensors").read_bytes() == kept


def test_a_missing_training_split_is_named(queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nothing").mkdir()
    monkeypatch.setenv("GENLIB_DATA", str(tmp_path / "nothing"))
    failed = resting(queue, submit(queue))
    assert failed.state == "failed"
    assert failed.reason.startswith("GENLIB_DATA=nothing holds no train-images-idx3-ubyte.gz")
    assert str(tmp_path) not in failed.log


@pytest.mark.slow
def test_a_damaged_checkpoint_is_named(queue: Queue) -> None:
    job = submit(queue)
    begun(job)
    kill(job)
    checkpoint = job.directory / "checkpoint" / "last.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    queue.resume(job.id)
    failed = resting(queue, job)
    assert failed.state == "failed"
    assert failed.reason.startswith(f"checkpoint {job.id}/checkpoint/last.safetensors is damaged and cannot be resumed")


@pytest.mark.slow
def test_a_run_that_is_being_trained_cannot_be_trained_beside_it(queue: Queue) -> None:
    command = [sys.executable, "-m", "genlib", "train", "vae-dense-8", "--run-dir", str(queue.directory / "mine")]
    command += [f"--set={key}={value}" for key, value in ENDLESS.items()]
    command += ["--distance-samples", str(SAMPLES[0]), "--evaluation-samples", str(SAMPLES[1])]
    first = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        until(lambda: (queue.directory / "mine" / "events.jsonl").is_file(), "the first training")
        first.send_signal(signal.SIGSTOP)
        second = subprocess.run([*command, "--resume"], cwd=ROOT, capture_output=True, text=True)
        assert queue.get("mine").state == "running"
    finally:
        first.kill()
        first.wait()
    assert second.returncode == 2
    assert second.stderr == f"genlib: {queue.directory / 'mine'} is being trained by another process\n"
    assert queue.get("mine").state == "paused"


@pytest.mark.slow
def test_a_worker_kills_a_training_that_does_not_stop(queue: Queue) -> None:
    """After fifteen seconds, and although no one looks."""
    job = submit(queue)
    process = trainer(job)
    assert Path(f"/proc/{process}/oom_score_adj").read_text().strip() == "800"  # it goes first when memory runs out
    os.kill(process, signal.SIGSTOP)
    queue.cancel(job.id)
    until(lambda: not is_held(job.directory), "the end of the worker")
    assert queue.get(job.id).state == "cancelled"


@pytest.mark.slow
def test_a_worker_stops_a_training_whose_minutes_are_over(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a minute, and although no one looks."""
    monkeypatch.setenv("GENLIB_TRAINING_MINUTES", "1")
    job = submit(queue, owner="ada")
    until(lambda: not is_held(job.directory), "the end of the worker")
    ended = queue.get(job.id)
    assert (ended.state, ended.reason) == ("paused", "stopped after 1 min of training, this host's limit")
    assert ended.seconds >= 60
    assert (job.directory / "checkpoint" / "last.safetensors").is_file()
