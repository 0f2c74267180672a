"""A training as a terminal shows it: a bar, a line an epoch, and a stop that loses nothing."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from shlex import quote
from typing import Any

from genlib.errors import GenlibError, printable

_Signals = list[int]  # those that have asked the training to stop


def follow_training(options: argparse.Namespace, name: str, run_dir: Path, config: Any) -> None:
    """Draw a training's progress; SIGTERM and Ctrl-C stop it within seconds, and what is done can be resumed.

    Of several processes the first one stops and tells; the others end with it, mostly without a word.
    """
    from genlib.data import FashionMNIST
    from genlib.distributed import Processes
    from genlib.training.run import train
    from genlib.zoo.files import METRICS_FILE, RUN_FILE

    with asked_to_stop() as asked, _told_once(asked):
        processes = Processes.join(options.device)
        finished = (run_dir / METRICS_FILE).is_file()
        data = None if finished else FashionMNIST.load("train", progress=_tell if processes.leads else None)
        counts: dict[str, Any] = {key: getattr(options, key) for key in ("distance_samples", "evaluation_samples")}
        given = {key: count for key, count in counts.items() if count is not None}
        given |= {"start_from": options.start_from} if options.start_from else {}
        events = train(name, run_dir, config, data=data, device=options.device, resume=options.resume, **given)
        if processes.leads:
            if processes.count > 1 and processes.device.type != "cuda" and normalises_batches(name, config):
                _tell(f"batch norm sees each process' share of a batch alone: {name} is not the one of one process")
            _draw(events, name, run_dir, asked)
        else:
            list(events)
    if asked and not (run_dir / METRICS_FILE).is_file():
        again = f"; continue with: python -m genlib train {name} --run-dir {quote(str(run_dir))} --resume"
        _tell(f"stopped{again if (run_dir / RUN_FILE).is_file() else ' before the run began'}")


GRACE_SECONDS = 0.7  # for work to come to a good place to stop at
AGAIN_SECONDS = 10.0  # and for what it then has to write


@contextmanager
def signals_noted(at_first: Callable[[], object] = lambda: None) -> Iterator[_Signals]:
    """SIGINT and SIGTERM, as they come; what goes on looks here when it is a good moment to stop."""
    asked: _Signals = []

    def note(number: int, _: object) -> None:
        asked.append(number)
        if len(asked) == 1:
            at_first()

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def asked_to_stop() -> Iterator[_Signals]:
    """The same for the work of one process: where no good moment comes in most of a second, KeyboardInterrupt is raised
    in the midst of it, as Ctrl-C would; it ends the block."""

    def insist(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, insist)
    with signals_noted(lambda: signal.setitimer(signal.ITIMER_REAL, GRACE_SECONDS, AGAIN_SECONDS)) as asked:
        try:
            yield asked
        except KeyboardInterrupt:
            if not asked:
                raise
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def _stopping() -> None:
    """A good moment has come: what is written now is not to be interrupted, unless it takes long."""
    signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS, AGAIN_SECONDS)


@contextmanager
def _told_once(asked: _Signals) -> Iterator[None]:
    """What several processes meet is told by one: the first, or the second where that is the one that is gone."""
    from genlib.distributed import Lost, ToldByFirst

    try:
        yield
    except ToldByFirst:
        raise SystemExit(2) from None
    except Lost as lost:
        if lost.index == 0 or (lost.index == 1 and not asked):
            raise
        raise SystemExit(2) from None


def normalises_batches(name: str, config: Any) -> bool:
    """Whether a preset's networks have batch norm."""
    from torch.nn.modules.batchnorm import _BatchNorm

    from genlib.model import shapes_only
    from genlib.models import get_preset

    with shapes_only():
        return any(isinstance(module, _BatchNorm) for module in get_preset(name).build(config).modules())


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


def _draw(events: Iterator[Any], name: str, run_dir: Path, asked: _Signals) -> None:
    from tqdm import tqdm

    from genlib.training.events import Done, EpochDone, Measuring, Preparing, Started, Step
    from genlib.zoo.signs import to_mind

    first = next(events)  # bad input is told before there is a bar
    with tqdm(unit=" steps", dynamic_ncols=True, smoothing=0.05, mininterval=0.5) as bar:
        for event in chain((first,), events):
            if isinstance(event, Started):
                bar.reset(event.epochs * event.steps_per_epoch)
                bar.update(event.step)
            elif isinstance(event, Measuring):
                bar.set_description(f"measuring, {event.share:.0%}")
            elif isinstance(event, Preparing):
                bar.set_description(f"asking what it learns from, {event.share:.0%}")
            elif isinstance(event, Step):
                bar.set_description(None, refresh=False)
                bar.update(event.step - bar.n)
                if event.losses:
                    bar.set_postfix({key: f"{value:.4g}" for key, value in event.losses.items()}, refresh=False)
            elif isinstance(event, EpochDone):
                bar.write(_epoch_line(event.record), file=sys.stderr)
            elif isinstance(event, Done):
                print(f"{run_dir} holds the trained {name}: Frechet distance {event.metrics['fd']:.2f}")
                for sign in to_mind(run_dir):
                    bar.write(f"genlib: mind: {sign}", file=sys.stderr)
            if asked:
                _stopping()
                break
    events.close()  # type: ignore[attr-defined]  # writes the checkpoint, where it has not come to its end


