"""The runs of the Train page: one watched live, what can be done with it, all of them, and their curves compared."""

from __future__ import annotations

import io
import threading
import time
import zipfile
from collections.abc import Callable
from typing import Any

import streamlit as st

from genlib.analysis.history import ROW, History, history_so_far
from genlib.catalogue import changed_settings
from genlib.errors import GenlibError
from genlib.jobs import Queue
from genlib.model import capabilities, get_preset
from genlib.progress import EventReader, Progress
from genlib.runs import RESTING, WORKING, Job
from ui import history, pictures, zoo
from ui.controls import BOUND
from ui.estimates import duration

STRIPS = 6  # epochs whose samples are shown under one another
SECONDS = 1.0  # between two looks at a run under way
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
MODEL_FILES = (
    *("model.safetensors", "config.json", "metrics.json", "history.json"),
    *("samples.png", "progress.png", "README.md"),
)


class Tracker:
    """A run's events read so far, for all sessions."""

    def __init__(self, job: Job) -> None:
        self._reader, self._progress, self._lock = EventReader(job.directory), Progress(), threading.Lock()

    def now(self) -> Progress:
        """The progress with what has come since."""
        with self._lock:
            for event in self._reader.read():
                self._progress.take(event)
            return self._progress


@st.cache_resource(max_entries=200, show_spinner=False)
def _tracker(job_id: str, _job: Job) -> Tracker:
    return Tracker(_job)


def progress_of(job: Job) -> Progress:
    """How far a run has come."""
    return _tracker(job.id, job).now()


def entry_of(job: Job) -> zoo.Entry:
    """A run that is no model yet, as the pages know models."""
    preset = get_preset(job.preset)
    return zoo.Entry(
        name=job.name,
        family=preset.family,
        summary=preset.summary,
        capabilities=tuple(capabilities(preset.model_class)),
        averaged=bool(preset.model_class.averaged),
        latent_size=0,
        metrics={},
    )


def title_of(job: Job) -> str:
    """The run and what was changed for it."""
    changes = changed_settings(get_preset(job.preset), job.config)
    return f"{job.id} · {zoo.told(changes)}"


def open_queue() -> tuple[Queue, list[Job]]:
    """The queue with its jobs; the page stops with a plain line where there can be none."""
    try:
        queue = Queue()
        return queue, queue.jobs()
    except GenlibError as error:
        st.warning(f"Nothing can be trained here: {error}")
        st.stop()


def choose_run(jobs: list[Job]) -> Job | None:
    """Which run to watch: the one just started, else the newest."""
    if not jobs:
        return None
    by_id = {job.id: job for job in reversed(jobs)}
    if st.session_state.get("run") not in by_id:
        st.session_state.pop("run", None)
    chosen = st.selectbox("Run", list(by_id), format_func=lambda job_id: title_of(by_id[job_id]), key="run", **BOUND)
    return by_id[chosen or jobs[-1].id]


def watch(queue: Queue, job: Job, visitor: str) -> None:
    """The run, looked at every second while it waits or trains."""
    st.fragment(_show_run, run_every=SECONDS if _is_active(job) else None)(queue, job, visitor)


def _is_active(job: Job) -> bool:
    return job.state in ("queued", *WORKING)


def _show_run(queue: Queue, job: Job, visitor: str) -> None:
    """The run as it is now: its samples, its place, its curves, and what can be done."""
    before = job.state
    try:
        queue.jobs()
        job = queue.get(job.id)
    except GenlibError as error:
        st.warning(str(error))
        return
    _announce(job)
    if job.state != before:
        st.rerun()  # what is around it tells its state too
    progress = progress_of(job)
    past = _past(job, progress)
    if past is None:
        st.markdown(_waiting(queue, job))
    else:
        _show_samples(job, past)
    _show_place(job, progress)
    _show_actions(queue, job, visitor)
    if past is not None and past.table:
        history.show_charts(history.Moment(entry_of(job), past, past.table[-1]["epoch"]))
        st.caption(
            "The Frechet distance here is that of 5,000 samples from the training images: a small sample to see where "
            "things go. A finished run is measured by the full protocol."
        )
    if job.state == "failed" and queue.may_touch(job, visitor) and job.log:
        with st.expander("The end of its log"):
            st.code(job.log, language=None)


def _past(job: Job, progress: Progress) -> History | None:
    try:
        records = [progress.records[epoch] for epoch in sorted(progress.records)]
        shown = {epoch: path for epoch, path in progress.samples.items() if epoch in progress.records}
        return history_so_far(job.directory, records, shown)
    except GenlibError:  # a picture is being replaced, or was deleted: the next look will tell
        return None


def _waiting(queue: Queue, job: Job) -> str:
    """What a visitor sees before there are pictures."""
    if job.state == "queued":
        first = [each for each in queue.jobs() if each.state == "queued" and each.since < job.since]
        ahead = len(first) + sum(each.state in WORKING for each in queue.jobs())
        return f"*Waits for {ahead} other run{'s' if ahead != 1 else ''}. Its pictures will come here.*"
    if job.state in WORKING:
        return "*The first samples come after the first epoch.*"
    return "*It has drawn no samples yet.*"


