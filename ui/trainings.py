"""What the pages say of a model's other trainings, beside the figures of the one whose weights are here."""

from __future__ import annotations

from collections.abc import Iterable

NOT_MEASURED = "How far another training of this model would move these figures was not measured."


def both(values: Iterable[float], form: str) -> str:
    """A figure of each of the other trainings, each on one line with its sign."""
    return " and ".join(format(value, form).replace("%", "\N{NO-BREAK SPACE}%") for value in values)
