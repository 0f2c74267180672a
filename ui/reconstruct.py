"""The Reconstruct page: test images or one's own, given back by a model, and what differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import streamlit as st
import torch

from genlib.analysis.own_image import POLARITIES
from genlib.analysis.reconstruction import Reconstruction, choose, picture
from genlib.data import CLASS_NAMES, FashionMNIST
from genlib.images import npz_bytes, png_bytes
from genlib.metrics.features import load_extractor
from genlib.sampling import generate
from ui import own_picture, zoo
from ui.controls import BOUND, EVERY_CLASS
from ui.share import csv_bytes

SOURCES = ("test images", "your own file", "your drawing")
LEGEND = (
    "Error: mean squared difference a pixel, pixels from 0 to 1. Difference: orange where the reconstruction is "
    "lighter than the original, blue where it is darker; full colour from half the range on."
)


@dataclass(frozen=True, eq=False)
class Request:
    """What is to be given back, by which model; `own` is one's own picture, once there is one."""

    entry: zoo.Entry
    seed: int
    source: str
    label: int | None
    first: int
    count: int
    fresh: bool
    polarity: str
    rows: torch.Tensor
    own: own_picture.Own | None = None

    @property
    def images(self) -> torch.Tensor:
        """uint8 (N, 28, 28)."""
        return FashionMNIST.load("test").images[self.rows] if self.own is None else self.own.picture.image[None]

    @property
    def labels(self) -> torch.Tensor:
        """int64 (N,); of one's own picture the class chosen, else the one the classifier sees."""
        if self.own is None:
            return FashionMNIST.load("test").labels[self.rows]
        return load_extractor().predict(self.images) if self.label is None else torch.tensor([self.label])

    @property
    def samples(self) -> torch.Tensor | None:
        """New samples of the images' classes, what the study called a reconstruction, where asked for."""
        if not self.fresh:
            return None
        return generate(zoo.load_model(self.entry.name), len(self.images), self.seed, self.labels)[0]

    @property
    def key(self) -> tuple:
        """Everything that decides the reconstruction."""
        return self.entry.name, self.seed, self.images.numpy().tobytes(), self.labels.numpy().tobytes()

    @property
    def heads(self) -> list[str]:
        """The class over each column."""
        return [CLASS_NAMES[label] for label in self.labels]

    @property
    def legend(self) -> str:
        """What the numbers and colours are, and where the images come from."""
        if self.own is not None:
            chosen = "you chose" if self.label is not None else "the classifier sees"
            return (
                f"{LEGEND} Your picture, searched as the class {chosen}: {self.heads[0]}."
                if _asks(self.entry)
                else LEGEND
            )
        return f"{LEGEND} Test images {', '.join(map(str, self.rows.tolist()))}."

    @property
    def query(self) -> dict[str, object]:
        """Every control by its key in the URL; own pictures stay with their owner."""
        query: dict[str, object] = {"model": self.entry.name, "of": self.source, "first": self.first}
        query |= {"count": self.count, "label": EVERY_CLASS if self.label is None else CLASS_NAMES[self.label]}
        if self.source != SOURCES[0]:
            query["polarity"] = self.polarity
        if _asks(self.entry):
            query["fresh"] = self.fresh
        return query | ({"seed": self.seed} if uses_seed(self.entry) else {})

    @property
    def code(self) -> str:
        """The lines of genlib that make this picture, runnable as they stand (beside one's own file)."""
        own = self.own
        imports = ["from pathlib import Path\n", *(["import torch\n"] if own else []), "import genlib"]
        imports += [f"from genlib.analysis.own_image import {own.imports}"] if own else []
        used = "picture, reconstructions" if own else "choose, picture, reconstructions"
        imports += [f"from genlib.analysis.reconstruction import {used}", "from genlib.images import png_bytes\n"]
        lines = [f'model = genlib.load("{self.entry.name}")']
        if own:
            lines += [f"images = {own.code}.image[None]"]
            lines += [f"labels = torch.tensor({self.labels.tolist()})"]
        else:
            lines += [
                'test = genlib.FashionMNIST.load("test")',
                f"rows = choose({self.count}, {self.first}, {self.label})",
            ]
            lines += ["images, labels = test.images[rows], test.labels[rows]"]
        lines += [f"*_, found = reconstructions(model, images, labels, seed={self.seed})"]
        fresh = ""
        if self.fresh:
            lines += [f"fresh, _ = genlib.generate(model, len(images), {self.seed}, labels)  # not a reconstruction"]
            fresh = ", fresh"
        lines += [f'Path("reconstruction.png").write_bytes(png_bytes(picture(images, found.images{fresh})))']
        return "\n".join(imports + lines)

    def downloads(self, found: Reconstruction) -> dict[str, Callable[[], bytes]]:
        """The rows as a picture, the images and errors as numbers and as a table."""
        name = f"{self.entry.name}-reconstruction"
        arrays = {"images": self.images, "reconstructions": found.images, "errors": found.errors, "labels": self.labels}
        if (samples := self.samples) is not None:
            arrays["new_samples"] = samples
        return {
            f"{name}.png": lambda: png_bytes(picture(self.images, found.images, samples)),
            f"{name}.npz": lambda: npz_bytes(**{key: value.numpy() for key, value in arrays.items()}),
            f"{name}.csv": lambda: self._csv(found),
        }

    def _csv(self, found: Reconstruction) -> bytes:
        numbers = self.rows.tolist() if self.own is None else [None]
        rows = zip(numbers, self.heads, found.errors, strict=True)
        return csv_bytes([{"test_image": i, "class": head, "error": f"{error:.6f}"} for i, head, error in rows])


