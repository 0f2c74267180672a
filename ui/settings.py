"""What a visitor has set is there when he comes back to a page, by the menu, Back, Forward or a reload.

Streamlit keeps a control's value in its page's address. It leaves gaps: values that came by a link are lost with the
next page, a page's address is emptied when one leaves it, Back resets what the address does not name, and a reload
forgets the other pages. So a page that is arrived at has its controls set here: by the keys in its address, else by
what the visitor has set before, else by their defaults.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from genlib.data import CLASS_NAMES
from ui.static import source

SHARED = ("model", "seed", "label")  # one value for all pages
NUMBERED = {str(number): name for number, name in enumerate(CLASS_NAMES)}
LONGEST = 300  # characters of a value that a browser may bring back
Values = dict[str, list[str]]  # of controls, by key, as an address has them

_mount = st.components.v2.component("genlib_settings", js=source("studio/settings.js"))


@dataclass
class Settings:
    """What one visitor has set, as long as the session lasts."""

    page: str = ""  # where he is
    settled: bool = False  # whether all controls of that page have been drawn since he came
    shared: Values = field(default_factory=dict)
    own: dict[str, Values] = field(default_factory=dict)  # by page
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)  # of each page's controls
    loose: tuple[str, ...] = ()  # keys in the address that are no control's
    stood_in: bool = False  # for the model chosen, which the page cannot show, another is shown
    session: str = field(default_factory=lambda: secrets.token_hex(8))  # tells the tab that it has to do with another
    brought: bool = False  # whether the tab has brought back what was set in the one before

    def of(self, page: str, key: str) -> Values:
        """Where a control's value is kept."""
        return self.shared if key in SHARED else self.own.setdefault(page, {})


def settings() -> Settings:
    """Those of this session."""
    return st.session_state.setdefault("settings", Settings())


def arrive(page: str) -> None:
    """Where the visitor has just come to this page, have every control that it draws take its value from here."""
    known, context = settings(), get_script_run_ctx()
    if context is None:
        return
    brought = _brought_back(known)
    if known.page == page and known.settled and not brought and not context.is_history_navigation:
        _tell_what_waits(known, context)
        return
    _record(known)
    for place, values in brought.items():
        (known.shared if place == "shared" else known.own.setdefault(place, {})).update(values)
    for key, values in _given(known, page, context).items():
        known.of(page, key)[key] = values
    known.page, known.settled = page, False
    for key in {key for keys in known.keys.values() for key in keys}:
        st.session_state.pop(key, None)
    context.is_history_navigation = True  # to Streamlit: the address decides, and what it leaves out has its default
    _tell_the_binding(known, context)


def asked(key: str) -> list[str]:
    """What a control of this page was last set to, by an address or by hand."""
    known = settings()
    return known.of(known.page, key).get(key, [])


def correct(key: str, values: list[str]) -> None:
    """Before a control of this page is drawn: what it takes in place of what the address says."""
    known, context = settings(), get_script_run_ctx()
    if context is not None:
        known.of(known.page, key)[key] = values
        _tell_the_binding(known, context)


def _tell_what_waits(known: Settings, context: Any) -> None:
    """Values of controls that the page has not drawn so far: a choice may bring them forth now."""
    values = {**known.own.get(known.page, {}), **known.shared}
    waiting = {key: values[key] for key in values.keys() - known.keys.get(known.page, ())}
    if waiting:
        given = parse_qs(context.query_string, keep_blank_values=True)
        with context.session_state.query_params() as params:
            params.set_initial_query_params(urlencode({**waiting, **given}, doseq=True))


def _tell_the_binding(known: Settings, context: Any) -> None:
    """Streamlit reads the values of the controls that are about to be drawn from here."""
    with context.session_state.query_params() as params:
        params.clear_with_no_forward_msg(preserve_embed=True)
        params.set_initial_query_params(urlencode({**known.own.get(known.page, {}), **known.shared}, doseq=True))


def _brought_back(known: Settings) -> dict[str, Values]:
    """What was set before the page was loaded anew, by page, where the tab has just told it."""
    data = {"session": known.session, "brought": known.brought}
    found = _mount(key="brought", data=data, default={"stored": None}, on_stored_change=lambda: None).stored
    if known.brought or not isinstance(found, dict):
        return {}
    known.brought = True
    pages = {page: values for page, values in found.items() if isinstance(values, dict)}
    return {page: {key: each for key, each in pages[page].items() if _are_texts(each)} for page in pages}


