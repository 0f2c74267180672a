"""How a training went: every curve of it with a mark at one epoch, and how to read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from genlib.analysis.history import History, smooth
from genlib.analysis.inversion import PIXEL_VARIANCE
from genlib.charts.chart import FROM_ZERO, Chart, Trace, epochs_axis, level, line, upright
from genlib.drawing import CLASS_COLOURS
from genlib.metrics.floor import training_floor
from genlib.zoo.entry import Entry

NAMES = {"kl": "KL divergence", "loss": "sum"}
ACCURACIES = {"accuracy_train": "training", "accuracy_test": "test", "accuracy_fake": "fakes"}
DOTTED = {"color": CLASS_COLOURS[8], "width": 1, "dash": "dot"}
SHARES = FROM_ZERO | {"range": [0, 1.02], "tickformat": ".0%"}
READING = {
    "adversarial": (
        "The losses of two networks that play against each other say who is winning, not how good the pictures are: "
        "look at the Frechet distance for that. A discriminator that is right half of the time can no longer tell "
        "real from fake. One that is right on training images and wrong on test images has memorised the training "
        "images."
    ),
    "fitted": (
        "Each iteration of expectation-maximisation can only raise the likelihood of the training images; it ends when "
        "another one would hardly change it. Where the curve falls, a new attempt begins: with one Gaussian more, from "
        "another start, or after one was split and two were merged; the best is kept. So the first pictures may be "
        "those of fewer Gaussians. A better likelihood is not always a better picture."
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
        f"pixel; the mean image in every place errs by {PIXEL_VARIANCE:.4f}. Where it rises while the training loss "
        "still falls, the model begins to overfit."
    ),
}
MEASURED = (
    " Here the Frechet distance is that of {} from the *training* images, at up to 60 epochs, so it differs "
    "a little from the leaderboard's. As many test photographs score {:.2f}, the level line. Thin lines are "
    "as measured, thick ones the mean of five neighbours."
)


class Curve(NamedTuple):
    """What was measured epoch by epoch."""

    name: str
    epochs: list[int]
    values: list[float]
    colour: str


class Panel(NamedTuple):
    """Curves that share an axis, how their values are written, and whether they are drawn smoothed too."""

    title: str
    curves: list[Curve]
    form: str
    axis: dict[str, Any]
    smoothed: bool = False
    photographs: float | None = None  # what they would score

    def at(self, epoch: int) -> list[tuple[Curve, float]]:
        """What was measured at the epoch, curve by curve."""
        return [(curve, curve.values[curve.epochs.index(epoch)]) for curve in self.curves if epoch in curve.epochs]

    def written_at(self, epoch: int) -> list[tuple[Curve, str]]:
        """The same as text."""
        return [(curve, format(value, self.form)) for curve, value in self.at(epoch)]


@dataclass(frozen=True)
class Moment:
    """One epoch of a model's training."""

    entry: Entry
    past: History
    epoch: int

    @property
    def reading(self) -> str:
        """How to read these curves."""
        can = self.entry.capabilities
        if "mixture" in can:
            searched = "searched" if self.entry.metrics.get("bic_curve") else "fitted"
            kind = "class by class" if "conditional" in can else searched
        else:
            kind = "adversarial" if "discriminates" in can else "descended"
        return READING[kind] + MEASURED.format(self.past.measured, self._photographs)

    @property
    def _photographs(self) -> float:
        return training_floor(self.past.looks["samples"])

    @property
    def panels(self) -> list[Panel]:
        """The curves that this training has."""
        losses = [key for key in self.past.table[0] if key.startswith("loss_") and key != "loss_log_likelihood"]
        distances = {"fd": "averaged generator" if self.entry.averaged else "samples", "fd_raw": "raw generator"}
        found = [
            Panel("Frechet distance", self._curves(distances), ".2f", FROM_ZERO, True, self._photographs),
            Panel("Loss, mean of the epoch", self._curves({key: _loss_name(key) for key in losses}), ".3g", FROM_ZERO),
            Panel("Log-likelihood, nats per image", self._curves({"loss_log_likelihood": "mean"}), ",.1f", {}),
            Panel("Images the discriminator judges rightly", self._curves(ACCURACIES), ".0%", SHARES),
            Panel("Squared error per pixel", self._curves({"mse_test": "test images"}), ".4f", FROM_ZERO),
        ]
        return [panel for panel in found if panel.curves]

    def _curves(self, columns: dict[str, str]) -> list[Curve]:
        named = [(name, *self.past.curve(key)) for key, name in columns.items()]
        return [Curve(*curve, CLASS_COLOURS[i % len(CLASS_COLOURS)]) for i, curve in enumerate(named) if curve[1]]

    def chart(self, panel: Panel) -> Chart:
        """A panel's curves, with a mark at the epoch and a point on each."""
        shapes = [upright(self.epoch, DOTTED)]
        figures = ", ".join(f"{curve.name} {text}" for curve, text in panel.written_at(self.epoch))
        alt = f"{panel.title} of {self.entry.name} by {self.entry.unit}; at {self.epoch}: {figures}"
        if panel.photographs is not None:
            alt += f"; photographs {panel.photographs:.2f}"
            shapes.append(level(panel.photographs, DOTTED))
        name = f"{self.entry.name}, {panel.title}"
        layout = {"shapes": shapes, "showlegend": False, "uirevision": name}
        x = epochs_axis(self.entry.unit, max(curve.epochs[-1] for curve in panel.curves))
        return Chart(self._traces(panel), alt, 260, x, panel.axis, layout=layout)

    def _traces(self, panel: Panel) -> list[Trace]:
        traces: list[Trace] = []
        for name, epochs, values, colour in panel.curves:
            if panel.smoothed:
                thin = {"line": {"color": colour, "width": 1}, "opacity": 0.55}
                traces.append(line(epochs, values, colour, name=name, **thin))
                name, values = f"{name}, smoothed", smooth(values)
            traces.append(line(epochs, values, colour, name=name))
        here = panel.at(self.epoch)
        marker = {"color": [curve.colour for curve, _ in here], "size": 9, "line": {"width": 1, "color": "white"}}
        points = {"x": [self.epoch] * len(here), "y": [value for _, value in here], "marker": marker, "mode": "markers"}
        return [*traces, {"type": "scatter", "hoverinfo": "skip", **points}]


def _loss_name(key: str) -> str:
    name = key.removeprefix("loss_")
    return NAMES.get(name, name.replace("_", " "))
