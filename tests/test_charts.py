"""Charts as data: what Plotly takes, with what they show in words."""

from __future__ import annotations

import pytest
from plotly.graph_objects import Figure

from genlib.charts import dataset, discriminator, mixtures
from genlib.charts.chart import Chart
from genlib.charts.evidence import evidence
from genlib.questions import Dataset, Discriminator


@pytest.mark.parametrize("chart", [dataset.counts, dataset.gray_levels])
def test_a_chart_is_plotlys_figure_with_its_words(chart) -> None:
    made = chart(Dataset())
    figure = Figure(made.figure)
    assert figure.layout.height == made.height and len(figure.data) == 1
    assert made.alt and made.title.startswith("**")


def test_an_axis_is_a_title_or_settings() -> None:
    layout = Chart([], "nothing", 100, "epoch", {"title": "loss", "type": "log"}, layout={"bargap": 0}).figure["layout"]
    assert layout["xaxis"] == {"title": "epoch"} and layout["yaxis"] == {"title": "loss", "type": "log"}
    assert layout["bargap"] == 0


def test_the_threshold_stands_on_the_roc_curve() -> None:
    asked = Discriminator("cgan-mlp", n=200, threshold=0.3)
    shares = asked.found.accuracy(0.3)
    chart = discriminator.roc(asked)
    assert (chart.traces[-1]["x"], chart.traces[-1]["y"]) == ([1 - shares["fake"]], [shares["real"]])
    assert f"{asked.found.area():.3f}" in chart.alt


def test_the_least_of_a_criterion_has_a_star() -> None:
    curve = {"regularisation": [1e-3, 1e-2], "bic": [[5.0, 3.0, 4.0], [None, None, None]]}
    first, star, second = mixtures.criterion("gmm-10", {"bic_curve": curve}).traces
    assert (star["x"], star["y"]) == ([2], [3.0])
    assert len(first["y"]) == len(second["y"]) == 3


def test_evidence_of_a_claim_is_made_as_it_is_asked_for() -> None:
    (losses,) = evidence(9, ["dcgan-64"])
    assert isinstance(losses, Chart)
    assert [trace["name"] for trace in losses.traces] == ["generator", "discriminator"]
    assert next(evidence(7, ["dcgan-64", "no such model"])).images.shape == (10, 28, 28)
