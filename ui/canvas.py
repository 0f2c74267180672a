"""A square to draw on: light strokes on black, handed back as a PNG after each stroke."""

from __future__ import annotations

import base64
import binascii

import streamlit as st

HTML = """
<canvas width="280" height="280" role="img" aria-label="A black square to draw a garment on with the pointer"></canvas>
<button type="button">Clear</button>
"""
CSS = """
canvas { display: block; width: min(280px, 100%); background: #000; border-radius: 4px; cursor: crosshair;
  touch-action: none; outline: 1px solid var(--st-border-color); }
button { margin-top: .5rem; padding: .25rem .75rem; font: inherit; color: var(--st-text-color); cursor: pointer;
  background: var(--st-background-color); border: 1px solid var(--st-border-color); border-radius: .4rem; }
button:hover, button:focus-visible { border-color: var(--st-primary-color); }
"""
JS = """
export default function ({ parentElement, setStateValue }) {
  const canvas = parentElement.querySelector("canvas");
  const pen = canvas.getContext("2d");
  const clear = () => { pen.fillStyle = "#000"; pen.fillRect(0, 0, canvas.width, canvas.height); };
  if (!canvas.dataset.ready) {
    canvas.dataset.ready = "yes";
    clear();
  }
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const scale = canvas.width / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  };
  let drawing = false;
  canvas.onpointerdown = (event) => {
    drawing = true;
    canvas.setPointerCapture(event.pointerId);
    Object.assign(pen, { strokeStyle: "#e6e6e6", lineWidth: 24, lineCap: "round", lineJoin: "round" });
    pen.beginPath();
    pen.moveTo(...place(event));
    canvas.onpointermove(event);
  };
  canvas.onpointermove = (event) => {
    if (!drawing) return;
    pen.lineTo(...place(event));
    pen.stroke();
  };
  canvas.onpointerup = canvas.onpointercancel = () => {
    if (!drawing) return;
    drawing = false;
    setStateValue("drawing", canvas.toDataURL("image/png"));
  };
  parentElement.querySelector("button").onclick = () => { clear(); setStateValue("drawing", null); };
}
"""
LONGEST = 1_000_000  # characters of a drawing; a full one takes some 20,000

_mount = st.components.v2.component("genlib_canvas", html=HTML, css=CSS, js=JS)


def canvas(key: str) -> bytes | None:
    """The drawing as a PNG file's bytes, or None while there is none."""
    drawing = _mount(key=key, default={"drawing": None}, on_drawing_change=lambda: None).drawing
    if not isinstance(drawing, str) or len(drawing) > LONGEST:
        return None
    try:
        return base64.b64decode(drawing.partition(",")[2], validate=True) or None
    except binascii.Error:
        return None
