"""The studio as a Docker Space on the Hugging Face Hub: the folder it is built from, and its upload.

A Space is a git repository with a Dockerfile, whose README.md begins with its settings
(https://huggingface.co/docs/hub/spaces-config-reference).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from genlib.analysis import directions, latent
from genlib.errors import GenlibError
from genlib.hub.answers import writing
from genlib.io.files import write_file
from genlib.loading import weights_directory
from genlib.publish.checkout import ROOT, check_checkout, copy, files_of
from genlib.publish.push import PUBLISHED, STUDY, check_name, check_writable
from genlib.zoo.card import DATA
from genlib.zoo.catalogue import trained

DIRECTORIES = {  # and what of them is published: nothing else that lies there, hidden files least of all
    "pages": ("*.py",),
    "ui": ("*.py",),
    "genlib": ("*.py", "*.json", "*.gz", "*.safetensors", "*.html", "*.css", "*.js", "LICENSE"),
    "static": ("*.css", "*.js", "*.c", "*.wasm"),
    ".streamlit": ("config.toml",),
}
MODEL = (*PUBLISHED, "README.md")
BESIDE = (STUDY, directions.FILE, latent.FILE)  # what a model may have
FILES = ("app.py", "requirements.txt", "LICENSE", "Dockerfile", ".dockerignore")
STALE = [f"{directory}/*" for directory in (*DIRECTORIES, "weights")]  # replaced as a whole when published again


def write_folder(folder: Path, repository: str) -> None:
    """Write what a Space is built from to a new or empty folder."""
    check_checkout("a Space", ROOT, (*DIRECTORIES, *FILES))
    check_name(repository)
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
    write_file(folder / "README.md", readme(repository.split("/")[0]).encode())


def readme(owner: str) -> str:
    """README.md of the Space: its settings, then what it is. It names the models as `push --all owner` does."""
    models = "\n".join(f"- {owner}/genlib-{name}" for name in trained())
    return f"""---
title: genlib studio
emoji: 👕
colorFrom: blue
colorTo: yellow
sdk: docker
app_port: 8501
suggested_hardware: cpu-basic
pinned: false
license: mit
short_description: GANs, VAEs and mixtures on Fashion-MNIST, measured alike
models:
{models}
datasets:
- {DATA}
---

# genlib studio

Generative image models on Fashion-MNIST, trained for real, measured by one protocol and explored in the browser:
generate, interpolate, reconstruct, compare. Everything runs on the Space's own processor; nothing is sent elsewhere.

Training is off here (`GENLIB_TRAINING=off` in the Dockerfile): a visitor's run would take the processor from all
others. In a Space of your own, set the variable `GENLIB_TRAINING` to `on` in its settings.
"""


def publish(repository: str) -> str:
    """Create or update the Space "owner/name"; returns its page's address."""
    from huggingface_hub import HfApi

    api = HfApi()
    check_writable(repository)
    with tempfile.TemporaryDirectory() as folder:
        write_folder(Path(folder), repository)
        with writing(repository):
            address = api.create_repo(repository, repo_type="space", space_sdk="docker", exist_ok=True)
            message = "Publish with genlib"
            api.upload_folder(
                repo_id=repository,
                repo_type="space",
                folder_path=folder,
                commit_message=message,
                delete_patterns=STALE,
            )
    return str(address)
