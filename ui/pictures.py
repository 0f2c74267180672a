"""Pictures as the pages show them: gray garments enlarged without blur, and charts in the theme's colours."""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st
from PIL import Image

from genlib.drawing import CLASS_COLOURS
from genlib.images import grid
from genlib.questions.interpolate import there_and_back

STILL = {"displayModeBar": False}


def tiles_png(images: np.ndarray, columns: int, scale: int = 4, gap: int = 4) -> bytes:
    """uint8 (N, 28, 28) as one PNG whose gaps are transparent, so that it sits on a light or a dark page."""
    picture = grid(images, columns, scale, gap)
    alpha = grid(np.full_like(images, 255), columns, scale, gap, background=0)
    buffer = io.BytesIO()
    Image.fromarray(np.dstack([picture, alpha]), "LA").save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


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


def show_animation(frames: np.ndarray, alt: str) -> None:
    """A walk, playing."""
    st.image(there_and_back(frames), caption=alt, width="stretch", alt=alt)


def line_chart(x: Sequence[float], y: Sequence[float], x_title: str, y_title: str, alt: str, height: int = 220) -> None:
    """One line over x, in the theme's first colour."""
    from ui.charts import go

    figure = go.Figure(go.Scatter(x=list(x), y=list(y), mode="lines", line={"color": CLASS_COLOURS[0], "width": 2}))
    figure.update_layout(
        height=height, margin={"l": 0, "r": 0, "t": 8, "b": 0}, xaxis_title=x_title, yaxis_title=y_title
    )
    figure.update_yaxes(rangemode="tozero")
    st.plotly_chart(figure, config=STILL, alt=alt)
