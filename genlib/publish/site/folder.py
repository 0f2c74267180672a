"""The site's folder: which files it has, how large they are, and a second writing over the first."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tomllib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from string import Template

from genlib.errors import GenlibError, parsing
from genlib.images import LARGEST_PNG
from genlib.io.files import is_torn, read_file, read_json, torn_files, within, write_file, write_json
from genlib.io.locks import locked
from genlib.live.export import PROGRAM_FILE, WEIGHTS_FILE, exported
from genlib.publish.checkout import ROOT, check_checkout, files_of
from genlib.publish.site.board import leaderboard
from genlib.publish.site.cards import card, gallery
from genlib.publish.site.findings import findings
from genlib.publish.site.html import TEMPLATES, TITLES, filled
from genlib.publish.site.live import live
from genlib.publish.site.shown import Shown
from genlib.zoo.card import INCOMPLETE
from genlib.zoo.catalogue import trained

ENGINE, THEME = "static/live", ".streamlit/config.toml"
SCRIPTS = ("live.js", "keep.js", "table.js", "history.js")
LIST = "files.json"  # of what a visitor may keep
MARKS = {"index.html", "live/engine.js"}  # which that of a site names, which may be written over
WORKER, NO_JEKYLL = "service-worker.js", ".nojekyll"  # with which GitHub Pages serves the files as they are
DRAFT = ".genlib-draft"  # where a site is written before it takes the earlier one's place
TOP = (*TITLES, *SCRIPTS, "site.css", WORKER, LIST, NO_JEKYLL)  # the files beside live/ and models/


class _Site:
    """A folder under way, and the size of every file that a visitor may ask for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sizes: dict[str, int] = {}
        self._digest = hashlib.sha256()

    def write(self, path: str, data: bytes | str) -> None:
        data = data.encode() if isinstance(data, str) else data
        self.write_unlisted(path, data)
        self.sizes[path] = len(data)
        self._digest.update(f"{path} {len(data)}\n".encode() + data)

    def write_unlisted(self, path: str, data: bytes) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        write_file(target, data)

    @property
    def version(self) -> str:
        """Of all that is written."""
        return self._digest.hexdigest()[:16]


def write_site(folder: Path, names: Sequence[str] = ()) -> dict[str, GenlibError]:
    """Write the site to a new or empty folder, or over a site; with every trained model unless some are named.

    A model is a preset's name or the directory of a run. Returns the models that were left out, each with the line that
    says why; one that was named is never left out. Raises GenlibError where there is no checkout or no such model, or
    where the folder holds something else or cannot be written: a site that was there stays as it was.
    """
    check_checkout("a site", ROOT, (ENGINE, THEME))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder, 0.0, f"another process is writing to {folder}"):
            before, draft = _listed(folder), within(folder, DRAFT)
            shutil.rmtree(draft, ignore_errors=True)  # of a writing that was killed, as these are
            for torn in torn_files(folder):
                torn.unlink(missing_ok=True)
            try:
                site = _Site(draft)
                left_out = _write_all(site, names)
                _put_in_place(folder, site, before)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise GenlibError(f"cannot write {folder}: {error.strerror or error}") from error
    return left_out


def _listed(folder: Path) -> list[str]:
    """The files of an earlier writing."""
    listed = read_json(folder / LIST).get("files") if (folder / LIST).is_file() else None
    if isinstance(listed, dict) and listed.keys() >= MARKS:
        return [path for path in listed if within(folder, path)]
    if any(path.name != DRAFT and not is_torn(path) for path in folder.iterdir()):
        raise GenlibError(f"{folder} is not empty and holds no site; name another directory, or delete it first")
    return []


