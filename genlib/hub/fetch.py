"""Models on the Hugging Face Hub, fetched into its own cache.

Only the files of a model are fetched, config.json first, and none that is larger than what it describes. They then pass
the checks that every model passes: a repository can waste its own bytes, and nothing it holds is executed.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from genlib.errors import GenlibError
from genlib.hub.answers import reaching
from genlib.images import LARGEST_PNG
from genlib.io.files import LARGEST_JSON, read_json
from genlib.store import WEIGHTS_FILE, described_model, largest_weights

if TYPE_CHECKING:
    from huggingface_hub import HfApi

CONFIG = "config.json"
LARGEST_PICTURE = LARGEST_PNG
LARGEST_WEIGHTS = 1_000_000_000  # bytes, whatever a config.json says: a hundred times the largest shipped model
FETCHED = (CONFIG, WEIGHTS_FILE, "metrics.json", "history.json", "progress.png")


def fetch(repository: str, revision: str | None = None) -> Path:
    """The directory in huggingface_hub's cache that holds a model of the Hub, "owner/name", fetched where it is not.

    `revision` is a branch, tag or commit. Offline, what the cache holds is used. Raises GenlibError, in one line, where
    the repository cannot be had or is not of a genlib model.
    """
    from huggingface_hub import HfApi, hf_hub_download, snapshot_download

    api = HfApi()
    with reaching(repository, revision):
        commit = api.resolve_revision(repository, revision=revision)
        cached = _cached(repository, commit)
        if cached and _has(cached, FETCHED):
            return cached
        try:
            sizes = _sizes(api, repository, commit)
        except Exception:  # of many kinds, as `reaching` says: what is here must do, where it can be loaded
            if cached and _has(cached, (CONFIG, WEIGHTS_FILE)):
                return cached
            raise
    _check_sizes(repository, sizes, {CONFIG: LARGEST_JSON})
    if cached and _has(cached, sizes):
        return cached
    with reaching(repository, revision):
        config = Path(hf_hub_download(repository, CONFIG, revision=commit))
        _check_whole(repository, config.parent, {CONFIG: sizes[CONFIG]})
    try:
        most = largest_weights(described_model(read_json(config)))
    except GenlibError as error:
        raise GenlibError(f"{repository} on the Hub is not a model that this genlib can load: {error}") from error
    limits = dict.fromkeys(FETCHED, LARGEST_JSON) | {WEIGHTS_FILE: min(most, LARGEST_WEIGHTS)}
    _check_sizes(repository, sizes, limits | {"progress.png": LARGEST_PICTURE})
    with reaching(repository, revision):
        found = Path(snapshot_download(repository, revision=commit, allow_patterns=list(FETCHED)))
        _check_whole(repository, found, sizes)
    return found


def _check_whole(repository: str, directory: Path, sizes: dict[str, int]) -> None:
    """GenlibError where a file came with other bytes than it has, which must not stay: the cache is not asked twice."""
    for name, size in sizes.items():
        found = (directory / name).resolve()
        if (came := found.stat().st_size) != size:
            found.unlink()
            (directory / name).unlink(missing_ok=True)
            raise GenlibError(f"{repository} on the Hub: {name} has {size:,} bytes, and {came:,} came; try again")


def _cached(repository: str, commit: str) -> Path | None:
    """The cache's directory of a commit, whole or not, where there is one; a file that was fetched is whole."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import IncompleteSnapshotError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repository, revision=commit, allow_patterns=list(FETCHED), local_files_only=True))
    except IncompleteSnapshotError as error:
        return Path(error.snapshot_path)
    except LocalEntryNotFoundError:
        return None


def _has(directory: Path, names: Iterable[str]) -> bool:
    return all((directory / name).is_file() for name in names)


def _sizes(api: HfApi, repository: str, commit: str) -> dict[str, int]:
    """Bytes of the model's files in a repository, by name; those that it lacks are left out."""
    found = api.get_paths_info(repository, list(FETCHED), revision=commit)
    sizes = {entry.path: size for entry in found if isinstance(size := getattr(entry, "size", None), int)}
    return {name: sizes[name] for name in FETCHED if name in sizes}  # and no other, whatever is answered


def _check_sizes(repository: str, sizes: dict[str, int], most: dict[str, int]) -> None:
    for name in (CONFIG, WEIGHTS_FILE):
        if name not in sizes:
            raise GenlibError(f"{repository} on the Hub is not a genlib model: it has no {name}")
    for name, limit in most.items():
        if sizes.get(name, 0) > limit:
            raise GenlibError(f"{repository} on the Hub: {name} has {sizes[name]:,} bytes; it takes at most {limit:,}")
