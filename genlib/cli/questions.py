"""The commands that questions give: their fields are the flags, and the answer is saved."""

from __future__ import annotations

import argparse
from dataclasses import replace
from shlex import quote
from typing import TYPE_CHECKING, Any

from genlib import questions
from genlib.cli.commands import path_to_write
from genlib.cli.terminal import follow_settings
from genlib.errors import GenlibError

if TYPE_CHECKING:
    from genlib.questions.question import Question

COMMANDS = {  # by name, the question and what it draws
    "sample": ("Generate", "draw images from a trained model"),
    "dataset": ("Dataset", "draw photographs, what a class looks like, or how pixels vary"),
    "compare": ("Compare", "draw every model's answer to one seed and class, a row each"),
    "leaderboard": ("Leaderboard", "draw every model's quality against its size or time"),
    "mixtures": ("Mixtures", "draw samples of one Gaussian of a mixture"),
    "history": ("History", "draw samples of a model as it was after an epoch of its training"),
    "interpolate": ("Interpolate", "draw a walk between two samples of a model"),
    "latent": ("Latent", "draw principal components of hidden layers or latents, by class"),
    "reconstruct": ("Reconstruct", "draw a model's reconstructions of test images, or of a picture of your own"),
    "path": ("Trajectory", "draw a flow's way from noise to image, and the end expected at each point"),
    "variation": ("Variation", "draw which pixels of a class vary most, in photographs and in samples"),
    "discriminator": ("Discriminator", "draw how well a GAN's discriminator tells real from fake"),
    "diversity": ("Diversity", "draw a row of samples of each class"),
}


def _keep_axes(name: str) -> None:
    from genlib.analysis.latent import keep_fits

    keep_fits(name)


LACKS: dict[Any, str] = {  # what is said of a model without a capability
    "conditional": "takes no label",
    "integrates": "draws in one step: it has no steps and no guidance",
    "hidden_layers": "shows no hidden layers, and its latents draw no noise",
}
KEEPS = {  # commands that first find out, if asked to, what is kept beside the model's weights
    "latent": (_keep_axes, "fit a generator's axes, and keep them"),
    "path": (follow_settings, "measure steps and guidance (half an hour), and keep them"),
}


def add_flags(parser: argparse.ArgumentParser, kind: type[Question]) -> None:
    """The model by place and a flag for each other field; what is not given is the field's default."""
    if "model" in kind.fields():
        parser.add_argument("model", metavar="NAME", help=kind.fields()["model"]["said"])
    where = "where to write: the picture as F.png, its numbers as F.npz"
    where += "; D/ takes any number, in shards of 10,000" if kind.COMMAND == "sample" else ""
    parser.add_argument("--out", required=True, metavar="F", help=where)
    for name, known in kind.fields().items():
        if name != "model" and known["flag"] is not False:
            shown = {int: "N", float: "X"}.get(kind.kind(name), kind.flag(name).upper())
            form: dict[str, Any] = {"action": "store_true"} if kind.kind(name) is bool else {"metavar": shown}
            parser.add_argument(f"--{kind.flag(name)}", dest=name, default=None, help=_help(kind, name), **form)
    if kind.NAME in KEEPS:
        parser.add_argument("--keep", action="store_true", help=KEEPS[kind.NAME][1])


def _help(kind: type[Question], name: str) -> str:
    """What a flag sets, what it is chosen from, and its default, where it has one to show."""
    known, default = kind.fields()[name], {**kind.defaults(), **kind.DEFAULTS}[name]
    said = (known["said"] or known["label"]).removesuffix(".").replace("%", "%%")
    said = said[0].lower() + said[1:]
    if known["choices"] and name != "label":  # it says so itself
        said += f"; one of: {', '.join(known['choices'])}"
    if default in ((), "") or kind.kind(name) is bool or "unless given" in said:
        return said
    usual = "the model's own" if default is None else default
    return f"{said}; {usual} unless given"


def given(kind: type[Question], options: argparse.Namespace) -> dict[str, Any]:
    """The fields that flags set; GenlibError, which names the flag, for a value that a field does not take."""
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
    return values


def read(kind: type[Question], options: argparse.Namespace) -> Any:
    """The question that the flags ask; GenlibError where one of them would change nothing, but a seed, which one may
    give to every model: it sets what is random, if anything is."""
    values = given(kind, options)
    asked = kind(**{**kind.DEFAULTS, **values})
    for name in values:
        if name != "seed" and not asked.applies(name):
            raise GenlibError(f"--{kind.flag(name)} changes nothing here{_needed(asked, name)}")
    return asked


def _needed(asked: Question, name: str) -> str:
    """Why a field changes nothing: what the model cannot do, or the choices of another flag that it goes with."""
    from genlib.questions.keeping import loaded

    if (need := asked.fields()[name].get("when")) in LACKS:
        return f": a {loaded(asked.asked_model).family} model {LACKS[need]}"
    found = []
    for other, known in asked.fields().items():
        fits = [choice for choice in known.get("choices", ()) if replace(asked, **{other: choice}).applies(name)]
        flag = f"--{asked.flag(other)}"
        found += [f"{flag} {quote(choice)}" for choice in fits] if len(fits) <= 3 else [f"a {flag}"]
    return f"; it goes with {' or '.join(found)}" if found else " for this model and these flags"


def run(options: argparse.Namespace) -> None:
    """Save the answer; before, where asked for, find out what is kept."""
    answer = read(options.kind, options).ask()
    path = path_to_write(options.out, *answer.endings)
    if getattr(options, "keep", False):
        KEEPS[options.kind.NAME][0](options.model)
    answer.save(path)


def question_of(command: str) -> type[Question]:
    """The class behind a command."""
    return getattr(questions, COMMANDS[command][0])


def run_sample(options: argparse.Namespace) -> None:
    """Write samples as a picture, as arrays, or as a directory of shards."""
    from genlib.images import picture, png_bytes
    from genlib.io.files import write_file
    from genlib.questions.keeping import remembering

    if options.out.endswith("/"):
        _write_shards(options)
        return
    path, asked = path_to_write(options.out, ".png", ".npz"), read(options.kind, options)
    if path.suffix.lower() == ".npz":
        asked.ask().save(path)
        return
    with remembering():
        write_file(path, png_bytes(picture(asked.images, columns=10 if asked.heads else None)))


def _write_shards(options: argparse.Namespace) -> None:
    """Samples of a seed and a class, as many as wanted."""
    from genlib.cli.terminal import follow_shards
    from genlib.data import parse_label
    from genlib.questions.question import from_text

    kind = options.kind
    for name in kind.fields():
        if name not in ("model", "n", "seed", "label") and getattr(options, name) is not None:
            raise GenlibError(f"--{kind.flag(name)} goes with --out F.png or F.npz; shards are drawn as trained")
    texts = {name: getattr(options, name) for name in ("n", "seed")}
    whole = {"seed": 0, **kind.DEFAULTS} | {name: from_text(kind, name, text) for name, text in texts.items() if text}
    label = None if options.label is None else parse_label(options.label)
    follow_shards(options.model, options.out, label=label, **whole)


RUNS = {"sample": run_sample}  # else `run`