def follow_shards(name: str, directory: str, n: int, seed: int, label: int | None) -> None:
    """Draw how samples are written in shards; after SIGTERM and Ctrl-C those that are whole are there."""
    from tqdm import tqdm

    from genlib.distributed import Processes
    from genlib.shards import write_shards

    with asked_to_stop() as asked, _told_once(asked):
        processes = Processes.join()
        with tqdm(total=n, unit=" images", dynamic_ncols=True, disable=not processes.leads) as bar:
            for done in write_shards(name, directory, n, seed, label):
                bar.update(min(n, done * processes.count) - bar.n)
                if asked:
                    break
    if asked and processes.leads:
        _tell("stopped; the same command continues")


def follow_evaluation(name: str, n: int, score: bool) -> dict[str, Any]:
    """Draw how a model is measured; its figures."""
    from genlib.metrics.evaluation import evaluate

    with _share_bar(name, drawn=True) as draw:
        return evaluate(name, n, score, draw)


def follow_settings(name: str) -> None:
    """Draw how a flow is measured at several settings, keep the figures, and print them."""
    from genlib.loading import own_directory
    from genlib.metrics.settings import keep_settings, measure_settings
    from genlib.stages import finish

    own_directory(name)  # before half an hour of measuring
    with _share_bar(name, drawn=True) as draw:
        found = finish(measure_settings(name), draw)
    keep_settings(name, found)
    for row in found.rows:
        setting = f"{row.steps} steps, guidance {row.guidance:g}" if row.steps else f"{row.model}, one step"
        print(f"{setting:<26}", *(f"{key} {value:.3f}" for key, value in row.figures.items()), sep="  ")


def follow_measuring(samples: str, target: Path | None) -> None:
    """Draw how samples in files are measured, then print the figures."""
    from genlib.distributed import Processes
    from genlib.io.files import write_json
    from genlib.metrics.evaluation import warning
    from genlib.metrics.samples import measure_samples
    from genlib.stages import finish

    with _told_once([]):
        processes = Processes.join("cpu")
        with _share_bar(samples, processes.leads) as draw:
            figures = finish(measure_samples(samples), draw)
        if processes.leads:
            if told := warning(figures["samples"]):
                _tell(f"genlib: {told}")
            for key, value in figures.items():
                if key not in ("floor", "spread"):
                    print(f"{key:<18}  {printable(_with_floor(key, value, figures['floor']))}")
            if target:
                write_json(target, figures)


def _with_floor(key: str, value: Any, floor: dict[str, Any]) -> str:
    """A figure, and what photographs score."""
    text = f"{value:.4f}" if isinstance(value, float) else str(value)
    real = floor.get(key)
    return f"{text:<10}  photographs {real:.4f}" if isinstance(real, float) and isinstance(value, float) else text


@contextmanager
def _share_bar(name: str, drawn: bool) -> Iterator[Callable[[float], object]]:
    """A bar for a share of work, gone when it is done."""
    from tqdm import tqdm

    form = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}, {remaining} left"
    with tqdm(total=1.0, desc=f"measuring {name}", bar_format=form, leave=False, disable=not drawn) as bar:
        yield lambda share: bar.update(share - bar.n)


def begun(options: argparse.Namespace, run_dir: Path) -> dict[str, Any]:
    """Preset and configuration of the run that is gone on with; empty where one is begun."""
    from genlib.zoo.files import read_run

    if options.on:
        from genlib.remote.request import read_rental

        if rental := read_rental(run_dir):
            return vars(rental)
    return read_run(run_dir) if options.resume and (run_dir / "run.json").is_file() else {}


def train_elsewhere(options: argparse.Namespace, preset: Any, run_dir: Path, config: Any) -> None:
    """Train on a machine of Hugging Face Jobs, and show its log."""
    from genlib.remote.follow import train_on_hf_jobs
    from genlib.remote.request import Wanted

    if options.device != "auto":
        raise GenlibError("--device is for this machine; --on hf-jobs takes the device of the --flavor")
    given = {name: getattr(options, name.replace("-", "_")) for name in ("distance-samples", "evaluation-samples")}
    counts = [part for name, count in given.items() if count is not None for part in (f"--{name}", str(count))]
    train_on_hf_jobs(Wanted(preset, config, run_dir, options.flavor, options.resume, counts))


def _epoch_line(record: dict[str, Any]) -> str:
    losses = "  ".join(f"{key} {value:.4g}" for key, value in record["losses"].items())
    fd = f"  FD {record['fd']:.2f}" if "fd" in record else ""
    return f"epoch {record['epoch']}: {losses}{fd}  {record['seconds']:.0f} s"