def uses_seed(entry: zoo.Entry) -> bool:
    """A model that encodes leaves nothing to chance."""
    return "encodes" not in entry.capabilities


def _asks(entry: zoo.Entry) -> bool:
    return "conditional" in entry.capabilities


def controls_row(entry: zoo.Entry, seed: int, label: int | None) -> Request:
    """Which images, from where on, how many, and whether the study's new samples are shown beside."""
    first, count, polarity, fresh = 0, 10, POLARITIES[0], False
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        source = st.segmented_control("Of", SOURCES, default=SOURCES[0], required=True, key="of", **BOUND)
        source = source or SOURCES[0]
        if source == SOURCES[0]:
            last = len(FashionMNIST.load("test")) - 1
            about = "The images are looked for from this number on: one of each class, or all of the chosen class."
            first = int(st.number_input("From test image", 0, last, 0, key="first", width=150, help=about, **BOUND))
            count = st.slider("Images", 1, 10, 10, key="count", width=140, **BOUND)
        else:
            polarity = st.segmented_control(
                "Light and dark",
                POLARITIES,
                default=POLARITIES[0],
                required=True,
                key="polarity",
                help="The models know light garments on black, so a garment on a light background is inverted. "
                "Automatic: where the garment is darker than what is around it.",
                **BOUND,
            )
        if _asks(entry):
            fresh = st.toggle(
                "New samples of the class",
                key="fresh",
                help="What the study showed as a reconstruction: other garments of the same class, drawn without a "
                "look at the image. Not a reconstruction.",
                **BOUND,
            )
    rows = choose(count, first, label)
    return Request(entry, seed, source, label, first, count, fresh, polarity or POLARITIES[0], rows)


def with_own_image(request: Request) -> Request:
    """Take a file or a drawing, show what it becomes, and put it in place of the test images; these stay until then."""
    if request.source == SOURCES[0]:
        return request
    make = own_picture.of_a_file if request.source == SOURCES[1] else own_picture.of_a_drawing
    return replace(request, own=make(request.polarity))


def how_it_works(entry: zoo.Entry) -> None:
    """What giving back means for this model."""
    with st.expander("How it works: reconstruction", icon=":material/school:"):
        st.markdown(SEARCHED if uses_seed(entry) else ENCODED)


ENCODED = r"""
The encoder turns the image $x$ into latents, the decoder turns these into the reconstruction. What does not fit into
the latents is lost: prints and seams first. Of a VAE the latents are the middle of the image's cloud, so nothing is
left to chance. Source: Kingma and Welling 2014, [arXiv:1312.6114](https://arxiv.org/abs/1312.6114).
"""
SEARCHED = r"""
A GAN has no encoder: nothing says which noise $z$ would draw a given image $x$. So it is searched, by gradient descent
through the generator $G$ from four random starts, the best of which is shown:

$$\min_z \; \lVert G(z, y) - x \rVert^2 + \lambda\, \lVert \phi(G(z, y)) - \phi(x) \rVert^2$$

$\phi$ are the features of genlib's classifier; a conditional generator is told the image's class $y$. The study asked
only for *a new sample of the same class* and called it a reconstruction: it never looked at the image.
Source: Zhu et al. 2016, [arXiv:1609.03552](https://arxiv.org/abs/1609.03552).
"""
