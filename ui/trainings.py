"""What the pages say of a model's other trainings, beside the figures of the one whose weights are here."""

from __future__ import annotations

from collections.abc import Iterable

from ui.words import figure

NOT_MEASURED = "How far another training of this model would move these figures was not measured."


def both(values: Iterable[float | None], form: str) -> str:
    """A figure of each of the other trainings."""
    return " and ".join(figure(value, form) for value in values)
