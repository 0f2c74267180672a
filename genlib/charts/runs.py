"""Several runs in one chart, named by what was changed for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from genlib.charts.chart import Chart, epochs_axis, line
from genlib.drawing import CLASS_COLOURS
from genlib.jobs.run import Job
from genlib.models import get_preset
from genlib.training.progress import Progress
from genlib.zoo.catalogue import changed_settings, settings_in_words

MOST = 6
DISTANCE = "Frechet distance"
LEGEND = {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0}
Runs = Mapping[str, tuple[Job, Progress]]  # by id


def measures(runs: Runs) -> list[str]:
    """The distance, and each loss that one of the runs has."""
    found = [record["losses"] for _, progress in runs.values() for record in progress.records.values()]
    return [DISTANCE, *dict.fromkeys(name.replace("_", " ") for losses in found for name in losses)]


def points(progress: Progress, measure: str) -> tuple[list[int], list[float]]:
    """Epochs and values of a measure."""
    key = measure.replace(" ", "_")
    records = sorted(progress.records.items())
    found = [(epoch, r.get("fd") if measure == DISTANCE else r["losses"].get(key)) for epoch, r in records]
    return [epoch for epoch, value in found if value is not None], [v for _, v in found if v is not None]


def compared(runs: Runs, measure: str) -> Chart:
    """A measure of each run by epoch."""
    names = labels([job for job, _ in runs.values()])
    curves = [points(progress, measure) for _, progress in runs.values()]
    traces = [
        line(*curve, CLASS_COLOURS[number], name=name, mode="lines+markers")
        for number, (name, curve) in enumerate(zip(names, curves, strict=True))
    ]
    last = max((epochs[-1] for epochs, _ in curves if epochs), default=0)
    ends = ", ".join(f"{name}: {_last(values)}" for name, (_, values) in zip(names, curves, strict=True))
    alt, x = f"{measure} by epoch; at the end {ends}", epochs_axis("epoch", last)
    return Chart(traces, alt, 340, x, measure, layout={"legend": LEGEND})


def _last(values: Sequence[float]) -> str:
    return f"{values[-1]:.4g}" if values else "not measured"


def labels(jobs: Sequence[Job]) -> list[str]:
    """Each run by those of its settings that not all share, beside its number."""
    configs: list[dict[str, Any]] = [{"preset": job.preset, **job.config} for job in jobs]
    keys = list(dict.fromkeys(key for config in configs for key in config))
    apart = [key for key in keys if len({repr(config.get(key)) for config in configs}) > 1]
    found = []
    for job, config in zip(jobs, configs, strict=True):
        told = {key: config[key] for key in apart if key in config}
        changed = told or changed_settings(get_preset(job.preset), job.config)
        found.append(f"{job.id.rsplit('-', 1)[-1]}: {settings_in_words(changed)}")
    return found


def table(runs: Runs) -> list[dict[str, Any]]:
    """Every epoch of every run, with the run's settings."""
    return [
        {"run": job.id, "preset": job.preset, **job.config, "epoch": epoch}
        | {f"loss_{name}": value for name, value in record["losses"].items()}
        | {key: value for key, value in record.items() if key not in ("epoch", "losses")}
        for job, progress in runs.values()
        for epoch, record in sorted(progress.records.items())
    ]
