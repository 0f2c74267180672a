"""The commands that questions give: their fields are the flags, and the answer is saved."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from genlib import questions
from genlib.cli.commands import path_to_write

if TYPE_CHECKING:
    from genlib.questions.question import Question

COMMANDS = {  # by name, the question and what it draws
    "dataset": ("Dataset", "draw photographs, what a class looks like, or how pixels vary"),
    "mixtures": ("Mixtures", "draw samples of one Gaussian of a mixture"),
    "diversity": ("Diversity", "draw a row of samples of each class"),
}


def add_flags(parser: argparse.ArgumentParser, kind: type[Question]) -> None:
    """The model by place and a flag for each other field; what is not given is the field's default."""
    parser.add_argument(
        "--out", required=True, metavar="F", help="where to write: the picture as F.png, its numbers as F.npz"
    )
    for name, known in kind.fields().items():
        said = known["help"].replace("%", "%%")
        if name == "model":
            parser.add_argument("model", metavar="NAME", help=said)
        elif known["flag"] is not False:
            form: dict[str, Any] = {"action": "store_true"} if kind.kind(name) is bool else {"metavar": name.upper()}
            default = {**kind.defaults(), **kind.DEFAULTS}[name]
            parser.add_argument(f"--{kind.flag(name)}", dest=name, default=None, help=f"{said} ({default})", **form)


def read(kind: type[Question], options: argparse.Namespace) -> Any:
    """The question that the flags ask; GenlibError, which names the flag, for a value that it does not take."""
    from genlib.questions.question import from_text

    values = {}
    for name in kind.fields():
        value = getattr(options, name, None)
        if value is None:
            continue
        if isinstance(value, str) and name != "model":
            value = from_text(kind, name, value)
        kind.check(name, value, f"--{kind.flag(name)}")
        values[name] = value
    return kind(**{**kind.DEFAULTS, **values})


def run(options: argparse.Namespace) -> None:
    """Save the answer."""
    answer = read(options.kind, options).ask()
    answer.save(path_to_write(options.out, *answer.endings))


def question_of(command: str) -> type[Question]:
    """The class behind a command."""
    return getattr(questions, COMMANDS[command][0])
