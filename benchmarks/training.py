"""Training images a second: genlib's loop against a plain PyTorch loop of the same networks, batch and passes.

genlib's side is `Run._train_on`, all of it: rows of the split in memory, channels_last, fused Adam, gradients for
the optimiser's own parameters alone, the moving average, the mean losses. The plain side is `plain_loop.py`, with 0
and with 2 loader workers, and in both recipes; CPU on both sides, with the same threads. Neither side pays for the
start of an epoch, evaluation or checkpoints. Rounds are interleaved; a ratio is genlib / plain of the same round.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from statistics import median

import torch
from torch import Tensor

from benchmarks import dcgan
from benchmarks.plain_loop import Networks, PlainLoop
from benchmarks.report import Measure, in_turns, print_table, ratio
from genlib.data import FashionMNIST
from genlib.distributed import Processes
from genlib.model import Conditional, Preset
from genlib.models import get_preset
from genlib.training.loop import Run

RECIPES = {"tutorial": False, "fresh fakes for G": True}
WORKERS = (0, 2)


def run(quick: bool) -> None:
    """Print the table."""
    data, rounds = FashionMNIST.load("train"), 3 if quick else 9
    rows: list[tuple[object, ...]] = []
    for preset, steps in ((get_preset("cgan-mlp"), 20 if quick else 100), (dcgan.PRESET, 4 if quick else 20)):
        rates = in_turns(_measures(preset, data, steps), rounds)
        rows += _rows(preset.name, rates)
    print_table(
        f"training: images a second, batches of 128, {rounds} interleaved rounds",
        ("network", "loop", "images/s", "genlib is faster by (min-max)", ""),
        rows,
        "tutorial: one generator pass a step; fresh fakes: two; D(real), D(fake), D(fake) on every side",
    )


def _measures(preset: Preset, data: FashionMNIST, steps: int) -> dict[str, Measure]:
    run = Run(preset, preset.config, data, Processes(torch.device("cpu")), distance_samples=10)
    model, config = preset.build(), run.config
    networks = Networks(
        model.get_submodule("generator"),
        model.get_submodule("discriminator"),
        model.latent_shape,
        isinstance(model, Conditional),
        getattr(config, "lr", 2e-4),
        getattr(config, "beta1", 0.9),
    )
    measures: dict[str, Measure] = {"genlib": partial(_images_a_second, run, _batches(run), steps)}
    for recipe, fresh in RECIPES.items():
        for workers in WORKERS:
            loop = PlainLoop(networks, data, run.batch_size, workers, fresh)
            measures[f"plain, {recipe}, {workers} workers"] = partial(loop.images_a_second, steps)
    return measures


def _batches(run: Run) -> Iterator[Tensor]:
    """Shuffled rows without end, epoch after epoch."""
    while True:
        yield from torch.randperm(len(run.images)).split(run.batch_size)[: run.steps_per_epoch]


def _images_a_second(run: Run, batches: Iterator[Tensor], steps: int) -> float:
    run._train_on(next(batches))
    started = time.perf_counter()
    for _ in range(steps):
        run._train_on(next(batches))
    return steps * run.batch_size / (time.perf_counter() - started)


def _rows(network: str, rates: dict[str, list[float]]) -> list[tuple[object, ...]]:
    """One row a loop; of each recipe's loader settings the faster one is the fair opponent."""
    fastest = {
        max((name for name in rates if recipe in name), key=lambda name: median(rates[name])) for recipe in RECIPES
    }
    return [
        (
            network,
            name,
            round(median(values)),
            "" if name == "genlib" else ratio(rates["genlib"], values),
            "<- its faster loader" if name in fastest else "",
        )
        for name, values in rates.items()
    ]
