"""How far another training would have moved a page's figures stands beside them, or that no one knows."""

from __future__ import annotations

import math

import pytest

import genlib.charts.diversity
import ui.discriminator
import ui.diversity
import ui.latent
import ui.variation
from genlib.questions import Discriminator, Diversity, Latent, Variation
from genlib.questions.question import Figures
from genlib.questions.variation import PHOTOGRAPHS, SAMPLES
from ui.trainings import NOT_MEASURED

NAME, JUDGE = "vae-dense-8", "cgan-mlp"
JUDGES: list[Figures] = [
    {"Overall": [share], "Real images": [share / 2], "Fakes": [1.0], "area": [0.875]} for share in (0.5, 0.75)
]
SPREADS: list[Figures] = [
    {"diversity": [9.0, None, *[1.0] * 8], "share of draws": [value] * 10} for value in (0.0, 0.1)
]


def kept(patch: pytest.MonkeyPatch, module: object, others: list[Figures]) -> None:
    patch.setattr(module, "other_figures", lambda question: others)


def test_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    question = Discriminator(JUDGE, n=20)
    kept(monkeypatch, ui.discriminator, JUDGES)
    told = ui.discriminator.trained_again(question).replace("\N{NO-BREAK SPACE}", " ")
    assert "overall 50.0 % and 75.0 %, real images 25.0 % and 37.5 %, fakes 100.0 % and 100.0 %" in told
    assert "curve is 0.875 and 0.875 (threshold 0.5, 2,000 images of each kind)" in told
    kept(monkeypatch, ui.discriminator, [])
    assert ui.discriminator.trained_again(question) == NOT_MEASURED


def test_classes_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    question = Latent(NAME, n=100)
    (name,) = question.found
    kept(monkeypatch, ui.latent, [{name: [0.25, 0.5, 0.375]}, {name: [0.5, 0.75, 0.625]}])
    told = ui.latent.trained_again(question, name).replace("\N{NO-BREAK SPACE}", " ")
    assert "25 % and 50 % of the variance in 2 components; 50.0 % and 75.0 % by a boundary" in told
    assert "37.5 % and 62.5 % by the centre" in told
    assert NOT_MEASURED not in ui.latent.what_is_shown(question)
    kept(monkeypatch, ui.latent, [])
    assert ui.latent.trained_again(question, name) == ""
    assert ui.latent.what_is_shown(question).endswith(NOT_MEASURED)


@pytest.mark.slow
def test_spreads(monkeypatch: pytest.MonkeyPatch) -> None:
    question = Diversity(NAME)
    own = question.figures()["diversity"]
    kept(monkeypatch, genlib.charts.diversity, SPREADS)
    reach = genlib.charts.diversity.spread(question).traces[0]["error_x"]
    lowest, highest = ([end or 0.0 for end in reach[side]] for side in ("arrayminus", "array"))
    assert own[0] and own[1] and own[2]
    assert (lowest[0], highest[0]) == (0.0, 9.0 - own[0])
    assert (lowest[1], highest[1]) == (0.0, 0.0)  # neither has two samples of that class
    assert (lowest[2], highest[2]) == (own[2] - 1.0, 0.0)
    kept(monkeypatch, ui.diversity, SPREADS)
    moved = max(abs(each.share - value) for each in question.found for value in (0.0, 0.1))
    assert f"moved by up to {100 * moved:.1f} points" in ui.diversity.trained_again(question)
    kept(monkeypatch, ui.diversity, [])
    assert ui.diversity.trained_again(question) == NOT_MEASURED
    kept(monkeypatch, genlib.charts.diversity, [])
    assert "error_x" not in genlib.charts.diversity.spread(question).traces[0]


@pytest.mark.parametrize(("label", "own"), [("Every class", None), ("Bag", 8)])
def test_deviations(label: str, own: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    question = Variation(NAME, n=20, label=label)
    figures = question.figures()
    others: list[Figures] = [{PHOTOGRAPHS: [0.0] * 10, SAMPLES: [*range(start, start + 10)]} for start in (0, 50)]
    kept(monkeypatch, ui.variation, others)
    first, second = (4.5, 54.5) if own is None else (8, 58)
    means = [
        math.fsum(value or 0.0 for value in figures[side]) / 10 if own is None else figures[side][own]
        for side in (PHOTOGRAPHS, SAMPLES)
    ]
    told = ui.variation.means(question)
    assert f"{means[0]:.1f} gray levels of 255 in photographs, {means[1]:.1f} in these samples" in told
    assert told.endswith(f"{first:.1f} and {second:.1f} trained again from other seeds.")
    kept(monkeypatch, ui.variation, [])
    assert ui.variation.means(question).endswith(NOT_MEASURED)
