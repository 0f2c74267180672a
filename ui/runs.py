"""The runs of the Train page: how far each has come, which to watch, and all of them in a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from genlib.errors import GenlibError
from genlib.jobs.estimates import duration
from genlib.jobs.queue import Queue
from genlib.jobs.run import WORKING, Job, elapsed
from genlib.models import get_preset, presets
from genlib.training.progress import Follower, Progress
from genlib.zoo.catalogue import changed_settings, settings_in_words
from genlib.zoo.entry import Entry
from ui import settings
from ui.controls import BOUND
from ui.words import line_of, plain

SECONDS = 5.0  # between two looks at the table while a run is under way
BADGES = {
    "queued": ("waiting", "gray"),
    "running": ("training", "blue"),
    "pausing": ("pausing", "orange"),
    "paused": ("paused", "orange"),
    "cancelling": ("cancelling", "orange"),
    "cancelled": ("cancelled", "gray"),
    "done": ("done", "green"),
    "failed": ("failed", "red"),
}


@st.cache_resource(show_spinner=False)
def _followers() -> dict[Path, Follower]:
    """Of every run that was looked at, until it is deleted: a log is read once, however many there are."""
    return {}


def progress_of(job: Job) -> Progress:
    """How far a run has come."""
    return _followers().setdefault(job.directory, Follower(job.directory)).now()


def entry_of(job: Job) -> Entry:
    """A run that is no model yet, as the pages know models."""
    return Entry.of_run(job.name, get_preset(job.preset))


def is_active(job: Job) -> bool:
    """Whether it waits or trains."""
    return job.state in ("queued", *WORKING)


def is_known(job: Job) -> bool:
    """Whether its files still say what it trains."""
    return job.preset in presets()


def changes_of(job: Job) -> str:
    """What was changed of its preset's settings, in words."""
    return settings_in_words(changed_settings(get_preset(job.preset), job.config)) if is_known(job) else "damaged"


def open_queue() -> tuple[Queue, list[Job]]:
    """The queue with its jobs; the page stops with a plain line where there can be none."""
    try:
        queue = Queue()
        jobs = queue.jobs()
    except GenlibError as error:
        st.warning(f"Nothing can be trained here: {line_of(error)}")
        st.stop()
    followers, known = _followers(), {job.directory for job in jobs}
    for gone in [directory for directory in list(followers) if directory not in known]:
        followers.pop(gone, None)
    return queue, jobs


def choose_run(jobs: list[Job]) -> Job | None:
    """Which run to watch: the one just started, else the newest, those under way first."""
    by_id = {job.id: job for active in (True, False) for job in reversed(jobs) if is_active(job) is active}
    if gone := _take_the_run_of_the_address(by_id):
        st.warning(f"{plain(gone[:60])} is no run here any more.")
    if not by_id:
        return None
    if st.session_state.get("run") not in by_id:
        st.session_state.pop("run", None)
    chosen = by_id[st.selectbox("Run", list(by_id), key="run", **BOUND) or next(iter(by_id))]
    st.caption(f"{chosen.preset}, {plain(changes_of(chosen))}" if is_known(chosen) else "damaged")
    return chosen


def _take_the_run_of_the_address(runs: Mapping[str, Job]) -> str:
    """Streamlit takes an option as it is written; an older address has its settings behind it. The run it names that is
    not here."""
    asked = settings.asked("run")[-1:]
    if not asked or asked[0] in runs or settings.settings().settled:
        return ""
    name, _, _ = asked[0].partition(" · ")
    if name in runs:
        settings.correct("run", [name])
    return "" if name in runs else name


def show_table(queue: Queue, jobs: list[Job]) -> None:
    """Every run in a row, renewed while one of them trains."""
    st.header("All runs", anchor=False)
    st.fragment(_table, run_every=SECONDS if any(map(is_active, jobs)) else None)(queue)


def _table(queue: Queue) -> None:
    try:
        jobs = queue.jobs()
    except GenlibError as error:
        st.warning(line_of(error))
        return
    rows = []
    for job in reversed(jobs):
        progress = progress_of(job)
        distances = [record["fd"] for record in progress.records.values() if "fd" in record]
        rows.append(
            {
                "run": job.id,
                "state": BADGES[job.state][0],
                "epochs or iterations": f"{len(progress.records)} / {progress.epochs}" if progress.epochs else "",
                "Frechet distance": f"{distances[-1]:.2f}" if distances else "",
                "changed": changes_of(job),
                "time": duration(spent) if (spent := _spent(job)) else "",
            }
        )
    told = "Of the newest epoch, 5,000 samples unless it was a quick look"
    st.dataframe(rows, hide_index=True, column_config={"Frechet distance": st.column_config.TextColumn(help=told)})


def _spent(job: Job) -> float:
    """Seconds that a worker has spent on it."""
    return job.seconds + (elapsed(job) if job.state == "running" else 0)
