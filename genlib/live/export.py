"""Models as the live studio loads them: a program in JSON, and the weights that it names in half precision.

Both are made when they are first asked for, and kept in the user's cache.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from safetensors.torch import save as build_safetensors
from torch import Tensor

from genlib import __version__
from genlib.analysis.directions import FILE, load_directions
from genlib.data.sources import cache_directory
from genlib.errors import GenlibError
from genlib.io.files import LARGEST_JSON, make_directory, read_file, write_file
from genlib.io.locks import locked
from genlib.loading import load, model_directory
from genlib.model import Conditional, HiddenLayers, Model
from genlib.program import FORMAT, Described, Program, Value
from genlib.store import shipped
from genlib.zoo.files import CONFIG_FILE, read_described

PROGRAM_FILE, WEIGHTS_FILE = "program.json", "weights.safetensors"
PATIENCE_SECONDS = 60.0  # for another that writes the same


def program_of(model: Model) -> tuple[Program, Value]:
    """The program that draws what `model.sample` does, and its output: an image, or a velocity to integrate.

    Raises GenlibError, in one line, where the family has none.
    """
    if not isinstance(model, Described):
        raise GenlibError(f"a {model.family} model has no live program yet: its family does not describe itself")
    program = Program(model)
    inputs = [program.latent(model.latent_shape), *([program.classes()] if isinstance(model, Conditional) else [])]
    output = model.describe(program, *inputs)
    if output.shape != (1, 28, 28):
        raise GenlibError(f"the program of a {model.family} model ends in {output.shape}, not in an image (1, 28, 28)")
    return program, output


def export(name: str | Path, directory: Path, weights: str = "averaged") -> None:
    """Write a model's program.json and weights.safetensors to a directory, which is made where there is none.

    `name` is a preset, a run, a path or a model on the Hub; `weights` is "averaged" or "raw", as for `load`.
    """
    model = load(name, weights)
    facts = {"name": read_described(model_directory(name))["name"], "family": model.family}
    directions = {"directions": _directions(name)} if isinstance(model, HiddenLayers) else {}
    save_program(model, directory, facts | directions)


def save_program(model: Model, directory: Path, facts: dict[str, Any]) -> None:
    """Write the program and the weights of any model; `facts` go into the program beside what the engine needs."""
    program, output = program_of(model)
    data = build_safetensors({key: _stored(program, key) for key in program.tensors})
    weights = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    described = {**program.described(output), **facts, "weights": weights}
    make_directory(directory)
    with locked(directory, PATIENCE_SECONDS, f"another process is writing to {directory}; try again"):
        written = {PROGRAM_FILE: (json.dumps(described, separators=(",", ":")) + "\n").encode(), WEIGHTS_FILE: data}
        drafts = {name: directory / f".{name}.draft" for name in written}
        try:
            for name, draft in drafts.items():
                write_file(draft, written[name])  # both fit before what was there goes
            (directory / PROGRAM_FILE).unlink(missing_ok=True)  # a kill from here on leaves no pair of two models
            for name in (WEIGHTS_FILE, PROGRAM_FILE):
                drafts[name].replace(directory / name)
        except OSError as error:
            raise GenlibError(f"cannot write {directory}: {error.strerror or error}") from error
        finally:
            for draft in drafts.values():
                with suppress(OSError):
                    draft.unlink(missing_ok=True)


def _stored(program: Program, key: str) -> Tensor:
    """A tensor of the model as it is shipped, which loses nothing; a constant in full precision."""
    tensor = program.tensors[key]
    return tensor.contiguous() if key in program.constants else shipped(tensor)


def _directions(name: str | Path) -> list[dict[str, Any]]:
    """The latent directions: what each changes, and its step of one standard deviation."""
    found = load_directions(name)
    return [
        {"name": text, "step": [round(value, 5) for value in step]}
        for text, step in zip(found.names, found.steps.tolist(), strict=True)
    ]


def exported(name: str | Path, weights: str = "averaged") -> Path:
    """The cache's directory of a model's program and weights, made where it is not there yet.

    Other weights, settings, names of directions and versions of genlib have directories of their own: what a stranger's
    model says of itself is in no other's.
    """
    source = model_directory(name)
    parts = ["\n".join([__version__, str(FORMAT), weights]).encode()]
    parts += [read_file(source / file, LARGEST_JSON) for file in (CONFIG_FILE, FILE) if (source / file).is_file()]
    key = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
    directory = cache_directory() / "live" / key[:32]
    if not _is_whole(directory):
        make_directory(directory.parent)
        with locked(directory.parent, PATIENCE_SECONDS, "other models are being made ready; try again"):
            if not _is_whole(directory):  # whoever was before us may have made it
                export(source, directory, weights)
    return directory


def _is_whole(directory: Path) -> bool:
    return all((directory / file).is_file() for file in (PROGRAM_FILE, WEIGHTS_FILE))
