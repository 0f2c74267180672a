"""The Discriminator page: what it shows of the judgements."""

from __future__ import annotations

import numpy as np
import streamlit as st

from genlib.data import CLASS_NAMES
from genlib.drawing import RIGHT, WRONG
from genlib.questions.discriminator import Discriminator
from ui.pictures import STILL, show_tiles

SHOWN = 10  # pictures of either extreme
REAL, FAKE = "#832db6", "#e76300"
WHAT_IS_JUDGED = (
    "Test images against as many fakes of the *raw* generator, the one it trained against, not of the average that the "
    "other pages sample from. Dropout is off. **For comparison**: a guess is right in 50 % of the images, of "
    "either kind and of every class."
)
LAG = (
    "This discriminator has batch norm: in evaluation mode it normalises by running averages that trail behind its "
    "weights, and even a small lag moves the scores of real images and fakes alike, so that the pies swing from epoch "
    "to epoch between 0 and 100 %. **Batch** normalises by the images at hand, real ones and fakes apart, as in "
    "training; the area under the ROC curve needs no threshold and changes little."
)
MARGINS = {"l": 0, "r": 0, "t": 30, "b": 0}


def show_pies(question: Discriminator) -> None:
    """Overall, real images and fakes: how many are judged rightly."""
    from ui.charts import go

    figure = go.Figure()
    for i, (title, share) in enumerate(question.shares.items()):
        figure.add_trace(
            go.Pie(
                values=[share, 1 - share],
                labels=["judged rightly", "judged wrongly"],
                marker={"colors": [RIGHT, WRONG]},
                domain={"x": [i / 3 + 0.01, (i + 1) / 3 - 0.01], "y": [0, 1]},
                title={"text": f"<b>{title}</b><br>&nbsp;", "position": "top center"},
                texttemplate="%{percent:.1%}",
                textposition="inside",
                insidetextfont={"color": "#1f2328", "size": 15},
                hovertemplate="%{label}: %{percent:.1%}<extra>" + title + "</extra>",
                sort=False,
                direction="clockwise",
            )
        )
    legend = {"orientation": "h", "x": 0.5, "xanchor": "center", "y": -0.02, "yanchor": "top"}
    figure.update_layout(height=300, margin={"l": 0, "r": 0, "t": 4, "b": 0}, legend=legend)
    told = ", ".join(f"{title.lower()} {100 * share:.1f} %" for title, share in question.shares.items())
    st.plotly_chart(figure, config=STILL, alt=f"Judged rightly by the discriminator of {question.model}: {told}")


def show_histogram(question: Discriminator) -> None:
    """The scores of either side, with the threshold between them."""
    from ui.charts import go

    figure = go.Figure()
    for title, scores, colour in (
        ("real images", question.found.real_scores, REAL),
        ("fakes", question.found.fake_scores, FAKE),
    ):
        counts, edges = np.histogram(scores.numpy(), bins=40, range=(0, 1))
        figure.add_trace(
            go.Bar(x=(edges[:-1] + edges[1:]) / 2, y=counts, name=title, marker={"color": colour}, opacity=0.65)
        )
    figure.add_vline(question.threshold, line={"color": "gray", "dash": "dash"})
    figure.update_layout(
        barmode="overlay",
        bargap=0,
        height=280,
        margin=MARGINS,
        xaxis_title="probability of being real",
        yaxis_title="images",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    st.markdown("**What it says** of real images and of fakes")
    st.plotly_chart(figure, config=STILL, alt=f"Histogram of the scores {question.model} gives real images and fakes")


def show_roc(question: Discriminator) -> None:
    """The ROC curve, its area, and where the threshold stands on it."""
    from ui.charts import go

    false_positive, true_positive = (rate.numpy() for rate in question.found.roc())
    keep = np.unique(np.linspace(0, len(false_positive) - 1, 400).astype(int))  # more than a screen can tell apart
    figure = go.Figure(
        go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": "gray", "dash": "dot"}, name="guess")
    )
    line = {"color": RIGHT, "width": 2}
    figure.add_trace(go.Scatter(x=false_positive[keep], y=true_positive[keep], mode="lines", line=line, name="judge"))
    shares = question.found.accuracy(question.threshold)
    marker = {"color": WRONG, "size": 11, "line": {"color": "gray", "width": 1}}
    point = {"x": [1 - shares["fake"]], "y": [shares["real"]]}
    figure.add_trace(go.Scatter(**point, mode="markers", marker=marker, name="this threshold"))
    figure.update_layout(
        height=280,
        margin=MARGINS,
        xaxis_title="fakes called real",
        yaxis_title="real images called real",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    area = question.found.area()
    st.markdown(
        f"**Over all thresholds**: area {area:.3f}",
        help="How often a real image scores above a fake. 1: a perfect judge; 0.5: guessing.",
    )
    st.plotly_chart(figure, config=STILL, alt=f"ROC curve of the discriminator of {question.model}, area {area:.3f}")


def show_classes(question: Discriminator) -> None:
    """Shares judged rightly, class by class."""
    from ui.charts import go

    shares = question.found.class_accuracy(question.fake_classes, question.threshold)
    figure = go.Figure()
    for side, title, colour in (("real", "real images", REAL), ("fake", "fakes", FAKE)):
        values = 100 * shares[side].numpy()
        figure.add_trace(go.Bar(x=CLASS_NAMES, y=values, name=title, marker={"color": colour}))
    figure.update_layout(
        height=270,
        margin=MARGINS,
        yaxis={"title": "judged rightly, %", "range": [0, 100]},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    seen = "" if "conditional" in question.can else ": of a fake, the class genlib's classifier sees in it"
    st.markdown(f"**By class**{seen}")
    st.plotly_chart(
        figure, config=STILL, alt=f"Shares judged rightly by the discriminator of {question.model} by class"
    )


def show_extremes(question: Discriminator) -> None:
    """The fakes it takes for real and the real images it takes for fakes."""
    found = question.found
    for title, images, scores, classes, ascending in (
        ("The fakes that fool it most", found.fake, found.fake_scores, question.fake_classes.numpy(), False),
        ("The real images it doubts most", found.real, found.real_scores, found.real_classes.numpy(), True),
    ):
        order = scores.argsort(descending=not ascending, stable=True)[:SHOWN].numpy()
        heads = [f"{CLASS_NAMES[classes[i]]} {100 * float(scores[i]):.0f} %" for i in order]
        st.markdown(f"**{title}**, with the probability of being real that it gave them")
        show_tiles(images.numpy()[order], SHOWN, f"{title}, {question.model}: {', '.join(heads)}", heads)
