"""Curves of several runs in one chart, named by what was changed for each."""

from __future__ import annotations

from typing import Any

import streamlit as st

from genlib.jobs.run import Job
from genlib.zoo.catalogue import settings_in_words
from ui.controls import BOUND
from ui.pictures import CLASS_COLOURS, show_chart
from ui.runs import changes_of, is_known, progress_of

MOST = 6
DISTANCE = "Frechet distance"


def compare(jobs: list[Job]) -> dict[str, object]:
    """Choose runs and what to compare; the newest runs of the newest one's preset unless chosen.

    What was chosen, by its keys in the URL; nothing where there is nothing to compare.
    """
    begun = {job.id: job for job in reversed(jobs) if is_known(job) and progress_of(job).records}
    if len(begun) < 2:
        return {}
    st.header("Compare runs", anchor=False)
    newest = next(iter(begun.values())).preset
    alike = [job.id for job in begun.values() if job.preset == newest][:MOST]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = st.multiselect("Runs", list(begun), alike, max_selections=MOST, key="runs", **BOUND)
        chosen = [begun[name] for name in names]
        measures = _measures(chosen)
        measure = st.selectbox("By epoch", measures, key="by", width=260, **BOUND)
    if chosen and measure in measures:
        _chart(chosen, measure)
    return {"runs": names, "by": measure}


def _measures(jobs: list[Job]) -> list[str]:
    """The distance, and each loss that one of the runs has."""
    losses = {name: None for job in jobs for record in progress_of(job).records.values() for name in record["losses"]}
    return [DISTANCE, *(name.replace("_", " ") for name in losses)]


def points(job: Job, measure: str) -> tuple[list[int], list[float]]:
    """Epochs and values of a measure."""
    records = sorted(progress_of(job).records.items())
    key = measure.replace(" ", "_")
    found = [(epoch, r.get("fd") if measure == DISTANCE else r["losses"].get(key)) for epoch, r in records]
    return [epoch for epoch, value in found if value is not None], [v for _, v in found if v is not None]


def _chart(jobs: list[Job], measure: str) -> None:
    names, traces = labels(jobs), []
    for number, job in enumerate(jobs):
        epochs, values = points(job, measure)
        look = {"mode": "lines+markers", "line": {"color": CLASS_COLOURS[number], "width": 2}, "name": names[number]}
        traces.append({"type": "scatter", "x": epochs, "y": values, **look})
    last = max((trace["x"][-1] for trace in traces if trace["x"]), default=0)
    x = {
        "title": "epoch",
        "tickformat": "d",
        "dtick": 1 if last < 12 else None,
    }  # a thousand stop a browser
    ends = ", ".join(f"{name}: {_last(job, measure)}" for name, job in zip(names, jobs, strict=True))
    legend = {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0}
    show_chart(traces, f"{measure} by epoch; at the end {ends}", 340, x, measure, key="compared", legend=legend)


def _last(job: Job, measure: str) -> str:
    values = points(job, measure)[1]
    return f"{values[-1]:.4g}" if values else "not measured"


def labels(jobs: list[Job]) -> list[str]:
    """Each run by those of its settings that not all share, beside its number."""
    configs: list[dict[str, Any]] = [{"preset": job.preset, **job.config} for job in jobs]
    keys = list(dict.fromkeys(key for config in configs for key in config))
    apart = [key for key in keys if len({repr(config.get(key)) for config in configs}) > 1]
    found = []
    for job, config in zip(jobs, configs, strict=True):
        told = {key: config[key] for key in apart if key in config}
        words = settings_in_words(told) if told else changes_of(job)
        found.append(f"{job.id.rsplit('-', 1)[-1]}: {words}")
    return found


def table(jobs: list[Job]) -> list[dict[str, Any]]:
    """Every epoch of every run, with the run's settings, for a CSV file."""
    return [
        {"run": job.id, "preset": job.preset, **job.config, "epoch": epoch}
        | {f"loss_{name}": value for name, value in record["losses"].items()}
        | {key: value for key, value in record.items() if key not in ("epoch", "losses")}
        for job in jobs
        for epoch, record in sorted(progress_of(job).records.items())
    ]
