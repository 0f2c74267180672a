"""One run of the Train page, watched live: its samples, its place, what can be done with it, and its curves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from shlex import quote
from typing import Any

import streamlit as st
import torch

from genlib.analysis.history import ROW, History, history_so_far, read_history
from genlib.errors import GenlibError, shown
from genlib.jobs.archive import archived, check_archive
from genlib.jobs.estimates import duration
from genlib.jobs.queue import Queue
from genlib.jobs.run import RESTING, WORKING, Job
from genlib.metrics.evaluation import EVALUATION_SAMPLES
from genlib.metrics.floor import training_floor
from genlib.model import Preset
from genlib.models import get_preset
from genlib.training.progress import Progress
from genlib.zoo.signs import signs
from ui import history, pictures, zoo
from ui.runs import BADGES, entry_of, is_active, is_known, progress_of
from ui.train import is_let_in
from ui.words import capitalised, line_of, plain

UNUSABLE = "cannot be resumed"  # in what a training says of a damaged checkpoint, and would say again
STRIPS = 6  # epochs whose samples are shown under one another
SECONDS = 1.0  # between two looks at a run under way


def watch(queue: Queue, job: Job, by: str | None) -> None:
    """The run, looked at every second while it waits or trains; `by` is for whom the queue changes it."""
    st.fragment(_show_run, run_every=SECONDS if is_active(job) else None)(queue, job, by)


def _show_run(queue: Queue, job: Job, by: str | None) -> None:
    """The run as it is now: its samples, its place, and what can be done."""
    before = job.state
    try:
        queue.jobs()
        job = queue.get(job.id)
    except GenlibError as error:
        st.warning(line_of(error))
        return
    _announce(job)
    if job.state != before:
        st.rerun()  # what is around it tells its state too
    if not is_known(job):
        st.error(_sentence(job))
        _show_actions(queue, job, by)
        return
    progress = progress_of(job)
    past = _past(job, progress)
    if past is None:
        st.markdown(_waiting(queue, job))
        show_example(get_preset(job.preset))
    else:
        _show_samples(job, past)
    _show_place(job, progress)
    _show_actions(queue, job, by)
    for sign in signs(job.directory) if job.state == "done" else []:
        st.warning(f"{plain(capitalised(sign))}.")
    if job.state == "failed" and queue.may_touch(job, by) and job.log:
        with st.expander("The end of its log"):
            st.code(job.log, language=None)


def watch_curves(queue: Queue, job: Job) -> None:
    """The run's curves, drawn anew as it goes on."""
    st.fragment(_show_curves, run_every=SECONDS if is_active(job) else None)(queue, job)


def _show_curves(queue: Queue, job: Job) -> None:
    try:
        job = queue.get(job.id)
    except GenlibError:
        return  # as is said above the form
    past = _past(job, progress_of(job)) if is_known(job) else None
    if past is not None and past.table:
        history.show_charts(history.Moment(entry_of(job), past, past.table[-1]["epoch"]))
        st.caption(_reading(job))


def _reading(job: Job) -> str:
    """What the distances are worth."""
    count, final = _counts(job)
    quick = final is not None and final < EVALUATION_SAMPLES
    later = "The finished run gets a quick look too" if quick else "The finished run is measured by the full protocol"
    return (
        f"The Frechet distance here is that of {count:,} samples from the training images: enough to see where things "
        f"go. As many test photographs score {training_floor(count):.2f}, the level line. {later}."
    )


def _counts(job: Job) -> tuple[int, int | None]:
    """Samples of each distance and of the finished run's measuring, None where that is not told."""
    return job.samples or (get_preset(job.preset).model_class.looks.samples, None)


def _past(job: Job, progress: Progress) -> History | None:
    try:
        records = [progress.records[epoch] for epoch in sorted(progress.records)]
        newest = sorted(progress.samples.keys() & progress.records.keys())[-STRIPS:]
        shown = {epoch: progress.samples[epoch] for epoch in newest}
        past = history_so_far(job.directory, records, shown)
        return past and replace(past, looks={"samples": _counts(job)[0]})
    except GenlibError:  # a picture is being replaced, or was deleted: the next look will tell
        return None


def show_example(preset: Preset) -> None:
    """Where there is nothing to see yet: how the shipped model of this preset came about."""
    try:
        past = read_history(preset.name)
    except GenlibError:
        st.info(
            f"{preset.name} is not shipped here, so there is no training of it to show yet. Start one, here or in a "
            f"shell: `python -m genlib train {preset.name}`"
        )
        return
    last = len(past.sample_epochs) - 1
    shown = [past.sample_epochs[round(last * place / 5)] for place in range(min(6, last + 1))]
    told = f"How the shipped {preset.name} learned: samples from the same noise after {preset.unit}s "
    told += ", ".join(map(str, shown))
    pictures.show_tiles(torch.cat([past.at(epoch)[0] for epoch in shown]).numpy(), ROW, told, caption=told)


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
    unit, several = get_preset(job.preset).unit, len(epochs) > 1
    told = f"{unit}{'s' if several else ''} {', '.join(map(str, epochs))}"
    alt = f"Ten samples of {job.name} after {told}, always from the same noise"
    images = torch.cat([past.at(epoch)[0] for epoch in epochs]).numpy()
    order = ", the newest above" if several else ""
    pictures.show_tiles(images, ROW, alt, caption=f"Samples from the same noise after {told}{order}")


