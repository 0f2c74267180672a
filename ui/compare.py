"""The Same question page: one seed and class asked of every model, each answer on a card with its figures."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch

from genlib.analysis.same_question import DRAWS, Answer, of_class, rows, sighted
from genlib.data import CLASS_NAMES
from genlib.images import grid, npz_bytes, png_bytes
from genlib.questions.generate import Generate
from ui import pictures, zoo
from ui.controls import BOUND, EVERY_CLASS
from ui.share import csv_bytes

ABREAST = 4  # cards in a line
EVERY_FAMILY = "Every family"
BY_SIGHT, AS_DRAWN = "picked by sight", "as drawn"
Line = dict[str, list[zoo.Entry]]


@dataclass(frozen=True)
class Request:
    """The question: everything that decides the pictures."""

    entries: tuple[zoo.Entry, ...]
    seed: int
    label: int | None
    each: int
    family: str
    unlabelled: str

    def searched(self, entry: zoo.Entry) -> bool:
        """Whether this model's pictures of the class are found by the classifier."""
        return self.label is not None and self.unlabelled == BY_SIGHT and "conditional" not in entry.capabilities

    def label_for(self, entry: zoo.Entry) -> int | None:
        """The class this model is asked for, by name or by sight."""
        return self.label if self.searched(entry) or "conditional" in entry.capabilities else None

    @property
    def query(self) -> dict[str, object]:
        """Every control by its key in the URL."""
        query: dict[str, object] = {"seed": self.seed, "each": self.each, "family": self.family}
        query["label"] = EVERY_CLASS if self.label is None else CLASS_NAMES[self.label]
        return query if self.label is None else query | {"unlabelled": self.unlabelled}

    @property
    def code(self) -> str:
        """The lines of genlib that make all the pictures, a model a row, runnable as they stand."""
        asked = [f'    "{entry.name}": {self.label_for(entry)},' for entry in self.entries]
        return "\n".join(
            [
                "from pathlib import Path\n",
                "import genlib",
                "from genlib.analysis.same_question import ask, rows",
                "from genlib.images import grid, png_bytes\n",
                "classes = {",
                *asked,
                "}  # of each model, None: as drawn",
                f"n, seed = {self.each}, {self.seed}",
                "answers = [ask(genlib.load(name), n, seed, label) for name, label in classes.items()]",
                "picture = grid(rows(answers, n), columns=n, scale=4, gap=4)",
                'Path("compare.png").write_bytes(png_bytes(picture))',
            ]
        )

    def downloads(self, answers: dict[str, Answer]) -> dict[str, Callable[[], bytes]]:
        """All pictures, a model a row in the order of the table, and the table of figures."""
        name = f"compare-seed{self.seed}"
        ordered = [answers[entry.name] for entry in self.entries]
        table = rows(ordered, self.each).numpy()
        return {
            f"{name}.png": lambda: png_bytes(grid(table, self.each, 4, 4)),
            f"{name}.npz": lambda: npz_bytes(images=table, models=np.array([entry.name for entry in self.entries])),
            f"{name}.csv": lambda: _csv(self.entries, ordered),
        }


def controls_row(seed: int, label: int | None) -> Request:
    """How many pictures each, of which families, and what a class means to a model that knows none."""
    families: dict[str, list[zoo.Entry]] = {}
    for entry in zoo.usable().values():
        families.setdefault(entry.family, []).append(entry)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        each = st.slider("Pictures each", 5, 20, 10, 5, key="each", width=165, **BOUND)
        family = st.selectbox("Family", [EVERY_FAMILY, *families], key="family", width=190, **BOUND)
        unlabelled = BY_SIGHT
        if label is not None:
            unlabelled = st.segmented_control(
                "Models without classes",
                [BY_SIGHT, AS_DRAWN],
                default=BY_SIGHT,
                required=True,
                key="unlabelled",
                help=f"They cannot be asked for a class. Picked by sight: of the seed's first {DRAWS} samples, those "
                "in which genlib's classifier sees the class. As drawn: whatever comes.",
                **BOUND,
            )
    chosen = families.get(family) or [entry for members in families.values() for entry in members]
    return Request(tuple(chosen), seed, label, each, family or EVERY_FAMILY, unlabelled or BY_SIGHT)


