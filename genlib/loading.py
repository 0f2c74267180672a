"""A trained model by any name it may have: shipped, a run, a directory, a repository on the Hub."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote

import torch

from genlib.errors import GenlibError, shown
from genlib.hub.fetch import fetch
from genlib.io.fields import TEXT, read_fields
from genlib.io.files import runs_directory
from genlib.model import Model, device_for, resolve_device
from genlib.models import get_preset, presets
from genlib.store import read_model

SHIPPED = Path(__file__).resolve().parent.parent / "weights"


def weights_directory() -> Path:
    """Where shipped models live: $GENLIB_WEIGHTS, else weights/ beside the package."""
    given = os.environ.get("GENLIB_WEIGHTS")
    return Path(given) if given else SHIPPED


def is_repository(name: str | Path) -> bool:
    """Whether a name means a model on the Hub: "owner/name" that no path of this machine has.

    A name that begins with "/", "./", "../" or "~" is always a path, as is a Path; runs/ID is always a run.
    """
    owner, slash, rest = str(name).partition("/")
    written = (
        isinstance(name, str) and bool(slash and owner and rest) and "/" not in rest and os.path.normpath(name) == name
    )
    return written and owner != "runs" and owner[0] not in ".~" and not os.path.exists(name)


def model_directory(name: str | Path, revision: str | None = None) -> Path:
    """The directory of a preset's name, of runs/ID, of a path, or of "owner/name" on the Hub, which is fetched.

    `revision` is a branch, tag or commit on the Hub. Raises GenlibError where there is no model.
    """
    if is_repository(name):
        return fetch(str(name), revision)
    if revision is not None:
        raise GenlibError(f'revision goes with a model on the Hub, "owner/name"; {name} is none')
    directory = Path(os.path.expanduser(name))
    if directory.parts[:1] == ("runs",):
        run = runs_directory().joinpath(*directory.parts[1:])
        named = isinstance(name, str) and name.startswith("runs/")  # as the queue and the pages name it; no path
        directory = run if (named and os.path.isdir(run)) or not os.path.isdir(directory) else directory
    if not (os.sep in str(name) or os.path.isdir(directory)):
        directory = weights_directory() / get_preset(str(name)).name
    if not os.path.isfile(directory / "config.json"):  # which raises nothing, be the name too long or not ours to see
        raise GenlibError(_missing(name, directory))
    return directory


def own_directory(name: str | Path) -> Path:
    """The directory of a model of this machine, beside whose weights something is to be kept.

    Raises GenlibError for one of the Hub: its directory is the Hub's cache, which must hold what the Hub has.
    """
    if is_repository(name):
        raise GenlibError(f"{name} is on the Hub; to keep something beside it: hf download {name} --local-dir D")
    return model_directory(name)


def _missing(name: str | Path, directory: Path) -> str:
    """What to do where a name has no model."""
    run = runs_directory() / str(name)
    if os.path.isfile(run / "config.json"):
        return f"{name} has no trained weights at {directory}, but a run of that name has: runs/{name}"
    if os.path.isfile(directory / "run.json"):
        preset = read_fields(directory / "run.json", {"preset": TEXT}, ("preset",))["preset"]
        if preset not in presets():  # a stranger's word
            return f"{directory} holds an unfinished run of {shown(preset)}, which this genlib does not know"
        return (
            f"{directory} holds a run of {preset} that is not finished; continue with: python -m genlib train {preset} "
            f"--run-dir {quote(str(directory))} --resume"
        )
    train = f"train it: python -m genlib train {name}, " if str(name) in presets() else ""
    return (
        f"{name} has no trained weights at {directory}; {train}set GENLIB_WEIGHTS to a directory that holds it, or "
        'name a model on the Hugging Face Hub: "owner/name"'
    )


def load(name: str | Path, weights: str = "averaged", device: str = "cpu", revision: str | None = None) -> Model:
    """A trained model, by preset name, directory or "owner/name" on the Hugging Face Hub, ready to sample from.

    `weights` chooses a GAN's generator: "averaged" over the last steps (it samples better) or "raw", the one the
    discriminator trained against; a family that keeps no average has one set of weights. `revision` is a branch, tag
    or commit of a model on the Hub. Raises GenlibError, in one line, where the model cannot be had, and naming the
    file where one is missing, truncated, altered, of wrong shape or not finite.
    """
    if weights not in ("averaged", "raw"):
        raise GenlibError(f'weights takes "averaged" or "raw", not {weights!r}')
    directory = model_directory(name, revision)
    try:
        model = read_model(directory, weights)
    except GenlibError as error:
        raise GenlibError(f"{name if is_repository(name) else directory}: {error}") from error
    return model.to(device_for(model, resolve_device(device)), memory_format=torch.channels_last)  # type: ignore[call-overload]