def _show_place(job: Job, progress: Progress) -> None:
    """State, bar, time left, losses."""
    word, colour = BADGES[job.state]
    share = progress.step / progress.total if progress.total else 0.0
    unit = get_preset(job.preset).unit
    parts = [f":{colour}-badge[{word}]"]
    if job.state == "done":
        parts.append(f"{len(progress.records):,} {unit}{'s' if len(progress.records) != 1 else ''}")
    elif progress.total:
        parts.append(f"{unit} {progress.epoch} of {progress.epochs}, step {progress.step:,} of {progress.total:,}")
    if job.state == "running" and progress.total:
        parts.append(_doing(progress))
    losses = ", ".join(f"{plain(name.replace('_', ' '))} {value:.4g}" for name, value in progress.losses.items())
    st.markdown(" · ".join(filter(None, parts)))
    if job.state != "done":
        st.progress(min(share, 1.0))
    if losses and job.state != "done":
        st.caption(f"Mean losses of the epoch: {losses}")
    if job.reason:
        (st.error if job.state == "failed" else st.info)(_sentence(job))


def _doing(progress: Progress) -> str:
    """What a run that trains is at: measuring, asking another model, or how long it will still train."""
    finished = progress.step >= progress.total and progress.epochs in progress.records
    if finished or progress.measuring is not None:
        what = "the finished model" if finished else f"epoch {progress.epoch}"
        share = "" if progress.measuring is None else f", {progress.measuring:.0%}"
        return f"measuring {what}{share}"
    if progress.preparing is not None:
        return f"asking the model it learns from, {progress.preparing:.0%}"
    left = progress.seconds_left
    return f"{duration(left)} left" if left else ""


def _sentence(job: Job) -> str:
    reason = job.reason or f"this genlib knows no preset {shown(job.preset)}"
    reason = plain(capitalised(reason))
    if job.state not in RESTING or not is_known(job) or UNUSABLE in reason:
        return f"{reason}."
    kept = (job.directory / "checkpoint" / "last.safetensors").is_file()
    return (
        f"{reason}. Resume {'goes on from its last checkpoint' if kept else 'begins anew: there is no checkpoint yet'}."
    )


def _show_actions(queue: Queue, job: Job, by: str | None) -> None:
    """What may be done with the run in its state."""
    if not queue.may_touch(job, by):
        st.caption(f"{'Another visitor' if job.owner else 'The host'}'s run: you can watch it, but not change it.")
    with st.container(horizontal=True, vertical_alignment="center"):
        if queue.may_touch(job, by):
            if job.state in ("queued", "running"):
                _button("Pause", "pause", queue.pause, job, by)
                _button("Cancel", "stop", queue.cancel, job, by)
            if job.state in RESTING and is_known(job) and is_let_in(queue.limits):
                _button("Resume", "play_arrow", queue.resume, job, by)
            if job.state in ("done", "queued", *RESTING):
                _delete(queue, job, by)
        if job.state == "done":
            _take_away(job)


def _take_away(job: Job) -> None:
    """A finished run is a model: to keep, and to play with."""
    name, icon = f"{job.id}.zip", ":material/download:"
    try:
        check_archive(job)
    except GenlibError as error:
        st.caption(f"It cannot be downloaded here: {line_of(error)}.")
    else:
        st.download_button("Download", lambda: archived(job), name, "application/zip", icon=icon, on_click="ignore")
    with st.popover("Publish", icon=":material/publish:"):
        st.markdown("To the Hugging Face Hub, with your token, from a shell in this studio's directory:")
        st.code(f"python -m genlib push {quote(job.name)} owner/name", language="sh")
    st.page_link(
        "pages/generate.py",
        label="Open in Generate",
        icon=":material/auto_awesome:",
        query_params={"model": job.name},
    )


def _button(label: str, icon: str, action: Callable[..., Any], job: Job, by: str | None) -> None:
    st.button(label, key=f"{label}-{job.id}", icon=f":material/{icon}:", on_click=_do, args=(action, job.id, by))


def _delete(queue: Queue, job: Job, by: str | None) -> None:
    """Asks once more, since nothing brings a run back."""
    with st.popover("Delete", icon=":material/delete:"):
        st.markdown(f"Delete {plain(job.id)} with its model, curves and samples for good?")
        _button("Delete it", "delete", queue.delete, job, by)


def _do(action: Callable[..., Any], job_id: str, by: str | None) -> None:
    try:
        action(job_id, by)
        st.session_state.pop("refused", None)
    except GenlibError as error:
        st.session_state["refused"] = line_of(error)
    zoo.entries.clear()


@st.cache_resource(show_spinner=False)
def _announced() -> set[str]:
    return set()


def _announce(job: Job) -> None:
    """A model that has just been finished is in every page at once."""
    if job.state == "done" and job.id not in _announced():
        _announced().add(job.id)
        zoo.entries.clear()
