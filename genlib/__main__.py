"""The command line: python -m genlib COMMAND. Exit 0 on success, 2 on bad input with one line on stderr."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import textwrap
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn

from genlib import __version__
from genlib.errors import GenlibError


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise GenlibError(f"{message} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    try:
        options = _parser().parse_args(arguments)
        options.run(options)
    except GenlibError as error:
        print(f"genlib: {_one_line(str(error))}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader, such as head, has seen enough
        sys.stderr.close()
    return 0


def _one_line(text: str) -> str:
    """Fit for a terminal, though a damaged or hostile file may have given it its words."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return (
        textwrap.shorten(printable, 1_000, placeholder=" ...")
        if len(printable) > 1_000
        else " ".join(printable.split())
    )


def _parser() -> _Parser:
    parser = _Parser(prog="python -m genlib", description="Generative image models on Fashion-MNIST.")
    parser.add_argument("--version", action="version", version=f"genlib {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)

    add = commands.add_parser("list", help="every model of the zoo")
    form = add.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument("--markdown", action="store_true", help="the trained ones as the README's table")
    add.set_defaults(run=_list)

    add = commands.add_parser("sample", help="draw images from a trained model")
    add.add_argument("name", metavar="NAME", help="a model of the zoo or the directory of a run")
    add.add_argument("--out", required=True, metavar="F.png|F.npz")
    add.add_argument("--n", type=_whole("n"), default=64)
    add.add_argument("--seed", type=_whole("seed"), default=0)
    add.add_argument("--label", help="class number 0-9 or name; without it classes cycle 0..9")
    add.set_defaults(run=_sample)

    add = commands.add_parser("train", help="train a model, resumably")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--run-dir", metavar="D", help="default: $GENLIB_RUNS/NAME, else runs/NAME")
    for flag in ("epochs", "batch-size", "lr", "seed"):
        add.add_argument(f"--{flag}", metavar=flag[0].upper(), help=f"short for --set {flag.replace('-', '_')}=...")
    add.add_argument("--set", action="append", default=[], metavar="key=value", help="any field of the configuration")
    add.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    add.add_argument("--resume", action="store_true", help="go on from the run directory's newest checkpoint")
    for flag, count, behind in (
        ("distance-samples", "5,000 unless given", "each Frechet distance of the history"),
        ("evaluation-samples", "10,000 unless given", "the final figures of each seed"),
    ):
        add.add_argument(f"--{flag}", type=_whole(flag), metavar="N", help=f"fakes behind {behind}, {count}")
    add.set_defaults(run=_train)

    add = commands.add_parser("evaluate", help="measure trained models by the protocol")
    add.add_argument("names", nargs="*", metavar="NAME")
    add.add_argument("--all", action="store_true", help="every model with weights")
    add.add_argument("--n", type=_whole("n"), default=10_000, help="fakes a seed")
    add.add_argument("--json", metavar="F", help="also write the figures, by name, to F")
    add.add_argument("--score", action="store_true", help="train classifiers on conditional models' fakes (minutes)")
    add.set_defaults(run=_evaluate)

    add = commands.add_parser("findings", help="judge the studies' claims by the shipped models' figures")
    add.add_argument("--json", metavar="F", help="also write the verdicts with their figures to F")
    add.set_defaults(run=_findings)

    add = commands.add_parser("interpolate", help="draw a walk between two samples of a model")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--out", required=True, metavar="F.png")
    add.add_argument("--seed", type=_whole("seed"), default=0)
    add.add_argument("--rows", type=_whole("rows"), default=5, help="pairs, one a row")
    add.add_argument("--steps", type=_whole("steps"), default=10, help="pictures a row")
    add.add_argument("--path", choices=("spherical", "straight"), default="spherical")
    add.add_argument("--equal", choices=("input", "features"), default="input", help="where steps are equally large")
    add.set_defaults(run=_interpolate)

    add = commands.add_parser("directions", help="draw samples moved along a generator's strongest directions")
    _picture_of_a_model(add)
    add.add_argument("--n", type=_whole("n"), default=4, help="samples, a row each, up to 20")
    add.add_argument("--names", nargs="+", metavar="TEXT", help="fit, and keep beside the weights, a name a direction")
    add.set_defaults(run=_directions)

    add = commands.add_parser("latent", help="draw principal components of hidden layers or latents, by class")
    _picture_of_a_model(add)
    add.add_argument("--n", type=_whole("n"), default=2_000, help="points")
    add.add_argument("--label", help="class number 0-9 or name to show alone in colour")
    add.set_defaults(run=_latent)

    add = commands.add_parser("diversity", help="draw a row of samples of each class")
    _picture_of_a_model(add)
    add.add_argument("--n", type=_whole("n"), default=10, help="samples a class, up to 20")
    add.set_defaults(run=_diversity)

    add = commands.add_parser("discriminator", help="draw how well a GAN's discriminator tells real from fake")
    _picture_of_a_model(add)
    add.add_argument("--n", type=_whole("n"), default=2_000, help="test images, and as many fakes")
    add.add_argument("--norm", choices=("running", "batch"), default="running", help="statistics of batch norm")
    add.add_argument("--threshold", type=_share, default=0.5, help="real from this probability on")
    add.set_defaults(run=_discriminator)

    add = commands.add_parser("reconstruct", help="test images given back by a model, and what differs")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--out", required=True, metavar="F.png")
    add.add_argument("--n", type=_whole("n"), default=10, help="test images, the classes in turn")
    add.add_argument("--seed", type=_whole("seed"), default=0, help="draws the starts where latents are searched")
    add.set_defaults(run=_reconstruct)

    add = commands.add_parser("push", help="publish a trained model, or all of them, on the Hugging Face Hub")
    add.add_argument("target", nargs="*", metavar="NAME owner/name | --all owner")
    add.add_argument("--all", action="store_true", help="every model with weights, as owner/genlib-NAME")
    add.add_argument("--private", action="store_true", help="new repositories are private")
    add.set_defaults(run=_push)

    add = commands.add_parser("space", help="publish the studio as a Docker Space on the Hugging Face Hub")
    add.add_argument("repository", metavar="owner/name")
    add.add_argument("--dry-run", nargs="?", const="build/space", metavar="DIR", help="only write the Space's folder")
    add.set_defaults(run=_space)
    return parser


def _picture_of_a_model(add: argparse.ArgumentParser) -> None:
    add.add_argument("name", metavar="NAME", help="a model of the zoo or the directory of a run")
    add.add_argument("--out", required=True, metavar="F.png")
    add.add_argument("--seed", type=_whole("seed"), default=0)


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"threshold takes a number from 0 to 1, not {text!r}") from None


