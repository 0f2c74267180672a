"""Which model is best, and at what cost?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from genlib.drawing import Axis, trade_off
from genlib.images import png_bytes
from genlib.questions.question import Maker, Question, asks, csv_bytes
from genlib.zoo.figures import COSTS, FIGURES, QUALITIES
from genlib.zoo.leaderboard import leaderboard

TITLES = {FIGURES[key].title: key for key in QUALITIES}
COLUMNS = {name: key for key, name in COSTS.items()}


@dataclass(frozen=True)
class Leaderboard(Question):
    """Every trained model's quality against what it costs."""

    NAME = "leaderboard"

    metric: str = asks(next(iter(TITLES)), "Quality", said="what models are ranked by", choices=tuple(TITLES))
    against: str = asks("size", "Against", said="what it is set against", choices=tuple(COLUMNS))

    def choices(self, name: str) -> tuple[str, ...]:
        """Qualities are those that some model has."""
        if name != "metric":
            return super().choices(name)
        _, *rows = leaderboard()
        measured = tuple(title for title, key in TITLES.items() if any(row[key] is not None for row in rows))
        return measured or super().choices(name)

    @property
    def quality(self) -> Axis:
        """What models are ranked by, as a scatter draws it."""
        figure = FIGURES[TITLES[self.metric]]
        title = f"{figure.title}{', %' if figure.scale == 100 else ''} ({figure.better} is better)"
        return Axis(TITLES[self.metric], title, figure.log, figure.scale)

    @property
    def cost(self) -> Axis:
        """What it is set against."""
        return Axis(COLUMNS[self.against], FIGURES[COLUMNS[self.against]].title)

    def files(self, table: Sequence[dict[str, Any]] = ()) -> dict[str, Maker]:
        """The scatter where there is one, and the table: of all models, or of these rows behind that of real images."""
        table = table or leaderboard()
        files: dict[str, Maker] = {"leaderboard.csv": lambda: csv_bytes(table)}
        if any(row[self.quality.column] is not None and row[self.cost.column] is not None for row in table[1:]):
            files = {"leaderboard.png": lambda: png_bytes(trade_off(table[1:], self.quality, self.cost))} | files
        return files
