"""Quality against cost: every model as a named point."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genlib.charts.chart import ABOVE, Chart, Trace
from genlib.drawing import CLASS_COLOURS, PLOT, log_ticks, name_places
from genlib.models import families
from genlib.questions.leaderboard import Board, Row
from genlib.zoo.figures import FIGURES

PHONE = (270, 250)  # pixels: the chart's inside on a narrow screen
SIDES = ("bottom", "middle", "top"), ("left", "center", "right")


def trade_off(board: Board) -> Chart:
    """Quality against cost, a colour a family; bars are the spread between sample seeds, rings other trainings.

    The last two traces are the names, placed for a phone and for a wide screen; a page shows one of them.
    """
    cost, rows = FIGURES[board.cost], [row for row in board.ranked if row[board.cost] is not None]
    traces: list[Trace] = []
    there = [family for family in families() if any(row["family"] == family for row in rows)]
    for i, family in enumerate(there):
        own = [row for row in rows if row["family"] == family]
        symbol = ("circle", "diamond")[i // len(CLASS_COLOURS)]  # colours are fewer than families may become
        marker = {"color": CLASS_COLOURS[i % len(CLASS_COLOURS)], "symbol": symbol, "size": 12}
        traces.append({**_points(own, board), "name": family, "marker": marker})
        traces.append({**_others(own, board), "marker": marker | {"symbol": f"{symbol}-open", "size": 7}})
    traces += [names(rows, board, size) for size in ((PHONE, PLOT) if rows else ())]
    x = {"title": cost.title, "type": "log", "tickformat": "~s", "tickvals": log_ticks([r[board.cost] for r in rows])}
    y: Trace = {"title": board.asked.quality.title, "tickformat": "~g"}
    layout: Trace = {"legend": ABOVE | {"x": 0}, "showlegend": True}
    real = board.real[board.metric]
    if board.figure.log:
        y |= {"type": "log", "tickvals": log_ticks([row[board.metric] for row in rows])}
    elif real is not None:
        at, line = board.figure.scale * real, {"color": CLASS_COLOURS[8], "dash": "dot"}
        ends = {"x0": 0, "x1": 1, "xref": "x domain", "y0": at, "y1": at, "yref": "y"}
        name = {"text": "real images", "showarrow": False, "x": 1, "xanchor": "right", "xref": "x domain"}
        layout["shapes"] = [{"type": "line", **ends, "line": line}]
        layout["annotations"] = [{**name, "y": at, "yanchor": "bottom", "yref": "y"}]
    best = f"; best: {rows[0]['model']}, {board.written(rows[0])}" if rows else ""
    alt = f"{board.figure.title} of {len(rows)} models against {cost.title}{best}"
    return Chart(traces, alt, 440, x, y, layout=layout)  # a phone's legend takes six lines of it


def _points(rows: Sequence[Row], board: Board) -> Trace:
    scale = board.figure.scale
    return {
        "type": "scatter",
        "x": [row[board.cost] for row in rows],
        "y": [scale * row[board.metric] for row in rows],
        "error_y": {"array": [scale * (row.get(f"{board.metric}_spread") or 0) for row in rows], "thickness": 1},
        "hovertext": [row["model"] for row in rows],
        "mode": "markers",
        "cliponaxis": False,
    }


def _others(rows: Sequence[Row], board: Board) -> Trace:
    """What other trainings of the models scored, where there were some."""
    found = [(row, value) for row in rows for value in (row.get(f"{board.metric}_trainings") or [])[1:]]
    return {
        "type": "scatter",
        "x": [row[board.cost] for row, _ in found],
        "y": [board.figure.scale * value for _, value in found],
        "hovertext": [f"{row['model']}, another training" for row, _ in found],
        "mode": "markers",
        "showlegend": False,
        "cliponaxis": False,
    }


def names(rows: Sequence[Row], board: Board, size: tuple[int, int]) -> Trace:
    """Each model's name beside its point, best first; one without a free place is left to the pointer.

    `size` are the pixels inside the axes.
    """
    x = _along([math.log10(row[board.cost]) for row in rows], size[0])
    y = _along([math.log10(row[board.metric]) if board.figure.log else row[board.metric] for row in rows], size[1])
    places = name_places([row["model"] for row in rows], list(zip(x, y, strict=True)), (-20, size[0]))
    named = [row for row in rows if row["model"] in places]
    sides = [places[row["model"]] for row in named]
    return _points(named, board) | {
        "text": [row["model"] for row in named],
        "textposition": [f"{SIDES[0][up + 1]} {SIDES[1][right + 1]}" for right, up in sides],
        "mode": "markers+text",
        "marker": {"size": 12, "opacity": 0},
        "error_y": None,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _along(values: Sequence[float], length: int) -> list[float]:
    """Pixels along an axis, which Plotly draws a little longer than its points."""
    low, high = min(values, default=0), max(values, default=1)
    return [length * (0.06 + 0.88 * (value - low) / ((high - low) or 1)) for value in values]
