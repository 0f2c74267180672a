"""The Dataset page's charts: class counts, gray levels, the plane of the first components."""

from __future__ import annotations

import streamlit as st
import torch

from genlib.data import CLASS_NAMES
from genlib.questions.dataset import Dataset, components, histogram, statistics
from ui.pictures import CLASS_COLOURS, STILL

PLOTTED = 10_000
HOVER = "image %{customdata}<extra>%{fullData.name}</extra>"


def show_counts(question: Dataset) -> None:
    """Images a class, in the class's colour."""
    from ui.charts import go

    counts = statistics(question.shown).counts.tolist()
    figure = go.Figure(go.Bar(x=CLASS_NAMES, y=counts, marker={"color": CLASS_COLOURS}))
    _lay_out(figure, "", "images")
    words = ", ".join(f"{name} {count:,}" for name, count in zip(CLASS_NAMES, counts, strict=True))
    st.plotly_chart(figure, config=STILL, alt=f"Images by class: {words}")


def show_histogram(question: Dataset) -> None:
    """How many pixels are how bright, as shares; logarithmic, for half of all pixels are black."""
    from ui.charts import go

    counts = histogram(question.shown)
    shares = [100 * count / sum(counts) for count in counts]
    figure = go.Figure(go.Bar(x=[8 * i + 3.5 for i in range(32)], y=shares, marker={"color": CLASS_COLOURS[0]}))
    _lay_out(figure, "gray level, 0 black to 255 white", "share of all pixels, %")
    figure.update_layout(bargap=0.05)
    figure.update_yaxes(type="log", dtick=1)
    st.plotly_chart(figure, config=STILL, alt=f"Pixels by gray level: {shares[0]:.0f} % are darker than level 8")


def show_scatter(question: Dataset) -> None:
    """Every image as a point in the plane of the first two components (the first 10,000 of the training split)."""
    from ui.charts import go

    found, labels = components(question.shown), question.data.labels[:PLOTTED]
    figure = go.Figure()
    for k, name in enumerate(CLASS_NAMES):
        rows = (labels == k).nonzero().squeeze(1)
        x, y = found.coordinates[rows, :2].T.numpy()
        look = {"color": CLASS_COLOURS[k], "size": 4, "opacity": 0.7}
        figure.add_scattergl(
            x=x, y=y, mode="markers", marker=look, name=name, customdata=rows.numpy(), hovertemplate=HOVER
        )
    first, second = (100 * found.shares[:2]).tolist()
    _lay_out(figure, f"first component ({first:.0f} % of the variance)", f"second component ({second:.0f} %)", 520)
    figure.update_layout(legend={"orientation": "h", "itemsizing": "constant", "y": 1.02, "yanchor": "bottom"})
    alt = f"{len(labels):,} images in the plane of their first two principal components, coloured by class"
    st.plotly_chart(figure, config=STILL, alt=alt)


def show_shares(question: Dataset) -> None:
    """The variance that the first components explain together."""
    from ui.charts import go

    together = 100 * torch.cumsum(components(question.shown).shares[:200], 0)
    figure = go.Figure(go.Scatter(x=list(range(1, 201)), y=together.tolist(), line={"color": CLASS_COLOURS[0]}))
    _lay_out(figure, "components", "variance explained, %", 200)
    figure.update_yaxes(range=[0, 101])
    enough = int((together < 90).sum()) + 1
    st.markdown(f"**{enough} components** explain 90 % of the variance of 784 pixels")
    st.plotly_chart(figure, config=STILL, alt=f"Variance explained by up to 200 components; {enough} explain 90 %")


def _lay_out(figure, x_title: str, y_title: str, height: int = 260) -> None:
    figure.update_layout(
        height=height, margin={"l": 0, "r": 0, "t": 8, "b": 0}, xaxis_title=x_title, yaxis_title=y_title
    )