def _put_in_place(folder: Path, site: _Site, before: Sequence[str]) -> None:
    """Exchange an earlier writing's files for the new ones, the pages last; the list knows both until that is done."""
    write_json(folder / LIST, {"files": dict.fromkeys(before, 0) | site.sizes})
    for path in (*site.sizes, WORKER, NO_JEKYLL):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (site.folder / path).replace(folder / path)
    for path in set(before) - site.sizes.keys():
        (folder / path).unlink(missing_ok=True)
        with suppress(OSError):  # it holds more, or is gone
            (folder / path).parent.rmdir()
    (site.folder / LIST).replace(folder / LIST)


def _write_all(site: _Site, names: Sequence[str]) -> dict[str, GenlibError]:
    """The whole site; the models that were left out."""
    left_out: dict[str, GenlibError] = {}
    models: dict[str, Shown] = {}
    _write_shared(site)
    for name in dict.fromkeys(names or trained()):
        try:
            model = _write_model(site, name)
        except GenlibError as error:
            if names:
                raise
            left_out[name] = error
        else:
            if model.folder in models:
                raise GenlibError(f"two models would be shown as {model.name}; rename a run's directory")
            models[model.folder] = model
    if not models:
        raise GenlibError(f"no trained model is here to be shown: {next(iter(left_out.values()), 'none is trained')}")
    _write_pages(site, list(models.values()))
    return left_out


def _write_shared(site: _Site) -> None:
    """The engine, the scripts, the colours."""
    for path in files_of(ROOT / ENGINE, ("*.js", "*.css", "*.wasm")):
        site.write(f"live/{path}", within(ROOT / ENGINE, path).read_bytes())
    for script in SCRIPTS:
        site.write(script, (TEMPLATES / script).read_bytes())
    theme = tomllib.loads((ROOT / THEME).read_text("utf-8"))["theme"]
    site.write("site.css", filled("site.css", light=_colours(theme["light"]), dark=_colours(theme["dark"])))


def _colours(theme: dict[str, object]) -> str:
    """A theme's colours as Streamlit names them for a component."""
    named = {re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", key): value for key, value in theme.items()}
    return " ".join(f"--st-{key}: {value};" for key, value in named.items() if isinstance(value, str))


def _write_model(site: _Site, name: str) -> Shown:
    """A model's page and files, all of which are read before the first is written."""
    model = Shown.of(name)
    with parsing(f"{name} {INCOMPLETE}"):
        page, _ = card(model), float(model.metrics["fd"])
    try:
        files = {file: (exported(model.directory) / file).read_bytes() for file in (PROGRAM_FILE, WEIGHTS_FILE)}
        files |= {file: read_file(within(model.directory, file), LARGEST_PNG) for file in model.pictures}
    except GenlibError as error:
        raise GenlibError(f"{name}: {error}") from error
    for file, data in files.items():
        site.write(f"{model.folder}/{file}", data)
    site.write(model.page, page)
    return model


def _write_pages(site: _Site, models: Sequence[Shown]) -> None:
    """The pages that list the models, then what says how much there is."""
    site.write("models.html", gallery(models))
    site.write("leaderboard.html", leaderboard(models))
    site.write("findings.html", findings(models))
    site.write("index.html", live(models, site.sizes, [f"live/{module}" for module in _imported("page.js")]))
    worker = Template((TEMPLATES / WORKER).read_text("utf-8")).safe_substitute(version=site.version)
    site.write_unlisted(WORKER, worker.encode())
    site.write_unlisted(NO_JEKYLL, b"")
    listed = {"version": site.version, "files": dict(sorted(site.sizes.items()))}
    site.write_unlisted(LIST, (json.dumps(listed, indent=1) + "\n").encode())


def _imported(module: str) -> list[str]:
    """A module of the engine and all that it imports, nearest first, so that a browser can fetch them at once."""
    found = [module]
    for each in found:  # it grows meanwhile
        text = (ROOT / ENGINE / each).read_text("utf-8")
        found += [name for name in re.findall(r'^import .* from "\./(.+)";$', text, re.M) if name not in found]
    return found
