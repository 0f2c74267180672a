"""The protocol: every model measured in the same way, from its shipped bytes, for metrics.json.

Fakes are quantised to uint8 before anything is measured; 10,000 of them (a conditional model: 1,000 a class) against
the 10,000 official test images, for three sample seeds. What as many real images score in the fakes' place is the
floor. Two extractors of different kinds look: one model is called better than another where both agree.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genlib.data import FashionMNIST
from genlib.errors import whole
from genlib.io.fields import NUMBER, TABLE, TEXT, Kind, list_of, optional, read_fields
from genlib.loading import load, model_directory
from genlib.metrics.classification import classification_accuracy_score
from genlib.metrics.features import EXTRACTORS, load_extractor
from genlib.metrics.floor import load_floor
from genlib.metrics.frechet import RunningGaussian, frechet_distance
from genlib.metrics.memorisation import nearest_in_turn
from genlib.metrics.reconstruction import reconstruction_error
from genlib.metrics.scores import FEWEST, Looked, look, over_sets, real_neighbourhoods, score_set
from genlib.model import Conditional, Decodes, Encodes, Integrates, Model, keeps_raw
from genlib.sampling import MAX_SAMPLES, cycle_labels, generate, sample
from genlib.stages import Stages, finish, part

PROTOCOL = 3
MEASURED_BY = {  # without which two figures cannot be compared
    "protocol": PROTOCOL,
    "extractor": EXTRACTORS["first"].sha256,
    "extractor_second": EXTRACTORS["second"].sha256,
}
SEEDS = (0, 1, 2)
EVALUATION_SAMPLES = 10_000
BIASED = 2_000  # samples, below which a Frechet distance is mostly their small number's
BATCH = 1_000
TIMED = 64
SCORE_FAKES = 60_000

KEYS = (
    *("fd", "fd_std", "fd_floor", "fd_second", "fd_second_std", "fd_second_floor", "fd_averaged", "fd_raw"),
    *("kid", "kid_se", "precision", "recall", "density", "coverage"),
    *("class_consistency", "balance_kl", "cas", "nearest_train", "nearest_train_test", "near_copies"),
    *("mse", "ssim", "parameters", "ms_64", "train_seconds", "train_epochs", "peak_memory_mb"),
    *("components", "log_likelihood", "bic", "bic_curve"),
    *("steps", "solver", "guidance"),
    *("spread", "floor", "protocol", "extractor", "extractor_second", "samples", "seeds"),
)
CARRIED = ("train_seconds", "train_epochs", "peak_memory_mb", "components", "log_likelihood", "bic", "bic_curve", "cas")


def evaluate(
    name: str | Path,
    n: int = EVALUATION_SAMPLES,
    score: bool = False,
    progress: Callable[[float], object] = lambda share: None,
) -> dict[str, Any]:
    """Measure a trained model, given by preset name or directory, with n fakes a seed.

    Returns every key of the protocol, null where it does not apply: means over the seeds, with the standard deviation
    between them under `spread`; `fd_raw`, `nearest_train`, `near_copies` and `cas` are of one seed. What as many real
    images score is under `floor`. `fd` is the Frechet distance of what `sample` draws (the averaged generator where
    there is one) from the test split, `fd_second` the second extractor's; `fd_raw` is the raw generator's.
    `nearest_train` is the median distance to the nearest training image and `near_copies` the share of fakes nearer to
    one than 99 % of the test images are; both are null on a machine without the training split. `mse` and `ssim` are of
    the first n test images. `score` adds the classification accuracy score of a conditional model, which trains a
    classifier and takes minutes. What only the training knows, and a score measured before, are carried over from the
    model's own metrics.json. `progress` receives the share of the work that is done, from 0 to 1, several times a
    second.
    """
    return finish(evaluating(name, n, score), progress)


def evaluating(name: str | Path, n: int = EVALUATION_SAMPLES, score: bool = False) -> Stages[dict[str, Any]]:
    """`evaluate` as an iterator of the share of the work that is done, whose value is the figures."""
    n = whole("n", n, FEWEST, MAX_SAMPLES)
    directory = model_directory(name)
    model, floor = load(directory), load_floor(n)
    metrics: dict[str, Any] = dict.fromkeys(KEYS) | _carried(directory / "metrics.json")
    yield 0.0
    real_neighbourhoods()
    parts = len(SEEDS) + keeps_raw(model) + 1
    sets: list[dict[str, float]] = []
    images = torch.empty(0)
    for seed in SEEDS:
        figures, drawn = yield from part(sample_figures(model, n, seed), len(sets), parts)
        sets.append(figures)
        images = images if len(images) else drawn
    metrics |= over_sets(sets)
    if keeps_raw(model):
        raw = _raw_distance(load(directory, weights="raw"), n, SEEDS[0])
        metrics |= {"fd_averaged": metrics["fd"], "fd_raw": (yield from part(raw, len(SEEDS), parts))}
    if FashionMNIST.available("train"):
        metrics |= yield from part(memorised(images), parts - 1, parts)
    metrics |= {
        "fd_floor": floor["fd"],
        "fd_second_floor": floor["fd_second"],
        "nearest_train_test": floor["nearest_train"],
        "parameters": model.parameter_count(),
        "ms_64": milliseconds(model),
        "floor": floor,
        **MEASURED_BY,
        "samples": n,
        "seeds": list(SEEDS),
    }
    if isinstance(model, Integrates):
        metrics |= {key: getattr(model.config, key) for key in ("steps", "solver", "guidance")}
    if isinstance(model, Encodes) and isinstance(model, Decodes):
        metrics["mse"], metrics["ssim"] = reconstruction_error(model, FashionMNIST.load("test").images[:n])
    if score and isinstance(model, Conditional):
        images, labels = generate(model, SCORE_FAKES, SEEDS[-1] + 1)
        assert labels is not None
        metrics["cas"] = classification_accuracy_score(FashionMNIST(images, labels))
    yield 1.0
    return metrics


def _carried(known: Path) -> dict[str, Any]:
    """What is kept of the figures measured before; the file may be a stranger's."""
    found = read_fields(known, _CARRIED | _OF_SOME) if known.is_file() else {}
    kept = {key: found.get(key) for key in CARRIED} if found else {}
    return kept | {key: found[key] for key in _OF_SOME if key in found}


