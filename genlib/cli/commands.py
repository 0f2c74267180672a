"""What each command of the command line does. What is heavy is imported by the command that needs it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from genlib.errors import GenlibError


def run_list(options: argparse.Namespace) -> None:
    """Print the zoo, for a reader, as JSON or as a table in Markdown."""
    from genlib.zoo.catalogue import list_models, markdown_table
    from genlib.zoo.figures import written

    if options.markdown:
        print(markdown_table(options.markdown == "short"))
        return
    models = list_models()
    if options.json:
        print(json.dumps(models, indent=1))
        return
    print(f"{'name':<18}{'family':<18}{'parameters':>12}{'epochs':>8}{'FD':>8}  can")
    for model in models:
        fd = written(model["metrics"] or {}, "fd", "-")
        epochs = model["trained_epochs"] or "-"
        can = ", ".join(model["capabilities"])
        print(f"{model['name']:<18}{model['family']:<18}{model['parameters']:>12,}{epochs:>8}{fd:>8}  {can}")


def path_to_write(text: str, *suffixes: str, flag: str = "--out") -> Path:
    """A path to write: its ending and its directory are checked before any work is done."""
    path = Path(text)
    if path.suffix.lower() not in suffixes:
        raise GenlibError(f"{flag} takes a file ending in {' or '.join(suffixes)}, not {text!r}")
    if not path.parent.is_dir():
        raise GenlibError(f"cannot write {text}: there is no directory {path.parent}")
    if path.is_dir():
        raise GenlibError(f"cannot write {text}: it is a directory")
    return path


_COLUMNS = (
    *("fd", "fd_second", "fd_raw", "kid", "precision", "recall", "density", "coverage", "class_consistency"),
    *("balance_kl", "nearest_train", "mse", "cas", "ms_64"),
)


def run_evaluate(options: argparse.Namespace) -> None:
    """Print the protocol's figures as a table, model by model."""
    from genlib.cli.terminal import follow_measuring
    from genlib.loading import model_directory
    from genlib.metrics.evaluation import EVALUATION_SAMPLES
    from genlib.zoo.catalogue import all_trained

    if bool(options.names) + options.all + bool(options.samples) != 1:
        raise GenlibError("evaluate takes names of models, --all, or --samples with a directory or an .npz file")
    target = path_to_write(options.json, ".json", flag="--json") if options.json else None
    if options.samples:
        for flag in ("--n", "--score", "--inception", "--inception-weights"):
            value = getattr(options, flag.removeprefix("--").replace("-", "_"))
            if value is not None and value is not False:
                raise GenlibError(f"{flag} goes with models; all of --samples are measured, once")
        follow_measuring(options.samples, target)
        return
    options.n = EVALUATION_SAMPLES if options.n is None else options.n
    inception = options.inception or options.inception_weights is not None
    if inception and options.score:
        raise GenlibError("--score goes without --inception, which prints one figure")
    names = options.names or all_trained()
    for name in names:  # a mistyped one is refused before the first is measured
        model_directory(name)
    if inception:
        _print_inception(names, options, target)
    else:
        _print_figures(names, options, target)


def _print_figures(names: list[str], options: argparse.Namespace, target: Path | None) -> None:
    from genlib.cli.terminal import follow_evaluation
    from genlib.data import FashionMNIST
    from genlib.metrics.evaluation import warning
    from genlib.zoo.figures import FIGURES, written

    if not FashionMNIST.available("train"):
        print("genlib: without the training split the nearest training images are left out", file=sys.stderr)
    if told := warning(options.n):
        print(f"genlib: {told}", file=sys.stderr)
    heads = {key: FIGURES[key].short for key in _COLUMNS}
    heads = {key: f"{head:>{max(9, len(head) + 2)}}" for key, head in heads.items()}
    heads["fd"] = f"{'FD':>8}  {'+-':>5}  {'floor':>5}"
    print(f"{'name':<18}{''.join(heads.values())}")

    def measure(name: str) -> tuple[dict[str, Any], str]:
        figures = follow_evaluation(name, options.n, options.score)
        cells = {key: f"{written(figures, key, '-'):>{len(head)}}" for key, head in heads.items()}
        cells["fd"] = f"{figures['fd']:8.2f}  {figures['fd_std']:5.2f}  {figures['fd_floor']:5.2f}"
        return figures, "".join(cells.values())

    _print_each(names, measure, target)


def _print_inception(names: list[str], options: argparse.Namespace, target: Path | None) -> None:
    from tqdm import tqdm

    from genlib.metrics.inception import inception_distance

    def measure(name: str) -> tuple[float, str]:
        with tqdm(total=2 * options.n, unit=" images", dynamic_ncols=True, leave=False) as bar:
            found = inception_distance(
                name, options.n, weights=options.inception_weights, progress=lambda seen: bar.update(seen - bar.n)
            )
        return found, f"{found:>8.2f}  Inception FID, {options.n:,} samples"

    _print_each(names, measure, target)