def _show_samples(job: Job, past: History) -> None:
    """The newest epochs' samples under one another, the newest first."""
    epochs = past.sample_epochs[-STRIPS:][::-1]
    for epoch in epochs:
        rows = past.at(epoch)[0].numpy()
        pictures.show_tiles(rows, ROW, f"Ten samples of {job.name} after epoch {epoch}, always from the same noise")
    told = ", ".join(map(str, epochs))
    unit = "EM iterations" if not hasattr(get_preset(job.preset).config, "batch_size") else "epochs"
    st.caption(f"Samples from the same noise after {unit} {told} (the newest above)")


def _show_place(job: Job, progress: Progress) -> None:
    """State, bar, time left, losses."""
    word, colour = BADGES[job.state]
    share = progress.step / progress.total if progress.total else 0.0
    parts = [f":{colour}-badge[{word}]"]
    if progress.total:
        parts.append(f"epoch {progress.epoch} of {progress.epochs}, step {progress.step:,} of {progress.total:,}")
    if job.state == "running" and progress.total:
        measuring = progress.step >= progress.total
        left = progress.seconds_left
        parts.append("measuring the finished model" if measuring else f"{duration(left)} left" if left else "")
    losses = "  ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in progress.losses.items())
    st.markdown(" · ".join(filter(None, parts)))
    if job.state != "done":
        st.progress(min(share, 1.0))
    if losses and job.state != "done":
        st.caption(f"Mean losses of the epoch: {losses}")
    if job.reason:
        (st.error if job.state == "failed" else st.info)(_sentence(job))


def _sentence(job: Job) -> str:
    reason = job.reason[0].upper() + job.reason[1:]
    kept = (job.directory / "checkpoint" / "last.safetensors").is_file()
    return (
        f"{reason}. Resume {'goes on from its last checkpoint' if kept else 'begins anew: there is no checkpoint yet'}."
    )


def _show_actions(queue: Queue, job: Job, visitor: str) -> None:
    """What may be done with the run in its state."""
    if not queue.may_touch(job, visitor):
        st.caption("Another visitor's run: you can look, not touch.")
    with st.container(horizontal=True, vertical_alignment="center"):
        if queue.may_touch(job, visitor):
            if job.state in ("queued", "running"):
                _button("Pause", "pause", queue.pause, job, visitor)
                _button("Cancel", "stop", queue.cancel, job, visitor)
            if job.state in RESTING:
                _button("Resume", "play_arrow", queue.resume, job, visitor)
            if job.state in ("done", "queued", *RESTING):
                _delete(queue, job, visitor)
        if job.state == "done":
            _take_away(job)


def _take_away(job: Job) -> None:
    """A finished run is a model: to keep, and to play with."""
    name, icon = f"{job.id}.zip", ":material/download:"
    st.download_button("Download", lambda: model_zip(job), name, "application/zip", icon=icon, on_click="ignore")
    st.page_link(
        "pages/generate.py",
        label="Open in Generate",
        icon=":material/auto_awesome:",
        query_params={"model": job.name},
    )


def _button(label: str, icon: str, action: Callable[..., Any], job: Job, visitor: str) -> None:
    st.button(label, key=f"{label}-{job.id}", icon=f":material/{icon}:", on_click=_do, args=(action, job.id, visitor))


def _delete(queue: Queue, job: Job, visitor: str) -> None:
    """Asks once more, since nothing brings a run back."""
    with st.popover("Delete", icon=":material/delete:"):
        st.markdown(f"Delete {job.id} with its model, curves and samples for good?")
        _button("Delete it", "delete", queue.delete, job, visitor)


def _do(action: Callable[..., Any], job_id: str, visitor: str) -> None:
    try:
        action(job_id, visitor)
        st.session_state.pop("refused", None)
    except GenlibError as error:
        st.session_state["refused"] = str(error)
    zoo.entries.clear()


def model_zip(job: Job) -> bytes:
    """The finished model's files in one archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in MODEL_FILES:
            archive.write(job.directory / name, f"{job.id}/{name}")
    return buffer.getvalue()


@st.cache_resource(show_spinner=False)
def _announced() -> set[str]:
    return set()


def _announce(job: Job) -> None:
    """A model that has just been finished is in every page at once."""
    if job.state == "done" and job.id not in _announced():
        _announced().add(job.id)
        zoo.entries.clear()


def show_table(queue: Queue, jobs: list[Job]) -> None:
    """Every run in a row, renewed while one of them trains."""
    st.markdown("#### All runs")
    st.fragment(_table, run_every=5 * SECONDS if any(map(_is_active, jobs)) else None)(queue)


def _table(queue: Queue) -> None:
    rows = []
    for job in reversed(queue.jobs()):
        progress = progress_of(job)
        distances = [record["fd"] for record in progress.records.values() if "fd" in record]
        rows.append(
            {
                "run": job.id,
                "state": BADGES[job.state][0],
                "epoch": f"{len(progress.records)} / {progress.epochs}" if progress.epochs else "",
                "Frechet distance": distances[-1] if distances else None,
                "changed": zoo.told(changed_settings(get_preset(job.preset), job.config)),
                "time": duration(job.seconds + (time.time() - job.since if job.state == "running" else 0)),
            }
        )
    form = {"Frechet distance": st.column_config.NumberColumn(format="%.2f", help="Of 5,000 samples, newest epoch")}
    st.dataframe(rows, hide_index=True, column_config=form)
