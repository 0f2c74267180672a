"""Spaces on the Hugging Face Hub: the studio in a container, or the static site; a folder, and its upload.

A Space is a git repository whose README.md begins with its settings
(https://huggingface.co/docs/hub/spaces-config-reference): a Docker one has a Dockerfile, a static one an index.html.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genlib.analysis import directions, latent
from genlib.errors import GenlibError
from genlib.hub.answers import writing
from genlib.io.files import LARGEST_JSON, read_file, write_file
from genlib.loading import load, weights_directory
from genlib.metrics import settings
from genlib.publish import push
from genlib.publish.checkout import ROOT, check_checkout, copy, files_of
from genlib.publish.push import OF_SOME, PUBLISHED, check_name, check_published, check_writable
from genlib.publish.site import folder as site
from genlib.questions import trainings
from genlib.zoo.card import DATA
from genlib.zoo.catalogue import all_trained, trained

if TYPE_CHECKING:
    from huggingface_hub import HfApi

DIRECTORIES = {  # and what of them is published: nothing else that lies there, hidden files least of all
    "pages": ("*.py",),
    "ui": ("*.py",),
    "genlib": ("*.py", "*.json", "*.gz", "*.safetensors", "*.html", "*.css", "*.js", "LICENSE"),
    "static": ("*.css", "*.js", "*.c", "*.wasm"),
    ".streamlit": ("config.toml",),
}
MODEL = (*PUBLISHED, "README.md")
BESIDE = (*OF_SOME, directions.FILE, latent.FILE, settings.FILE, trainings.FILE)  # what a model may have
FILES = ("app.py", "requirements.txt", "LICENSE", "Dockerfile", ".dockerignore")
MARKS = ("genlib/__init__.py", "live/engine.js")  # of what is published here
BLANK = {*push.BLANK, "index.html", "style.css"}
# Replaced as a whole when published again, as either kind.
STALE = [*FILES, *(f"{directory}/*" for directory in (*DIRECTORIES, "weights", "live", "models")), *site.TOP]


def write_folder(folder: Path, repository: str) -> None:
    """Write what a Docker Space is built from to a new or empty folder."""
    check_checkout("a Space", ROOT, (*DIRECTORIES, *FILES))
    check_name(repository)
    for name in all_trained():
        check_published(name, weights_directory() / name, MODEL)
        load(weights_directory() / name)  # so that nothing damaged is published
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise GenlibError(f"{folder} is not empty; name another directory, or delete it first")
        for name in FILES:
            copy(ROOT, name, folder)
        for name, patterns in DIRECTORIES.items():
            for path in files_of(ROOT / name, patterns):
                copy(ROOT / name, path, folder / name)
        for name in trained():
            own = weights_directory() / name
            for path in (*MODEL, *(path for path in BESIDE if (own / path).is_file())):
                copy(own, path, folder / "weights" / name)
    except OSError as error:
        raise GenlibError(f"cannot write {folder}: {error.strerror or error}") from error
    write_file(folder / "README.md", readme(repository).encode())


def write_static_folder(folder: Path, repository: str) -> None:
    """Write a static Space to a new or empty folder, or over one written before: the site, and its settings."""
    check_name(repository)
    card = folder / "README.md"
    if card.exists() and not read_file(card, LARGEST_JSON).startswith(b"---\ntitle: genlib"):
        raise GenlibError(f"{card} is not a Space's; name another directory, or delete it first")
    site.write_site(folder, all_trained())
    write_file(card, static_readme(repository).encode())


def _settings(repository: str, title: str, short: str, *own: str) -> str:
    """The front matter of a Space's README.md. It names the models as `push --all owner` does."""
    owner = repository.split("/")[0]
    return "\n".join(
        [
            "---",
            f"title: {title}",
            "emoji: 👕",
            "colorFrom: blue",
            "colorTo: yellow",
            *own,
            "pinned: false",
            "license: mit",
            f"short_description: {short}",
            "models:",
            *(f"- {owner}/genlib-{name}" for name in trained()),
            "datasets:",
            f"- {DATA}",
            "---",
        ]
    )


def readme(repository: str) -> str:
    """README.md of the studio's Space: its settings, then what it is."""
    own = ("sdk: docker", "app_port: 8501", "suggested_hardware: cpu-basic")
    short = "GANs, VAEs and mixtures on Fashion-MNIST, measured alike"
    return f"""{_settings(repository, "genlib studio", short, *own)}

# genlib studio

Generative image models on Fashion-MNIST, trained for real, measured by one protocol and explored in the browser:
generate, interpolate, reconstruct, compare. Everything runs on the Space's own processor; nothing is sent elsewhere.

Training is off here (`GENLIB_TRAINING=off` in the Dockerfile): a visitor's run would take the processor from all
others. In a Space of your own, set the variable `GENLIB_TRAINING` to `on` in its settings.
"""


def static_readme(repository: str) -> str:
    """README.md of the static Space."""
    own = ("sdk: static", "app_file: index.html")
    short = "Garments drawn in your browser, at the speed of your hand"
    return f"""{_settings(repository, "genlib live", short, *own)}

# genlib live

Generative image models on Fashion-MNIST, trained for real and measured by one protocol. They draw in the visitor's own
browser: nothing runs on a server and nothing is sent anywhere. `python -m genlib site` writes these files.
"""


@dataclass(frozen=True)
class Kind:
    """How a Space runs, what writes its folder for a repository's name, and what to do where a plan lacks it."""

    sdk: str
    write: Callable[[Path, str], None]
    unpaid: str = ""


DOCKER = Kind(
    "docker",
    write_folder,
    "Docker Spaces are not in its owner's plan; a static one is free: python -m genlib space {} --static",
)
STATIC = Kind("static", write_static_folder)


def publish(repository: str, kind: Kind = DOCKER) -> str:
    """Create or update the Space "owner/name"; returns its page's address.

    Raises GenlibError, in one line that says what to do, where the Hub refuses or the Space holds something else.
    """
    from huggingface_hub import HfApi

    api = HfApi()
    check_writable(repository)
    with tempfile.TemporaryDirectory() as folder:
        kind.write(Path(folder), repository)
        with writing(repository, {402: kind.unpaid.format(repository)} if kind.unpaid else {}):
            address = api.create_repo(repository, repo_type="space", space_sdk=kind.sdk, exist_ok=True)
            _check_ours(api, repository)
            message = "Publish with genlib"
            api.upload_folder(
                repo_id=repository,
                repo_type="space",
                folder_path=folder,
                commit_message=message,
                delete_patterns=STALE,
            )
    return str(address)


def _check_ours(api: HfApi, repository: str) -> None:
    """GenlibError where a Space of that name is there and was not published from here: nothing of it is replaced."""
    files = set(api.list_repo_files(repository, repo_type="space"))
    if not (files & set(MARKS) or (files <= BLANK and push.is_new(api, repository, "space"))):
        raise GenlibError(
            f"{repository} on the Hub is a Space that genlib did not publish; take another name, or delete that Space "
            "on its page"
        )
