"""Plotly's graph objects, and how a page shows a figure, for functions to import when they draw: Plotly and pandas take
a second to load.

pandas is here because Plotly looks for it in `sys.modules` at every step: with two visitors on a cold server it finds
the half-imported module of the other one's table, and fails. Importing it first waits until it is whole.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pandas  # noqa: F401
import plotly.graph_objects as go
import streamlit as st

from ui.pictures import STILL

__all__ = ["go", "show"]
TOOLS = {"displaylogo": False, "scrollZoom": False}  # the wheel belongs to the page


def show(figure: go.Figure, alt: str, config: dict[str, bool] = STILL, **options: Any) -> Any:
    """The figure in the page's width; what Streamlit gives back of it.

    A visitor's zoom stays (ui/settings.py) as long as the points do, or as long as the layout's own `uirevision`: a
    name for what is drawn, where something moves along the same curves.
    """
    figure.update_layout(uirevision=figure.layout.uirevision or _points(figure))
    return st.plotly_chart(figure, config=config, alt=alt, **options)


def _points(figure: go.Figure) -> str:
    """One name for the places of all points, whatever their colours and the order of the traces."""
    return hashlib.sha1(b"".join(sorted(map(_places, figure.data)))).hexdigest()


def _places(trace: Any) -> bytes:
    axes = [np.asarray(trace[axis]) for axis in ("x", "y", "z") if axis in trace and trace[axis] is not None]
    numbers = [axis if axis.dtype.kind in "iuf" else axis.astype(str) for axis in axes]
    return hashlib.sha1(b"".join(each.tobytes() for each in numbers)).digest()
