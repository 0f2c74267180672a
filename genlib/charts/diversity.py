"""How far a model's samples of each class spread."""

from __future__ import annotations

from typing import Any

from genlib.charts.chart import Chart
from genlib.data import CLASS_NAMES
from genlib.drawing import CLASS_COLOURS
from genlib.questions.diversity import DIVERSITY, MEASURED, Diversity, real_spreads, spreads
from genlib.questions.trainings import other_figures

REAL = "rgba(128, 128, 128, 0.55)"
HELP = (
    "The mean distance between two different pictures of the class, as the features of genlib's classifier see them: 0 "
    f"where all are the same. Measured on {MEASURED} samples of a class, or as many as there were, and {MEASURED} "
    f"test images."
)


def spread(question: Diversity) -> Chart:
    """The diversity of each class beside that of test images."""
    own, real = spreads(question.model, question.seed), real_spreads()
    sides = (own, CLASS_COLOURS, "samples"), (real, REAL, "test images")
    bars = {"type": "bar", "y": CLASS_NAMES, "orientation": "h"}
    traces = [{**bars, "x": values, "marker": {"color": colour}, "name": name} for values, colour, name in sides]
    if others := [each[DIVERSITY] for each in other_figures(question)]:
        traces[0]["error_x"] = _reaching(own, others)
    told = ", ".join(
        f"{name} {'none' if a is None else format(a, '.1f')} (real {b:.1f})"
        for name, a, b in zip(CLASS_NAMES, own, real, strict=True)
    )
    return Chart(
        traces,
        f"Diversity of {question.model}: {told}",
        380,
        "mean distance between two pictures",
        {"autorange": "reversed"},
        top=0,
        layout={"bargap": 0.25, "showlegend": False},
        title="**Diversity by class** in colour, of real test images in gray",
        help=HELP,
    )


def _reaching(own: list[float | None], others: list[list[float | None]]) -> dict[str, Any]:
    """Whiskers from each class's bar to what the model's other trainings have."""
    known = [[value for value in values if value is not None] for values in zip(own, *others, strict=True)]
    ends = [
        (value or 0.0, min(values, default=0.0), max(values, default=0.0))
        for value, values in zip(own, known, strict=True)
    ]
    sides = {"array": [high - value for value, _, high in ends], "arrayminus": [value - low for value, low, _ in ends]}
    return {"type": "data", "symmetric": False, "color": "gray", "thickness": 1.5, "width": 4, **sides}
