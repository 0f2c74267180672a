"""The Training history page: the epoch under the scrubber, its samples, and every curve with a marker there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import Any, NamedTuple

import streamlit as st

from genlib.analysis import history as analysis
from genlib.analysis.history import smooth
from genlib.errors import GenlibError
from genlib.questions.history import History, history
from ui import settings, zoo
from ui.controls import BOUND
from ui.pictures import CLASS_COLOURS, show_chart, upright
from ui.words import line_of

NAMES = {"kl": "KL divergence", "loss": "sum"}
ACCURACIES = {"accuracy_train": "training", "accuracy_test": "test", "accuracy_fake": "fakes"}
READING = {
    "adversarial": (
        "The losses of two networks that play against each other say who is winning, not how good the pictures are: "
        "look at the Frechet distance for that. A discriminator that is right half of the time can no longer tell "
        "real from fake. One that is right on training images and wrong on test images has memorised the training "
        "images."
    ),
    "fitted": (
        "Each iteration of expectation-maximisation can only raise the likelihood of the training images; it ends when "
        "another one would hardly change it. Where the curve falls, a new attempt begins: a Gaussian is split, two are "
        "merged, and the result is kept if it ends higher. A better likelihood is not always a better picture."
    ),
    "searched": (
        "Many fits, one after another: several of each size from 1 to 20 Gaussians, from several starts, with the "
        "regularisation and with ten times that. Within a fit, each iteration of expectation-maximisation can only "
        "raise the likelihood; where the curve falls, the next fit begins. Pictures and distances are those of the fit "
        "that an iteration belongs to. The last is of the size that BIC prefers."
    ),
    "class by class": (
        "Many fits one after another: each class in turn, of each size from 1 to 4 Gaussians. The likelihood is "
        "that of the class under way. Where the curve falls, the next fit begins; for each class, the size that BIC "
        "prefers is kept."
    ),
    "descended": (
        "The losses are sums over an image's 784 pixels, mean over the epoch. The squared error on test images is per "
        "pixel; where it rises while the training loss still falls, the model begins to overfit."
    ),
}
MEASURED = (
    " Here the Frechet distance is that of {} from the *training* images, at up to 60 epochs, so it differs "
    "a little from the leaderboard's. Thin lines are as measured, thick ones the mean of five neighbours."
)


FROM_ZERO = {"rangemode": "tozero"}
SHARES = {"rangemode": "tozero", "range": [0, 1.02], "tickformat": ".0%"}


class Line(NamedTuple):
    """One curve of a chart."""

    name: str
    epochs: list[int]
    values: list[float]
    colour: str


class Chart(NamedTuple):
    """Curves that share an axis, how their values are written, and whether they are drawn smoothed too."""

    title: str
    lines: list[Line]
    form: str
    axis: dict[str, Any]
    smoothed: bool = False

    def at(self, epoch: int) -> list[tuple[Line, float]]:
        """What was measured at the epoch, line by line."""
        return [(line, line.values[line.epochs.index(epoch)]) for line in self.lines if epoch in line.epochs]


def history_or_stop(entry: zoo.Entry) -> None:
    """Go on where there is a history, or say why there is none and how to get it back."""
    try:
        history(entry.name)
    except GenlibError as error:
        st.warning(
            f"{entry.name} has no training history: {line_of(error)}. {entry.remedy}",
            icon=":material/broken_image:",
        )
        settings.keep("history", settings.SHARED)
        st.stop()


@dataclass(frozen=True)
class Moment:
    """One epoch of a model's training, and what the page says of it."""

    entry: zoo.Entry
    past: analysis.History
    epoch: int

    @property
    def reading(self) -> str:
        """How to read these curves."""
        if "mixture" in self.entry.capabilities:
            searched = "searched" if self.entry.metrics.get("bic_curve") else "fitted"
            kind = "class by class" if "conditional" in self.entry.capabilities else searched
        else:
            kind = "adversarial" if "discriminates" in self.entry.capabilities else "descended"
        return READING[kind] + MEASURED.format(self.past.measured)

    def charts(self) -> list[Chart]:
        """The curves that this training has."""
        losses = [key for key in self.past.table[0] if key.startswith("loss_") and key != "loss_log_likelihood"]
        distances = {"fd": "averaged generator" if self.entry.averaged else "samples", "fd_raw": "raw generator"}
        found = [
            Chart("Frechet distance", self._lines(distances), ".2f", FROM_ZERO, smoothed=True),
            Chart("Loss, mean of the epoch", self._lines({key: _loss_name(key) for key in losses}), ".3g", FROM_ZERO),
            Chart("Log-likelihood, nats per image", self._lines({"loss_log_likelihood": "mean"}), ",.1f", {}),
            Chart("Images the discriminator judges rightly", self._lines(ACCURACIES), ".0%", SHARES),
            Chart("Squared error per pixel", self._lines({"mse_test": "test images"}), ".4f", FROM_ZERO),
        ]
        return [chart for chart in found if chart.lines]

    def _lines(self, columns: dict[str, str]) -> list[Line]:
        named = [(name, *self.past.curve(key)) for key, name in columns.items()]
        return [Line(*curve, CLASS_COLOURS[i % len(CLASS_COLOURS)]) for i, curve in enumerate(named) if curve[1]]


