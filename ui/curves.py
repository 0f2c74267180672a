"""The Train page's comparison of several runs: which, and by what."""

from __future__ import annotations

import streamlit as st

from genlib.charts import runs as charts
from genlib.charts.runs import MOST
from genlib.jobs.run import Job
from genlib.questions.question import csv_bytes
from ui.controls import BOUND
from ui.pictures import show_chart
from ui.runs import is_known, progress_of


def compare(jobs: list[Job]) -> dict[str, object]:
    """Choose runs and what to compare; the newest runs of the newest one's preset unless chosen.

    What was chosen, by its keys in the URL; nothing where there is nothing to compare.
    """
    followed = _followed([job for job in reversed(jobs) if is_known(job)])
    begun = {name: run for name, run in followed.items() if run[1].records}
    if len(begun) < 2:
        return {}
    st.header("Compare runs", anchor=False)
    newest = next(iter(begun.values()))[0].preset
    alike = [name for name, (job, _) in begun.items() if job.preset == newest][:MOST]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = st.multiselect("Runs", list(begun), alike, max_selections=MOST, key="runs", **BOUND)
        chosen = {name: begun[name] for name in names}
        measures = charts.measures(chosen)
        measure = st.selectbox("By epoch", measures, key="by", width=260, **BOUND)
    if chosen and measure in measures:
        show_chart(charts.compared(chosen, measure), key="compared")
    return {"runs": names, "by": measure}


def table(jobs: list[Job]) -> bytes:
    """Every epoch of every run as CSV."""
    return csv_bytes(charts.table(_followed(jobs)))


def _followed(jobs: list[Job]) -> charts.Runs:
    return {job.id: (job, progress_of(job)) for job in jobs}
