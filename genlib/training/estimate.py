"""How long a training will take here and how much disk, told after a few timed steps.

    python -m genlib.training.estimate PRESET '{"epochs": 3}'

prints an estimate as JSON; the studio asks so, in a process of its own.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import chain, repeat
from typing import Any

from genlib.config import Config
from genlib.data import FashionMNIST
from genlib.distributed import Processes
from genlib.errors import GenlibError
from genlib.io.processes import end_first
from genlib.metrics.evaluation import EVALUATION_SAMPLES, SEEDS
from genlib.metrics.features import load_extractor
from genlib.model import keeps_raw
from genlib.models import get_preset
from genlib.training.loop import Run
from genlib.training.memory import disk_megabytes

STEPS = 20
BUDGET_SECONDS = 20.0  # for the timed steps, of which EM needs seconds each
FEATURES = 16  # what the evaluation costs beyond its distances, in times of 5,000 images' features: 14 to 17 measured


@dataclass(frozen=True)
class Estimate:
    """Seconds of the whole run and of its final evaluation in them, megabytes (10^6) of its directory.

    `at_most` where the run may stop early, because it has converged or its distance is flat.
    """

    seconds: float
    evaluation_seconds: float
    megabytes: float
    at_most: bool


def estimate(name: str, config: Config, data: FashionMNIST | None = None, device: str = "auto") -> Estimate:
    """Time up to 20 steps of a run and one look at its samples; nothing is written."""
    data = FashionMNIST.load("train") if data is None else data
    run = Run(get_preset(name), config, data, Processes.join(device), None)
    step = _seconds_a_step(run)
    each = _seconds(lambda: run.diagnostics.every_epoch(run.model, run.device))
    look = _seconds(lambda: list(run._look()))
    distance = _seconds(lambda: list(run.diagnostics.distance(run.model)))
    features = _seconds(lambda: load_extractor().features(run.data.images[:5_000]))
    sets = (len(SEEDS) + keeps_raw(run.model)) * EVALUATION_SAMPLES / run.diagnostics.samples
    evaluation = sets * distance + FEATURES * features
    training = config.epochs * (run.steps_per_epoch * step + each) + len(run.logged) * look
    at_most = not hasattr(config, "batch_size") or getattr(config, "stop_when_flat", False)
    return Estimate(training + evaluation, evaluation, disk_megabytes(run.preset, config), at_most)


def _seconds_a_step(run: Run) -> float:
    """Mean of the timed steps, the first two left out: they warm up."""
    batches = list(run._remaining_batches())
    rows = chain.from_iterable(repeat(batches))
    if len(batches) > 1:
        for _ in range(2):
            run._train_on(next(rows))
        run.mean_losses()  # waits for a GPU
    began, steps = time.perf_counter(), 0
    while steps < STEPS and (steps == 0 or time.perf_counter() - began < BUDGET_SECONDS):
        run._train_on(next(rows))
        steps += 1
    run.mean_losses()  # waits for a GPU
    return (time.perf_counter() - began) / steps


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> int:
    """Print an estimate; 2 with one line on stderr for bad input. When memory runs out, it goes before who asks."""
    end_first()
    try:
        name, settings = sys.argv[1:]
        own = get_preset(name).config
        config = own.from_dict(own.to_dict() | json.loads(settings))
        print(json.dumps(asdict(estimate(name, config))))
    except (GenlibError, ValueError) as error:  # a ValueError: not a name and its settings as JSON
        print(f"genlib: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
