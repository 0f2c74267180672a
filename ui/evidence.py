"""What tells more than a number: a plot or pictures for a claim, from the shipped models' own files."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from genlib.data import CLASS_NAMES, FashionMNIST
from genlib.images import to_uint8
from genlib.metrics.reconstruction import reconstruct
from genlib.model import Mixture
from genlib.questions.diversity import Diversity
from genlib.questions.history import history
from genlib.questions.interpolate import Interpolate, label_number_walk
from genlib.questions.keeping import loaded
from genlib.questions.latent import Latent
from genlib.sampling import generate
from ui import diversity, mixtures, path, pictures, zoo
from ui.pictures import CLASS_COLOURS


def _by_epoch(names: Sequence[str], key: str, title: str, log: bool = False) -> None:
    """One line a model: a column of its history by epoch."""
    series = {name: history(name).curve(key) for name in names}
    _lines(series, "epoch", title, f"{title} of {', '.join(names)} by epoch", log)


def _lines(
    series: dict[str, tuple[Sequence, Sequence]], x_title: str, y_title: str, alt: str, log: bool = False
) -> None:
    traces = []
    for place, (name, (x, y)) in enumerate(series.items()):
        line = {"color": CLASS_COLOURS[place], "width": 2, "dash": ("solid", "dash", "dot", "dashdot")[place % 4]}
        mode = "lines+markers" if len(x) < 4 else "lines"
        traces.append({"type": "scatter", "x": list(x), "y": list(y), "name": name, "mode": mode, "line": line})
    axis = {"title": y_title, "type": "log" if log else "linear"}
    pictures.show_chart(traces, alt, 210, x_title, axis, showlegend=True, legend=pictures.ABOVE)


def _losses(name: str) -> None:
    series = {side: history(name).curve(f"loss_{side}") for side in ("generator", "discriminator")}
    _lines(series, "epoch", "loss", f"Losses of {name}'s generator and discriminator by epoch")


def _strips(*names: str) -> None:
    for name in names:
        st.caption(f"Samples of {name}")
        pictures.show_tiles(pictures.strip(name), 10, f"Ten samples of {name}")


def _components(name: str) -> None:
    st.caption("The means of its components, heaviest first")
    model = loaded(name)
    assert isinstance(model, Mixture)
    weights, means, _ = model.components()
    images = to_uint8(model.render(means[weights.argsort(descending=True)])).numpy()
    pictures.show_tiles(images, 10, f"The component means of {name} as pictures")


def _latent_sizes(*names: str) -> None:
    originals = FashionMNIST.load("test").images[:10]
    for title, name in (("Test images", None), *((f"Reconstructed by {name}", name) for name in names)):
        st.caption(title)
        images = originals if name is None else reconstruct(loaded(name), originals)
        pictures.show_tiles(images.numpy(), 10, f"{title}: ten garments")


def _sizes(*names: str) -> None:
    metrics = {name: zoo.entries()[name].metrics for name in names}
    series = {
        f"on {kind} latents": ([2, 11, 18], [metrics[name]["fd"] for name in names[start::2]])
        for start, kind in ((0, "VAE"), (1, "autoencoder"))
    }
    _lines(series, "components", "Frechet distance", "Frechet distance of the mixtures by components and latents")


def _gaps(*names: str) -> None:
    series = {}
    for name in names:
        (epochs, train), (_, test) = (history(name).curve(f"accuracy_{side}") for side in ("train", "test"))
        series[name] = epochs, [100 * (a - b) for a, b in zip(train, test, strict=True)]
    _lines(series, "epoch", "points", "Discriminator accuracy on training images minus that on test images, by epoch")


def _accuracies(name: str) -> None:
    series = {}
    for key, title in (("accuracy_test", "test images"), ("accuracy_fake", "fakes")):
        epochs, shares = history(name).curve(key)
        series[title] = epochs, [100 * share for share in shares]
    _lines(
        series, "epoch", "judged rightly, %", f"Accuracy of {name}'s discriminator on test images and fakes by epoch"
    )


def _walks(name: str) -> None:
    for start, end, title in ((0, 3, "T-shirt/top to Dress"), (6, 4, "Shirt to Coat")):
        frames = Interpolate(name, start=CLASS_NAMES[start], end=CLASS_NAMES[end]).strip
        st.caption(f"{title}, through the class embedding")
        pictures.show_tiles(frames, 11, f"A walk of {name} from {title} in 11 steps")
        numbers, _ = label_number_walk(name, (start, end), 0)
        st.caption(f"{title}, the study's way: averaged class numbers")
        pictures.show_tiles(numbers, 11, f"The classes of {name} whose numbers lie between, {title}")


def _redrawn(name: str) -> None:
    test = FashionMNIST.load("test")
    fresh, _ = generate(loaded(name), 10, 1, test.labels[:10])
    for title, images in (
        ("Test images", test.images[:10]),
        ("What the study showed: new samples of their class", fresh),
    ):
        st.caption(title)
        pictures.show_tiles(images.numpy(), 10, f"{title}: ten garments")


def _clusters(name: str) -> None:
    after = Latent(name, n=1_000).first
    points, classes = after.coordinates[:, :2].numpy(), after.classes.numpy()
    traces = []
    for label, title in enumerate(CLASS_NAMES):
        x, y = points[classes == label].T
        look = {"mode": "markers", "marker": {"color": CLASS_COLOURS[label], "size": 4}}
        traces.append({"type": "scatter", "x": x, "y": y, "name": title, **look})
    axes = "first principal component", "second"
    alt = f"First hidden layer of {name} by class"
    pictures.show_chart(traces, alt, 280, *axes, showlegend=True, legend=pictures.ABOVE)


FIGURES: dict[int, Callable[..., None]] = {
    1: lambda cnn, dense: _by_epoch((cnn, dense), "loss_loss", "training loss"),
    2: _latent_sizes,
    3: _components,
    4: lambda name: mixtures.criterion_chart(zoo.entries()[name]),
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
    15: lambda name: diversity.show_spread(Diversity(name)),
    16: lambda *names: _by_epoch(names, "fd", "Frechet distance", log=True),
    17: _strips,
    18: lambda flow, student: path.steps_chart(flow),
    19: lambda flow: path.guidance_chart(flow),
}