def lines(entries: tuple[zoo.Entry, ...]) -> list[Line]:
    """Families by their best distance, side by side, at most four cards in a line; a larger one goes on in another."""
    found: list[Line] = []
    groups: dict[str, list[zoo.Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.family, []).append(entry)
    for family, members in sorted(groups.items(), key=lambda group: _best(group[1])):
        for start in range(0, len(members), ABREAST):
            part = members[start : start + ABREAST]
            fits = (line for line in found if _cards(line) + len(part) <= ABREAST and family not in line)
            line = next(fits, None)
            if line is None:
                found.append(line := {})
            line[family] = part
    return found


def _best(members: list[zoo.Entry]) -> float:
    return min(entry.metrics.get("fd", math.inf) for entry in members)


def _cards(line: Line) -> int:
    return sum(map(len, line.values()))


def columns(line: Line) -> list:
    """A column as wide as its cards for each family, and an empty one where the line is not full."""
    left = ABREAST - _cards(line)
    return st.columns([*map(len, line.values()), *([left] if left else [])])


def card(request: Request, entry: zoo.Entry) -> Answer:
    """One model's answer with its distance, time and size."""
    st.page_link(
        "pages/generate.py",
        label=f"**{entry.name}**",
        icon=":material/auto_awesome:",
        query_params={"model": entry.name, "seed": str(request.seed)},
    )
    answer = _answer(request, entry)
    if len(answer.images):
        alt = f"{len(answer.images)} samples of {entry.name}, {_what(request, entry)}, seed {request.seed}"
        pictures.show_tiles(answer.images.numpy(), 5, alt)
    found = "" if answer.found is None else f"{_seen(answer, request.label or 0)}  \n"
    st.caption(found + _figures(entry))
    return answer


def _what(request: Request, entry: zoo.Entry) -> str:
    label = request.label_for(entry)
    if "conditional" in entry.capabilities:
        return "every class" if label is None else f"class {CLASS_NAMES[label]}"
    return "as drawn" if label is None else f"that look like {CLASS_NAMES[label]}"


def _seen(answer: Answer, label: int) -> str:
    how_many = "none" if not answer.found else str(answer.found)
    return f"{CLASS_NAMES[label]} is seen in {how_many} of {answer.draws} samples"


def _figures(entry: zoo.Entry) -> str:
    if not entry.metrics:
        return "Its figures are missing."
    milliseconds = entry.metrics["ms_64"]
    time = "under 1 ms" if milliseconds < 1 else f"{milliseconds:.0f} ms"
    parameters = entry.metrics["parameters"]
    size = f"{parameters / 1e6:.1f} M" if parameters >= 100_000 else f"{parameters / 1e3:.1f} k"
    return f"distance **{entry.metrics['fd']:.2f}**{entry.few}  \n64 in {time} · {size} parameters"


def _answer(request: Request, entry: zoo.Entry) -> Answer:
    if request.searched(entry):
        images, classes = (torch.from_numpy(array) for array in _sighted(entry.name, request.seed))
        return of_class(images, classes, request.label or 0, request.each)
    label = request.label_for(entry)
    named = EVERY_CLASS if label is None else CLASS_NAMES[label]
    return Answer(torch.from_numpy(Generate(entry.name, request.seed, named, n=request.each).images))


@st.cache_data(max_entries=256, show_spinner=False)
def _sighted(name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Drawn and looked at once for all classes."""
    images, classes = sighted(zoo.load_model(name), seed)
    return images.numpy(), classes.numpy()


def _csv(entries: tuple[zoo.Entry, ...], answers: list[Answer]) -> bytes:
    figures = {"frechet_distance": "fd", "ms_64": "ms_64", "parameters": "parameters"}
    return csv_bytes(
        [
            {"model": entry.name, "family": entry.family}
            | {head: entry.metrics.get(key) for head, key in figures.items()}
            | {"found": answer.found, "draws": answer.draws}
            for entry, answer in zip(entries, answers, strict=True)
        ]
    )


def how_it_works(request: Request) -> None:
    """What is the same in the question, what cannot be, and what the figures mean."""
    with st.expander("How it works: the same question", icon=":material/school:"):
        st.markdown(f"""
**The seed** gives every model noise from the same stream; a longer latent begins with the numbers of a shorter one. The
models learned apart, so the same noise is not the same garment: only pictures of one model can be followed by the seed.

**The class** is a question for models that were told classes in training. Of any other the pictures are picked by
sight: genlib's classifier (93.5 % right on the test images) looks at the seed's first {DRAWS} samples and those of the
class are shown; how many there were says how often the model draws it. More are not drawn, so some may be missing.

**Distance** is the Frechet distance to the test images in that classifier's features: 0 is perfect, 10,000 training
photographs score 0.05, every model is a single training run. **Time** is for 64 pictures on one machine's processor,
measured alike for all models. **Size** is what was trained: a mixture's autoencoder counts too.

Source of the distance: Heusel et al. 2017, [arXiv:1706.08500](https://arxiv.org/abs/1706.08500).
""")
