"""What a flow's steps and its guidance are worth, as they were measured and kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genlib.charts.chart import ABOVE, FROM_ZERO, Chart, Trace, line
from genlib.drawing import CLASS_COLOURS
from genlib.metrics.floor import load_floor
from genlib.metrics.settings import Measured
from genlib.questions.keeping import loaded
from genlib.questions.trajectory import settings

BY_GUIDANCE = {"precision": "precision", "recall": "recall", "class_consistency": "seen as the class asked for"}
LAYOUT = {"showlegend": True, "legend": ABOVE}


def by_steps(name: str) -> Chart | None:
    """Distance by steps, a flow's students and photographs beside it; None where it was not measured."""
    found, config = settings(name), _config(name)
    rows = found.by_steps(config.guidance) if found else []
    if not found or not rows:
        return None
    students = found.students()
    steps, floor = [row.steps or 0 for row in rows], load_floor(found.samples)["fd"]
    traces = [_measured(rows, "fd", steps, rows[0].model, 0)]
    for i, each in enumerate(students, start=1):
        traces.append(_measured([each], "fd", [1], f"{each.model}, one evaluation", i))
    dotted = {"color": CLASS_COLOURS[8], "dash": "dot"}
    traces.append(line([steps[0], steps[-1]], [floor] * 2, CLASS_COLOURS[8], name="photographs", line=dotted))
    told = ", ".join(f"{row.figures['fd']:.2f} at {row.steps}" for row in rows)
    told += "".join(f"; {row.model} {row.figures['fd']:.2f} in one" for row in students)
    x = {"type": "log", "title": "steps", "tickvals": steps}
    y = {"type": "log", "tickvals": [0.3, 1, 3, 10], **FROM_ZERO}
    title = "**Are more steps better?** Frechet distance, lower is better"
    return Chart(traces, f"Frechet distance by steps: {told}; photographs {floor:.2f}", 300, x, y, 8, LAYOUT, title)


def by_guidance(name: str) -> Chart | None:
    """Precision, recall and how often the class is seen, by guidance; None where it was not measured."""
    found = settings(name)
    rows = found.by_guidance(_config(name).steps) if found else []
    if not rows:
        return None
    strengths = [row.guidance or 0 for row in rows]
    traces = [_measured(rows, key, strengths, title, i) for i, (key, title) in enumerate(BY_GUIDANCE.items())]
    told = "; ".join(
        f"at {row.guidance:g}: precision {row.figures['precision']:.0%}, recall {row.figures['recall']:.0%}, "
        f"seen as asked {row.figures['class_consistency']:.0%}"
        for row in rows
    )
    x, y = {"title": "guidance", "tickvals": strengths}, {"range": [0, 1.02], "tickformat": ".0%", **FROM_ZERO}
    title = "**What does guidance buy?** Shares, higher is better"
    return Chart(traces, f"Precision and recall by guidance, {told}", 300, x, y, 8, LAYOUT, title)


def _config(name: str) -> Any:
    return loaded(name).config


def _measured(rows: Sequence[Measured], key: str, x: Sequence[float], name: str, colour: int) -> Trace:
    """A figure over a setting, with its spread between sample seeds."""
    look = {
        "mode": "lines+markers",
        "line": {"color": CLASS_COLOURS[colour]},
        "error_y": {"array": [row.spread[key] for row in rows], "thickness": 1},
        "customdata": [row.evaluations for row in rows],
        "hovertemplate": "%{y:.3f}, %{customdata} evaluations of the network a sample",
    }
    return line(x, [row.figures[key] for row in rows], CLASS_COLOURS[colour], name=name, **look)
