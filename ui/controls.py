"""Controls that every page shares. Each lives in the URL under its key and keeps its value from page to page."""

from __future__ import annotations

import secrets

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from genlib.data import CLASS_NAMES
from genlib.noise import MAX_SEED
from genlib.questions.question import EVERY_CLASS
from ui import settings, zoo
from ui.static import STYLE
from ui.words import plain

DEFAULT_MODEL = "cgan-conv"
DEFAULTS = (DEFAULT_MODEL, "vae-cnn", "gmm-10")  # the first that a page can show; released, so they stay
PLACES = "shared places"  # in the session: containers of the page that is being drawn
BOUND = {"bind": "query-params", "persist_state": "session"}


def page(address: str, title: str, question: str) -> None:
    """The page's head: its name and the question it answers, and a notice for each model out of order.

    `address` is the name of its file in pages/.
    """
    _insist_on_navigation()
    st.set_page_config(page_title=f"{title} - genlib", page_icon="👕", layout="wide")
    st.html(STYLE)
    settings.arrive(address)
    st.markdown(f"# {title}  \n{question}")
    zoo.show_problems()
    _lay_out()


def _lay_out() -> None:
    """Places for the controls that pages share, in one row, and for what is said of the model, before all else.

    A page asks for its controls when it needs them; where they stand is decided here. Kept for this run of the page.
    """
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="controls")
    st.session_state[PLACES] = row, st.container(key="said")


def _row() -> DeltaGenerator:
    return st.session_state[PLACES][0]


def _insist_on_navigation() -> None:
    """Have app.py draw the page, even for the first visitors of a fresh server who came by a deep link.

    Until app.py has called st.navigation once, Streamlit takes a pages/ folder for its older kind of app and runs the
    page's file alone, under a menu of file names, of which app.py is one. The flag is the process's; each session looks
    at its own menu, since another may have put the flag right in the meantime.
    """
    context = get_script_run_ctx()
    pages = context.pages_manager.get_pages().values() if context else ()
    if any(page["script_path"] == context.main_script_path for page in pages):
        PagesManager.uses_pages_directory = False
        st.rerun()


def model_picker(*capabilities: str) -> zoo.Entry:
    """Choose a model that has one of the capabilities; the page stops with a plain line where there is none.

    Where the model chosen before is not among them the page shows another, and the next page goes back to it.
    """
    models = zoo.usable(*capabilities)
    if not models:
        st.info("No trained model is here for this page. Train one: `python -m genlib train cgan-mlp`")
        st.stop()
    default = next((name for name in DEFAULTS if name in models), next(iter(models)))
    chosen = settings.settings().shared.get("model", [""])[-1]
    settings.settings().stood_in = chosen not in models and chosen in zoo.entries()
    index = list(models).index(default)
    name = _row().selectbox("Model", list(models), key="model", index=index, on_change=_choose, width=260, **BOUND)
    entry = models[name or default]
    strange = f"{plain(chosen[:60])} is not a model of this studio. " if chosen and chosen not in zoo.entries() else ""
    st.session_state[PLACES][1].caption(strange + entry.caption)
    return entry


def _choose() -> None:
    """A model picked where another stood in is the choice from now on."""
    settings.settings().shared["model"] = [st.session_state["model"]]


def beside_control(names: list[str], most: int) -> list[str]:
    """Some more models, so many at most, to stand beside the one of the picker."""
    kept = [name for name in st.session_state.get("beside", []) if name in names]
    if kept != st.session_state.get("beside", kept):
        st.session_state["beside"] = kept  # the picker's own was among them
    told = f"Up to {most} more, which follow the same controls."
    return _row().multiselect(
        "Beside it", names, key="beside", max_selections=most, placeholder="Add a model", help=told, width=300, **BOUND
    )


def seed_control() -> int:
    """The seed, with a dice button for a new one."""
    with _row().container(horizontal=True, wrap=False, vertical_alignment="bottom", gap="xsmall", width=190):
        said = "The same seed draws the same noise on every page."
        seed = st.number_input("Seed", 0, MAX_SEED, 0, key="seed", help=said, **BOUND)
        st.button("", icon=":material/casino:", help="Another seed", key="dice", on_click=_roll)
    return int(seed or 0)


def _roll() -> None:
    st.session_state["seed"] = secrets.randbelow(10_000)


def class_control() -> int | None:
    """One class, or None for all of them."""
    name = _row().selectbox("Class", [EVERY_CLASS, *CLASS_NAMES], key="label", width=150, **BOUND)
    return CLASS_NAMES.index(name) if name in CLASS_NAMES else None
