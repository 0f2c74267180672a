"""What photographs score: the protocol applied to training images in the fakes' place, for sets of several sizes.

A figure of few samples says little beside one of 10,000: a thousand photographs cover 38 % of the test split's
neighbourhoods, ten thousand 97 %. At the other end stand random pixels, for which nothing was learned. Frozen in
floor.json; `python -m genlib.metrics.floor` reproduces it from the training split.
"""

from __future__ import annotations

import json
import sys
from functools import lru_cache
from pathlib import Path
from statistics import mean
from typing import Any

import torch
import torch.nn.functional as F

from genlib.data import CLASS_NAMES, FashionMNIST
from genlib.errors import GenlibError
from genlib.io.fields import NUMBER, TABLE, at_least, read_fields, record_of, table_of
from genlib.io.files import write_file
from genlib.metrics.classification import class_consistency, classification_accuracy_score
from genlib.metrics.features import EXTRACTORS, load_extractor
from genlib.metrics.frechet import Gaussian, frechet_distance
from genlib.metrics.memorisation import nearest_distances
from genlib.metrics.scores import distances, look, over_sets, score_set
from genlib.sampling import cycle_labels

FILE = Path(__file__).with_name("floor.json")
SIZES = (10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000)
DRAWS = 3  # disjoint sets of each size


_MINDED = dict.fromkeys(("fd", "fd_second"), at_least(0))
_NEEDED = dict.fromkeys(("precision", "recall"), at_least(0)) | {"spread": table_of(NUMBER), **_MINDED}
_OF_A_SIZE = record_of(_NEEDED, _NEEDED, others=NUMBER)
_SPOILED = dict.fromkeys(("noise", "blur", "no_bags"), record_of(_MINDED, _MINDED))
_WHOLE = dict.fromkeys(("class_consistency", "cas", "nearest_train", "nearest_train_1_percent"), at_least(0))
_SIZES = dict.fromkeys(map(str, SIZES), _OF_A_SIZE)
_TRAINING = {str(size): at_least(0) for size in SIZES if size <= 10_000}
_FIELDS = {
    "extractors": TABLE,
    "from_training": record_of(_TRAINING, _TRAINING),
    "random": _OF_A_SIZE,
    **{key: record_of(kinds, kinds) for key, kinds in (("sizes", _SIZES), ("spoiled", _SPOILED), ("whole", _WHOLE))},
}


@lru_cache(maxsize=1)
def _read() -> dict[str, Any]:
    kept = read_fields(FILE, _FIELDS, _FIELDS)
    if kept["extractors"] != {name: frozen.sha256 for name, frozen in EXTRACTORS.items()}:
        raise GenlibError(f"{FILE} was measured with other feature extractors")
    return kept


def load_floor(n: int = 10_000) -> dict[str, Any]:
    """The figures of real images by the protocol's keys, for sets of n.

    Means over three sets with the standard deviation between them under `spread`; `samples` is the size of the sets,
    the largest measured that is not above n. GenlibError where they are damaged or of other extractors.
    """
    kept = _read()
    size = max((size for size in SIZES if size <= n), default=SIZES[0])
    return {"samples": size, **kept["sizes"][str(size)], **kept["whole"]}


def load_random() -> dict[str, Any]:
    """The figures of 10,000 pictures of random pixels, which is what one would see without any learning.

    Means and `spread` over three sets, as `load_floor` has them; each is asked for a class in turn.
    """
    return _read()["random"]


def training_floor(n: int) -> float:
    """Frechet distance of n test photographs from the training split, which no training is told of.

    Mean over three disjoint sets, or as many as the test split has; of the largest size measured that is not above n.
    """
    kept = _read()["from_training"]
    return kept[max((size for size in kept if int(size) <= n), key=int, default=str(SIZES[0]))]


def load_spoiled() -> dict[str, dict[str, float]]:
    """What 10,000 photographs score once they are spoiled in one way: what each extractor minds, and how much."""
    return _read()["spoiled"]


def _spoiled(train: FashionMNIST) -> dict[str, dict[str, float]]:
    images, labels = train.images[: SIZES[-2]], train.labels[: SIZES[-2]]
    values, generator = images.float(), torch.Generator().manual_seed(0)
    noise = 20 * torch.randn(values.shape, generator=generator) * (values > 0)
    blurred = F.avg_pool2d(values.unsqueeze(1), 3, stride=1, padding=1).squeeze(1)
    sets = {
        "noise": (values + noise).round().clamp(0, 255).to(torch.uint8),  # of 20 gray levels, on the garments alone
        "blur": blurred.round().to(torch.uint8),  # by the mean of 3 x 3 pixels
        "no_bags": images[labels != CLASS_NAMES.index("Bag")],
    }
    return {name: distances(look(spoiled)) for name, spoiled in sets.items()}


def _random(train: FashionMNIST) -> dict[str, Any]:
    """Gray levels drawn evenly, each pixel by itself, and what is asked of them: each class in turn."""
    found = []
    for seed in range(DRAWS):
        generator = torch.Generator().manual_seed(seed)
        pixels = torch.randint(256, (SIZES[-2], 28, 28), generator=generator, dtype=torch.uint8)
        looked = look(pixels)
        asked = {"class_consistency": class_consistency(looked.classes, cycle_labels(len(pixels)))}
        found.append(score_set(looked) | asked)
    return over_sets(found) | {"nearest_train": float(nearest_distances(pixels[:1_000], train.images).median())}


def _from_training(test: FashionMNIST) -> dict[str, float]:
    extractor, found = load_extractor("first"), {}
    features = extractor.features(test.images)
    for size in map(int, _TRAINING):
        sets = (features[start : start + size] for start in range(0, min(DRAWS * size, len(features)) - size + 1, size))
        found[str(size)] = mean(frechet_distance(Gaussian.of(each), extractor.train) for each in sets)
    return found


def _measure() -> dict[str, Any]:
    train, test = FashionMNIST.load("train"), FashionMNIST.load("test")
    sizes = {}
    for size in SIZES:
        starts = range(0, DRAWS * SIZES[-1], SIZES[-1])
        sizes[str(size)] = over_sets([score_set(look(train.images[start : start + size])) for start in starts])
        print(size, sizes[str(size)]["fd"], sizes[str(size)]["fd_second"], file=sys.stderr, flush=True)
    nearest = nearest_distances(test.images, train.images)
    return {
        "extractors": {name: frozen.sha256 for name, frozen in EXTRACTORS.items()},
        "sizes": sizes,
        "from_training": _from_training(test),
        "random": _random(train),
        "spoiled": _spoiled(train),
        "whole": {
            "class_consistency": class_consistency(look(test.images).classes, test.labels),
            "cas": classification_accuracy_score(train),
            "nearest_train": float(nearest.median()),
            "nearest_train_1_percent": float(nearest.quantile(0.01)),
        },
    }


if __name__ == "__main__":
    write_file(FILE, (json.dumps(_measure(), indent=1) + "\n").encode())
    print(f"wrote {FILE}", file=sys.stderr)
