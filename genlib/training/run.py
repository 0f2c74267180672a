"""Training in a run directory: an iterator of events, the same for the command line, the studio and the tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

from genlib.config import Config, GradientConfig
from genlib.data import FashionMNIST
from genlib.distributed import Processes
from genlib.errors import GenlibError, shown
from genlib.io.fields import whole
from genlib.io.files import make_directory, runs_directory, torn_files, within, write_file, write_json
from genlib.io.locks import locked
from genlib.loading import load
from genlib.metrics.evaluation import EVALUATION_SAMPLES, evaluating
from genlib.metrics.scores import FEWEST
from genlib.model import Preset
from genlib.models import get_preset
from genlib.sampling import MAX_SAMPLES
from genlib.stages import each
from genlib.training.checkpoint import check_facts, checkpoint_seconds, read_checkpoint
from genlib.training.events import Checkpointed, Done, EpochDone, Event, EventLog, Measuring
from genlib.training.loop import Run, is_flat
from genlib.training.origin import Origin, begin_from
from genlib.training.progress import read_progress
from genlib.zoo.card import write_card
from genlib.zoo.files import (
    BEFORE_DECAY,
    CHECKPOINT,
    METRICS_FILE,
    OF_TRAININGS,
    RUN_FILE,
    SAID_OF_EACH,
    read_metrics,
    read_run,
)

SAMPLES, LOG = "samples", "events.jsonl"
LOCK_SECONDS = 2.0  # someone may just be looking whether the run is being trained


def train(
    name: str,
    run_dir: str | Path,
    config: Config | None = None,
    *,
    data: FashionMNIST | None = None,
    device: str = "auto",
    resume: bool = False,
    distance_samples: int | None = None,
    evaluation_samples: int | None = None,
    start_from: str | Path | None = None,
) -> Iterator[Event]:
    """Train a preset, with its own or a changed configuration, in a run directory; yields events.

    Closing the iterator writes a checkpoint, as does Ctrl-C, but in the middle of a step, where the last one is kept.
    `resume` goes on from the newest one, changes nothing in a finished run but where the configuration has more epochs
    than it had (it is extended), and needs a run to be there. `data` is the
    training split unless given. The sample counts are those of the Frechet distance during and after training. A
    checkpoint is written every $GENLIB_CHECKPOINT_SECONDS, 60 unless set: a host whose machines are taken away at short
    notice sets it lower.
    Started by torchrun or `accelerate launch` in several processes, each takes its share of every batch, and the first
    one alone reads and writes the run directory, measures, and yields Done. Raises GenlibError for a run directory of
    another preset or configuration, one that another process trains, a damaged checkpoint, losses that stop being
    finite, or a process of the group that has ended.

    `start_from` is a model, by any name that `load` takes, whose weights the run begins with instead of new ones;
    run.json and history.json keep its name and hash. It must be of the same family and sizes.
    """
    preset, directory, processes = get_preset(name), Path(run_dir), Processes.join(device)
    distance_samples, evaluation_samples = counts = sample_counts(preset, distance_samples, evaluation_samples)
    check_samples(*counts)
    config, interval = config or preset.config, checkpoint_seconds()
    checkpoint = directory / CHECKPOINT
    with ExitStack() as stack:
        origin = processes.lead(lambda: None if start_from is None else Origin.of(start_from, preset, config))
        done, extension = processes.lead(
            lambda: _enter(stack, directory, preset, config, [*counts], checkpoint, resume, origin)
        )
        if done:
            yield Done(done)
            return
        data = FashionMNIST.load("train") if data is None else data
        if not len(data):
            raise GenlibError("there are no images to train on")
        run = Run(preset, config, data, processes, distance_samples)
        kept = extension.kept if extension else checkpoint
        state = processes.lead(lambda: read_checkpoint(kept) if kept.is_file() else None)
        described = extension.run if extension else processes.lead(lambda: read_run(directory))
        run.origin, run.extended = described.get("start_from"), described.get("extended", [])
        if state:
            run.restore(*state, kept)
        elif run.origin:
            begin_from(run, run.origin)
        # A checkpoint of no step may be from before the base was taken.
        if (base := run.model.base_name) and (run.model.base_answers or not (run.step or run.origin)):
            run.base = load(base)
        if extension:
            processes.lead(lambda: _extend(directory, extension, checkpoint))
        if processes.leads:
            yield from _log(run, directory, checkpoint, interval, evaluation_samples)
        else:
            yield from run.events(directory, checkpoint, interval)


def _enter(
    stack: ExitStack,
    directory: Path,
    preset: Preset,
    config: Config,
    counts: list[int],
    checkpoint: Path,
    resume: bool,
    origin: Origin | None,
) -> tuple[dict[str, Any], Extension | None]:
    """Make the run directory ours as long as the stack lasts; the metrics of a run that is done, else none, and how it
    is extended.
    """
    if resume and not directory.exists():  # a name mistyped makes none
        raise nothing_to_resume(directory)
    refuse_runs_directory(directory)
    make_directory(directory)
    stack.enter_context(locked(directory, LOCK_SECONDS, f"{directory} is being trained by another process"))
    for place in (checkpoint.parent, directory / SAMPLES, directory / LOG):
        within(directory, place.relative_to(directory))
    if (log := directory / LOG).exists() and not log.is_file():  # a pipe would wait for a reader
        raise GenlibError(f"cannot write {log}: not a regular file")
    if origin:
        origin.check(directory, checkpoint)
    if extension := _extension(directory, preset, config, counts, checkpoint, resume):
        return {}, extension
    refuse_wrong_directory(directory, preset, config, counts, checkpoint, resume)
    if origin:
        origin.note(directory)
    if (directory / "metrics.json").is_file():
        return read_metrics(directory, SAID_OF_EACH), None
    make_directory(directory / SAMPLES)
    for torn in torn_files(directory):
        if not torn.name.startswith(".job.json."):  # which is the queue's
            torn.unlink(missing_ok=True)
    return {}, None


def nothing_to_resume(directory: Path) -> GenlibError:
    """What is said where a run was to be resumed that was never begun."""
    begin = "leave out --resume to begin one" if _is_free(directory) else "give the directory of one"
    return GenlibError(f"there is no run in {directory} to resume; {begin}")


def _is_free(directory: Path) -> bool:
    """Whether a run may begin there: nothing is in it, or what a killed writing has left."""
    return not directory.exists() or not set(directory.iterdir()) - set(torn_files(directory))


def sample_counts(preset: Preset, distance: int | None = None, evaluation: int | None = None) -> tuple[int, int]:
    """Samples of each Frechet distance during a preset's training and after it: the usual ones unless given."""
    looks = preset.model_class.looks.samples
    return looks if distance is None else distance, EVALUATION_SAMPLES if evaluation is None else evaluation


