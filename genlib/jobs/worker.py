"""The process around one training: it starts `genlib train`, writes down how that ended, and starts what waits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from genlib.errors import GenlibError
from genlib.io.processes import end_first
from genlib.jobs.process import gpus
from genlib.jobs.queue import KILL_SECONDS, Queue
from genlib.jobs.run import STOPPING, Job, elapsed

TEND_SECONDS = 1.0
NICENESS = 10  # the studio comes first


def main() -> None:
    """Train the run of the directory given as the only argument, which `jobs` has made and locked for us."""
    directory = Path(sys.argv[1])
    queue = Queue(directory.parent)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    os.nice(max(0, NICENESS - os.nice(0)))
    job = queue.begin(directory.name)
    queue.settle(job.id, _train(queue, job))


def _train(queue: Queue, job: Job) -> int:
    """The training's exit status. It shares the lock, so that the run stays taken should this process be killed."""
    cards = gpus()
    card = {"CUDA_VISIBLE_DEVICES": cards[job.place % len(cards)]} if cards else {}
    trainer = subprocess.Popen(_command(job), env={**os.environ, **card}, close_fds=False, preexec_fn=_give_way)
    while True:
        try:
            return trainer.wait(TEND_SECONDS)
        except subprocess.TimeoutExpired:
            with suppress(GenlibError):  # a busy queue or a full disk must not orphan the training
                job = queue.tend(job.id)
            if job.state in STOPPING:
                trainer.terminate()  # again: when it was asked first, it may not have been there yet
                if elapsed(job) > KILL_SECONDS:
                    trainer.kill()


def _give_way() -> None:
    """The training ends when it is asked to, and first of all when memory runs out."""
    end_first()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)  # an ignored signal would stay ignored


def _command(job: Job) -> list[str]:
    command = [sys.executable, "-m", "genlib", "train", job.preset, "--run-dir", str(job.directory), "--resume"]
    if job.samples:
        distance, evaluation = job.samples
        command += ["--distance-samples", str(distance), "--evaluation-samples", str(evaluation)]
    return command


if __name__ == "__main__":
    main()
