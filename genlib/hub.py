"""Models on the Hugging Face Hub: fetched into its own cache, published with their card.

Only the files of a model are fetched, config.json first, and none that is larger than what it describes. They then pass
the checks that every model passes: a repository can waste its own bytes, and nothing it holds is executed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from genlib.errors import GenlibError
from genlib.io.files import LARGEST_JSON, read_json
from genlib.model import released
from genlib.store import (
    WEIGHTS_FILE,
    described_model,
    largest_weights,
    load,
    model_directory,
    weights_directory,
)
from genlib.zoo.card import hub_card

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, HfApi

CONFIG = "config.json"
LARGEST_PICTURE = 20_000_000  # bytes; a progress.png of 60 epochs has 0.7 million
LARGEST_WEIGHTS = 1_000_000_000  # bytes, whatever a config.json says: a hundred times the largest shipped model
FETCHED = (CONFIG, WEIGHTS_FILE, "metrics.json", "history.json", "progress.png")
PUBLISHED = (*FETCHED, "samples.png")
LOG_IN = "log in with `hf auth login` or set HF_TOKEN"
_NAMES = 'a repository is named "owner/name": letters, digits, "-", "_" and ".", 96 at most'


def fetch(repository: str, revision: str | None = None) -> Path:
    """The directory in huggingface_hub's cache that holds a model of the Hub, "owner/name", fetched where it is not.

    `revision` is a branch, tag or commit. Offline, what the cache holds is used. Raises GenlibError, in one line, where
    the repository cannot be had or is not of a genlib model.
    """
    from huggingface_hub import HfApi, hf_hub_download, snapshot_download

    api = HfApi()
    with reaching(repository, revision):
        commit = api.resolve_revision(repository, revision=revision)
        if cached := _cached(repository, commit):
            return cached
        sizes = _sizes(api, repository, commit)
    _check_sizes(repository, sizes, {CONFIG: LARGEST_JSON})
    with reaching(repository, revision):
        config = Path(hf_hub_download(repository, CONFIG, revision=commit))
    try:
        most = largest_weights(described_model(read_json(config)))
    except GenlibError as error:
        raise GenlibError(f"{repository} on the Hub is not a model that this genlib can load: {error}") from error
    limits = dict.fromkeys(FETCHED, LARGEST_JSON) | {WEIGHTS_FILE: min(most, LARGEST_WEIGHTS)}
    _check_sizes(repository, sizes, limits | {"progress.png": LARGEST_PICTURE})
    with reaching(repository, revision):
        return Path(snapshot_download(repository, revision=commit, allow_patterns=list(FETCHED)))


def _cached(repository: str, commit: str) -> Path | None:
    """The cache's directory of a commit where it is whole."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        found = snapshot_download(repository, revision=commit, allow_patterns=list(FETCHED), local_files_only=True)
    except LocalEntryNotFoundError:
        return None
    return Path(found) if (Path(found) / WEIGHTS_FILE).is_file() else None


def _sizes(api: HfApi, repository: str, commit: str) -> dict[str, int]:
    """Bytes of the model's files in a repository, by name; those that it lacks are left out."""
    found = api.get_paths_info(repository, list(FETCHED), revision=commit)
    return {entry.path: size for entry in found if isinstance(size := getattr(entry, "size", None), int)}


def _check_sizes(repository: str, sizes: dict[str, int], most: dict[str, int]) -> None:
    for name in (CONFIG, WEIGHTS_FILE):
        if name not in sizes:
            raise GenlibError(f"{repository} on the Hub is not a genlib model: it has no {name}")
    for name, limit in most.items():
        if sizes.get(name, 0) > limit:
            raise GenlibError(f"{repository} on the Hub: {name} has {sizes[name]:,} bytes; it takes at most {limit:,}")


def push(name: str | Path, repository: str, private: bool = False) -> str:
    """Publish a trained model, by preset name or run directory, as "owner/name"; returns its page's address.

    The model is loaded first, so that nothing damaged is published; what the repository held under the same names is
    replaced. Raises GenlibError, in one line, where the model or the Hub refuses.
    """
    check_writable(repository)
    return _upload(_publication(model_directory(name), repository), repository, private)


