"""The protocol: every model measured in the same way, from its shipped bytes, for metrics.json.

Fakes are quantised to uint8 before anything is measured; 10,000 of them (a conditional model: 1,000 a class) against
the 10,000 official test images, for three sample seeds.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

from genlib.errors import GenlibError
from genlib.metrics.features import Extractor, load_extractor
from genlib.metrics.frechet import Gaussian, frechet_distance
from genlib.model import Conditional, Model
from genlib.sampling import MAX_SAMPLES, cycle_labels, generate, sample
from genlib.store import load, model_directory, read_json

PROTOCOL = 1
SEEDS = (0, 1, 2)
EVALUATION_SAMPLES = 10_000
TIMED = 64

KEYS = (
    *("fd", "fd_std", "fd_floor", "fd_averaged", "fd_raw", "kid", "kid_se", "precision", "recall", "density"),
    *("coverage", "class_consistency", "balance_kl", "cas", "nearest_train", "nearest_train_test", "mse", "ssim"),
    *("parameters", "ms_64", "train_seconds", "train_epochs", "peak_memory_mb", "protocol", "extractor"),
    *("samples", "seeds"),
)


def evaluate(name: str | Path, n: int = EVALUATION_SAMPLES) -> dict[str, Any]:
    """Measure a trained model, given by preset name or directory, with n fakes a seed.

    Returns every key of the protocol, null where it does not apply or is not measured by this version:
    `fd` is the Frechet distance of what `sample` draws (the averaged generator where there is one) from the test
    split, its mean over the seeds with `fd_std` between them; `fd_raw` is the raw generator's and `fd_floor` what
    10,000 training images score. Training costs are carried over from the model's own metrics.json.
    """
    if isinstance(n, bool) or not isinstance(n, int) or not 2 <= n <= MAX_SAMPLES:
        raise GenlibError(f"n takes a whole number from 2 to {MAX_SAMPLES}, not {n!r}")
    directory = model_directory(name)
    model, extractor = load(directory), load_extractor()
    distances = _distances(model, extractor, n)
    known = directory / "metrics.json"
    carried = read_json(known) if known.is_file() else {}
    metrics: dict[str, Any] = dict.fromkeys(KEYS) | {
        key: carried.get(key) for key in ("train_seconds", "train_epochs", "peak_memory_mb")
    }
    metrics |= {
        "fd": statistics.mean(distances),
        "fd_std": statistics.stdev(distances),
        "fd_floor": extractor.floor,
        "parameters": model.parameter_count(),
        "ms_64": milliseconds(model),
        "protocol": PROTOCOL,
        "extractor": extractor.sha256,
        "samples": n,
        "seeds": list(SEEDS),
    }
    if model.averaged:
        metrics["fd_averaged"] = metrics["fd"]
        metrics["fd_raw"] = statistics.mean(_distances(load(directory, weights="raw"), extractor, n))
    return metrics


def _distances(model: Model, extractor: Extractor, n: int) -> list[float]:
    return [
        frechet_distance(Gaussian.of(extractor.features(generate(model, n, seed)[0])), extractor.test) for seed in SEEDS
    ]


def milliseconds(model: Model, repeats: int = 15) -> float:
    """Median time of one batch of 64 samples from given latents, in milliseconds."""
    z = model.draw_latent(TIMED, 0)
    y = cycle_labels(TIMED) if isinstance(model, Conditional) else None
    sample(model, z, y)
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        sample(model, z, y)
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)
