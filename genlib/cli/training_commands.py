"""The command `train`: one preset here or on a rented machine, or all of them."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from genlib.cli.terminal import begun, follow_training, train_elsewhere
from genlib.errors import GenlibError


def run_train(options: argparse.Namespace) -> None:
    """Train a preset, drawing its progress, or all of them."""
    from genlib.io.files import runs_directory
    from genlib.models import get_preset

    if (options.name is None) != options.all:
        raise GenlibError("train takes the name of a model, or --all")
    if options.flavor and not options.on:
        raise GenlibError("--flavor goes with --on hf-jobs")
    if options.start_from and (options.all or options.on):
        raise GenlibError("--start-from goes with one model, trained here")
    if options.all:
        _train_all(options)
        return
    preset = get_preset(options.name)
    run_dir = Path(options.run_dir or runs_directory() / preset.name)
    config = preset.config
    saved = begun(options, run_dir)
    if saved.get("preset") == preset.name:  # what was set when the run began need not be said again
        config = preset.config.from_dict(saved.get("config") or {})
        _take_up(options, saved.get("samples"))
    if options.on:
        train_elsewhere(options, preset, run_dir, config.parse(_settings(options)))
    else:
        follow_training(options, preset.name, run_dir, config.parse(_settings(options)))


def _take_up(options: argparse.Namespace, samples: object) -> None:
    """The counts of samples that a run was begun with, where none are given."""
    if isinstance(samples, list) and len(samples) == 2:
        for key, count in zip(("distance_samples", "evaluation_samples"), samples, strict=True):
            if getattr(options, key) is None:
                setattr(options, key, count)


def _train_all(options: argparse.Namespace) -> None:
    """Every preset as a run of the queue; --resume says what it does anyway."""
    from genlib.cli.zoo_terminal import follow_zoo
    from genlib.jobs.zoo import ZooTraining, zoo_configs
    from genlib.training.run import check_samples

    if options.on:
        raise GenlibError("--all trains here; --on hf-jobs takes one model")
    if options.run_dir is not None:
        raise GenlibError("--all keeps its runs in $GENLIB_RUNS, else runs/; --run-dir goes with one model")
    if options.device != "auto":
        raise GenlibError("--all trains on every GPU, else on the CPU; CUDA_VISIBLE_DEVICES chooses, not --device")
    if os.environ.get("WORLD_SIZE", "1") != "1":  # the workers would look for one another
        raise GenlibError("--all trains each model in one process; start it without torchrun or accelerate launch")
    counts = options.distance_samples, options.evaluation_samples
    check_samples(*(count for count in counts if count is not None))
    follow_zoo(ZooTraining(zoo_configs(_settings(options)), samples=counts))


def _settings(options: argparse.Namespace) -> dict[str, str]:
    """Fields of the configuration as text."""
    settings = dict(_setting(text) for text in options.set)
    for key in ("epochs", "batch_size", "lr", "seed"):
        if (value := getattr(options, key)) is not None:
            settings[key] = value
    return settings


def _setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise GenlibError(f"--set takes key=value, not {text!r}")
    return key, value