def check_samples(*counts: int) -> None:
    """Raise GenlibError unless a Frechet distance can be had of so many samples."""
    for samples in counts:
        if not whole(FEWEST, MAX_SAMPLES).fits(samples):
            raise GenlibError(f"a distance takes {FEWEST} to {MAX_SAMPLES} samples, not {shown(samples)}")


def _log(run: Run, directory: Path, checkpoint: Path, interval: float, evaluation_samples: int) -> Iterator[Event]:
    """Train to the end and measure; every event is kept before it is told."""
    log = EventLog(directory / LOG)
    for event in _untold(run, directory):
        log.write(event)
    try:
        for event in _finishing(run, directory, checkpoint, interval, evaluation_samples):
            log.write(event)
            yield event
    except (GeneratorExit, KeyboardInterrupt):
        if not run.torn and not (directory / "metrics.json").is_file():
            run.save(checkpoint)
            log.write(Checkpointed(run.step))
        raise


def _untold(run: Run, directory: Path) -> Iterator[Event]:
    """What the history of a resumed run has, and not its log: it was stopped after the one and before the other."""
    told = read_progress(directory)
    for record in run.history:
        if (epoch := record["epoch"]) not in told.records:
            yield EpochDone(record)
        if epoch in run.rows and epoch not in told.samples:
            yield run.write_row(directory, epoch)


def _finishing(
    run: Run, directory: Path, checkpoint: Path, interval: float, evaluation_samples: int
) -> Iterator[Event]:
    """Train, then make the run directory a model and measure it."""
    yield from run.events(directory, checkpoint, interval)
    run.export(directory)
    metrics = (yield from each(evaluating(directory, evaluation_samples), Measuring)) | run.cost()
    write_card(directory, metrics)
    write_json(directory / METRICS_FILE, metrics)  # last: with it the run is done
    yield Done(metrics)


class Extension(NamedTuple):
    """What run.json is to say of a finished run that goes on, and the checkpoint that it goes on from."""

    run: dict[str, Any]
    kept: Path


