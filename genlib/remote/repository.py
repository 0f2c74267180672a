"""A run's private repository on the Hub, between who asks for a training and the machine that is rented for it.

It holds source.tar, this very genlib with the model that the training starts from, and run/, the run directory. A
repository rather than a bucket or a mounted volume: a commit arrives whole or not at all, so no checkpoint is torn.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
import tempfile
from contextlib import AbstractContextManager, suppress
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genlib.config import Config
from genlib.errors import GenlibError, without_places
from genlib.hub.answers import LOG_IN, in_one_line
from genlib.hub.fetch import CONFIG, LARGEST_PICTURE, LARGEST_WEIGHTS
from genlib.io.files import LARGEST_JSON, within, write_file, write_json
from genlib.loading import load, model_directory
from genlib.model import Preset, shapes_only
from genlib.store import WEIGHTS_FILE, largest_weights
from genlib.training.checkpoint import check_facts, check_run, read_checkpoint
from genlib.zoo.files import (
    CHECKPOINT,
    RUN_FILE,
    SAID_OF_EACH,
    has_checkpoint,
    read_described,
    read_metrics,
    read_records,
    read_run,
)

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, HfApi

PACKAGES = (
    "torch",
    "torchvision",
    "numpy",
    "pillow",
    "scikit-learn",
    "scipy",
    "threadpoolctl",
    "safetensors",
    "huggingface-hub",
    "pyarrow",
    "tqdm",
)  # what pyproject.toml asks for
SOURCE, RUN, METRICS = "source.tar", "run", "metrics.json"
LARGEST_LOG = 200_000_000  # bytes of events.jsonl, which grows by some 150 a second
CHECKPOINT_TIMES = 5  # the weights' bytes: besides them it holds two moments, and the rows of samples
MOST_FILES = 1_000
_PICTURE = re.compile(r"(samples|progress|samples/\d{5})\.png")
_README = """# A training of {name} by genlib

`source.tar` is what a rented machine trains with, `run/` what it has made so far. genlib brings the finished run
home; after that this repository can be deleted.
"""


def asking(what: str) -> AbstractContextManager[None]:
    """Turns whatever goes wrong between here and a repository or a job into one line."""
    answers = {
        401: f"the Hub does not know your token; {LOG_IN}",
        402: "your account has no credit for it; add some at https://huggingface.co/settings/billing",
        403: "your token may not do that: it needs the rights to write repositories and to start jobs",
        404: "there is none, or your token may not see it",
    }
    return in_one_line(what, answers)


def is_refusal(error: GenlibError) -> bool:
    """Whether the Hub has understood and said no, rather than not answered or asked to try later."""
    from huggingface_hub.errors import HfHubHTTPError

    cause = error.__cause__
    if not isinstance(cause, HfHubHTTPError):
        return False
    status = cause.response.status_code
    return 400 <= status < 500 and status not in (408, 429)


def source_archive(preset: Preset) -> bytes:
    """source.tar: the package, the versions that it runs with here, and the model that the preset starts from."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(Path(__file__).parent.parent, "genlib", filter=_without_caches)
        if base := preset.model_class.base_name:
            for name in (CONFIG, WEIGHTS_FILE):
                archive.add(model_directory(base) / name, f"weights/{base}/{name}")
        pins = requirements().encode()
        entry = tarfile.TarInfo("requirements.txt")
        entry.size = len(pins)
        archive.addfile(entry, io.BytesIO(pins))
    return buffer.getvalue()


def _without_caches(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "__pycache__" in entry.name else entry


def requirements() -> str:
    """Pins of the versions installed here; a build's own suffix, such as +cpu, is none that the index knows."""
    return "".join(f"{name}=={version(name).partition('+')[0]}\n" for name in PACKAGES)


def send(api: HfApi, repository: str, preset: Preset, config: Config, directory: Path) -> None:
    """Commit the sources, the settings, and what the run directory holds, a checkpoint included."""
    from huggingface_hub import CommitOperationAdd

    description = _description(preset, config, directory)
    if "start_from" in description and not has_checkpoint(directory):
        raise GenlibError(
            f"{directory} begins with the weights of {description['start_from']['name']}, which a rented machine does "
            "not have; train it here until its first checkpoint"
        )
    operations = [
        CommitOperationAdd(SOURCE, source_archive(preset)),
        CommitOperationAdd("README.md", _README.format(name=preset.name).encode()),
        CommitOperationAdd(f"{RUN}/{RUN_FILE}", json.dumps(description).encode()),
        *(each for each in run_files(directory) if each.path_in_repo != f"{RUN}/{RUN_FILE}"),
    ]
    api.create_commit(repository, operations, commit_message=f"Train {preset.name}")


def run_files(directory: Path) -> list[CommitOperationAdd]:
    """A run directory's known files, read at once: the training goes on writing others in their place.

    metrics.json, the last that a training writes, is read first, so that it never goes without the weights it is of.
    Raises GenlibError for a link that leads out of the directory: what lies there is not the run's to send.
    """
    from huggingface_hub import CommitOperationAdd

    known = [name for name in _files(directory) if _largest(name, 1) is not None]
    known.sort(key=lambda name: name != METRICS)
    return [CommitOperationAdd(f"{RUN}/{name}", within(directory, name).read_bytes()) for name in known]


def _files(directory: Path) -> list[str]:
    """The files below a directory by their places in it, in order."""
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())


