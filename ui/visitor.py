"""Who is visiting: a random number that stays in the browser, so that a run's owner is known after a reload."""

from __future__ import annotations

import hashlib
import re
import secrets

import streamlit as st

from genlib.jobs.limits import Limits
from genlib.jobs.run import Job
from ui.static import source

PROXIES = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Forwarded", "Via")  # headers of one between

_mount = st.components.v2.component("genlib_visitor", js=source("studio/visitor.js"))


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


def on_behalf_of(visitor: str, job: Job, limits: Limits) -> str | None:
    """For whom the queue is asked to change a run: the visitor, or the host itself, None.

    Who sits at the machine itself may stop what its command line has begun, which has no owner. Anyone may seem to sit
    there through a proxy, so a studio with any limit set, or a request that a proxy has passed on, counts as a visitor.
    """
    passed_on = any(name in st.context.headers for name in PROXIES)
    at_the_machine = st.context.ip_address is None and not passed_on
    return None if at_the_machine and not job.owner and limits == Limits() else visitor
