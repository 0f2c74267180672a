"""The command line: python -m genlib COMMAND. Exit 0 on success, 2 on bad input with one line on stderr."""

from __future__ import annotations

import argparse
import io
import re
import sys
import textwrap
from collections.abc import Sequence
from typing import Any, NoReturn

from genlib import __version__
from genlib.cli import commands, live_commands, questions, training_commands
from genlib.errors import GenlibError, printable

LONGEST_LINE = 1_000  # of an error, in characters


class _Parser(argparse.ArgumentParser):
    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """A question's flags are its fields; what the question stands on is heavy, and loaded for its command alone."""
        command = self.prog.rpartition(" ")[2]
        if command in questions.COMMANDS and self.get_default("kind") is None:
            self.set_defaults(kind=questions.question_of(command))
            questions.add_flags(self, self.get_default("kind"))
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        raise GenlibError(f"{message} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, 2 on bad input, 130 where Ctrl-C ended it."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":  # a path may be in no encoding
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        _refuse_empty(sys.argv[1:] if arguments is None else arguments)
        options = _parser().parse_args(arguments)
        options.run(options)
    except GenlibError as error:
        print(f"genlib: {_short(str(error))}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader, such as head, has seen enough
        sys.stderr.close()
        return 0
    except OSError as error:  # a path that this system cannot have, a disk that went away
        print(f"genlib: {_short(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("genlib: interrupted", file=sys.stderr)
        return 130
    return 0


def _refuse_empty(words: Sequence[str]) -> None:
    """An empty word is that of a shell's variable which is not set; it must not be taken for a flag left out."""
    for place, word in enumerate(words):
        if not word or re.fullmatch(r"--[a-z-]+=", word):
            flag = word or " ".join(words[max(0, place - 1) : place])
            raise GenlibError(f"{flag or 'the command'} has an empty value; give one, or leave it out")


def _short(text: str) -> str:
    return textwrap.shorten(printable(text), LONGEST_LINE, placeholder=" ...")


def _parser() -> _Parser:
    parser = _Parser(prog="python -m genlib", description="Generative image models on Fashion-MNIST.")
    parser.add_argument("--version", action="version", version=f"genlib {__version__}")
    names = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)

    add = names.add_parser("list", help="every model of the zoo")
    form = add.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON")
    form.add_argument(
        "--markdown",
        nargs="?",
        const="full",
        choices=("full", "short"),
        help="the trained ones as a table; short: six columns",
    )
    add.set_defaults(run=commands.run_list)

    add = names.add_parser("train", help="train a model, or all of them, resumably")
    add.add_argument("name", nargs="?", metavar="NAME")
    add.add_argument(
        "--all", action="store_true", help="every model, through the queue of runs; continues where it was"
    )
    add.add_argument("--run-dir", metavar="D", help="default: $GENLIB_RUNS/NAME, else runs/NAME")
    for flag in ("epochs", "batch-size", "lr", "seed"):
        add.add_argument(f"--{flag}", metavar=flag[0].upper(), help=f"short for --set {flag.replace('-', '_')}=...")
    add.add_argument("--set", action="append", default=[], metavar="key=value", help="any field of the configuration")
    add.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    add.add_argument(
        "--start-from", metavar="NAME|RUN", help="begin with the weights of a model with the same layer sizes"
    )
    add.add_argument(
        "--resume",
        action="store_true",
        help="continue from the run directory's newest checkpoint; with more --epochs, extend a finished run",
    )
    for flag, count, behind in (
        ("distance-samples", "5,000 unless given", "each Frechet distance of the history"),
        ("evaluation-samples", "10,000 unless given", "the final figures of each seed"),
    ):
        add.add_argument(f"--{flag}", type=_whole(flag), metavar="N", help=f"fakes behind {behind}, {count}")
    add.add_argument("--on", choices=("hf-jobs",), help="train on a machine rented from Hugging Face")
    add.add_argument("--flavor", metavar="F", help="which machine, t4-small unless given")
    add.set_defaults(run=training_commands.run_train)

    add = names.add_parser("evaluate", help="measure trained models by the protocol")
    add.add_argument("names", nargs="*", metavar="NAME")
    add.add_argument("--all", action="store_true", help="every model with weights")
    add.add_argument(
        "--samples",
        metavar="D/|F.npz",
        help="instead of a model, samples of any generator: an .npz of images, uint8 (N, 28, 28), with or without "
        "labels; a directory of 28 x 28 PNGs; the shards that `sample --out D/` wrote",
    )
    add.add_argument("--n", type=_whole("n"), help="samples a seed, 10,000 unless given")
    add.add_argument("--json", metavar="F", help="also write the figures, by name, to F")
    add.add_argument("--inception", action="store_true", help="print the Frechet Inception distance instead (an hour)")
    add.add_argument("--inception-weights", metavar="F.pth", help="the weights of its network; downloaded unless given")
    add.add_argument("--score", action="store_true", help="train classifiers on conditional models' fakes (minutes)")
    add.set_defaults(run=commands.run_evaluate)

    add = names.add_parser("findings", help="judge the studies' claims by the shipped models' figures")
    add.add_argument("--json", metavar="F", help="also write the verdicts with their figures to F")
    add.set_defaults(run=commands.run_findings)

    add = names.add_parser("directions", help="draw samples moved along a generator's strongest directions")
    _picture_of_a_model(add)
    add.add_argument("--n", type=_whole("n"), default=4, help="samples, a row each, up to 20")
    add.add_argument("--names", nargs="+", metavar="TEXT", help="fit, and keep beside the weights, a name a direction")
    add.set_defaults(run=commands.run_directions)

    for command, (_, what) in questions.COMMANDS.items():
        names.add_parser(command, help=what).set_defaults(run=questions.RUNS.get(command, questions.run))

    add = names.add_parser("export", help="write a model for other engines: the live studio's, or any that reads ONNX")
    add.add_argument("name", metavar="NAME", help="a model of the zoo, the directory of a run, or owner/name")
    add.add_argument("--out", required=True, metavar="D/", help="made where there is none")
    add.add_argument("--weights", choices=("averaged", "raw"), default="averaged", help="which generator of a GAN")
    live, onnx = "the live studio's program and weights", "one file for other engines (needs genlib[onnx])"
    add.add_argument("--format", choices=("live", "onnx"), default="live", help=f"{live} (default), or {onnx}")
    add.set_defaults(run=live_commands.run_export)

    add = names.add_parser("site", help="write a web site of static files: the live page, cards, leaderboard, findings")
    add.add_argument("models", nargs="*", metavar="MODEL", help="every trained model of the zoo unless some are named")
    add.add_argument("--out", required=True, metavar="D/", help="a new or empty directory, or a site written before")
    add.set_defaults(run=live_commands.run_site)

    add = names.add_parser("trainings", help="keep the figures of other trainings of a model with its own")
    add.add_argument("name", metavar="NAME", help="a model of the zoo or the directory of a run")
    add.add_argument("runs", nargs="+", metavar="RUN", help="a finished run with the same settings and another seed")
    add.set_defaults(run=commands.run_trainings)

    add = names.add_parser("push", help="publish a trained model, or all of them, on the Hugging Face Hub")
    add.add_argument("target", nargs="*", metavar="NAME owner/name | --all owner")
    add.add_argument("--all", action="store_true", help="every model with weights, as owner/genlib-NAME")
    add.add_argument("--private", action="store_true", help="new repositories are private")
    add.set_defaults(run=commands.run_push)

    add = names.add_parser("space", help="publish the studio, or the static site, as a Space on the Hugging Face Hub")
    add.add_argument("repository", metavar="owner/name")
    add.add_argument(
        "--static", action="store_true", help="the static site, which is free, instead of the studio in Docker"
    )
    add.add_argument("--dry-run", nargs="?", const="build/space", metavar="DIR", help="only write the Space's folder")
    add.set_defaults(run=commands.run_space)
    return parser


def _picture_of_a_model(add: argparse.ArgumentParser) -> None:
    add.add_argument("name", metavar="NAME", help="a model of the zoo or the directory of a run")
    add.add_argument("--out", required=True, metavar="F.png")
    add.add_argument("--seed", type=_whole("seed"), default=0)


def _whole(name: str) -> Any:
    def parse(text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{name} takes a whole number, not {text!r}") from None

    return parse


if __name__ == "__main__":
    sys.exit(main())
