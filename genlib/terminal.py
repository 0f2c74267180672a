"""A training as a terminal shows it: a bar, a line an epoch, and a stop that loses nothing."""

from __future__ import annotations

import argparse
import signal
import sys
from itertools import chain
from pathlib import Path
from typing import Any


def follow_training(options: argparse.Namespace, name: str, run_dir: Path, config: Any) -> None:
    """Draw a training's progress; SIGTERM and Ctrl-C stop it after the step under way, with a checkpoint."""
    from tqdm import tqdm

    from genlib.data import FashionMNIST
    from genlib.events import Done, EpochDone, Started, Step
    from genlib.training import train

    stopped = finished = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True

    handlers = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    data = FashionMNIST.load("train", progress=lambda line: print(line, file=sys.stderr))
    counts = {key: getattr(options, key) for key in ("distance_samples", "evaluation_samples")}
    given = {key: count for key, count in counts.items() if count is not None}
    events = train(name, run_dir, config, data=data, device=options.device, resume=options.resume, **given)
    try:
        first = next(events)  # bad input is told before there is a bar
        with tqdm(unit=" steps", dynamic_ncols=True, smoothing=0.05, mininterval=0.5) as bar:
            for event in chain((first,), events):
                if isinstance(event, Started):
                    bar.reset(event.epochs * event.steps_per_epoch)
                    bar.update(event.step)
                elif isinstance(event, Step):
                    bar.update(event.step - bar.n)
                    if event.losses:
                        bar.set_postfix({key: f"{value:.4g}" for key, value in event.losses.items()}, refresh=False)
                elif isinstance(event, EpochDone):
                    bar.write(_epoch_line(event.record), file=sys.stderr)
                elif isinstance(event, Done):
                    finished = True
                    print(f"{run_dir} holds the trained {name}: Frechet distance {event.metrics['fd']:.2f}")
                if stopped and isinstance(event, Step):
                    break
        if stopped and not finished:
            events.close()  # type: ignore[attr-defined]  # writes the checkpoint
            print(f"stopped; go on with: python -m genlib train {name} --run-dir {run_dir} --resume", file=sys.stderr)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _epoch_line(record: dict[str, Any]) -> str:
    losses = "  ".join(f"{key} {value:.4g}" for key, value in record["losses"].items())
    fd = f"  FD {record['fd']:.2f}" if "fd" in record else ""
    return f"epoch {record['epoch']}: {losses}{fd}  {record['seconds']:.0f} s"
