"""What real images score: the protocol applied to 10,000 training images in the fakes' place.

Frozen in floor.json beside the extractor; `python -m genlib.metrics.floor` reproduces it from the training split.
"""

from __future__ import annotations

import json
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from genlib.data import FashionMNIST
from genlib.errors import GenlibError
from genlib.files import write_file
from genlib.metrics.classification import balance_divergence, class_consistency, classification_accuracy_score
from genlib.metrics.coverage import Neighbourhoods, measure_coverage
from genlib.metrics.features import FLOOR_SAMPLES, load_extractor
from genlib.metrics.kernel import kernel_distance
from genlib.metrics.memorisation import nearest_distances

FILE = Path(__file__).with_name("floor.json")


@lru_cache(maxsize=1)
def load_floor() -> dict[str, Any]:
    """The frozen figures of real images, by the protocol's keys. GenlibError where they are of another extractor."""
    floor = json.loads(FILE.read_text("utf-8"))
    if floor.pop("extractor") != load_extractor().sha256:
        raise GenlibError(f"{FILE} was measured with another feature extractor")
    return floor


@lru_cache(maxsize=1)
def real_neighbourhoods() -> Neighbourhoods:
    """Features of the test split, float64 (10000, 128), with their neighbourhoods."""
    return Neighbourhoods.of(torch.from_numpy(load_extractor().features(FashionMNIST.load("test").images)))


def compare(features: torch.Tensor, seen: torch.Tensor) -> dict[str, float]:
    """Kernel distance, coverage and class balance from features (N, 128) and the classes seen (N,)."""
    real = real_neighbourhoods()
    size = min(len(features), len(real.points))
    kid, kid_se = kernel_distance(features[:size], real.points[:size])
    measured = {"kid": kid, "kid_se": kid_se, **vars(measure_coverage(real, Neighbourhoods.of(features)))}
    return measured | {"balance_kl": balance_divergence(seen)}


def _measure() -> dict[str, Any]:
    extractor, train, test = load_extractor(), FashionMNIST.load("train"), FashionMNIST.load("test")
    images = train.images[:FLOOR_SAMPLES]
    features, seen = extractor.look(images)
    distances = nearest_distances(test.images, train.images)
    return {
        "extractor": extractor.sha256,
        "fd": extractor.floor,
        **compare(torch.from_numpy(features), seen),
        "class_consistency": class_consistency(extractor.predict(test.images), test.labels),
        "cas": classification_accuracy_score(train),
        "nearest_train": float(distances.median()),
        "nearest_train_1_percent": float(distances.quantile(0.01)),
    }


if __name__ == "__main__":
    write_file(FILE, (json.dumps(_measure(), indent=1) + "\n").encode())
    print(f"wrote {FILE}", file=sys.stderr)
