"""A training on a rented machine: it trains, and sends the run directory to its repository while that grows.

    python -m genlib.remote.worker owner/name PRESET [options of genlib train]

is what a job of Hugging Face runs, in the directory that holds the sources and run/.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from genlib.remote.repository import METRICS, RUN, asking, run_files

UPLOAD_SECONDS = 300.0  # what a machine that is taken away loses at most; the Hub takes some hundred commits an hour
PAUSES = (5.0, 20.0, 60.0)  # seconds between tries to send what there is at the end


def main() -> int:
    """The training's exit status; 1 where it was stopped before its end, or its last files could not be sent."""
    repository, *training = sys.argv[1:]
    command = [sys.executable, "-m", "genlib", "train", *training, "--run-dir", RUN]
    command += ["--resume"] if (Path(RUN) / "run.json").is_file() else []
    trainer = subprocess.Popen(command)
    for number in (signal.SIGTERM, signal.SIGINT):  # the training writes a checkpoint and ends, and that is sent
        signal.signal(number, lambda *_: trainer.terminate())
    while True:
        try:
            status = trainer.wait(UPLOAD_SECONDS)
        except subprocess.TimeoutExpired:
            _send(repository)
        else:
            break
    sent = _send_at_last(repository)
    return status or int(not (sent and (Path(RUN) / METRICS).is_file()))


def _send_at_last(repository: str) -> bool:
    for pause in PAUSES:
        if _send(repository):
            return True
        time.sleep(pause)
    return _send(repository)


def _send(repository: str) -> bool:
    """Commit the run directory as it is; a failure is told in the log and must not end the training."""
    from huggingface_hub import HfApi

    from genlib.errors import GenlibError

    try:
        files = run_files(Path(RUN))
        with asking(f"{repository} on the Hub"):
            HfApi().create_commit(repository, files, commit_message="As far as the training is")
    except (GenlibError, OSError) as error:
        print(f"not sent: {error}", file=sys.stderr, flush=True)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
