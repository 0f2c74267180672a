"""The Variation page: how much the pixels vary, in numbers."""

from __future__ import annotations

from statistics import mean

from genlib.questions.question import Figures
from genlib.questions.trainings import other_figures
from genlib.questions.variation import PHOTOGRAPHS, SAMPLES, Variation
from ui.trainings import NOT_MEASURED, both


def means(question: Variation) -> str:
    """The mean deviation of a pixel on either side, and in the samples of the model's other trainings."""
    label = question.chosen_class()
    classes = slice(None) if label is None else slice(label, label + 1)

    def over(figures: Figures, side: str) -> float:
        return mean(float(value or 0.0) for value in figures[side][classes])

    own, others = question.figures(), other_figures(question)
    told = (
        f"A pixel's standard deviation within a class, on average: {over(own, PHOTOGRAPHS):.1f} gray levels of 255 in "
        f"photographs, {over(own, SAMPLES):.1f} in these samples"
    )
    if not others:
        return f"{told}. {NOT_MEASURED}"
    return f"{told}, {both((over(each, SAMPLES) for each in others), '.1f')} trained again from other seeds."