def _are_texts(texts: Any) -> bool:
    return isinstance(texts, list) and all(isinstance(text, str) and len(text) < LONGEST for text in texts)


def _record(known: Settings) -> None:
    """What the controls of the page that is left, or drawn anew, were last set to."""
    for key in known.keys.get(known.page, ()):
        if key in st.session_state and not (key == "model" and known.stood_in):
            known.of(known.page, key)[key] = texts(st.session_state[key])


def _given(known: Settings, page: str, context: Any) -> Values:
    """The keys in the address that were meant for this page.

    By the menu the address of the page that was left comes along; Streamlit has dropped the keys of its controls.
    """
    given = parse_qs(context.query_string, keep_blank_values=True)
    if known.page not in ("", page) and not context.is_history_navigation:
        given = {key: given[key] for key in given if key in st.query_params and key not in known.loose}
    return _tidy(given)


def _tidy(given: Values) -> Values:
    """Without what Streamlit's binding cannot take: numbers that are not finite end in an error, empty values empty a
    control. A class may come by its number."""
    tidy = {key: values for key, values in given.items() if not any(map(_unusable, values))}
    if tidy.get("label", [""])[-1] in NUMBERED:
        tidy["label"] = [NUMBERED[tidy["label"][-1]]]
    return tidy


def _unusable(text: str) -> bool:
    try:
        return not math.isfinite(float(text))
    except ValueError:
        return not text.strip()


def texts(value: Any) -> list[str]:
    """A control's value as an address has it."""
    if isinstance(value, list | tuple):
        return [text for each in value for text in texts(each)]
    if isinstance(value, bool):
        return [str(value).lower()]
    return [str(int(value) if isinstance(value, float) and value.is_integer() else value)]


def keep(page: str, keys: Iterable[str], loose: tuple[str, ...] = ()) -> None:
    """Once a page has drawn its controls: what differs from the defaults stands in the address, and the tab knows it.

    `loose` are keys in the address that the page's own script looks after.
    """
    known, context = settings(), get_script_run_ctx()
    if context is None or known.page != page:
        return
    bound = tuple(key for key in keys if _is_bound(context, key))
    changed = {key: texts(st.session_state[key]) for key in bound if _is_changed(context, key)}
    given = parse_qs(context.query_string, keep_blank_values=True)
    address = {key: given.get(key, values) if known.settled else values for key, values in changed.items()}
    named = {key: given[key] for key in given if key in loose}
    if not known.settled or address | named != given:
        _put_into_the_address(context, address | named, bool(known.keys))
    known.keys[page], known.loose, known.settled = bound, loose, True
    if known.stood_in:
        changed["model"] = known.shared["model"]
    values: dict[str, Any] = {"shared": {}, page: {}}
    for key in bound:
        values["shared" if key in SHARED else page][key] = changed.get(key)
    search = urlencode(address, doseq=True)
    told = {"page": page, "search": search, "values": values, "loose": loose}
    _mount(key="kept", data=told | {"session": known.session, "brought": known.brought})


def _metadata(context: Any, key: str) -> Any:
    state = context.session_state._state  # Streamlit tells a control's default nowhere else
    return state.get_widget_metadata(state.get_widget_id_from_key(key) or "")


def _is_bound(context: Any, key: str) -> bool:
    metadata = _metadata(context, key)
    return metadata is not None and metadata.bind is not None and key in st.session_state


def _is_changed(context: Any, key: str) -> bool:
    return st.session_state[key] != _metadata(context, key).deserializer(None)


def _put_into_the_address(context: Any, address: Values, heard: bool) -> None:
    """Through Streamlit, which tells a page around the studio too; not before the script above is there to hear."""
    with context.session_state.query_params() as params:
        params.clear_with_no_forward_msg(preserve_embed=True)
        for key, values in address.items():
            params.set_with_no_forward_msg(key, values[0] if len(values) == 1 else values)
        if heard:
            params._send_query_param_msg()
