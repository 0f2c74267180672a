"""The Same question page: one seed and class asked of every model, each answer on a card with its figures."""

from __future__ import annotations

import math

import streamlit as st

from genlib.analysis.same_question import DRAWS
from genlib.questions.compare import Compare
from ui import pictures, zoo

ABREAST = 4  # cards in a line
Line = dict[str, list[zoo.Entry]]


def asked_of(question: Compare) -> tuple[zoo.Entry, ...]:
    """The models that the page asks; it stops with a plain line where there is none."""
    found = tuple(entry for entry in zoo.usable().values() if question.asks_of(entry.family))
    if not found:
        st.info("No trained weights are here yet. Train a model: `python -m genlib train vae-cnn`")
        st.stop()
    return found


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


def card(question: Compare, entry: zoo.Entry) -> None:
    """One model's answer with its distance, time and size."""
    st.page_link(
        "pages/generate.py",
        label=f"**{entry.name}**",
        icon=":material/auto_awesome:",
        query_params={"model": entry.name, "seed": str(question.seed)},
    )
    answer = question.answer(entry.name)
    seen = ""
    if answer.found is not None:
        seen = f"{question.label} is seen in {answer.found or 'none'} of {answer.draws} samples  \n"
    if len(answer.images):
        what = f"that look like {question.label}" if seen else "as drawn"
        if "conditional" in entry.capabilities:
            what = "every class" if question.chosen_class() is None else f"class {question.label}"
        alt = f"{len(answer.images)} samples of {entry.name}, {what}, seed {question.seed}"
        pictures.show_tiles(answer.images.numpy(), 5, alt)
    st.caption(seen + _figures(entry))


def _figures(entry: zoo.Entry) -> str:
    if not entry.metrics:
        return "Its figures are missing."
    milliseconds = entry.metrics["ms_64"]
    time = "under 1 ms" if milliseconds < 1 else f"{milliseconds:.0f} ms"
    parameters = entry.metrics["parameters"]
    size = f"{parameters / 1e6:.1f} M" if parameters >= 100_000 else f"{parameters / 1e3:.1f} k"
    return f"Frechet distance **{entry.metrics['fd']:.2f}**{entry.few}  \n64 samples in {time} · {size} parameters"


ABOUT = f"""
**The seed** gives every model noise from the same stream; a longer latent begins with the numbers of a shorter one.
The models were trained separately, so the same noise becomes a different garment in each: a seed stands for one
garment only within one model.

**The class** can be asked of models that were told the classes in training. For the others, genlib's classifier
(93.5 % right on the test images) looks at the seed's first {DRAWS} samples, and those that it sees as the class are
shown. Their number says how often the model draws that class. No more samples are drawn, so pictures may be missing.

**The Frechet distance** is measured in that classifier's features. The Leaderboard says how far another training would
move it, where that is known. **Time** is for 64 pictures on one machine's processor, measured in the same way for all
models. **Size** counts every trained number, those of a mixture's autoencoder too.

Source of the distance: Heusel et al. 2017, [arXiv:1706.08500](https://arxiv.org/abs/1706.08500).
"""
