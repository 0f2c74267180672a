"""Charts as data: what Plotly takes, with what they show in words."""

from __future__ import annotations

from statistics import mean

import pytest
from plotly.graph_objects import Figure

from genlib.analysis.history import read_history
from genlib.charts import dataset, discriminator, mixtures
from genlib.charts.chart import Chart
from genlib.charts.evidence import evidence
from genlib.charts.history import Moment
from genlib.data import FashionMNIST
from genlib.metrics.features import load_extractor
from genlib.metrics.floor import training_floor
from genlib.metrics.frechet import Gaussian, frechet_distance
from genlib.models import get_preset
from genlib.publish.site.chart import chart as site_chart
from genlib.questions import Dataset, Discriminator
from genlib.zoo.entry import Entry


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


@pytest.mark.parametrize("name", ["cgan-mlp", "flow-unet", "gmm-10"])
def test_a_trainings_distances_stand_beside_those_of_photographs(name: str) -> None:
    past = read_history(name)
    moment = Moment(Entry.of_run(name, get_preset(name)), past, past.sample_epochs[-1])
    first, *others = moment.panels
    floor = f"{training_floor(past.looks['samples']):.2f}"
    _, line = moment.chart(first).layout["shapes"]
    assert f"{line['y0']:.2f}" == f"{line['y1']:.2f}" == floor
    assert floor in moment.reading and f"photographs {floor}" in moment.chart(first).alt
    assert all(panel.photographs is None for panel in others)
    assert f" photographs {floor}</text>" in site_chart(past, "epoch")


def test_more_photographs_lie_nearer_to_the_training_images(test_split: FashionMNIST) -> None:
    found = [training_floor(n) for n in (10, 500, 2_000, 5_000, 10_000)]
    assert found == sorted(found, reverse=True) and training_floor(999) == training_floor(500)
    extractor = load_extractor("first")
    sets = [extractor.features(test_split.images[start : start + 500]) for start in (0, 500, 1_000)]
    measured = mean(frechet_distance(Gaussian.of(features), extractor.train) for features in sets)
    assert training_floor(500) == pytest.approx(measured, rel=1e-3)
