"""Plotly's graph objects, for functions to import when they draw: Plotly and pandas take a second to load.

pandas is here because Plotly looks for it in `sys.modules` at every step: with two visitors on a cold server it finds
the half-imported module of the other one's table, and fails. Importing it first waits until it is whole.
"""

import pandas  # noqa: F401
import plotly.graph_objects as go

__all__ = ["go"]