_CARRIED = dict.fromkeys(CARRIED, optional(NUMBER)) | {"bic_curve": optional(TABLE)}
_OF_SOME: dict[str, Kind] = {  # of models that trained on a GPU, or more than once
    **{"train_device": TEXT, "training_seeds": list_of(NUMBER), "training_devices": list_of(optional(TEXT))},
    **{f"{key}_trainings": list_of(NUMBER) for key in KEYS},
}


def of_some(key: str) -> bool:
    """Whether it is a key that only some models have."""
    return key in _OF_SOME


def warning(n: int) -> str:
    """What to mind about distances of so few samples; empty where there are enough."""
    if not FEWEST <= n < BIASED:
        return ""
    floor = load_floor(n)
    return (
        f"{n:,} samples are few: distances come out too large (photographs, {floor['samples']:,} of them, score "
        f"{floor['fd']:.2f}, and 10,000 score {load_floor()['fd']:.2f}) and coverage too small; compare "
        "with figures of as many samples only"
    )


def fakes(model: Model, n: int, seed: int, **options: Any) -> Generator[tuple[Tensor, Tensor | None], None, None]:
    """Samples 0, ..., n - 1 of a seed, 1,000 after another, with a conditional model's labels."""
    for start in range(0, n, BATCH):
        yield generate(model, min(BATCH, n - start), seed, start=start, **options)


def sample_figures(model: Model, n: int, seed: int, **options: Any) -> Stages[tuple[dict[str, float], Tensor]]:
    """What one seed's n fakes score, by the protocol's keys, and the fakes; `options` are those of `generate`."""
    images, asked, seen = [], [], []
    for batch, labels in fakes(model, n, seed, **options):
        images.append(batch)
        asked.append(labels)
        seen.append(look(batch))
        yield 0.7 * sum(map(len, images)) / n
    return score_set(Looked.of(seen), _joined(asked)), torch.cat(images)


def _joined(labels: list[Tensor | None]) -> Tensor | None:
    known = [batch for batch in labels if batch is not None]
    return torch.cat(known) if known else None


def _raw_distance(model: Model, n: int, seed: int) -> Stages[float]:
    extractor = load_extractor("first")
    features = RunningGaussian(len(extractor.test.mean))
    for images, _ in fakes(model, n, seed):
        features.add(extractor.features(images))
        yield features.n / n
    return frechet_distance(features.fit(), extractor.test)


def memorised(images: Tensor) -> Stages[dict[str, float]]:
    """How far uint8 images (N, 28, 28) are from their nearest training images."""
    found: list[Tensor] = []
    for distances in nearest_in_turn(images, FashionMNIST.load("train").images):
        found.append(distances)
        yield sum(map(len, found)) / len(images)
    distances = torch.cat(found)
    near = distances < load_floor()["nearest_train_1_percent"]
    return {"nearest_train": float(distances.median()), "near_copies": float(near.double().mean())}


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