def _loss_name(key: str) -> str:
    name = key.removeprefix("loss_")
    return NAMES.get(name, name.replace("_", " "))


def scrubber(entry: zoo.Entry, question: History) -> History:
    """The slider over the epochs whose samples were kept; the last unless moved."""
    unit = entry.unit[0].upper() + entry.unit[1:]
    epochs = question.past.sample_epochs
    epoch = epochs[0]
    if len(epochs) > 1:
        epoch = st.select_slider(unit, epochs, value=epochs[-1], key="epoch", **BOUND)
    return replace(question, epoch=epoch)


LEGEND = '<span style="white-space: nowrap; font-size: .8rem"><b style="color: {}">●</b> {} <b>{}</b></span>&ensp;'


def show_charts(moment: Moment) -> None:
    """The curves side by side, each under its figures at the scrubber's epoch, which are its legend too."""
    mark = upright(moment.epoch, {"color": CLASS_COLOURS[8], "width": 1, "dash": "dot"})
    charts = moment.charts()
    if not charts:
        return
    for place, chart in zip(st.columns(len(charts), gap="medium"), charts, strict=True):
        with place:
            here = [(line, format(value, chart.form)) for line, value in chart.at(moment.epoch)]
            st.markdown(f"**{chart.title}**")
            st.html(" ".join(LEGEND.format(line.colour, escape(line.name), text) for line, text in here))
            figures = ", ".join(f"{line.name} {text}" for line, text in here)
            alt = f"{chart.title} of {moment.entry.name} by {moment.entry.unit}; at {moment.epoch}: {figures}"
            layout = {"y": chart.axis, "shapes": [mark], "showlegend": False, "key": f"chart-{chart.title}"}
            layout["uirevision"] = f"{moment.entry.name}, {chart.title}"
            show_chart(_traces(chart, moment.epoch), alt, 260, moment.entry.unit, **layout)


def _traces(chart: Chart, epoch: int) -> list[dict[str, Any]]:
    """The curves, and a point on each at the epoch."""
    traces: list[dict[str, Any]] = []
    for name, epochs, values, colour in chart.lines:
        curve = {"type": "scatter", "mode": "lines", "x": epochs, "line": {"color": colour, "width": 2}}
        if chart.smoothed:
            thin = {"y": values, "name": name, "line": {"color": colour, "width": 1}, "opacity": 0.55}
            traces.append(curve | thin)
            name, values = f"{name}, smoothed", smooth(values)
        traces.append(curve | {"y": values, "name": name})
    here = chart.at(epoch)
    marker = {"color": [line.colour for line, _ in here], "size": 9, "line": {"width": 1, "color": "white"}}
    points = {"x": [epoch] * len(here), "y": [value for _, value in here], "marker": marker, "mode": "markers"}
    return [*traces, {"type": "scatter", "hoverinfo": "skip", **points}]
