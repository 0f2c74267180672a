"""A square to draw on: light strokes on black, handed back as a PNG after each stroke."""

from __future__ import annotations

import base64
import binascii

import streamlit as st

from ui.static import source

HTML = """
<canvas width="280" height="280" role="img" aria-label="A black square to draw a garment on with the pointer"></canvas>
<button type="button">Clear</button>
"""
LONGEST = 1_000_000  # characters of a drawing; a full one takes some 20,000

_mount = st.components.v2.component(
    "genlib_canvas", html=HTML, css=source("studio/canvas.css"), js=source("studio/canvas.js")
)


def canvas(key: str) -> bytes | None:
    """The drawing as a PNG file's bytes, or None while there is none."""
    drawing = _mount(key=key, default={"drawing": None}, on_drawing_change=lambda: None).drawing
    if not isinstance(drawing, str) or len(drawing) > LONGEST:
        return None
    try:
        return base64.b64decode(drawing.partition(",")[2], validate=True) or None
    except binascii.Error:
        return None
