"""Seconds of the protocol: its slow parts against the field's own implementations, and of whole evaluations.

Each part gets the same input as its alternative: torchmetrics for the kernel distance and the structural similarity,
scikit-learn for neighbourhoods and nearest images. Rounds are taken in turns, so that they can be paired.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sklearn.neighbors import NearestNeighbors
from torchmetrics.functional.image import structural_similarity_index_measure
from torchmetrics.image.kid import poly_mmd

from benchmarks.report import in_turns, print_table, ratio
from genlib.data import FashionMNIST
from genlib.loading import load
from genlib.metrics.coverage import DENSITY_K, Neighbourhoods
from genlib.metrics.evaluation import evaluate
from genlib.metrics.kernel import kernel_distance
from genlib.metrics.memorisation import nearest_distances
from genlib.metrics.reconstruction import structural_similarity
from genlib.metrics.scores import look, real_neighbourhoods
from genlib.sampling import generate

MODEL = "cgan-mlp"
WHOLE = ("vae-dense-8", "gan-dense-2", "cgan-mlp", "dcgan-32")
ROUNDS = 3


def run(quick: bool) -> None:
    """Print both tables."""
    n = 2_000 if quick else 10_000
    fakes = generate(load(MODEL), n)[0]
    test, train = FashionMNIST.load("test").images[:n], FashionMNIST.load("train").images
    features, real = look(fakes).first, real_neighbourhoods().points[:n]
    table = train.flatten(1).numpy() / 255.0
    pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "kernel distance": (
            lambda: kernel_distance(features, real),
            lambda: poly_mmd(features.double(), real.double()),  # type: ignore[no-untyped-call]
        ),
        "neighbourhoods": (
            lambda: Neighbourhoods.of(features),
            lambda: NearestNeighbors(n_neighbors=DENSITY_K + 1).fit(features).kneighbors(features),
        ),
        "nearest training images": (
            lambda: nearest_distances(fakes, train),
            lambda: NearestNeighbors(n_neighbors=1, algorithm="brute").fit(table).kneighbors(fakes.flatten(1) / 255),
        ),
        "structural similarity": (
            lambda: structural_similarity(test, fakes),
            lambda: structural_similarity_index_measure(fakes[:, None] / 255, test[:, None] / 255, data_range=1.0),
        ),
    }
    rows = []
    for name, (ours, theirs) in pairs.items():
        seconds = in_turns({"ours": _timed(ours), "theirs": _timed(theirs)}, 1 if quick else ROUNDS)
        rows.append([name, min(seconds["ours"]), min(seconds["theirs"]), ratio(seconds["theirs"], seconds["ours"])])
    print_table(
        f"parts of the protocol, {n:,} samples of {MODEL}",
        ["part", "genlib, s", "alternative, s", "ratio"],
        rows,
        "alternatives: torchmetrics (kernel distance, similarity), scikit-learn (neighbours)",
    )
    whole = []
    for name in WHOLE[:1] if quick else WHOLE:
        looks = [_timed(lambda name=name, n=n: evaluate(name, n))() for n in (1_000, 10_000)]  # type: ignore[misc]
        whole.append([name, *looks])
    print_table("evaluate, in a process that has measured before", ["model", "n 1,000, s", "n 10,000, s"], whole)


def _timed(work: Callable[[], object]) -> Callable[[], float]:
    def measure() -> float:
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    return measure
