"""What answers look like as charts: Plotly's traces and layout as plain data, for the studio and for a notebook.

from genlib.charts import discriminator
from genlib.questions import Discriminator
from plotly.graph_objects import Figure

Figure(discriminator.roc(Discriminator("cgan-mlp")).figure)
"""
