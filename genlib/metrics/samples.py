"""The protocol for samples in files, of whatever generator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genlib import shards
from genlib.data import FashionMNIST
from genlib.distributed import Processes
from genlib.errors import GenlibError
from genlib.metrics.classification import CLASSES, balance_of_counts
from genlib.metrics.evaluation import MEASURED_BY, memorised
from genlib.metrics.features import EXTRACTORS, load_extractor
from genlib.metrics.floor import load_floor
from genlib.metrics.frechet import RunningGaussian, frechet_distance
from genlib.metrics.sample_files import SampleSource, open_samples
from genlib.metrics.scores import FEWEST, Looked, look, score_set
from genlib.stages import Stages, part

BATCH = 1_000


def measure_samples(path: str | Path) -> Stages[dict[str, Any]]:
    """What the samples of a path score (`open_samples` says which it takes); yields the share that is done.

    The Frechet distances, and `class_consistency` where there are labels, else `balance_kl`, are of all samples; what
    compares each with each (kernel distance, precision, recall, density, coverage, nearest training images) is of the
    first 10,000. `floor` is what about as many photographs score. There is one set, so there are no spreads. Of
    several processes each measures its share. Raises GenlibError for fewer than 10 images.
    """
    processes = Processes.join("cpu")
    source = open_samples(path)
    if source.n < FEWEST:
        raise GenlibError(f"a distance takes {FEWEST} images or more, and {path} holds {source.n}")
    return (yield from measure_source(source, processes))


def measure_source(source: SampleSource, processes: Processes) -> Stages[dict[str, Any]]:
    """`measure_samples` of what is open."""
    features = {name: RunningGaussian(len(load_extractor(name).test.mean)) for name in EXTRACTORS}
    seen, agreed = torch.zeros(CLASSES, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    first: list[Tensor] = []
    kept: list[Looked] = []
    for start in shards.starts(source.n, processes):
        images, labels = source.read(start)
        first = first or [images]
        for i in range(0, len(images), BATCH):
            looked = look(images[i : i + BATCH])
            features["first"].add(looked.first.numpy())
            features["second"].add(looked.second.numpy())
            seen += torch.bincount(looked.classes, minlength=CLASSES)
            agreed += 0 if labels is None else (looked.classes == labels[i : i + BATCH]).sum()
            if start == 0:
                kept.append(looked)
            yield 0.6 * features["first"].n * processes.count / (source.n + shards.SHARD)
    sums = [
        processes.sum([torch.tensor([each.n]), *map(torch.from_numpy, (each.total, each.products))])
        for each in features.values()
    ]
    for each, (n, total, products) in zip(features.values(), sums, strict=True):
        each.n, each.total, each.products = float(n), total.numpy(), products.numpy()
    seen, agreed = processes.sum([seen, agreed])
    figures = score_set(Looked.of(kept)) if processes.leads else {}
    if processes.leads and FashionMNIST.available("train"):
        figures |= yield from part(memorised(first[0]), 2, 3)
    floor = load_floor(source.n)
    for key, name in (("fd", "first"), ("fd_second", "second")):
        figures[key] = frechet_distance(features[name].fit(), load_extractor(name).test)
    figures.pop("balance_kl", None)
    if source.labelled:
        figures["class_consistency"] = float(agreed / source.n)
    else:
        figures["balance_kl"] = balance_of_counts(seen)
    return source.facts | {
        "samples": source.n,
        "compared": min(source.n, shards.SHARD),
        **figures,
        "fd_floor": floor["fd"],
        "fd_second_floor": floor["fd_second"],
        "nearest_train_test": floor["nearest_train"],
        "floor": floor,
        **MEASURED_BY,
    }
