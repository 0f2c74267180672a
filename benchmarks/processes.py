"""Training images a second by two processes that share each batch, against one process with one and with two threads.

All on this machine's CPU, the same global batch, Accelerate's gloo group over the loopback. The exchange of a step is
the gradients of every descent and the losses; its time includes the wait for the slower process. Rounds are
interleaved.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from functools import partial
from statistics import median

from benchmarks.report import Measure, Unavailable, in_turns, load_average, print_table, ratio
from benchmarks.server import ROOT

STEPS = {"gan-dense-1": 150, "vae-dense-64": 300, "dcgan-32": 20}
SECONDS = 300
Told = dict[str, float]


def run(quick: bool) -> None:
    """Print the table."""
    rounds, rows = 1 if quick else 5, []
    for name, steps in STEPS.items():
        told: list[Told] = []
        measures: dict[str, Measure] = {
            "1 process, 1 thread": partial(_rate, name, steps, 1, 1, []),
            "1 process, 2 threads": partial(_rate, name, steps, 1, 2, []),
            "2 processes, 1 thread each": partial(_rate, name, steps, 2, 1, told),
        }
        rates = in_turns(measures, rounds)
        alone = rates["1 process, 1 thread"]
        rows += [
            (name, how, median(values), ratio(values, alone), *_exchange(how, told)) for how, values in rates.items()
        ]
    print_table(
        f"processes: images a second, {rounds} interleaved rounds",
        ("model", "how", "images/s", "against 1 thread (min-max)", "exchanged a step, MB", "ms a step in it"),
        rows,
        f"load average {load_average()} at the end",
    )


def _exchange(how: str, told: list[Told]) -> tuple[str, str]:
    if not how.startswith("2 processes"):
        return "", ""
    return f"{4 * told[0]['numbers'] / 1e6:.2f}", f"{1000 * median(each['exchange'] for each in told):.2f}"


def _rate(name: str, steps: int, count: int, threads: int, told: list[Told]) -> float:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    group = {"WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.one_process", name, str(steps)],
            cwd=ROOT,
            env={**os.environ, **group, "RANK": str(i), "LOCAL_RANK": str(i), "OMP_NUM_THREADS": str(threads)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for i in range(count)
    ]
    ends = [process.communicate(timeout=SECONDS) for process in processes]
    if any(process.returncode for process in processes):
        raise Unavailable(ends[0][1].strip().splitlines()[-1] if ends[0][1].strip() else "a process ended")
    told.append(json.loads(ends[0][0]))
    return told[-1]["batch"] / told[-1]["seconds"]