def _whole(name: str) -> Any:
    def parse(text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{name} takes a whole number, not {text!r}") from None

    return parse


def _list(options: argparse.Namespace) -> None:
    from genlib.catalogue import list_models, markdown_table

    if options.markdown:
        print(markdown_table())
        return
    models = list_models()
    if options.json:
        print(json.dumps(models, indent=1))
        return
    print(f"{'name':<18}{'family':<18}{'parameters':>12}{'epochs':>8}{'FD':>8}  can")
    for model in models:
        fd = f"{model['metrics']['fd']:.2f}" if model["metrics"] else "-"
        epochs = model["trained_epochs"] or "-"
        can = ", ".join(model["capabilities"])
        print(f"{model['name']:<18}{model['family']:<18}{model['parameters']:>12,}{epochs:>8}{fd:>8}  {can}")


def _target(text: str, *suffixes: str) -> Path:
    """A path to write: its ending and its directory are checked before any work is done."""
    path = Path(text)
    if path.suffix.lower() not in suffixes:
        raise GenlibError(f"--out takes a file ending in {' or '.join(suffixes)}, not {text!r}")
    if not path.parent.is_dir():
        raise GenlibError(f"cannot write {text}: there is no directory {path.parent}")
    if path.is_dir():
        raise GenlibError(f"cannot write {text}: it is a directory")
    return path


def _sample(options: argparse.Namespace) -> None:
    from genlib.data import parse_label
    from genlib.files import write_file
    from genlib.images import npz_bytes, picture, png_bytes
    from genlib.sampling import generate
    from genlib.store import load

    path = _target(options.out, ".png", ".npz")
    label = None if options.label is None else parse_label(options.label)
    images, labels = generate(load(options.name), options.n, options.seed, label)
    if path.suffix.lower() == ".npz":
        arrays = {"images": images.numpy()} | ({} if labels is None else {"labels": labels.numpy()})
        write_file(path, npz_bytes(**arrays))
    else:
        write_file(path, png_bytes(picture(images, columns=10 if labels is not None and label is None else None)))


def _train(options: argparse.Namespace) -> None:
    from genlib.files import read_json, runs_directory
    from genlib.model import get_preset

    preset = get_preset(options.name)
    run_dir = Path(options.run_dir or runs_directory() / preset.name)
    config = preset.config
    if options.resume and (run_dir / "run.json").is_file():
        saved = read_json(run_dir / "run.json")
        if saved.get("preset") == preset.name:  # what was set when the run began need not be said again
            config = preset.config.from_dict(saved["config"])
    settings = dict(_setting(text) for text in options.set)
    for key in ("epochs", "batch_size", "lr", "seed"):
        if (value := getattr(options, key)) is not None:
            settings[key] = value
    _follow(options, preset.name, run_dir, config.parse(settings))


def _setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise GenlibError(f"--set takes key=value, not {text!r}")
    return key, value


def _follow(options: argparse.Namespace, name: str, run_dir: Path, config: Any) -> None:
    """Draw a training's progress; SIGTERM and Ctrl-C stop it after the step under way, with a checkpoint."""
    from tqdm import tqdm

    from genlib.data import FashionMNIST
    from genlib.events import Done, EpochDone, Started, Step
    from genlib.training import train

    stopped = finished = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True

    handlers = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    data = FashionMNIST.load("train", progress=lambda line: print(line, file=sys.stderr))
    counts = {key: getattr(options, key) for key in ("distance_samples", "evaluation_samples")}
    given = {key: count for key, count in counts.items() if count is not None}
    events = train(name, run_dir, config, data=data, device=options.device, resume=options.resume, **given)
    try:
        first = next(events)  # bad input is told before there is a bar
        with tqdm(unit=" steps", dynamic_ncols=True, smoothing=0.05, mininterval=0.5) as bar:
            for event in chain((first,), events):
                if isinstance(event, Started):
                    bar.reset(event.epochs * event.steps_per_epoch)
                    bar.update(event.step)
                elif isinstance(event, Step):
                    bar.update(event.step - bar.n)
                    if event.losses:
                        bar.set_postfix({key: f"{value:.4g}" for key, value in event.losses.items()}, refresh=False)
                elif isinstance(event, EpochDone):
                    bar.write(_epoch_line(event.record), file=sys.stderr)
                elif isinstance(event, Done):
                    finished = True
                    print(f"{run_dir} holds the trained {name}: Frechet distance {event.metrics['fd']:.2f}")
                if stopped and isinstance(event, Step):
                    break
        if stopped and not finished:
            events.close()  # type: ignore[attr-defined]  # writes the checkpoint
            print(f"stopped; go on with: python -m genlib train {name} --run-dir {run_dir} --resume", file=sys.stderr)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _epoch_line(record: dict[str, Any]) -> str:
    losses = "  ".join(f"{key} {value:.4g}" for key, value in record["losses"].items())
    fd = f"  FD {record['fd']:.2f}" if "fd" in record else ""
    return f"epoch {record['epoch']}: {losses}{fd}  {record['seconds']:.0f} s"


_COLUMNS = (
    ("fd", "FD", 8, ".2f"),
    ("fd_std", "+-", 6, ".2f"),
    ("fd_floor", "floor", 7, ".2f"),
    ("fd_raw", "raw", 8, ".2f"),
    ("kid", "KID", 9, ".4f"),
    ("precision", "prec", 7, ".3f"),
    ("recall", "recall", 8, ".3f"),
    ("density", "dens", 7, ".3f"),
    ("coverage", "cover", 7, ".3f"),
    ("class_consistency", "class", 7, ".3f"),
    ("balance_kl", "KL", 7, ".3f"),
    ("nearest_train", "near", 7, ".2f"),
    ("mse", "MSE", 8, ".4f"),
    ("cas", "CAS", 7, ".3f"),
    ("ms_64", "ms/64", 8, ".1f"),
)  # key of the figure, heading, width and format


def _evaluate(options: argparse.Namespace) -> None:
    from genlib.catalogue import list_models
    from genlib.data import FashionMNIST
    from genlib.files import write_json
    from genlib.metrics.evaluation import evaluate

    if bool(options.names) == options.all:
        raise GenlibError("evaluate takes names of models, or --all")
    target = _target(options.json, ".json") if options.json else None
    names = options.names or [model["name"] for model in list_models() if model["sha256"]]
    results = {}
    if not FashionMNIST.available("train"):
        print("genlib: without the training split the nearest training images are left out", file=sys.stderr)
    print(f"{'name':<18}" + "".join(f"{label:>{width}}" for _, label, width, _ in _COLUMNS))
    for name in names:
        results[name] = figures = evaluate(name, options.n, options.score)
        cells = [
            f"{'-' if figures[key] is None else format(figures[key], form):>{width}}"
            for key, _, width, form in _COLUMNS
        ]
        print(f"{name:<18}{''.join(cells)}", flush=True)
    if target:
        write_json(target, results)


def _findings(options: argparse.Namespace) -> None:
    from genlib.claims import BETTER, CLAIMS
    from genlib.files import write_json
    from genlib.findings import judge_claim

    target = _target(options.json, ".json") if options.json else None
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


def _interpolate(options: argparse.Namespace) -> None:
    import torch

    from genlib.analysis.interpolation import pair_walks
    from genlib.files import write_file
    from genlib.images import grid, png_bytes
    from genlib.store import load

    path = _target(options.out, ".png")
    walks = pair_walks(load(options.name), options.seed, options.rows, options.steps, options.path, options.equal)
    images = torch.cat([walk.images for walk in walks])
    write_file(path, png_bytes(grid(images, columns=options.steps, scale=4, gap=4)))


def _directions(options: argparse.Namespace) -> None:
    from genlib.analysis.directions import STOPS, direction_walks, keep_directions, load_directions
    from genlib.files import write_file
    from genlib.images import grid, png_bytes
    from genlib.store import load

    path, n = _target(options.out, ".png"), options.n
    if not 1 <= n <= 20:
        raise GenlibError(f"--n takes 1 to 20 samples, not {n}")
    model = load(options.name)
    found = keep_directions(options.name, options.names) if options.names else load_directions(options.name)
    images = direction_walks(model, found.steps, n, options.seed)
    write_file(path, png_bytes(grid(images, columns=len(STOPS), scale=4, gap=4)))
    print("\n".join(f"rows {n * i + 1} to {n * (i + 1)}: {name}" for i, name in enumerate(found.names)))


def _latent(options: argparse.Namespace) -> None:
    from genlib.analysis.latent import outlines, projections
    from genlib.data import parse_label
    from genlib.drawing import scatter
    from genlib.files import write_file
    from genlib.images import png_bytes
    from genlib.store import load

    path = _target(options.out, ".png")
    label = None if options.label is None else parse_label(options.label)
    model = load(options.name)
    found = projections(model, options.n, options.seed, 2)
    panels = {name: each.coordinates.numpy() for name, each in found.items()}
    last = next(reversed(found.values()))
    ellipses = [outline.numpy() for outline in outlines(model, last)]
    write_file(path, png_bytes(scatter(panels, last.classes.numpy(), label, ellipses)))


def _diversity(options: argparse.Namespace) -> None:
    from genlib.analysis.diversity import class_grid, class_samples
    from genlib.files import write_file
    from genlib.images import png_bytes
    from genlib.store import load

    path = _target(options.out, ".png")
    if not 1 <= options.n <= 20:
        raise GenlibError(f"--n takes 1 to 20 samples a class, not {options.n}")
    write_file(path, png_bytes(class_grid(class_samples(load(options.name), options.n, options.seed), options.n)))


def _discriminator(options: argparse.Namespace) -> None:
    from genlib.analysis.discriminator import judge
    from genlib.drawing import pies
    from genlib.files import write_file
    from genlib.images import png_bytes

    path = _target(options.out, ".png")
    if not 0 <= options.threshold <= 1:
        raise GenlibError(f"--threshold takes a number from 0 to 1, not {options.threshold}")
    found = judge(options.name, options.n, options.seed, options.norm)
    write_file(path, png_bytes(pies(found.pies(options.threshold))))


def _reconstruct(options: argparse.Namespace) -> None:
    from genlib.analysis.reconstruction import choose, picture, reconstructions
    from genlib.data import FashionMNIST
    from genlib.files import write_file
    from genlib.images import png_bytes
    from genlib.noise import check_seed
    from genlib.store import load

    path = _target(options.out, ".png")
    rows, test = choose(options.n), FashionMNIST.load("test")
    images, labels = test.images[rows], test.labels[rows]
    *_, found = reconstructions(load(options.name), images, labels, check_seed(options.seed))
    write_file(path, png_bytes(picture(images, found.images)))


def _push(options: argparse.Namespace) -> None:
    from genlib.hub import push

    if options.all:
        _push_all(options)
    elif len(options.target) == 2:
        name, repository = options.target
        print(push(name, repository, options.private))
    else:
        raise GenlibError("push takes a model and where to publish it, NAME owner/name, or --all owner")


def _push_all(options: argparse.Namespace) -> None:
    from genlib.hub import push_all

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


def _space(options: argparse.Namespace) -> None:
    from genlib.space import publish, write_folder

    if options.dry_run is None:
        print(publish(options.repository))
    else:
        write_folder(Path(options.dry_run), options.repository)
        print(f"{options.dry_run} holds what would be published as {options.repository}")


if __name__ == "__main__":
    sys.exit(main())
