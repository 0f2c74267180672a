"""The Training history page: the epoch under the scrubber, its samples, and every curve with a marker there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

import streamlit as st

from genlib.analysis import history as analysis
from genlib.analysis.history import smooth
from genlib.errors import GenlibError, without_places
from genlib.questions.history import History, history
from ui import zoo
from ui.controls import BOUND
from ui.pictures import CLASS_COLOURS, STILL

NAMES = {"kl": "KL divergence", "loss": "sum"}
ACCURACIES = {"accuracy_train": "training", "accuracy_test": "test", "accuracy_fake": "fakes"}
READING = {
    "adversarial": (
        "The losses of two networks that play against each other say who is winning, not how good the pictures are: "
        "look at the Frechet distance for that. A discriminator that is right half of the time can no longer tell; "
        "one that is right on training images and wrong on test images has learned them by heart."
    ),
    "fitted": (
        "Each iteration of expectation-maximisation can only raise the likelihood of the training images; it ends when "
        "another one would hardly change it. A better likelihood is not always a better picture."
    ),
    "searched": (
        "Many fits one after another: one of each size from 1 to 20 Gaussians, all of them again with ten times the "
        "regularisation, and a last one of the size that BIC likes best. Within a fit each iteration of "
        "expectation-maximisation can only raise the likelihood; where the curve falls, the next fit begins. Pictures "
        "and distances are those of the fit that an iteration belongs to."
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


@dataclass(frozen=True)
class Line:
    """One curve of a chart; a smoothed one goes with the thin one of its measurements."""

    name: str
    epochs: list[int]
    values: list[float]
    colour: str
    thin: bool = False
    smoothed: bool = False


@dataclass(frozen=True)
class Chart:
    """Curves that share an axis."""

    title: str
    lines: list[Line]
    form: str  # how a value is written
    from_zero: bool = True
    per_cent: bool = False


def history_or_stop(entry: zoo.Entry) -> None:
    """Go on where there is a history, or say why there is none and how to get it back."""
    try:
        history(entry.name)
    except GenlibError as error:
        st.warning(
            f"{entry.name} has no training history: {without_places(str(error))}. {entry.remedy}",
            icon=":material/broken_image:",
        )
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
            kind = "searched" if self.entry.metrics.get("bic_curve") else "fitted"
        else:
            kind = "adversarial" if "discriminates" in self.entry.capabilities else "descended"
        return READING[kind] + MEASURED.format(self.past.measured)

    def charts(self) -> list[Chart]:
        """The curves that this training has."""
        first, *_ = self.past.table
        losses = [key for key in first if key.startswith("loss_") and key != "loss_log_likelihood"]
        found = [
            Chart("Frechet distance", self._distances(), ".2f"),
            Chart("Loss, mean of the epoch", self._lines({key: _loss_name(key) for key in losses}), ".3g"),
            Chart("Log-likelihood, nats per image", self._lines({"loss_log_likelihood": "mean"}), ",.1f", False),
            Chart(
                "Images the discriminator judges rightly",
                self._lines(ACCURACIES),
                ".0%",
                per_cent=True,
            ),
            Chart("Squared error per pixel", self._lines({"mse_test": "test images"}), ".4f"),
        ]
        return [chart for chart in found if chart.lines]

    def _lines(self, columns: dict[str, str]) -> list[Line]:
        named = [(name, *self.past.curve(key)) for key, name in columns.items()]
        return [Line(*curve, CLASS_COLOURS[i % len(CLASS_COLOURS)]) for i, curve in enumerate(named) if curve[1]]

    def _distances(self) -> list[Line]:
        sampled = "averaged generator" if self.entry.averaged else "samples"
        lines = []
        for line in self._lines({"fd": sampled, "fd_raw": "raw generator"}):
            smoothed = replace(line, name=f"{line.name}, smoothed", values=smooth(line.values), smoothed=True)
            lines += [replace(line, thin=True), smoothed]
        return lines


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
    charts = moment.charts()
    if not charts:
        return
    for place, chart in zip(st.columns(len(charts), gap="medium"), charts, strict=True):
        with place:
            here = [(line, format(value, chart.form)) for line, value in _here(chart.lines, moment.epoch)]
            st.markdown(f"**{chart.title}**")
            st.html(" ".join(LEGEND.format(line.colour, escape(line.name), text) for line, text in here))
            figures = ", ".join(f"{line.name} {text}" for line, text in here)
            alt = f"{chart.title} of {moment.entry.name} by {moment.entry.unit}; at {moment.epoch}: {figures}"
            st.plotly_chart(_figure(chart, moment), config=STILL, alt=alt, key=f"chart-{chart.title}")


def _here(lines: Sequence[Line], epoch: int) -> list[tuple[Line, float]]:
    """What was measured at the epoch, line by line."""
    return [
        (line, line.values[line.epochs.index(epoch)]) for line in lines if epoch in line.epochs and not line.smoothed
    ]


def _figure(chart: Chart, moment: Moment):
    from ui.charts import go

    figure = go.Figure()
    for line in chart.lines:
        style = {"color": line.colour, "width": 1 if line.thin else 2}
        opacity = 0.55 if line.thin else 1
        figure.add_scatter(x=line.epochs, y=line.values, mode="lines", line=style, opacity=opacity, name=line.name)
    figure.add_vline(x=moment.epoch, line={"color": CLASS_COLOURS[8], "width": 1, "dash": "dot"})
    here = _here(chart.lines, moment.epoch)
    figure.add_scatter(
        x=[moment.epoch] * len(here),
        y=[value for _, value in here],
        mode="markers",
        marker={"color": [line.colour for line, _ in here], "size": 9, "line": {"width": 1, "color": "white"}},
        hoverinfo="skip",
    )
    figure.update_layout(
        height=260, margin={"l": 0, "r": 0, "t": 8, "b": 0}, xaxis_title=moment.entry.unit, showlegend=False
    )
    if chart.from_zero:
        figure.update_yaxes(rangemode="tozero")
    if chart.per_cent:
        figure.update_yaxes(range=[0, 1.02], tickformat=".0%")
    return figure