def _extension(
    directory: Path, preset: Preset, config: Config, counts: list[int], checkpoint: Path, resume: bool
) -> Extension | None:
    """How a finished run gets more epochs, where that is all that was asked for; GenlibError where it cannot go on.

    It goes on from its last checkpoint. If its learning rate had fallen, it goes on from the one before that began:
    the fall is repeated at the new end. Nothing has changed yet.
    """
    if not resume or not (directory / RUN_FILE).is_file():
        return None
    run = read_run(directory)
    if run["preset"] != preset.name:
        return None
    before = type(config).from_dict(run["config"])
    killed = "extending" in run  # in the middle of `_extend`
    longer = (directory / METRICS_FILE).is_file() and config.epochs > before.epochs
    if not (killed or longer) or config != (before if killed else before.replace(epochs=config.epochs)):
        return None
    _refuse_other_samples(directory, run, counts)
    if not killed:
        reached = read_metrics(directory, SAID_OF_EACH)["train_epochs"]
        if reached < before.epochs and not isinstance(config, GradientConfig):
            raise GenlibError(f"{directory} has converged after {reached} {preset.unit}s: more would change nothing")
        run |= {"config": config.to_dict(), "extended": [*run.get("extended", []), reached]}
        run |= {"extending": BEFORE_DECAY if _has_decayed(before, reached) else checkpoint.name}
    kept, ended = checkpoint.with_name(run["extending"]), run["extended"][-1]
    history = _history_of(kept)
    if history is None or (kept == checkpoint and len(history) < ended):  # or one of before it went on elsewhere
        anew = f"; begin a new run with its weights: --start-from {quote(str(directory))}"
        takes_weights = isinstance(config, GradientConfig)
        raise GenlibError(f"{directory} has no checkpoint to go on from{anew if takes_weights else ''}")
    if is_flat(history, preset, config):
        raise GenlibError(
            f"{directory} ended with a distance that was flat after {ended} epochs, and is so by {config.epochs} too: "
            "nothing would be trained; give more epochs"
        )
    return Extension(run, kept)


def _extend(directory: Path, extension: Extension, checkpoint: Path) -> None:
    """Make a finished run one that is under way, once nothing is left that could refuse to go on.

    What it was stays a model until it has ended anew. run.json says so first, so that one that is killed on the way is
    extended to the end by the next look.
    """
    write_json(directory / RUN_FILE, extension.run)
    if extension.kept != checkpoint:
        write_file(checkpoint, extension.kept.read_bytes())
    for name in (*OF_TRAININGS, METRICS_FILE):  # of the model that it was, and of others as long
        (directory / name).unlink(missing_ok=True)
    write_json(directory / RUN_FILE, {key: value for key, value in extension.run.items() if key != "extending"})


def _history_of(checkpoint: Path) -> list[dict[str, Any]] | None:
    """The epochs that a checkpoint has behind it; None where there is no checkpoint."""
    if not checkpoint.is_file():
        return None
    facts = read_checkpoint(checkpoint)[1]
    check_facts(checkpoint, facts)
    return list(facts["history"])


def _has_decayed(config: Config, epochs: int) -> bool:
    """Whether the learning rate has begun to fall after so many epochs; one that ended early may have kept it."""
    part = getattr(config, "lr_decay", 0.0)
    return bool(part) and epochs > (1 - part) * config.epochs


def refuse_runs_directory(directory: Path) -> None:
    """GenlibError for the directory of all runs, whose lock is the queue's."""
    if os.path.realpath(directory) == os.path.realpath(runs_directory()):
        raise GenlibError(f"{directory} is the directory of all runs; give one in it: --run-dir {directory}/NAME")


def refuse_wrong_directory(
    directory: Path, preset: Preset, config: Config, counts: list[int] | None, checkpoint: Path, resume: bool
) -> None:
    """Note the run in its directory; GenlibError where that holds something else, or a run to be resumed.

    `counts` are the samples of a distance, during and after the training: one history has one kind of distance. None
    leaves them to the machine that trains.
    """
    description = directory / "run.json"
    wanted: dict[str, Any] = {"preset": preset.name, "config": config.to_dict()}
    wanted |= {} if counts is None else {"samples": counts}
    if not description.is_file():
        if resume:
            raise nothing_to_resume(directory)
        if not _is_free(directory):
            raise GenlibError(f"{directory} is not empty and holds no run; give a new run directory")
        write_json(description, wanted)
        return
    found = read_run(directory)
    if found["preset"] != preset.name:
        raise GenlibError(f"{directory} holds a run of {found['preset']}, not of {preset.name}")
    started = checkpoint.is_file() or (directory / "metrics.json").is_file()
    if started and not resume:
        raise GenlibError(f"{directory} already holds a run; continue with --resume or give a new run directory")
    # a field that is newer than the run had its default
    before = type(config).from_dict(found["config"]).to_dict()
    changed = [key for key, value in wanted["config"].items() if before.get(key) != value]
    if changed and started:
        key = changed[0]
        raise GenlibError(f"{directory} was started with {key}={before.get(key)}; resume it as it was, or start anew")
    if started and counts:
        _refuse_other_samples(directory, found, counts)
    if (directory / "metrics.json").is_file():
        return
    if not started and not resume:  # one that was killed before its first checkpoint: what it began with goes with it
        found.pop("start_from", None)
    write_json(description, found | wanted)


def _refuse_other_samples(directory: Path, run: dict[str, Any], counts: list[int]) -> None:
    if (given := run.get("samples", counts)) != counts:
        raise GenlibError(f"{directory} was started with distances of {given} samples; resume it as it was")