def push_all(owner: str, private: bool = False) -> Iterator[tuple[str, str | GenlibError]]:
    """Publish every trained model of the zoo as owner/genlib-NAME: yields each name with its address, or its damage.

    A damaged model is passed over. A refusal of the Hub is raised, since the next model would meet it too.
    """
    check_writable(f"{owner}/genlib")
    for name in released():
        directory, repository = weights_directory() / name, f"{owner}/genlib-{name}"
        if not (directory / CONFIG).is_file():
            continue
        try:
            publication = _publication(directory, repository)
        except GenlibError as error:
            yield name, error
        else:
            yield name, _upload(publication, repository, private)


def _publication(directory: Path, repository: str) -> list[CommitOperationAdd]:
    """A model's files and its card, once the model is known to load."""
    from huggingface_hub import CommitOperationAdd

    load(directory)
    for name in PUBLISHED:
        if not (directory / name).is_file():
            raise GenlibError(f"{directory} lacks {name}: what can be published is a finished run")
    study = ["study.json"] if (directory / "study.json").is_file() else []
    card = hub_card(directory, repository).encode()
    files = [CommitOperationAdd(name, directory / name) for name in (*PUBLISHED, *study)]
    return [*files, CommitOperationAdd("README.md", card)]


def _upload(publication: list[CommitOperationAdd], repository: str, private: bool) -> str:
    from huggingface_hub import HfApi

    api = HfApi()
    with writing(repository):
        address = api.create_repo(repository, private=private or None, exist_ok=True)
        public = private and not api.model_info(repository).private
    if public:
        raise GenlibError(f"{repository} is there and public; make it private on its page, or leave out --private")
    with writing(repository):
        api.create_commit(repository, publication, commit_message="Publish with genlib")
    return str(address)


def check_writable(repository: str) -> None:
    """GenlibError, before any work is done, where the name is none or this machine has no token of the Hub."""
    from huggingface_hub import get_token

    check_name(repository)
    if not get_token():
        raise GenlibError(f"publishing takes a token that may write: {LOG_IN}")


def check_name(repository: str) -> None:
    """GenlibError unless it is "owner/name" as the Hub writes it."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # documented, but not in __all__

    try:
        validate_repo_id(repository)
        named = repository.count("/") == 1
    except HFValidationError:
        named = False
    if not named:
        raise GenlibError(f"cannot publish as {repository!r}: {_NAMES}")


@contextmanager
def reaching(repository: str, revision: str | None = None) -> Iterator[None]:
    """Turns whatever goes wrong between here and a repository that is read into one line."""
    answers = {
        401: f"there is none that you may read (and no directory {repository} here); if it is private, {LOG_IN}",
        403: f"you may not read it; ask for access on its page and {LOG_IN}",
        404: f"there is none (and no directory {repository} here)",
    }
    with in_one_line(f"{repository} on the Hub", answers, f"it has no revision {revision!r}"):
        yield


@contextmanager
def writing(repository: str) -> Iterator[None]:
    """Turns whatever goes wrong between here and a repository that is written into one line."""
    answers = {
        401: f"the Hub does not know your token; {LOG_IN}",
        402: "its owner's plan does not include it",
        403: "your token may not write there: it needs the right to write, to a namespace that you belong to",
        404: "there is no such owner, or your token may not write there",
    }
    with in_one_line(f"{repository} on the Hub", answers):
        yield


@contextmanager
def in_one_line(what: str, answers: dict[int, str], no_revision: str = "it has no branch main") -> Iterator[None]:
    """Turns whatever goes wrong with the Hub into one line on `what`; `answers` says what a status of HTTP means."""
    try:
        yield
    except GenlibError:  # has its line
        raise
    except Exception as error:  # of the Hub, of a proxy, of the network: many kinds that share no ancestor
        raise GenlibError(f"{what}: {_reason(error, answers, no_revision)}") from error


def _reason(error: Exception, answers: dict[int, str], no_revision: str) -> str:
    from huggingface_hub.constants import is_offline_mode
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, HFValidationError, RevisionNotFoundError

    first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    if isinstance(error, RevisionNotFoundError):
        return no_revision
    if isinstance(error, GatedRepoError):
        return answers[403]
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        return answers.get(status, f"the Hub answers {status}: {error.server_message or first}")
    if isinstance(error, HFValidationError):
        return _NAMES
    if is_offline_mode():
        return "HF_HUB_OFFLINE is set, and this machine's cache does not hold it"
    return f"the Hub could not be reached, or not be understood ({first})"
