"""Who is visiting: a random number that stays in the browser, so that a run's owner is known after a reload."""

from __future__ import annotations

import hashlib
import re
import secrets

import streamlit as st

JS = """
export default function ({ data, setStateValue }) {
  const hex = (byte) => byte.toString(16).padStart(2, "0");
  const draw = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), hex).join("");
  let token = null;
  try {
    token = localStorage.getItem("genlib-visitor");
    if (!/^[0-9a-f]{32}$/.test(token ?? "")) {
      token = draw();
      localStorage.setItem("genlib-visitor", token);
    }
  } catch { return; }  // a browser that keeps nothing: the session must do
  if (token !== data.known) setStateValue("token", token);
}
"""

_mount = st.components.v2.component("genlib_visitor", js=JS)


def visitor() -> str:
    """The visitor's name in the queue. It tells nothing about the number in the browser, which proves it."""
    state = st.session_state
    found = _mount(
        key="visitor", data={"known": state.get("token")}, default={"token": None}, on_token_change=lambda: None
    ).token
    if isinstance(found, str) and re.fullmatch(r"[0-9a-f]{32}", found):
        state["token"] = found
    token = state.setdefault("token", secrets.token_hex(16))
    return hashlib.sha256(token.encode()).hexdigest()[:32]
