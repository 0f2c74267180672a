"""The protocol: every model measured in the same way, from its shipped bytes, for metrics.json.

Fakes are quantised to uint8 before anything is measured; 10,000 of them (a conditional model: 1,000 a class) against
the 10,000 official test images, for three sample seeds. What real images score in the fakes' place is the floor.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import torch

from genlib.data import FashionMNIST
from genlib.errors import GenlibError
from genlib.files import read_json
from genlib.metrics.classification import class_consistency, classification_accuracy_score
from genlib.metrics.features import Extractor, load_extractor
from genlib.metrics.floor import compare, load_floor
from genlib.metrics.frechet import Gaussian, frechet_distance
from genlib.metrics.memorisation import nearest_distances
from genlib.metrics.reconstruction import reconstruction_error
from genlib.model import Conditional, Decodes, Encodes, Model
from genlib.sampling import MAX_SAMPLES, cycle_labels, generate, sample
from genlib.store import load, model_directory

PROTOCOL = 2
SEEDS = (0, 1, 2)
EVALUATION_SAMPLES = 10_000
FEWEST = 10
TIMED = 64
SCORE_FAKES = 60_000

KEYS = (
    *("fd", "fd_std", "fd_floor", "fd_averaged", "fd_raw", "kid", "kid_se", "precision", "recall", "density"),
    *("coverage", "class_consistency", "balance_kl", "cas", "nearest_train", "nearest_train_test", "near_copies"),
    *("mse", "ssim", "parameters", "ms_64", "train_seconds", "train_epochs", "peak_memory_mb"),
    *("components", "log_likelihood", "bic", "bic_curve"),
    *("spread", "floor", "protocol", "extractor", "samples", "seeds"),
)
CARRIED = ("train_seconds", "train_epochs", "peak_memory_mb", "components", "log_likelihood", "bic", "bic_curve", "cas")


def evaluate(name: str | Path, n: int = EVALUATION_SAMPLES, score: bool = False) -> dict[str, Any]:
    """Measure a trained model, given by preset name or directory, with n fakes a seed.

    Returns every key of the protocol, null where it does not apply: means over the seeds, with the standard deviation
    between them under `spread` and what real images score under `floor`. `fd` is the Frechet distance of what
    `sample` draws (the averaged generator where there is one) from the test split; `fd_raw` is the raw generator's.
    `nearest_train` is the median distance to the nearest training image and `near_copies` the share of fakes nearer
    to one than 99 % of the test images are; both are null on a machine without the training split. `score` adds the
    classification accuracy score of a conditional model, which trains a classifier and takes minutes. What only the
    training knows, and a score measured before, are carried over from the model's own metrics.json.
    """
    if isinstance(n, bool) or not isinstance(n, int) or not FEWEST <= n <= MAX_SAMPLES:
        raise GenlibError(f"n takes a whole number from {FEWEST} to {MAX_SAMPLES}, not {n!r}")
    directory = model_directory(name)
    model, extractor, floor = load(directory), load_extractor(), load_floor()
    metrics: dict[str, Any] = dict.fromkeys(KEYS) | _carried(directory / "metrics.json")
    metrics |= _over_seeds([_sampled(model, extractor, n, seed) for seed in SEEDS])
    metrics |= _memorised(model, n)
    metrics |= {
        "fd_floor": floor["fd"],
        "nearest_train_test": floor["nearest_train"],
        "parameters": model.parameter_count(),
        "ms_64": milliseconds(model),
        "floor": floor,
        "protocol": PROTOCOL,
        "extractor": extractor.sha256,
        "samples": n,
        "seeds": list(SEEDS),
    }
    if model.averaged:
        raw = load(directory, weights="raw")
        metrics["fd_averaged"] = metrics["fd"]
        metrics["fd_raw"] = statistics.mean(_distance(extractor, generate(raw, n, seed)[0]) for seed in SEEDS)
    if isinstance(model, Encodes) and isinstance(model, Decodes):
        metrics["mse"], metrics["ssim"] = reconstruction_error(model, FashionMNIST.load("test").images)
    if score and isinstance(model, Conditional):
        images, labels = generate(model, SCORE_FAKES, SEEDS[-1] + 1)
        assert labels is not None
        metrics["cas"] = classification_accuracy_score(FashionMNIST(images, labels))
    return metrics


def _carried(known: Path) -> dict[str, Any]:
    """What is kept of the figures measured before; the file may be a stranger's."""
    kept = {key: read_json(known).get(key) for key in CARRIED} if known.is_file() else {}
    for key, value in kept.items():
        if not isinstance(value, int | float | None) and not (key == "bic_curve" and isinstance(value, dict)):
            raise GenlibError(f"{known}: {key} is not a number")
    return kept


def _sampled(model: Model, extractor: Extractor, n: int, seed: int) -> dict[str, float]:
    """What one seed's fakes score."""
    fakes, labels = generate(model, n, seed)
    features, seen = extractor.look(fakes)
    measured = {"fd": frechet_distance(Gaussian.of(features), extractor.test)}
    measured |= compare(torch.from_numpy(features), seen)
    if labels is not None:
        del measured["balance_kl"]  # the labels decide it
        measured["class_consistency"] = class_consistency(seen, labels)
    return measured


def _over_seeds(measured: list[dict[str, float]]) -> dict[str, Any]:
    """Means, and the standard deviations between seeds under `spread`."""
    columns = {key: [one[key] for one in measured] for key in measured[0]}
    means: dict[str, Any] = {key: statistics.mean(values) for key, values in columns.items()}
    spread = {key: statistics.stdev(values) for key, values in columns.items() if key != "kid_se"}
    return means | {"fd_std": spread["fd"], "spread": spread}


def _memorised(model: Model, n: int) -> dict[str, float]:
    if not FashionMNIST.available("train"):
        return {}
    distances = nearest_distances(generate(model, n, SEEDS[0])[0], FashionMNIST.load("train").images)
    near = distances < load_floor()["nearest_train_1_percent"]
    return {"nearest_train": float(distances.median()), "near_copies": float(near.double().mean())}


def _distance(extractor: Extractor, fakes: torch.Tensor) -> float:
    return frechet_distance(Gaussian.of(extractor.features(fakes)), extractor.test)


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
