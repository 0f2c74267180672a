"""One of the processes that `processes.py` starts: trains some steps, and the first tells how long they took."""

from __future__ import annotations

import json
import sys
import time

from torch import Tensor

from genlib.data import FashionMNIST
from genlib.distributed import Processes
from genlib.models import get_preset
from genlib.training.loop import Run

WARM_UP = 3


class Timed(Processes):
    """Counts what is exchanged and how long that takes, the wait for the others included."""

    seconds = 0.0
    numbers = 0

    def mean(self, tensors: list[Tensor]) -> list[Tensor]:
        """As ever, and timed."""
        started = time.perf_counter()
        means = super().mean(tensors)
        Timed.seconds += time.perf_counter() - started
        Timed.numbers += sum(tensor.numel() for tensor in tensors)
        return means


def main() -> None:
    """`python -m benchmarks.one_process PRESET STEPS`."""
    preset, steps = get_preset(sys.argv[1]), int(sys.argv[2])
    joined = Processes.join("cpu")
    run = Run(preset, preset.config, FashionMNIST.load("train"), Timed(joined.device, joined.index, joined.count), 10)
    batches = run._remaining_batches()
    for _ in range(WARM_UP):
        run._train_on(next(batches))
    Timed.seconds, Timed.numbers = 0.0, 0
    started = time.perf_counter()
    for _ in range(steps):
        run._train_on(next(batches))
    seconds = time.perf_counter() - started
    if joined.leads:
        told = {"seconds": seconds / steps, "exchange": Timed.seconds / steps, "numbers": Timed.numbers / steps}
        print(json.dumps(told | {"batch": run.batch_size}))


if __name__ == "__main__":
    main()
