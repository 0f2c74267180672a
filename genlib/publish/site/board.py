"""The leaderboard: every figure of every model, and what the figures mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from genlib.metrics.floor import load_floor
from genlib.publish.site.html import filled, whole_page
from genlib.publish.site.shown import Shown
from genlib.zoo.catalogue import COLUMNS
from genlib.zoo.figures import FIGURES, RANDOM
from genlib.zoo.leaderboard import OPINIONS, nothing_learned, ranked, written_with_spread

Row = Mapping[str, Any]


def leaderboard(models: Sequence[Shown]) -> str:
    """The page."""
    real, *rows = ranked([{"name": m.name, "family": m.preset.family, "metrics": m.metrics} for m in models])
    columns = [key for key in COLUMNS if any(row[key] is not None for row in rows)]
    best = {key: _best(key, rows) for key in columns}
    pages = {model.name: model.page for model in models}
    table = [_row(f"<i>{escape(real['model'])}</i>", real, columns, {})]
    table += [_row(f'<a href="{pages[row["model"]]}">{escape(row["model"])}</a>', row, columns, best) for row in rows]
    table.append(_row(f"<i>{RANDOM}</i>", nothing_learned(), columns, {}))
    body = filled(
        "leaderboard.html",
        heads="".join(map(_head, columns)),
        rows="\n".join(table),
        samples=f"{load_floor()['samples']:,}",
        disputed=_disputed(rows),
        meanings="".join(map(_meaning, columns)),
    )
    return whole_page("leaderboard.html", "Leaderboard - genlib", "Every model's figures, by one protocol.", body)


def _best(key: str, rows: Sequence[Row]) -> float | None:
    """The best figure of a column, where one can be better than another."""
    better = FIGURES[key].better
    values = [float(row[key]) for row in rows if row[key] is not None]
    return None if better is None else (min if better == "lower" else max)(values)


def _head(key: str) -> str:
    """A column's head, and the order in which it is sorted first."""
    figure = FIGURES[key]
    first = ' data-first="descending"' if figure.better == "higher" else ""
    return f'<th scope="col" title="{escape(figure.title)}"{first}>{escape(figure.short)}</th>'


def _row(name: str, row: Row, columns: Sequence[str], best: Mapping[str, float | None]) -> str:
    figures = "".join(_cell(key, row, best.get(key)) for key in columns)
    return f'<tr><th scope="row">{name}</th><td>{escape(row["family"])}</td>{figures}</tr>'


def _cell(key: str, row: Row, best: float | None) -> str:
    value = row[key]
    if value is None:
        return "<td></td>"
    text = written_with_spread(row, key) if key in OPINIONS else FIGURES[key].text(value)
    trained = row.get(f"{key}_trainings") if key in OPINIONS else None
    several = f"<br><small>{', '.join(map(FIGURES[key].text, trained))}</small>" if trained else ""
    return f'<td data-value="{value}">{f"<b>{text}</b>" if value == best else text}{several}</td>'


def _disputed(rows: Sequence[Row]) -> str:
    """Where the two opinions part."""
    found = [f"{row['model']} and {row['disputed']}" for row in rows if row["disputed"]]
    if not found:
        return ""
    return (
        "<p>Which of two models is better can depend on who looks. The first opinion puts one clearly ahead and the "
        f"second the other, for: {escape('; '.join(found))}.</p>"
    )


def _meaning(key: str) -> str:
    figure = FIGURES[key]
    return f"<dt>{escape(figure.short)}: {escape(figure.title)}</dt><dd>{escape(figure.meaning)}</dd>"
