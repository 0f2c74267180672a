"""Samples of a visitor's own generator, measured by the same protocol and shown beside the zoo."""

from __future__ import annotations

import hashlib
import io
import threading
from pathlib import Path
from typing import Any

import streamlit as st

from genlib.distributed import Processes
from genlib.errors import GenlibError
from genlib.metrics.sample_files import read_npz
from genlib.metrics.samples import measure_source
from genlib.metrics.scores import FEWEST
from genlib.stages import finish
from genlib.zoo.leaderboard import own_figures, row_of
from ui.words import line_of, plain

FAMILY = "your samples"
MOST = 10_000  # images of a file: as many as the zoo's figures are of
MOST_FILES = 4
MEGABYTES = 10
_ONE_AT_A_TIME = threading.Lock()


def own_rows() -> list[dict[str, Any]]:
    """The uploader, and a row of the leaderboard for each file that could be measured."""
    with st.expander("Put samples of your own generator beside these", icon=":material/upload_file:"):
        st.markdown(
            f"An `.npz` with `images`, uint8 (N, 28, 28), 0 black to 255 white, and `labels` (N,) if there are any; "
            f"up to {MOST:,} images are measured here, in seconds. For more, for a directory of PNGs, or to keep them "
            "to yourself: `python -m genlib evaluate --samples FILE --json mine.json`, and put `mine.json` here. "
            f"Compare at equal numbers: the zoo's figures are of {MOST:,} samples."
        )
        files = st.file_uploader(
            "Your samples", ["npz", "json"], accept_multiple_files=True, key="own", max_upload_size=MEGABYTES
        )
        rows = [_row(file.name, file.getvalue()) for file in files[:MOST_FILES]]
        if len(files) > MOST_FILES:
            st.warning(f"The first {MOST_FILES} files are shown; remove one to see another.")
    return [row for row in rows if row]


def _row(name: str, content: bytes) -> dict[str, Any] | None:
    try:
        figures = own_figures(content, name) if name.lower().endswith(".json") else _measured(name, content)
    except GenlibError as error:
        st.error(line_of(error))
        return None
    return row_of(Path(name).stem[:40], FAMILY, figures)


def _measured(name: str, content: bytes) -> dict[str, Any]:
    """The figures of an .npz, measured once a session; one visitor's at a time is unpacked."""
    known: dict[str, Any] = st.session_state.setdefault("own_figures", {})
    digest = hashlib.sha256(content).hexdigest()
    if digest not in known:
        bar = st.progress(0.0, f"Measuring {plain(name)}")
        try:
            with _ONE_AT_A_TIME:
                source = read_npz(io.BytesIO(content), name, MOST)
                if source.n < FEWEST:
                    raise GenlibError(f"a distance takes {FEWEST} images or more, and {name} holds {source.n}")
                stages = measure_source(source, Processes.join("cpu"))
                known[digest] = finish(stages, lambda share: bar.progress(min(share, 1.0)))
        finally:
            bar.empty()
    return known[digest]
