"""The "Share & export" popover: a link to this very picture, the code that makes it, and downloads."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from genlib.questions.question import Maker
from ui import settings

MIME = {"png": "image/png", "npz": "application/octet-stream", "gif": "image/gif", "csv": "text/csv"}


@st.fragment
def share(
    page: str, controls: Mapping[str, object], code: str, downloads: Mapping[str, Maker], command: str = ""
) -> None:
    """`controls` is every control of the page by its query key, `downloads` what makes each file, by file name; the
    command is shown where there is one.

    The files are made when the popover opens, which reruns this alone. Streamlit's own deferral, a callable as data,
    gives each run's button another number and forgets the last one: a click on the button of the run before fails.
    """
    settings.keep(page, controls)
    popover = st.popover("Share & export", icon=":material/ios_share:", key="export", on_change="rerun")
    with popover:
        files = st.container(horizontal=True)
        st.caption("A link to this picture, every control spelled out")
        st.code(link(page, controls), language=None, wrap_lines=True)
        st.caption("The code that makes it")
        st.code(code, language="python", wrap_lines=True)
        if command:
            st.caption("The command that makes it")
            st.code(command, language="bash", wrap_lines=True)
        with files:
            for name, maker in downloads.items():
                _button(name, maker, bool(popover.open))


def _button(name: str, maker: Maker, ready: bool) -> None:
    suffix = name.rsplit(".", 1)[-1]
    st.download_button(
        suffix.upper(),
        data=maker() if ready else b"",
        file_name=name.replace("/", "-"),  # a run's model is called runs/ID
        mime=MIME[suffix],
        key=f"download-{suffix}",
        icon=":material/download:",
        on_click="ignore",
        disabled=not ready,
    )


def link(page: str, controls: Mapping[str, object]) -> str:
    """The page's address with every control in its query, on the host the visitor came by."""
    parts = urlsplit(st.context.url or "http://localhost:8501/")
    root = parts.path.rsplit("/", 1)[0]
    query = {key: str(value).lower() if isinstance(value, bool) else value for key, value in controls.items()}
    return urlunsplit((parts.scheme, parts.netloc, f"{root}/{page}", urlencode(query, doseq=True), ""))
