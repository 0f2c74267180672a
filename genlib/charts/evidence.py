"""What tells more than a number: charts and pictures for a claim, from its models' own files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from genlib.charts import diversity, mixtures, trajectory
from genlib.charts.chart import ABOVE, Chart, by_class, line
from genlib.data import CLASS_NAMES, FashionMNIST
from genlib.drawing import CLASS_COLOURS
from genlib.loading import model_directory
from genlib.metrics.reconstruction import reconstruct
from genlib.questions.diversity import Diversity
from genlib.questions.generate import Generate
from genlib.questions.history import history
from genlib.questions.interpolate import Interpolate, label_number_walk
from genlib.questions.keeping import loaded
from genlib.questions.latent import Latent
from genlib.questions.mixtures import held
from genlib.sampling import generate
from genlib.zoo.files import read_metrics

DASHES = ("solid", "dash", "dot", "dashdot")
LAYOUT = {"showlegend": True, "legend": ABOVE}


@dataclass(frozen=True)
class Tiles:
    """Pictures uint8 (N, 28, 28) in rows of so many, what is said over them, and what they show in words."""

    said: str
    images: np.ndarray
    columns: int
    alt: str


Shown = Chart | Tiles
Curve = tuple[Sequence[float], Sequence[float]]


def evidence(claim: int, models: Sequence[str]) -> Iterator[Shown]:
    """For a claim by its number, of the models that it is about; each is made when it is asked for.

    GenlibError where a file of theirs is damaged, KeyError where a figure was not measured.
    """
    yield from _EVIDENCE[claim](*models)


def _lines(curves: Mapping[str, Curve], y: str, alt: str, *, x: str = "epoch", log: bool = False) -> Iterator[Chart]:
    traces = []
    for place, (name, (xs, ys)) in enumerate(curves.items()):
        colour = CLASS_COLOURS[place]
        look = {"color": colour, "width": 2, "dash": DASHES[place % len(DASHES)]}
        mode = "lines+markers" if len(xs) < 4 else "lines"
        traces.append(line(xs, ys, colour, name=name, mode=mode, line=look))
    yield Chart(traces, alt, 210, x, {"title": y, "type": "log" if log else "linear"}, layout=LAYOUT)


def _by_epoch(names: Sequence[str], key: str, title: str, log: bool = False) -> Iterator[Chart]:
    """One line a model: a column of its history by epoch."""
    curves = {name: history(name).curve(key) for name in names}
    return _lines(curves, title, f"{title} of {', '.join(names)} by epoch", log=log)


def _losses(name: str) -> Iterator[Chart]:
    curves = {side: history(name).curve(f"loss_{side}") for side in ("generator", "discriminator")}
    return _lines(curves, "loss", f"Losses of {name}'s generator and discriminator by epoch")


def _strips(*names: str) -> Iterator[Tiles]:
    for name in names:
        yield Tiles(f"Samples of {name}", Generate(name, n=10).images, 10, f"Ten samples of {name}")


def _components(name: str) -> Iterator[Tiles]:
    said = "The means of its components, heaviest first"
    yield Tiles(said, held(name).means.numpy(), 10, f"The component means of {name} as pictures")


def _latent_sizes(*names: str) -> Iterator[Tiles]:
    originals = FashionMNIST.load("test").images[:10]
    yield Tiles("Test images", originals.numpy(), 10, "Test images: ten garments")
    for name in names:
        title = f"Reconstructed by {name}"
        yield Tiles(title, reconstruct(loaded(name), originals).numpy(), 10, f"{title}: ten garments")


def _criterion(name: str) -> Iterator[Chart]:
    yield mixtures.criterion(name, _metrics(name))


def _sizes(*names: str) -> Iterator[Chart]:
    distances = [_metrics(name)["fd"] for name in names]
    sizes = [2, 11, 18]
    curves = {"on VAE latents": (sizes, distances[0::2]), "on autoencoder latents": (sizes, distances[1::2])}
    alt = "Frechet distance of the mixtures by components and latents"
    return _lines(curves, "Frechet distance", alt, x="components")


def _metrics(name: str) -> dict[str, Any]:
    return read_metrics(model_directory(name))


def _gaps(*names: str) -> Iterator[Chart]:
    curves = {}
    for name in names:
        (epochs, train), (_, test) = (history(name).curve(f"accuracy_{side}") for side in ("train", "test"))
        curves[name] = epochs, [100 * (a - b) for a, b in zip(train, test, strict=True)]
    return _lines(curves, "points", "Discriminator accuracy on training images minus that on test images, by epoch")


def _accuracies(name: str) -> Iterator[Chart]:
    curves = {}
    for key, title in (("accuracy_test", "test images"), ("accuracy_fake", "fakes")):
        epochs, shares = history(name).curve(key)
        curves[title] = epochs, [100 * share for share in shares]
    alt = f"Accuracy of {name}'s discriminator on test images and fakes by epoch"
    return _lines(curves, "judged rightly, %", alt)


def _walks(name: str) -> Iterator[Tiles]:
    for start, end, title in ((0, 3, "T-shirt/top to Dress"), (6, 4, "Shirt to Coat")):
        frames = Interpolate(name, start=CLASS_NAMES[start], end=CLASS_NAMES[end]).strip
        yield Tiles(f"{title}, through the class embedding", frames, 11, f"A walk of {name} from {title} in 11 steps")
        numbers, _ = label_number_walk(name, (start, end), 0)
        alt = f"The classes of {name} whose numbers lie between, {title}"
        yield Tiles(f"{title}, the study's way: averaged class numbers", numbers, 11, alt)


def _redrawn(name: str) -> Iterator[Tiles]:
    test = FashionMNIST.load("test")
    fresh, _ = generate(loaded(name), 10, 1, test.labels[:10])
    for title, images in (
        ("Test images", test.images[:10]),
        ("What the study showed: new samples of their class", fresh),
    ):
        yield Tiles(title, images.numpy(), 10, f"{title}: ten garments")


def _clusters(name: str) -> Iterator[Chart]:
    after = Latent(name, n=1_000).first
    traces = by_class(after.coordinates[:, :2].numpy(), after.classes.numpy())
    axes = "first principal component", "second"
    yield Chart(traces, f"First hidden layer of {name} by class", 280, *axes, layout=LAYOUT)


def _where_measured(chart: Chart | None) -> Iterator[Chart]:
    if chart is not None:
        yield replace(chart, title="")  # the claim's own says it


_EVIDENCE: dict[int, Callable[..., Iterator[Shown]]] = {
    1: lambda cnn, dense: _by_epoch((cnn, dense), "loss_loss", "training loss"),
    2: _latent_sizes,
    3: _components,
    4: _criterion,
    5: _sizes,
    6: _gaps,
    7: _strips,
    8: _strips,
    9: _losses,
    10: lambda name: _by_epoch((name,), "fd_raw", "Frechet distance, raw", log=True),
    11: _accuracies,
    12: _walks,
    13: _clusters,
    14: _redrawn,
    15: lambda name: iter([diversity.spread(Diversity(name))]),
    16: lambda *names: _by_epoch(names, "fd", "Frechet distance", log=True),
    17: _strips,
    18: lambda flow, student: _where_measured(trajectory.by_steps(flow)),
    19: lambda flow: _where_measured(trajectory.by_guidance(flow)),
}
