"""The Generate page's own controls, and what they add up to: a request that can be drawn, linked and coded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from genlib.data import CLASS_NAMES
from genlib.images import npz_bytes, picture, png_bytes
from genlib.sampling import cycle_labels
from ui import draw, zoo
from ui.controls import BOUND, EVERY_CLASS
from ui.pictures import tiles_png

UNMIXED = "Nothing"
DEFAULT_N = 40
THUMBNAIL = 48  # pixels wide on the screen


@dataclass(frozen=True)
class Request:
    """One grid of samples: everything that decides its pixels."""

    entry: zoo.Entry
    weights: str
    n: int
    seed: int
    label: int | None
    mix: tuple[int, float] | None
    temperature: float
    moves: tuple[float, ...] = ()

    @property
    def arguments(self) -> tuple:
        """What `draw.samples` takes."""
        label = self.label
        return self.entry.name, self.weights, self.n, self.seed, label, self.mix, self.temperature, self.moves

    @property
    def _cycles(self) -> bool:
        return "conditional" in self.entry.capabilities and self.label is None

    @property
    def heads(self) -> tuple[str, ...]:
        """The classes over the columns, where they are the classes in turn."""
        return CLASS_NAMES[: self.n] if self._cycles else ()

    @property
    def alt(self) -> str:
        """The picture in words."""
        told = f"{self.n} samples {self._what} by {self.entry.name}, seed {self.seed}"
        told += ", raw weights" if self.weights == "raw" else ""
        told += f", temperature {self.temperature:g}" if self.temperature != 1 else ""
        return told + (", moved" if any(self.moves) else "")

    @property
    def _what(self) -> str:
        if "conditional" not in self.entry.capabilities:
            return "as drawn"
        if self.label is None:
            return "of every class"
        if self.mix is None:
            return f"of class {CLASS_NAMES[self.label]}"
        other, share = self.mix
        return f"of {100 - 100 * share:.0f} % {CLASS_NAMES[self.label]} and {100 * share:.0f} % {CLASS_NAMES[other]}"

    @property
    def query(self) -> dict[str, object]:
        """Every control by its key in the URL."""
        query: dict[str, object] = {"model": self.entry.name, "seed": self.seed, "n": self.n, "t": self.temperature}
        if self.entry.averaged:
            query["weights"] = self.weights
        if "conditional" in self.entry.capabilities:
            query["label"] = EVERY_CLASS if self.label is None else CLASS_NAMES[self.label]
            query |= {"mix": UNMIXED} if self.mix is None else {"mix": CLASS_NAMES[self.mix[0]], "share": self.mix[1]}
        return query | {f"d{i}": move for i, move in enumerate(self.moves, start=1)}

    @property
    def code(self) -> str:
        """The lines of genlib that make this picture, runnable as they stand."""
        imports = ["from pathlib import Path", "", "import genlib", "from genlib.images import picture, png_bytes"]
        weights = ', weights="raw"' if self.weights == "raw" else ""
        body = [f'model = genlib.load("{self.entry.name}"{weights})']
        options = [f"seed={self.seed}"]
        if self.mix is not None:
            other, share = self.mix
            body += [f"mix = torch.zeros({self.n}, 10)", f"mix[:, {self.label}] += {1 - share:.2f}"]
            body += [f"mix[:, {other}] += {share:.2f}"]
            options.append("label=mix")
        elif self.label is not None:
            options.append(f"label={self.label}")
        if self.temperature != 1:
            options.append(f"temperature={self.temperature}")
        if any(self.moves):
            moves = ", ".join(f"{move:.1f}" for move in self.moves)
            along = ""
            if "hidden_layers" in self.entry.capabilities:
                imports.insert(3, "from genlib.analysis.directions import load_directions")
                along = f' @ load_directions("{self.entry.name}").steps'
            body.append(f"shift = torch.tensor([{moves}]){along}")
            options.append("shift=shift")
        if self.mix is not None or any(self.moves):
            imports.insert(2, "import torch")
        body.append(f"images, labels = genlib.generate(model, {self.n}, {', '.join(options)})")
        body.append(f'Path("samples.png").write_bytes(png_bytes(picture(images, columns={min(self.n, 10)})))')
        return "\n".join([*imports, "", *body])

    def downloads(self, images: np.ndarray) -> dict[str, Callable[[], bytes]]:
        """The picture and its numbers, made when asked for."""
        name = f"{self.entry.name}-seed{self.seed}"
        arrays = {"images": images}
        if self._cycles:
            arrays["labels"] = cycle_labels(self.n).numpy()
        elif self.label is not None and self.mix is None:
            arrays["labels"] = np.full(self.n, self.label, dtype=np.int64)
        return {
            f"{name}.png": lambda: png_bytes(picture(images, columns=min(self.n, 10))),
            f"{name}.npz": lambda: npz_bytes(**arrays),
        }


def controls_row(entry: zoo.Entry, seed: int, label: int | None) -> Request:
    """Temperature, count, weights, and a second class to mix in where one is chosen."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        temperature = st.slider(
            "Temperature",
            *(0.0, 2.0, 1.0, 0.05),
            key="t",
            width=165,
            help="Scales the noise. 0: the most typical picture; 1: as trained; above: bolder and odder.",
            **BOUND,
        )
        n = st.slider("Pictures", 1, 100, DEFAULT_N, key="n", width=150, **BOUND)
        weights = "averaged"
        if entry.averaged:
            weights = st.segmented_control(
                "Generator",
                ["averaged", "raw"],
                default="averaged",
                required=True,
                key="weights",
                help="The average of the generator's weights over its last steps, or the last weights themselves.",
                **BOUND,
            )
        mix = _mix(label)
    return Request(entry, weights or "averaged", n, seed, label, mix, temperature)


def _mix(label: int | None) -> tuple[int, float] | None:
    if label is None:
        return None
    other = st.selectbox(
        "Mix with", [UNMIXED, *CLASS_NAMES], key="mix", width=150, help="Blends in the class embedding.", **BOUND
    )
    if other not in CLASS_NAMES:
        return None
    share = st.slider("Share of it", 0.0, 1.0, 0.5, 0.05, key="share", width=150, **BOUND)
    return CLASS_NAMES.index(other), share


def move_sliders(entry: zoo.Entry, request: Request) -> Request:
    """A slider for each direction, between the pictures at its two ends."""
    ends, (_, names) = draw.thumbnails(entry.name, request.weights, request.label), draw.basis(entry.name)
    if not len(ends):
        mixture = "mixture" in entry.capabilities
        drawn = "the choice of a component and numbers" if mixture else f"{entry.latent_size} numbers"
        st.caption(
            f"This model's latent is {drawn} of noise, none of which has a slider of its own: temperature scales all."
        )
        return request
    about = "The numbers of this model's latent, one by one."
    if "hidden_layers" in entry.capabilities:
        about = (
            "The directions in which this generator's first hidden layer varies most (GANSpace), named by what we see "
            "change; a number where we cannot tell."
        )
    st.caption(f"{about} In standard deviations; the pictures show -2 and +2.")
    moves = []
    for i, (name, (low, high)) in enumerate(zip(names, ends, strict=True), start=1):
        with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="small"):
            st.image(tiles_png(low[None], 1, 2, 0), width=THUMBNAIL, alt=f"{name} at -2")
            moves.append(st.slider(name, -3.0, 3.0, 0.0, 0.1, format="%.1f", key=f"d{i}", **BOUND))
            st.image(tiles_png(high[None], 1, 2, 0), width=THUMBNAIL, alt=f"{name} at +2")
    return replace(request, moves=tuple(moves))