def _print_each(names: list[str], measure: Callable[[str], tuple[Any, str]], target: Path | None) -> None:
    """What is measured of each model, and its line, as it comes; a damaged model does not keep the others."""
    from genlib.io.files import write_json

    failed, results = [], {}
    for name in names:
        try:
            results[name], line = measure(name)
        except GenlibError as error:
            if len(names) == 1:
                raise
            failed.append(name)
            print(f"{name}: not measured: {error}", file=sys.stderr)
            continue
        print(f"{name:<18}{line}", flush=True)
        if target:
            write_json(target, results)
    if failed:
        raise GenlibError(f"not measured: {', '.join(failed)}")


def run_trainings(options: argparse.Namespace) -> None:
    """Keep the figures of other trainings of a model with its own, and print them."""
    from genlib.questions.trainings import keep_figures
    from genlib.zoo.figures import FIGURES
    from genlib.zoo.trainings import keep_trainings

    metrics = keep_trainings(options.name, options.runs)
    keep_figures(options.name, options.runs)
    print(f"{'seed':<10}{''.join(f'{seed:>10}' for seed in metrics['training_seeds'])}")
    for key, figure in FIGURES.items():
        if values := metrics.get(f"{key}_trainings"):
            print(f"{figure.short:<10}{''.join(f'{format(value, figure.form):>10}' for value in values)}")


def run_findings(options: argparse.Namespace) -> None:
    """Print the verdict on each claim with its figures."""
    from genlib.findings.claims import BETTER, CLAIMS
    from genlib.findings.judge import judge_claim
    from genlib.io.files import write_json

    target = path_to_write(options.json, ".json", flag="--json") if options.json else None
    found = []
    for claim in CLAIMS:
        finding = judge_claim(claim)
        found.append(finding.to_dict())
        print(f"{claim.number}. {claim.title}: {finding.verdict}")
        for part in finding.parts:
            print(f"   {'yes' if part.holds else 'no ':<4}{part.rule}: {part.figures}")
        if finding.why:
            print(f"   {finding.why}", flush=True)
    if target:
        write_json(target, {"rule": BETTER, "findings": found})


def run_directions(options: argparse.Namespace) -> None:
    """Write strips along a generator's directions; with names, keep them beside the weights."""
    from genlib.analysis.directions import STOPS, direction_walks, keep_directions, load_directions
    from genlib.images import grid, png_bytes
    from genlib.io.files import write_file
    from genlib.loading import load

    path, n = path_to_write(options.out, ".png"), options.n
    if not 1 <= n <= 20:
        raise GenlibError(f"--n takes 1 to 20 samples, not {n}")
    model = load(options.name)
    found = keep_directions(options.name, options.names) if options.names else load_directions(options.name)
    images = direction_walks(model, found.steps, n, options.seed)
    write_file(path, png_bytes(grid(images, columns=len(STOPS), scale=4, gap=4)))
    print("\n".join(f"rows {n * i + 1} to {n * (i + 1)}: {name}" for i, name in enumerate(found.names)))


def run_push(options: argparse.Namespace) -> None:
    """Publish models on the Hub."""
    from genlib.publish.push import push

    if options.all:
        _push_all(options)
    elif len(options.target) == 2:
        name, repository = options.target
        print(push(name, repository, options.private))
    else:
        raise GenlibError("push takes a model and where to publish it, NAME owner/name, or --all owner")


def _push_all(options: argparse.Namespace) -> None:
    from genlib.publish.push import push_all

    if len(options.target) != 1 or "/" in options.target[0]:
        raise GenlibError("push --all takes the owner alone, a user or an organisation")
    damaged = []
    for name, outcome in push_all(options.target[0], options.private):
        if isinstance(outcome, GenlibError):
            damaged.append(name)
            print(f"{name}: not published: {outcome}", file=sys.stderr)
        else:
            print(f"{name}: {outcome}", flush=True)
    if damaged:
        raise GenlibError(f"not published: {', '.join(damaged)}")


def run_space(options: argparse.Namespace) -> None:
    """Publish the studio or the static site as a Space, or write its folder."""
    from genlib.publish.space import DOCKER, STATIC, publish

    kind = STATIC if options.static else DOCKER
    if options.dry_run is None:
        print(publish(options.repository, kind))
    else:
        kind.write(Path(options.dry_run), options.repository)
        print(f"{options.dry_run} holds what would be published as {options.repository}")