def _description(preset: Preset, config: Config, directory: Path) -> dict[str, Any]:
    """What run.json says once this is trained: beside it stays what else the run directory's own says."""
    known = read_run(directory) if (directory / RUN_FILE).is_file() else {}
    return known | {"preset": preset.name, "config": config.to_dict()}


def _largest(name: str, weights: int) -> int | None:
    """Bytes that a run's file may have where its weights may have so many; None for what no run holds."""
    if name in (CONFIG, METRICS, RUN_FILE, "history.json", "README.md"):
        return LARGEST_JSON
    if _PICTURE.fullmatch(name):
        return LARGEST_PICTURE
    return {
        WEIGHTS_FILE: weights,
        CHECKPOINT: CHECKPOINT_TIMES * weights + LARGEST_PICTURE,
        "events.jsonl": LARGEST_LOG,
    }.get(name)


def bring_home(api: HfApi, repository: str, preset: Preset, config: Config, directory: Path) -> bool:
    """Bring what a job has left in its repository to the run directory; whether that is a finished run.

    A finished run comes with all that a local one holds but the checkpoint. Of an unfinished one the checkpoint comes
    too, so that it can go on here or there; one here that is further stays. Raises GenlibError, in one line, where the
    Hub cannot be reached, and for what is not the run that was asked for: then nothing here changes.
    """
    from huggingface_hub import snapshot_download

    with tempfile.TemporaryDirectory() as temporary:
        with asking(f"{repository} on the Hub"):
            commit = api.model_info(repository).sha
            names = _names(api, repository, commit)
        finished = METRICS in names
        _check_sizes(repository, names, preset, config)
        wanted = [f"{RUN}/{name}" for name in names if not (finished and name == CHECKPOINT)]
        with asking(f"{repository} on the Hub"):
            snapshot_download(repository, revision=commit, allow_patterns=wanted, local_dir=temporary)
        found = Path(temporary) / RUN
        if finished:
            _check_model(repository, found, preset, config)
        try:
            theirs = _step(found / CHECKPOINT, preset, config)
        except GenlibError as error:  # which names a place that is about to go
            raise GenlibError(f"{repository} on the Hub: {without_places(str(error))}") from error
        if theirs <= _step(directory / CHECKPOINT, preset, config):
            (found / CHECKPOINT).unlink(missing_ok=True)
        _settle(found, directory, preset, config)
    return finished


def _names(api: HfApi, repository: str, commit: str | None) -> dict[str, int]:
    """Bytes of the run's known files in the repository, by name."""
    entries = api.list_repo_tree(repository, RUN, recursive=True, revision=commit)
    sizes = {entry.path: getattr(entry, "size", None) for entry in islice(entries, MOST_FILES)}
    inside = {path.removeprefix(f"{RUN}/"): size for path, size in sizes.items() if path.startswith(f"{RUN}/")}
    return {name: size for name, size in inside.items() if _largest(name, 1) is not None and isinstance(size, int)}


def _check_sizes(repository: str, sizes: dict[str, int], preset: Preset, config: Config) -> None:
    with shapes_only():
        weights = min(largest_weights(preset.model_class(config)), LARGEST_WEIGHTS)
    for name, size in sizes.items():
        limit = _largest(name, weights) or 0
        if size > limit:
            raise GenlibError(f"{repository} on the Hub: {name} has {size:,} bytes; it takes at most {limit:,}")


def _check_model(repository: str, found: Path, preset: Preset, config: Config) -> None:
    """GenlibError unless it is a whole model of the preset with the configuration that was asked for."""
    try:
        load(found)
        described = read_described(found)
        read_records(found)
        read_metrics(found, SAID_OF_EACH)
        if described["name"] != preset.name or type(config).from_dict(described["config"]) != config:
            raise GenlibError("it is not of the preset and the settings that were asked for")
    except GenlibError as error:
        raise GenlibError(f"{repository} on the Hub does not hold the finished run: {error}") from error


def _settle(found: Path, directory: Path, preset: Preset, config: Config) -> None:
    """Put the files in their places, metrics.json, by which a run counts as finished, last."""
    names = [name for name in _files(found) if name != RUN_FILE]
    places = {name: (within(found, name), within(directory, name)) for name in names}  # none of which leads out
    if names:
        write_json(directory / RUN_FILE, _description(preset, config, directory) | _counts(found, preset))
    for name in sorted(names, key=lambda name: (name == METRICS, name)):
        source, place = places[name]
        place.parent.mkdir(exist_ok=True)
        write_file(place, source.read_bytes())


def _counts(found: Path, preset: Preset) -> dict[str, Any]:
    """The samples of its distances, as the machine that trained has noted them."""
    with suppress(GenlibError):  # a stranger's, or none
        run = read_run(found)
        return {"samples": run["samples"]} if run["preset"] == preset.name and "samples" in run else {}
    return {}


def _step(checkpoint: Path, preset: Preset, config: Config) -> int:
    """How far a checkpoint of the run is, -1 where there is none."""
    if not checkpoint.is_file():
        return -1
    facts = read_checkpoint(checkpoint)[1]
    check_facts(checkpoint, facts)
    check_run(checkpoint, facts, preset.name, config)
    return int(facts["step"])
