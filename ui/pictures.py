"""Pictures as the pages show them: gray garments enlarged without blur, and charts in the theme's colours."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from genlib.charts.chart import Chart
from genlib.images import grid
from genlib.questions.generate import Generate
from genlib.questions.interpolate import there_and_back

STILL = {"displayModeBar": False, "scrollZoom": False}  # the wheel belongs to the page
TOOLS = {"displaylogo": False, "scrollZoom": False}


def tiles_png(images: np.ndarray, columns: int, scale: int = 4, gap: int = 4) -> bytes:
    """uint8 (N, 28, 28), or colours on white (N, 28, 28, 3), as one PNG whose gaps, and whose white in colours, are
    transparent, so that it sits on a light or a dark page.
    """
    gray, opaque = images.ndim == 3, np.full(images.shape[:3], 255, np.uint8)
    layers = [images, opaque] if gray else _without_white(images)
    picture = np.dstack([grid(layer, columns, scale, gap, background=0) for layer in layers])
    buffer = io.BytesIO()
    Image.fromarray(picture, "LA" if gray else "RGBA").save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _without_white(images: np.ndarray) -> np.ndarray:
    """Layers uint8 (4, N, 28, 28), red to alpha, that look like the colours (N, 28, 28, 3) where they lie on white."""
    ink = 255.0 - np.moveaxis(images, 3, 0)
    alpha = ink.max(axis=0)
    colours = 255 - 255 * ink / np.maximum(alpha, 1)
    return np.stack([*colours, alpha]).round().astype(np.uint8)


def show_tiles(
    images: np.ndarray,
    columns: int,
    alt: str,
    heads: Sequence[str] = (),
    caption: str | None = None,
) -> None:
    """A grid of garments as wide as its place, under a row of column heads where there are some."""
    if heads:
        st.html(f'<div class="genlib-heads">{"".join(f"<span>{escape(head)}</span>" for head in heads)}</div>')
    st.image(tiles_png(images, columns), caption=caption, width="stretch", alt=alt)


def strip(name: str, count: int = 10) -> np.ndarray:
    """A model's calling card: its first samples of seed 0."""
    return Generate(name, n=count).images


def show_animation(frames: np.ndarray, alt: str) -> None:
    """A walk, playing."""
    st.image(there_and_back(frames), caption=alt, width="stretch", alt=alt)


def show_chart(chart: Chart, key: str | None = None, config: dict[str, bool] = STILL, **options: Any) -> Any:
    """A chart under its title, as wide as its place; what Streamlit gives back of it.

    A visitor's zoom stays (ui/settings.py) as long as the points do, or as long as the layout's own `uirevision`: a
    name for what is drawn, where something moves along the same curves.
    """
    from ui.charts import go

    if chart.title:
        st.markdown(chart.title, help=chart.help)
    figure = go.Figure(chart.figure)
    figure.update_layout(uirevision=figure.layout.uirevision or _points(figure))
    return st.plotly_chart(figure, config=config, alt=chart.alt, key=key, **options)


def _points(figure: Any) -> str:
    """One name for the places of all points, whatever their colours and the order of the traces."""
    return hashlib.sha1(b"".join(sorted(map(_places, figure.data)))).hexdigest()


def _places(trace: Any) -> bytes:
    axes = [np.asarray(trace[axis]) for axis in ("x", "y", "z") if axis in trace and trace[axis] is not None]
    numbers = [axis if axis.dtype.kind in "iuf" else axis.astype(str) for axis in axes]
    return hashlib.sha1(b"".join(each.tobytes() for each in numbers)).digest()
