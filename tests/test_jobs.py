"""The queue: order, bounds and refusals. Its workers are real, and stopped before they do much."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from genlib.errors import without_places
from genlib.io.files import size_megabytes, write_json
from genlib.io.locks import INHERITED, acquire, is_held, locked
from genlib.jobs import process
from genlib.jobs import queue as jobs
from genlib.jobs.estimates import _measure
from genlib.jobs.limits import Limits
from genlib.jobs.queue import Queue
from genlib.jobs.run import Job, as_is, has_begun, read_job
from genlib.jobs.worker import _give_way
from genlib.models import get_preset
from genlib.threads import CHOSEN, SPINS
from genlib.training.estimate import Estimate
from genlib.training.estimate import main as estimate_main
from genlib.zoo.files import read_run
from tests.tiny import refused
from tests.workers import ENDLESS, ROOT, by_hand, command_lines, finish, freeze, kill, no_room, submit, until

SEEN = ("PYTHONPATH", "GOMP_SPINCOUNT")
ENDS = ("paused", "cancelled", "failed", "done")


def ids(queue: Queue, state: str) -> list[str]:
    return [job.id for job in queue.jobs() if job.state == state]


def kept(queue: Queue, state: str, **fields: object) -> Job:
    """A run that has come to rest in a state."""
    number = len(queue.jobs()) + 1
    return by_hand(queue, f"vae-dense-8-run-{number}", state=state, **fields)


def test_one_at_a_time_in_the_order_of_submission(queue: Queue) -> None:
    submitted = [submit(queue).id for _ in range(3)]
    assert submitted == [f"vae-dense-8-run-{number}" for number in (1, 2, 3)]
    for number, running in enumerate(submitted):
        assert ids(queue, "running") == [running]
        assert ids(queue, "queued") == submitted[number + 1 :]
        assert kill(queue.get(running)).state == "failed"


def test_as_many_at_once_as_the_host_says(queue: Queue) -> None:
    two = Queue(queue.directory, Limits(at_once=2))
    first, second, third = (freeze(submit(two)) for _ in range(3))
    assert (first.state, second.state, third.state) == ("running", "running", "queued")
    assert {first.place, second.place} == {0, 1}
    kill(first)
    assert ids(two, "running") == [second.id, third.id]
    assert two.get(third.id).place == first.place


def test_a_job_says_what_it_is(queue: Queue) -> None:
    job = freeze(submit(queue, owner="ada"))
    assert (job.preset, job.owner, job.name, job.samples) == ("vae-dense-8", "ada", f"runs/{job.id}", (100, 100))
    assert job.config["latent_size"] == ENDLESS["latent_size"]
    assert job.config["beta"] == 3.0  # every field, the defaults too
    assert job.threads >= 1
    assert os.getpgid(job.process) == job.process


def test_settings_that_cannot_be_are_refused_before_there_is_a_run(queue: Queue) -> None:
    with refused("'vae'"):
        queue.submit("vae", {})
    with refused("VAEConfig has no field 'depth'"):
        queue.submit("vae-dense-8", {"depth": 3})
    with refused("lr takes 1e-07 to 1.0, not 7"):
        queue.submit("vae-dense-8", {"lr": 7})
    for samples in ((1, 1), (100, 1), (100, 10**6), ("100", 100), (True, 100)):
        with refused("^a distance takes 10 to 100000 samples, not "):
            queue.submit("vae-dense-8", {}, samples=samples)  # type: ignore[arg-type]
    with refused(r"^samples takes two counts, not \(100,\)$"):
        queue.submit("vae-dense-8", {}, samples=(100,))  # type: ignore[arg-type]
    assert queue.jobs() == []
    assert submit(queue).id.endswith("-1")


def test_fifty_submissions_of_ten_visitors_leave_a_bounded_queue(queue: Queue) -> None:
    limits = Limits(queue=7)

    def visit(visitor: int) -> list[str]:
        answers = []
        for _ in range(5):
            try:
                answers.append(submit(Queue(queue.directory, limits), owner=f"visitor {visitor}").id)
            except ValueError as error:
                answers.append(str(error))
        return answers

    with ThreadPoolExecutor(10) as pool:
        answers = [answer for five in pool.map(visit, range(10)) for answer in five]
    accepted = [answer for answer in answers if "-run-" in answer]
    refusals = {answer for answer in answers if "-run-" not in answer}
    assert len(answers) == 50
    assert sorted(accepted) == [f"vae-dense-8-run-{number}" for number in range(1, 8)]
    assert refusals == {"the queue is full (7 of 7); try again when one has finished"}
    assert len(ids(queue, "running")) == 1
    assert len(ids(queue, "queued")) == 6
    assert len(list(queue.directory.glob("*-run-*"))) == 7  # a refusal leaves nothing


def test_numbers_are_never_given_twice(queue: Queue) -> None:
    first, second = (submit(queue).id for _ in range(2))
    queue.delete(second)
    kill(queue.get(first))
    queue.delete(first)
    assert [path.name for path in queue.directory.iterdir()] == [".counter.json"]
    assert submit(queue).id == "vae-dense-8-run-3"
    for number, damaged in enumerate(('{"la', '{"last": 1e400}', '{"last": null}', '{"last": -7}'), start=4):
        (queue.directory / ".counter.json").write_text(damaged)
        assert submit(queue).id == f"vae-dense-8-run-{number}"


def test_a_submission_cut_short_leaves_no_run(queue: Queue) -> None:
    (queue.directory / ".draft").mkdir()
    (queue.directory / ".draft" / "run.json").write_text("{}")
    assert queue.jobs() == []
    submit(queue)
    assert not (queue.directory / ".draft").exists()


@pytest.mark.parametrize(
    "job_id", ["", ".", "..", "../runs", "/", "a/b", "run-1/", ".counter.json", "\0", "a\nb", "x" * 5000, "run-99"]
)
def test_a_run_that_is_not_here(job_id: str, queue: Queue) -> None:
    submit(queue)
    for action in (queue.get, queue.pause, queue.resume, queue.cancel, queue.delete):
        with refused("^no run '.{0,80}' here$"):
            action(job_id)
    assert len(queue.jobs()) == 1


def test_waiting_jobs_are_paused_resumed_cancelled_and_deleted(queue: Queue) -> None:
    freeze(submit(queue))
    one, two = (submit(queue).id for _ in range(2))
    assert queue.pause(one).state == "paused"
    assert queue.resume(one).state == "queued"
    assert queue.cancel(one).state == "cancelled"
    assert queue.resume(one).state == "queued"
    queue.delete(two)
    assert [job.id for job in queue.jobs()] == ["vae-dense-8-run-1", one]


def test_a_resumed_job_waits_behind_the_others(queue: Queue) -> None:
    running = freeze(submit(queue))
    one, two = (submit(queue).id for _ in range(2))
    queue.pause(one)
    queue.resume(one)
    kill(running)
    assert ids(queue, "running") == [two]
    freeze(queue.get(two))


def test_a_worker_that_has_not_begun_is_paused_and_goes_on(queue: Queue) -> None:
    job = freeze(submit(queue))
    assert queue.pause(job.id).state == "pausing"
    os.killpg(job.process, signal.SIGCONT)
    until(lambda: queue.get(job.id).state == "paused", "the pause")
    assert queue.get(job.id).reason == ""
    assert queue.resume(job.id).state == "running"


REFUSED = {
    "pause": ("pausing", "cancelling", "paused", "cancelled", "failed", "done"),
    "resume": ("queued", "running", "pausing", "cancelling", "done"),
    "cancel": ("cancelling", "paused", "cancelled", "failed", "done"),
    "delete": ("running", "pausing", "cancelling"),
}
CASES = [(action, state) for action, states in REFUSED.items() for state in states]
PAST = {"pause": "paused", "resume": "resumed", "cancel": "cancelled", "delete": "deleted"}


@pytest.mark.parametrize(("action", "state"), CASES)
def test_what_is_not_possible_in_a_state_says_so(action: str, state: str, queue: Queue) -> None:
    job = freeze(submit(queue))
    if state in ("pausing", "cancelling"):
        job = (queue.pause if state == "pausing" else queue.cancel)(job.id)
    elif state == "queued":
        job = submit(queue)
    elif state in ENDS:
        job = kept(queue, state)
    assert job.state == state
    with refused(f"^{job.id} is {state}; it cannot be {PAST[action]} now$"):
        getattr(queue, action)(job.id)
    assert queue.get(job.id).state == state


@pytest.mark.parametrize("state", ["paused", "cancelled", "failed", "done"])
def test_a_run_at_rest_is_deleted_with_its_files(state: str, queue: Queue) -> None:
    job = kept(queue, state)
    queue.delete(job.id)
    assert [path for path in queue.directory.iterdir() if job.id in path.name] == []


def test_another_visitors_run_is_refused(queue: Queue) -> None:
    running, resting = freeze(submit(queue, owner="ada")), kept(queue, "paused", owner="ada")
    for by in ("bob", ""):
        for action, job in (("pause", running), ("cancel", running), ("resume", resting), ("delete", resting)):
            with refused(f"^{job.id} is another visitor's run$"):
                getattr(queue, action)(job.id, by=by)
    assert queue.may_touch(running, "ada")
    assert queue.resume(resting.id, by="ada").state == "queued"
    queue.delete(resting.id, by=None)  # the host


def test_the_hosts_own_run_is_no_visitors(queue: Queue) -> None:
    job = kept(queue, "paused", owner="")
    for by in ("ada", ""):
        for limits in (Limits(), Limits(shared=True)):
            with refused("is the host's run$"):
                Queue(queue.directory, limits).delete(job.id, by=by)


def test_a_host_may_share_the_runs(queue: Queue) -> None:
    job = kept(queue, "paused", owner="ada")
    Queue(queue.directory, Limits(shared=True)).delete(job.id, by="bob")
    assert queue.jobs() == []


def test_limits_on_a_run_and_a_visitor(queue: Queue) -> None:
    limited = Queue(queue.directory, Limits(epochs=5, runs=2))
    with refused("^this host trains at most 5 epochs a run, not 10000$"):
        submit(limited, owner="ada")
    few = ENDLESS | {"epochs": 5}
    for _ in range(2):
        freeze(submit(limited, few, owner="ada"))
    with refused("^this host's limit of runs a visitor is 2; delete one of yours first$"):
        submit(limited, few, owner="ada")
    assert submit(limited, few, owner="bob").state == "queued"
    assert submit(limited).state == "queued"  # the host itself


def test_limits_on_the_queue_hold_for_resuming(queue: Queue) -> None:
    rests = kept(queue, "paused")
    freeze(submit(queue))
    with refused(r"^the queue is full \(1 of 1\); try again when one has finished$"):
        Queue(queue.directory, Limits(queue=1)).resume(rests.id)


def test_limits_on_the_disk(queue: Queue) -> None:
    full = Queue(queue.directory, Limits(disk_mb=1))
    rests = kept(queue, "paused")
    (rests.directory / "model.safetensors").write_bytes(bytes(1_500_000))
    for action in (lambda: submit(full), lambda: full.resume(rests.id)):
        with refused("^all runs together take 2 MB, and this host keeps 1; delete some$"):
            action()
    full.delete(rests.id)
    assert submit(full).state == "running"


def test_a_directory_that_goes_while_the_disk_is_measured(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("gone", "kept"):
        (queue.directory / name / "samples").mkdir(parents=True)
        (queue.directory / name / "samples" / "picture").write_bytes(bytes(1_000_000))
    scan = os.scandir

    def look(place: str | Path) -> object:
        if "gone" in str(place):
            shutil.rmtree(queue.directory / "gone", ignore_errors=True)
        return scan(place)

    monkeypatch.setattr(os, "scandir", look)
    assert size_megabytes(queue.directory) == 1.0


def test_the_limit_on_the_disk_counts_what_waiting_runs_will_write(queue: Queue) -> None:
    """A run of vae-dense-8 takes 5.7 MB in the end."""
    limited = Queue(queue.directory, Limits(disk_mb=15))
    rests = kept(queue, "paused")
    config = get_preset("vae-dense-8").config.to_dict()
    write_json(rests.directory / "run.json", {"preset": "vae-dense-8", "config": config})
    for _ in range(2):
        freeze(limited.submit("vae-dense-8", {}))
    for action in (lambda: limited.submit("vae-dense-8", {}), lambda: limited.resume(rests.id)):
        with refused("^this run, those that wait or train and all others will take 18 MB, and this host keeps 15; "):
            action()
    queue.cancel(limited.jobs()[-1].id)
    assert limited.resume(rests.id).state == "queued"


def test_a_run_that_has_had_its_minutes_is_not_resumed(queue: Queue) -> None:
    job, own = kept(queue, "paused", owner="ada", seconds=61.0), kept(queue, "paused", seconds=61.0)
    limited = Queue(queue.directory, Limits(minutes=1))
    with refused(f"^{job.id} has trained for the 1 min that this host allows$"):
        limited.resume(job.id)
    assert limited.resume(own.id).state == "running"  # the host itself


def test_a_run_is_stopped_when_its_minutes_are_over(queue: Queue) -> None:
    job = freeze(submit(queue, owner="ada"))
    (job.directory / "events.jsonl").write_text("")
    os.utime(job.directory / "events.jsonl", (job.since + 1, job.since + 1))  # it has begun
    limited = Queue(queue.directory, Limits(minutes=1))
    assert limited.jobs()[0].state == "running"
    replace(queue.get(job.id), seconds=60.0).save()
    assert limited.jobs()[0].state == "pausing"
    os.killpg(job.process, signal.SIGCONT)
    until(lambda: limited.get(job.id).state == "paused", "the stop")
    assert limited.jobs()[0].reason == "stopped after 1 min of training, this host's limit"


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_costs_a_run_no_minutes(hours: int, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    limited, real = Queue(queue.directory, Limits(minutes=1)), time.time
    job = freeze(submit(limited, owner="ada"))
    assert limited.jobs()[0].state == "running"
    monkeypatch.setattr(time, "time", lambda: real() + 3_600 * hours)
    (job.directory / "events.jsonl").write_text("")  # its worker begins
    os.utime(job.directory / "events.jsonl", (time.time(), time.time()))
    monkeypatch.setattr(jobs, "START_SECONDS", 0.0)
    assert limited.jobs()[0].state == "running"
    paused = limited.pause(job.id)
    assert paused.state == "pausing" and 0 <= paused.seconds < 60
    assert limited.jobs()[0].state == "pausing"  # its time to stop in is not over


def test_a_worker_has_not_begun_because_the_one_before_it_had(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    job = kept(queue, "paused")
    (job.directory / "events.jsonl").write_text("")
    job = freeze(queue.resume(job.id))
    assert not has_begun(job)


@pytest.mark.parametrize("state", ["running", "pausing"])
def test_a_stranger_with_a_workers_number_is_left_alone(
    state: str, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a restart of the machine, where the command line has the run now."""
    stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        job = by_hand(queue, "vae-dense-8-run-1", state=state, process=stranger.pid, owner="ada", seconds=100.0)
        monkeypatch.setattr(jobs, "KILL_SECONDS", 0.0)
        with locked(job.directory, 0, "taken"):
            assert Queue(queue.directory, Limits(minutes=1)).jobs()[0].state == state
            with refused(f"^{job.id} is being trained by a process that is not its worker; stop it there$"):
                queue.cancel(job.id)
            process.signal_worker(job, signal.SIGKILL)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_run_that_is_a_link_is_trained_and_deleted_as_one(queue: Queue, tmp_path: Path) -> None:
    job = kept(queue, "paused")
    elsewhere = job.directory.rename(tmp_path / "elsewhere")
    job.directory.symlink_to(elsewhere)
    (elsewhere / "log.txt").symlink_to(tmp_path / "mine.txt")
    (tmp_path / "mine.txt").write_text("precious")
    lock = acquire(job.directory)
    assert lock is not None
    with pytest.MonkeyPatch.context() as patch:  # as its worker's training, which has its parent's lock
        patch.setenv(INHERITED, process._environment(job)[INHERITED])
        with locked(job.directory, 0, "taken"):
            pass
    os.close(lock)
    kill(freeze(queue.resume(job.id)))
    assert (tmp_path / "mine.txt").read_text() == "precious"
    queue.delete(job.id)
    assert (elsewhere / "run.json").is_file()
    assert [path.name for path in queue.directory.iterdir()] == []


