"""The Interpolate page's own controls, and the walk they add up to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from genlib.analysis.interpolation import EQUAL, PATHS
from genlib.data import CLASS_NAMES, FashionMNIST
from genlib.images import grid, npz_bytes, png_bytes
from genlib.noise import MAX_SEED
from ui import draw, zoo
from ui.controls import BOUND, EVERY_CLASS
from ui.pictures import there_and_back
from ui.share import csv_bytes

STEPS = 101  # frames of a walk: one a per cent
SECOND_SEED = 9
SHOWN = 11  # of them in the strip
MODES = {"classes": "conditional", "seeds": None, "test images": "encodes", "random pairs": None}


@dataclass(frozen=True)
class Request:
    """One walk: everything that decides its pixels."""

    entry: zoo.Entry
    between: str
    seed: int
    ends: tuple[int, int] = (0, 1)
    label: int | None = None
    path: str = "spherical"
    rows: int = 5
    equal: str = "input"

    def walk(self) -> tuple[np.ndarray, np.ndarray]:
        """101 frames uint8 (101, 28, 28) and the 100 changes between them."""
        kind = "images" if self.between == "test images" else self.between
        return draw.walk(self.entry.name, kind, self.ends, self.seed, self.label, STEPS, self.path, self.equal)

    @property
    def names(self) -> tuple[str, str]:
        """What the walk's two ends are."""
        if self.between == "classes":
            return CLASS_NAMES[self.ends[0]], CLASS_NAMES[self.ends[1]]
        if self.between == "seeds":
            of_class = f" ({CLASS_NAMES[self._label() or 0]})" if "conditional" in self.entry.capabilities else ""
            return f"seed {self.ends[0]}{of_class}", f"seed {self.ends[1]}{of_class}"
        labels = FashionMNIST.load("test").labels
        return tuple(f"test image {end} ({CLASS_NAMES[labels[end]]})" for end in self.ends)  # type: ignore[return-value]

    @property
    def query(self) -> dict[str, object]:
        """Every control by its key in the URL, but the position, which the page adds."""
        query: dict[str, object] = {"model": self.entry.name, "seed": self.seed, "between": self.between}
        if self.between == "classes":
            query |= {"from": self.names[0], "to": self.names[1]}
        elif self.between == "seeds":
            query |= {"seed2": self.ends[1], "path": self.path}
            if "conditional" in self.entry.capabilities:
                query["label"] = EVERY_CLASS if self.label is None else CLASS_NAMES[self.label]
        elif self.between == "test images":
            query |= {"a": self.ends[0], "b": self.ends[1], "path": self.path}
        else:
            query |= {"rows": self.rows, "path": self.path}
        return query | {"equal": self.equal}

    @property
    def code(self) -> str:
        """The lines of genlib that make this picture, runnable as they stand."""
        function, arguments = {
            "classes": ("class_walk", f"{self.seed}, {self.ends[0]}, {self.ends[1]}, {SHOWN}"),
            "seeds": ("seed_walk", f'{self.ends}, {SHOWN}, "{self.path}", label={self._label()}'),
            "test images": ("image_walk", f'images, {SHOWN}, "{self.path}"'),
            "random pairs": ("pair_walks", f'{self.seed}, {self.rows}, 10, "{self.path}"'),
        }[self.between]
        equal = f', equal="{self.equal}"' if self.equal != EQUAL[0] else ""
        call = f"{function}(model, {arguments}{equal})"
        body = [f'model = genlib.load("{self.entry.name}")']
        if self.between == "test images":
            body.append(f'images = genlib.FashionMNIST.load("test").images[[{self.ends[0]}, {self.ends[1]}]]')
        if self.between == "random pairs":
            body += [f"walks = {call}", "frames = torch.cat([walk.images for walk in walks])"]
        else:
            body += [f"walk = {call}", "frames = walk.images"]
        columns = 10 if self.between == "random pairs" else SHOWN
        body.append(f'Path("walk.png").write_bytes(png_bytes(grid(frames, columns={columns}, scale=4, gap=4)))')
        torch = ["import torch\n"] if self.between == "random pairs" else []
        imports = [
            "from pathlib import Path\n",
            *torch,
            "import genlib",
            f"from genlib.analysis.interpolation import {function}",
            "from genlib.images import grid, png_bytes\n",
        ]
        return "\n".join(imports + body)

    def _label(self) -> int | None:
        """Between seeds a conditional model stays in one class; "every class" is then the first."""
        return (self.label or 0) if "conditional" in self.entry.capabilities else None

    def downloads(self, frames: np.ndarray, changes: np.ndarray) -> dict[str, Callable[[], bytes]]:
        """Strip, animation, frames and changes, made when asked for."""
        name = f"{self.entry.name}-{self.between.replace(' ', '-')}"
        shown = frames[:: (len(frames) - 1) // (SHOWN - 1)]
        return {
            f"{name}.png": lambda: png_bytes(grid(shown, SHOWN, 4, 4)),
            f"{name}.gif": lambda: there_and_back(frames),
            f"{name}.npz": lambda: npz_bytes(images=frames),
            f"{name}.csv": lambda: _csv(changes),
        }


EQUAL_HELP = (
    "Input: even steps through the noise or the mix of classes. Features: steps that look equally large to a "
    "classifier, measured on a finer walk and laid out anew."
)
NUMBERS_HELP = (
    "Class numbers are names, not quantities: half-way from 6 (Shirt) to 4 (Coat) is 5 (Sandal), half-way from 0 "
    "(T-shirt/top) to 3 (Dress) rounds to 2 (Pullover). The walk above mixes the classes in the model's embedding."
)


def pair_downloads(request: Request, rows: np.ndarray) -> dict[str, Callable[[], bytes]]:
    """The rows as a picture and as numbers."""
    name = f"{request.entry.name}-random-pairs"
    return {
        f"{name}.png": lambda: png_bytes(grid(rows, 10, 4, 4)),
        f"{name}.npz": lambda: npz_bytes(images=rows),
    }


def _csv(changes: np.ndarray) -> bytes:
    ends = enumerate(changes, 1)
    return csv_bytes([{"position": f"{i / len(changes):.4f}", "change": f"{change:.6f}"} for i, change in ends])


def controls_row(entry: zoo.Entry, seed: int) -> Request:
    """What to walk between, and how."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        request = _ends_and_path(entry, seed)
        equal = st.segmented_control(
            "Equal steps in", EQUAL, default=EQUAL[0], required=True, key="equal", help=EQUAL_HELP, **BOUND
        )
    return replace(request, equal=equal or EQUAL[0])


def _ends_and_path(entry: zoo.Entry, seed: int) -> Request:
    modes = [mode for mode, needs in MODES.items() if needs is None or needs in entry.capabilities]
    between = st.segmented_control("Between", modes, default=modes[0], required=True, key="between", **BOUND)
    between = between if between in modes else modes[0]
    if between == "classes":
        return Request(entry, between, seed, _two_classes())
    path = "straight"
    ends, rows = (seed, SECOND_SEED), 5
    if between == "seeds":
        ends = (seed, int(st.number_input("To seed", 0, MAX_SEED, SECOND_SEED, key="seed2", width=140, **BOUND)))
    elif between == "test images":
        ends = _two_images()
    else:
        rows = st.slider("Rows", 1, 10, 5, key="rows", width=160, **BOUND)
    if "mixture" in entry.capabilities:
        st.caption("A mixture walks straight, in its own space.")
    else:
        path = st.segmented_control(
            "Path",
            PATHS,
            default=PATHS[0],
            required=True,
            key="path",
            help="Spherical keeps the length of the noise typical all the way; straight passes nearer the centre.",
            **BOUND,
        )
    return Request(entry, between, seed, ends, None, path or PATHS[0], rows)


def evenness(request: Request, frames: np.ndarray) -> str:
    """What equal steps in feature space have changed, in words; nothing where they were not asked for."""
    if request.equal == EQUAL[0]:
        return ""
    now, before = draw.unevenness(frames), draw.unevenness(replace(request, equal=EQUAL[0]).walk()[0])
    return (
        f"To a classifier these steps differ by {now:.0%} of their mean (coefficient of variation); "
        f"with equal steps in the input it would be {before:.0%}."
    )


def within_class(request: Request, label: int | None) -> Request:
    """A walk between seeds of a conditional model stays in one class."""
    return replace(request, label=label)


def _two_classes() -> tuple[int, int]:
    start = st.selectbox("From", CLASS_NAMES, index=0, key="from", width=135, **BOUND)
    end = st.selectbox("To", CLASS_NAMES, index=3, key="to", width=135, **BOUND)
    with st.container(horizontal=True, width="content", gap="small"):
        for a, b in (("T-shirt/top", "Dress"), ("Shirt", "Coat")):
            st.button(f"{a} → {b}", on_click=_choose, args=(a, b), help="An example of the studies")
    return CLASS_NAMES.index(start), CLASS_NAMES.index(end)


def _choose(start: str, end: str) -> None:
    st.session_state["from"], st.session_state["to"] = start, end


def _two_images() -> tuple[int, int]:
    last = len(FashionMNIST.load("test")) - 1
    a = st.number_input("From test image", 0, last, 0, key="a", width=150, **BOUND)
    b = st.number_input("To test image", 0, last, 1, key="b", width=150, **BOUND)
    return int(a), int(b)
