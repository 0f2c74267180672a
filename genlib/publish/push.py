"""Models published on the Hugging Face Hub with their card."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from genlib.errors import GenlibError
from genlib.hub.answers import LOG_IN, NAMES, writing
from genlib.hub.fetch import FETCHED
from genlib.io.files import within
from genlib.loading import load, model_directory, weights_directory
from genlib.zoo.card import hub_card
from genlib.zoo.catalogue import all_trained
from genlib.zoo.trainings import PICTURE

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, HfApi

PUBLISHED = (*FETCHED, "samples.png")
BLANK = {".gitattributes", "README.md"}  # a new repository's, made on the Hub's page
OF_SOME = ("study.json", PICTURE)  # which a card shows, where there is one


def push(name: str | Path, repository: str, private: bool = False) -> str:
    """Publish a trained model, by preset name or run directory, as "owner/name"; returns its page's address.

    The model is loaded first, so that nothing damaged is published; what the repository held under the same names is
    replaced. Raises GenlibError, in one line, where the model or the Hub refuses, or the repository holds a model of
    another kind.
    """
    check_writable(repository)
    return _upload(_publication(model_directory(name), repository), repository, private)


def push_all(owner: str, private: bool = False) -> Iterator[tuple[str, str | GenlibError]]:
    """Publish every trained model of the zoo as owner/genlib-NAME: yields each name with its address, or its damage.

    A damaged model is passed over. A refusal of the Hub is raised, since the next model would meet it too.
    """
    check_writable(f"{owner}/genlib")
    for name in all_trained():
        directory, repository = weights_directory() / name, f"{owner}/genlib-{name}"
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
    check_published(str(directory), directory, PUBLISHED)
    besides = [name for name in OF_SOME if (directory / name).is_file()]
    card = hub_card(directory, repository).encode()
    files = [CommitOperationAdd(name, _own(directory, name)) for name in (*PUBLISHED, *besides)]
    return [*files, CommitOperationAdd("README.md", card)]


_CACHED = re.compile(r"/models--[^/]+/snapshots/[0-9a-f]{40}$")  # as the Hub's cache calls a model's directory


def check_published(model: str, directory: Path, names: Sequence[str]) -> None:
    """GenlibError, which names the model, where one of the files to be published is not in its directory."""
    for name in names:
        if not (directory / name).is_file():
            raise GenlibError(f"{model} lacks {name}: what can be published is a finished run")


def _own(directory: Path, name: str) -> Path:
    """A model's file, which no link leads out to. What the Hub's cache holds is links to the blobs beside it."""
    cached = _CACHED.search(str(directory))
    whole = directory.parents[1] if cached else directory
    return within(whole, str((directory / name).relative_to(whole)))


def _upload(publication: list[CommitOperationAdd], repository: str, private: bool) -> str:
    from huggingface_hub import HfApi

    api = HfApi()
    with writing(repository):
        address = api.create_repo(repository, private=private or None, exist_ok=True)
        public = private and not api.model_info(repository).private
        files = set(api.list_repo_files(repository))
        ours = files >= set(PUBLISHED) or (files <= BLANK and is_new(api, repository))
    if public:
        raise GenlibError(f"{repository} is there and public; make it private on its page, or leave out --private")
    if not ours:
        raise GenlibError(f"{repository} on the Hub holds what genlib did not publish; take another name")
    with writing(repository):
        api.create_commit(repository, publication, commit_message="Publish with genlib")
    return str(address)


def is_new(api: HfApi, repository: str, kind: str = "model") -> bool:
    """Whether a repository holds what the Hub put there in its first commit, and nobody's own page of the same name."""
    return len(api.list_repo_commits(repository, repo_type=kind)) <= 1


def check_writable(repository: str) -> None:
    """GenlibError, before any work is done, where the name is none or this machine has no token of the Hub."""
    from huggingface_hub import get_token

    check_name(repository)
    if not get_token():
        raise GenlibError(f"publishing needs a token with write permission: {LOG_IN}")


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
        raise GenlibError(f"cannot publish as {repository!r}: {NAMES}")
