"""Which model is best, and at what cost?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from genlib.drawing import Axis, trade_off
from genlib.images import png_bytes
from genlib.questions.question import Maker, Question, asks, csv_bytes
from genlib.zoo.figures import COSTS, FIGURES, QUALITIES, Figure
from genlib.zoo.leaderboard import leaderboard, nothing_learned, written_with_spread

Row = dict[str, Any]
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


@dataclass(frozen=True)
class Board:
    """Models' rows of the table and that of real images, ranked as is asked."""

    asked: Leaderboard
    rows: list[Row]
    real: Row

    @property
    def metric(self) -> str:
        """The column that the models are ranked by."""
        return self.asked.quality.column

    @property
    def cost(self) -> str:
        """The column that it is set against."""
        return self.asked.cost.column

    @property
    def figure(self) -> Figure:
        """What the models are ranked by."""
        return FIGURES[self.metric]

    @property
    def ranked(self) -> list[Row]:
        """Rows that have the figure, best first."""
        known = [row for row in self.rows if row[self.metric] is not None]
        return sorted(known, key=lambda row: row[self.metric], reverse=self.figure.better != "lower")

    @property
    def without(self) -> list[Row]:
        """Rows that lack it."""
        return [row for row in self.rows if row[self.metric] is None]

    def written(self, row: Row) -> str:
        """The row's figure with its spread."""
        return written_with_spread(row, self.metric)

    def place(self, row: Row, key: str) -> int:
        """Where a row stands, or would stand, by a figure that is better the lower it is."""
        return 1 + sum(each[key] is not None and each[key] < row[key] for each in self.rows)

    @property
    def said(self) -> str:
        """What the figure means, what real images score, which models have none; in Markdown."""
        ends = [row for row in (self.real, nothing_learned()) if row[self.metric] is not None]
        told = ", ".join(f"{row['model']} {self.written(row)}" for row in ends)
        real = f" For comparison: {told}." if ends else ""
        names = ", ".join(row["model"] for row in self.without)
        lacking = f" Not measured, or not applicable: {names}." if names else ""
        return f"**{self.figure.title}** ({self.figure.better} is better). {self.figure.meaning}{real}{lacking}"
