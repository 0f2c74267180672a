"""The live page within Streamlit: its engine, the addresses of a model's files, and the settings all pages share."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.runtime import exists, get_instance

from genlib.errors import GenlibError, without_places
from genlib.live.export import PROGRAM_FILE, WEIGHTS_FILE, exported
from ui import zoo

STATIC = Path(__file__).parent.parent / "static" / "live"
# Kept by element: a rerun calls the mount again, with the same one. The modules lie beside the page's address, wherever
# that is served.
JS = """
const pages = new WeakMap();
export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".live");
  const given = { ...data, model: { ...data.model } };
  for (const key of ["program", "weights"]) given.model[key] = new URL(given.model[key], document.baseURI).href;
  const known = pages.get(root);
  const page = known
    ? known.then((each) => { each.update(given); return each; })
    : import(new URL("app/static/live/page.js", document.baseURI).href).then(({ mount }) => mount(root, given));
  if (!known) page.catch((error) => { root.textContent = `The live page could not start: ${error.message}`; });
  pages.set(root, page);
  return () => { pages.delete(root); page.then((each) => each.end()); };
}
"""


_mount = st.components.v2.component(
    "genlib_live", html='<div class="live"></div>', css=(STATIC / "page.css").read_text("utf-8"), js=JS
)


def live(entry: zoo.Entry, seed: int, label: int | None) -> None:
    """The grid and its controls; one line where the model has no program or its files are damaged."""
    try:
        files = exported(entry.name)
    except GenlibError as error:
        st.warning(without_places(str(error)))
        return
    model = {"name": entry.name, "program": _address(files / PROGRAM_FILE), "weights": _address(files / WEIGHTS_FILE)}
    _mount(key="live", data={"model": model, "seed": seed, "label": label})
    if {"conditional", "mixture"} <= set(entry.capabilities):
        st.caption("Between two classes the garments jump: each class has Gaussians of its own, and none lie between.")


def _address(file: Path) -> str:
    """Where the browser finds a file as long as this session lasts, beside the page's own address."""
    kind = "application/json" if file.suffix == ".json" else "application/octet-stream"
    if not exists():
        return file.name
    return get_instance().media_file_mgr.add(str(file), kind, f"live-{file.name}").lstrip("/")