def test_two_that_look_at_once_start_a_job_once(queue: Queue) -> None:
    first, second = freeze(submit(queue)), submit(queue)
    look = f"from genlib.jobs import Queue\nprint('ready', flush=True)\ninput()\nQueue({str(queue.directory)!r}).jobs()"
    command, pipe = [sys.executable, "-c", look], subprocess.PIPE
    lookers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT) for _ in range(4)]
    for looker in lookers:
        assert looker.stdout and looker.stdout.readline() == "ready\n"
    os.killpg(first.process, signal.SIGKILL)
    until(lambda: not is_held(first.directory), "the first worker's end")
    for looker in lookers:
        assert looker.stdin
        looker.stdin.write("\n")
        looker.stdin.flush()
    assert [looker.communicate()[1] for looker in lookers] == [""] * 4
    job = freeze(queue.jobs()[1])
    assert (job.id, job.state) == (second.id, "running")
    assert queue.get(first.id).state == "failed"
    line = f"-m genlib.jobs.worker {job.directory}"
    groups = {os.getpgid(pid) for pid, command in command_lines().items() if command.endswith(line)}
    assert len(groups) == 1  # of processes: a worker that starts a program is, for a moment, two


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="Linux's")
def test_when_memory_runs_out_a_training_goes_first() -> None:
    look = "print(open('/proc/self/oom_score_adj').read())"
    done = subprocess.run(
        [sys.executable, "-c", look], preexec_fn=_give_way, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == 800


def test_an_estimate_goes_first_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[str] = []
    monkeypatch.setattr("genlib.training.estimate.end_first", lambda: asked.append("first"))
    monkeypatch.setattr("genlib.training.estimate.estimate", lambda *_: asked.append("then") or Estimate(1, 1, 1, True))
    monkeypatch.setattr(sys, "argv", ["estimate", "vae-dense-8", "{}"])
    assert estimate_main() == 0
    assert asked == ["first", "then"]


def test_an_estimate_and_a_worker_find_the_package_and_spin_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    for name in CHOSEN:
        monkeypatch.delenv(name, raising=False)
    look = f"import os; open({str(tmp_path / 'seen')!r}, 'w').write(' '.join(map(os.environ.get, {SEEN})))"
    run = subprocess.run
    monkeypatch.setattr(
        "genlib.jobs.estimates.subprocess.run", lambda _, **how: run([sys.executable, "-S", "-c", look], **how)
    )
    _measure(("vae-dense-8", "{}"))
    assert (tmp_path / "seen").read_text() == f"{ROOT}:/elsewhere {SPINS}"
    environment = process._environment(Job(tmp_path, "vae-dense-8", {}, "queued", threads=2))
    assert [environment[name] for name in (*SEEN, "OMP_NUM_THREADS")] == [f"{ROOT}:/elsewhere", SPINS, "2"]


@pytest.mark.parametrize("given", ["", "/a:/b", f"/a:{ROOT}:/b", f"{ROOT}"])
def test_the_search_path_is_the_same_for_a_workers_worker(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", given)
    first = process.python_environment()
    assert first["PYTHONPATH"] == ":".join([str(ROOT), *(["/a", "/b"] if "/a" in given else [])])
    monkeypatch.setenv("PYTHONPATH", first["PYTHONPATH"])
    assert process.python_environment() == first


def test_the_queue_outlives_the_program_that_filled_it(queue: Queue) -> None:
    fill = f"""
import os, signal
from genlib.jobs.queue import Queue
from genlib.jobs.worker import _give_way
queue = Queue({str(queue.directory)!r})
for _ in range(2):
    queue.submit("vae-dense-8", {ENDLESS!r})
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", fill], cwd=ROOT).returncode == -signal.SIGKILL
    first, second = Queue(queue.directory).jobs()
    assert (first.state, second.state) == ("running", "queued")
    assert is_held(first.directory)
    assert kill(first).state == "failed"
    assert [job.state for job in queue.jobs()] == ["failed", "running"]


def test_a_program_killed_while_it_starts_a_worker(queue: Queue) -> None:
    """It has written that the job runs, and nothing runs: the job waits as before, and is started."""
    job = by_hand(queue, "vae-dense-8-run-1", state="running", since=time.time())
    seen = as_is(job)
    assert (seen.state, seen.reason) == ("queued", "")
    (found,) = queue.jobs()
    assert (found.id, found.state) == (job.id, "running") and found.process


def test_a_program_killed_once_it_has_started_a_worker(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker itself writes down which process it is."""
    started = []

    def start_and_end(job: Job, lock: int) -> NoReturn:
        started.append(start(job, lock))
        raise KeyboardInterrupt

    start = process._start
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(process, "_start", start_and_end)
        submit(queue)
    ((job,), (child,)) = queue.jobs(), started
    until(lambda: (found := read_job(job.directory)) and found.process == child.pid, "the worker's own word")


def test_a_worker_that_cannot_be_started(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/nonexistent/python")
        job = submit(queue)
    assert job.state == "failed"
    assert job.reason == "the worker could not be started: No such file or directory"
    assert not is_held(job.directory)
    assert queue.resume(job.id).state == "running"


def test_a_worker_that_never_begins(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    job, waiting = freeze(submit(queue)), submit(queue)
    monkeypatch.setattr(jobs, "START_SECONDS", 0.0)
    assert queue.jobs()[0].state == "cancelling"
    monkeypatch.setattr(jobs, "START_SECONDS", 600.0)
    monkeypatch.setattr(jobs, "KILL_SECONDS", 0.0)  # a frozen process hears no SIGTERM
    until(lambda: queue.jobs()[0].state == "failed", "the end of the worker")
    first, second = queue.jobs()
    assert first.reason == "the worker did not begin within 0 minutes"
    assert (first.id, first.process) == (job.id, 0)
    assert (second.id, second.state) == (waiting.id, "running")


def test_a_training_that_does_not_stop_is_killed(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    job = freeze(submit(queue))
    assert queue.cancel(job.id).state == "cancelling"
    assert queue.jobs()[0].state == "cancelling"
    monkeypatch.setattr(jobs, "KILL_SECONDS", 0.0)
    until(lambda: queue.jobs()[0].state == "cancelled", "the end of the worker")
    assert not is_held(job.directory)


def test_a_pause_that_is_not_heard_is_a_kill_that_can_be_resumed(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a host's limit of minutes would not bind a training that hears nothing."""
    job = freeze(submit(queue))
    assert queue.pause(job.id).state == "pausing"
    assert queue.jobs()[0].state == "pausing"
    monkeypatch.setattr(jobs, "KILL_SECONDS", 0.0)
    until(lambda: queue.jobs()[0].state == "paused", "the end of the worker")
    assert queue.get(job.id).reason == "it did not stop when it was asked to, and was killed"
    assert not is_held(job.directory)
    assert queue.resume(job.id).state == "running"


def test_a_request_to_stop_that_no_one_heard_is_made_again(queue: Queue) -> None:
    """It may come after the worker ignores signals and before there is a training to hear it."""
    job = submit(queue)
    until(lambda: (found := read_job(job.directory)) and found.process, "the worker")
    replace(queue.get(job.id), state="pausing").save()
    until(lambda: queue.get(job.id).state == "paused", "the pause")


def test_a_pause_that_takes_too_long_can_become_a_cancellation(queue: Queue) -> None:
    job = freeze(submit(queue))
    queue.pause(job.id)
    assert queue.cancel(job.id).state == "cancelling"


def test_following_a_run_ends_when_it_rests(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "FOLLOW_SECONDS", 0.01)
    job = freeze(submit(queue))
    log = job.directory / "events.jsonl"
    log.write_text('{"event": "Started", "time": 1.0, "step": 0, "epochs": 1, "steps_per_epoch": 9}\n')
    events = queue.follow(job.id)
    assert next(events)["event"] == "Started"
    with open(log, "a") as file:
        file.write('{"event": "Checkpointed", "time": 2.0, "step": 3}\n{"event": "St')
    assert next(events)["step"] == 3
    os.killpg(job.process, signal.SIGKILL)
    assert list(events) == []
    with refused("no run 'gone' here"):
        next(queue.follow("gone"))


DAMAGED_JOBS = [
    *(
        "",
        '{"state": "runn',
        "[]",
        '{"state": "asleep"}',
        '{"state": "done", "mood": 1}',
        '{"state": null}',
        '{"state": []}',
    ),
    *('{"state": "queued", "since": null}', '{"state": "queued", "since": "1"}', '{"state": "queued", "seconds": "9"}'),
    *(
        '{"state": "queued", "owner": 3}',
        '{"state": "queued", "samples": 5}',
        '{"state": "queued", "samples": [1, "2"]}',
        '{"state": "queued", "threads": 2000000}',
    ),
    *('{"state": "running", "process": true}', '{"state": "running", "process": 1.5}'),
    *(f'{{"state": "queued", "since": 1{"0" * 400}}}', '{"state": "queued", "since": NaN}'),
]


@pytest.mark.parametrize("text", DAMAGED_JOBS)
def test_a_damaged_job_file_leaves_a_run_that_resumes(text: str, queue: Queue) -> None:
    job = kept(queue, "paused", owner="ada")
    (job.directory / "job.json").write_text(text)
    (found,) = queue.jobs()
    assert found.state == "failed"
    assert found.reason.startswith("its job.json, which says how far it was, is damaged")
    assert not queue.may_touch(found, "ada")  # whose it was is lost
    assert queue.resume(job.id).state == "running"


def test_a_damaged_job_file_hides_no_other_run(queue: Queue) -> None:
    good = [kept(queue, "paused") for _ in range(3)]
    (good[1].directory / "job.json").write_text('{"state": "queued", "since": null}')
    assert [job.state for job in queue.jobs()] == ["paused", "failed", "paused"]


def test_a_damaged_job_file_of_a_run_under_way(queue: Queue) -> None:
    job = freeze(submit(queue))
    (job.directory / "job.json").write_text("")
    assert queue.jobs()[0].state == "running"
    assert submit(queue).state == "queued"
    os.killpg(job.process, signal.SIGKILL)
    process.reap()
    until(lambda: queue.jobs()[0].state == "failed", "the end of the worker")


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"preset": "vae-dense-8"}', '{"preset": 1, "config": {}}'])
def test_a_damaged_description_cannot_be_resumed_but_deleted(text: str, queue: Queue) -> None:
    job = kept(queue, "queued")
    (job.directory / "run.json").write_text(text)
    (found,) = queue.jobs()
    assert found.state == "failed"
    assert re.fullmatch(
        "its files are damaged: run.json(: .*| is not readable JSON: .*| holds no JSON object); delete the run",
        found.reason,
    )
    with refused(f"^{job.id} cannot be resumed: its files are damaged: run.json"):
        queue.resume(job.id)
    queue.delete(job.id)
    assert queue.jobs() == []


@pytest.mark.parametrize("moment", ["genlib.io.locks._open", "genlib.jobs.run.ended"])
def test_a_run_that_goes_while_we_look_hides_no_other(
    moment: str, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = kept(queue, "paused")
    gone = kept(queue, "running", since=time.time(), process=2**31 - 1)
    module, _, name = moment.rpartition(".")
    act = getattr(sys.modules[module], name)

    def too_late(first: Job | Path, *rest: object) -> object:
        directory = first if isinstance(first, Path) else first.directory
        if directory == gone.directory:
            shutil.rmtree(directory, ignore_errors=True)
        return act(first, *rest)

    for place in ("genlib.jobs.run", "genlib.jobs.queue", module):
        if hasattr(sys.modules[place], name):
            monkeypatch.setattr(f"{place}.{name}", too_late)
    assert other.id in [job.id for job in queue.jobs()]
    assert [job.id for job in queue.jobs()] == [other.id]


def test_what_a_killed_deletion_left_holds_up_no_other(queue: Queue) -> None:
    job = kept(queue, "done")
    left = queue.directory / f".deleted-{job.id}"
    left.mkdir()
    (left / "log.txt").write_text("")
    queue.delete(job.id)
    assert queue.jobs() == [] and not left.exists()


def test_a_strangers_group_is_not_ours_to_signal(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where processes cannot be looked into, the number is trusted."""

    def refuse(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr("genlib.io.processes.PROCESSES", queue.directory)
    monkeypatch.setattr(os, "killpg", refuse)
    process.signal_worker(kept(queue, "running", process=2**31 - 1), signal.SIGTERM)


def test_what_is_no_run_is_left_alone(queue: Queue) -> None:
    os.mkdir(os.fsencode(queue.directory) + b"/run-\xff")  # a name that no page can show
    write_json(queue.directory / os.fsdecode(b"run-\xff") / "run.json", {"preset": "vae-dense-8", "config": {}})
    (queue.directory / "notes.txt").write_text("mine")
    (queue.directory / "pictures").mkdir()
    assert queue.jobs() == []
    with refused("no run 'pictures' here"):
        queue.delete("pictures")


def test_a_run_from_the_command_line_is_seen(queue: Queue) -> None:
    directory = kept(queue, "paused").directory
    (directory / "job.json").unlink()
    mine = directory.rename(queue.directory / "my run")
    assert queue.get("my run").state == "paused"
    with locked(mine, 0, "taken"):
        assert queue.get("my run").state == "running"
        assert freeze(submit(queue)).state == "running"  # it does not take the queue's place
        for action in (queue.pause, queue.cancel, queue.delete):
            with refused("^my run is being trained from the command line; stop it there$"):
                action("my run")
    finish(mine)
    assert queue.get("my run").state == "done"
    queue.delete("my run")


def test_what_the_command_line_made_of_a_run_meanwhile_is_seen(queue: Queue) -> None:
    ended, extended = kept(queue, "paused", reason="stopped", owner="ada"), kept(queue, "done", owner="ada")
    finish(ended.directory)
    (extended.directory / "metrics.json").unlink()
    jobs = queue.jobs()
    assert [(job.state, job.reason, job.owner) for job in jobs] == [("done", "", "ada"), ("paused", "", "ada")]
    with refused("is done; it cannot be resumed now"):
        queue.resume(ended.id)
    assert queue.resume(extended.id).state == "running"


def test_a_run_is_resumed_once_the_worker_that_is_leaving_has_left(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = kept(queue, "paused")
    lock = acquire(job.directory)
    assert lock is not None
    with ThreadPoolExecutor(1) as pool:
        resumed = pool.submit(queue.resume, job.id)
        time.sleep(0.2)
        assert not resumed.done()
        os.close(lock)
        assert resumed.result().state == "running"
    monkeypatch.setattr(jobs, "LOCK_SECONDS", 0.0)
    other = kept(queue, "paused")
    with locked(other.directory, 0, "taken"), refused(f"^{other.id} is in use by another process; try again$"):
        queue.resume(other.id)


@pytest.mark.parametrize("state", ["queued", "paused", "failed", "cancelled", "done"])
def test_a_run_of_the_queue_that_the_command_line_trains_runs(state: str, queue: Queue) -> None:
    began = time.time() - 3_600
    job = kept(queue, state, reason="it was killed", since=began, seconds=7.0)
    rests = state
    if state == "done":  # and is extended
        (job.directory / "metrics.json").unlink()
        rests = "paused"
    with locked(job.directory, 0, "taken"):
        assert queue.get(job.id).state == rests  # a worker that has written its end down and is leaving
        (job.directory / "events.jsonl").write_text("")
        (found,) = queue.jobs()
        assert (found.state, found.reason, found.managed, found.seconds) == ("running", "", False, 7.0)
        assert found.since > began + 3_000  # its rest is no time that it trains
        for action in (queue.pause, queue.cancel, queue.resume, queue.delete):
            with refused(f"^{job.id} is being trained from the command line; stop it there$"):
                action(job.id)
        assert freeze(submit(queue)).state == "running"  # it takes no place of the queue's
    assert queue.get(job.id).state == rests


def test_the_counts_of_a_run_hold_for_whoever_trains_it(queue: Queue) -> None:
    job = queue.submit("vae-dense-8", {}, samples=(300, 400))
    assert read_run(job.directory)["samples"] == [300, 400]
    (job.directory / "job.json").unlink()  # as of one that the command line began
    found = read_job(job.directory)
    assert found and found.samples == (300, 400)


def test_a_waiting_job_that_the_command_line_trains_does_not_hold_up_the_rest(queue: Queue) -> None:
    first = kept(queue, "queued")
    with locked(first.directory, 0, "taken"):
        assert submit(queue).state == "running"
        assert queue.get(first.id).state == "queued"


def test_a_disk_without_room_for_a_note(queue: Queue) -> None:
    """The end of a worker is told though it cannot be written down, and a run can be deleted to make room."""
    job, waiting = freeze(submit(queue)), submit(queue)
    with no_room():
        with refused(r"^the run cannot be kept: cannot write [\w.]+: File too large$"):
            submit(queue)
        ended = kill(job)
        assert ended.state == "failed"
        assert queue.get(waiting.id).state == "queued"
        queue.delete(job.id)
        assert json.loads((waiting.directory / "job.json").read_text())["state"] == "queued"
    assert [(job.id, job.state) for job in queue.jobs()] == [(waiting.id, "running")]


def test_a_queue_that_another_holds_says_so(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "BUSY_SECONDS", 0.0)
    job = kept(queue, "paused")
    with locked(queue.directory, 0, "taken"):
        with refused("^the queue of runs is busy; try again$"):
            queue.resume(job.id)
        assert queue.jobs()[0].state == "paused"  # looking is always possible


def test_a_place_for_runs_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with refused("cannot make the directory of runs .*: (Not a directory|File exists)"):
        Queue(tmp_path / "file" / "runs")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("cannot write /srv/g/runs/a/checkpoint/last.safetensors: full", "cannot write last.safetensors: full"),
        ("GENLIB_DATA=/srv/data is not a directory", "GENLIB_DATA=data is not a directory"),
        ("[Errno 2] No such file: '/a/b/c'", "[Errno 2] No such file: 'c'"),
        ("see https://github.com/a/b, 3/4 or and/or", "see https://github.com/a/b, 3/4 or and/or"),
    ],
)
def test_messages_name_no_place_on_the_machine(text: str, plain: str) -> None:
    assert without_places(text) == plain
