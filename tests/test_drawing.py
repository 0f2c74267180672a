"""Pictures without a plotting library: the right colours in the right places."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from genlib.drawing import (
    CLASS_COLOURS,
    OTHERS,
    RIGHT,
    VERDICT_COLOURS,
    WRONG,
    Axis,
    log_ticks,
    name_places,
    pies,
    scatter,
    trade_off,
    verdicts,
)
from genlib.findings.judge import Finding, Part, untested_findings
from genlib.models import families
from tests.tiny import refused


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def count(picture: np.ndarray, colour: str) -> int:
    return int((picture == rgb(colour)).all(2).sum())


@pytest.mark.parametrize("share", [0.0, 0.13, 0.5, 0.9, 1.0])
def test_a_pies_slices_have_their_shares(share: float) -> None:
    picture = pies({"": share}, size=600)
    right, wrong = count(picture, RIGHT), count(picture, WRONG)
    assert right / (right + wrong) == pytest.approx(share, abs=0.02)


def test_one_pie_for_each_share() -> None:
    one, three = pies({"a": 0.5}), pies({"a": 0.5, "b": 0.5, "c": 0.5})
    assert three.shape == (one.shape[0], 3 * one.shape[1], 3)
    for shares in ({}, {"a": 1.2}, {"a": float("nan")}):
        with refused("pies take shares"):
            pies(shares)


def test_points_have_the_colours_of_their_classes() -> None:
    points, classes = np.random.default_rng(0).normal(size=(500, 2)), np.arange(500) % 3
    picture = scatter({"a": points}, classes)[52:612]
    shown = [count(picture, colour) > 300 for colour in CLASS_COLOURS]
    assert shown == [True] * 3 + [False] * 7


def test_a_highlighted_class_is_alone_in_colour() -> None:
    points, classes = np.random.default_rng(0).normal(size=(500, 2)), np.arange(500) % 3
    picture = scatter({"a": points, "b": points}, classes, highlight=1)
    assert [count(picture, colour) > 0 for colour in CLASS_COLOURS[:3]] == [False, True, False]
    assert count(picture, OTHERS) > 1_000


@pytest.mark.filterwarnings("error")
def test_tensors_are_drawn_as_arrays_are_and_points_without_a_place_are_left_out() -> None:
    rng = np.random.default_rng(0)
    points, classes, ring = rng.normal(size=(60, 2)), np.arange(60) % 10, rng.normal(size=(9, 2))
    expected = scatter({"a": points}, classes, 3, [ring])
    tensors = [torch.from_numpy(each) for each in (points, classes, ring)]
    assert (scatter({"a": tensors[0]}, tensors[1], 3, [tensors[2]]) == expected).all()  # type: ignore[dict-item,arg-type,list-item]
    lost = np.vstack([points, [[np.nan, 0.0]], [[np.inf, 1.0]]])
    assert (scatter({"a": lost}, np.append(classes, [3, 3]), 3, [ring]) == expected).all()
    assert scatter({"a": np.full((5, 2), np.nan)}, np.zeros(5, int)).shape == expected.shape


def test_outlines_are_inside_the_panel() -> None:
    ring = 100 * np.stack([np.cos(np.linspace(0, 7, 90)), np.sin(np.linspace(0, 7, 90))], axis=1)
    plain, ringed = (scatter({"a": np.zeros((3, 2))}, np.zeros(3, int), outlines=o) for o in ((), [ring]))
    assert plain.shape == ringed.shape
    assert (ringed[:52] == plain[:52]).all()
    assert (ringed < 100).all(2).sum() > (plain < 100).all(2).sum() + 500


# Trade-offs -------------------------------------------------------------------------------------------------------

FD, SHARE, SIZE = Axis("fd", "Distance"), Axis("recall", "Recall, %", False, 100), Axis("parameters", "Parameters")


def row(model: str, family: str, parameters: int, fd: float | None, spread: float = 0.0) -> dict[str, object]:
    return {"model": model, "family": family, "parameters": parameters, "fd": fd, "fd_spread": spread, "recall": 0.5}


def middle(picture: np.ndarray, colour: str) -> np.ndarray:
    """Row and column of what is drawn in a colour, the legend left out."""
    return np.argwhere((picture == rgb(colour)).all(2)[70:]).mean(0)


def test_a_better_and_dearer_model_stands_lower_and_further_right() -> None:
    (one, two), (a, b) = list(families())[:2], CLASS_COLOURS[:2]
    rows = [row("x", one, 1_000, 20.0), row("y", two, 1_000_000, 2.0), row("z", two, 10, None)]
    picture = trade_off(rows, FD, SIZE)
    worse, better = middle(picture, a), middle(picture, b)
    assert better[0] > worse[0] + 200
    assert better[1] > worse[1] + 500
    assert not any(count(picture, colour) for colour in CLASS_COLOURS[2:])
    assert np.array_equal(picture, trade_off(rows[:2], FD, SIZE))
    wide = trade_off([row("x", one, 1_000, 20.0, 5.0), *rows[1:]], FD, SIZE)
    assert count(wide, a) > count(picture, a) + 20  # the bar


def test_a_trade_off_of_one_model_of_equals_and_of_none() -> None:
    (family, *_) = families()
    for axis in (FD, SHARE):
        rows = [row("x", family, 10, 1.0), row("y", family, 10, 1.0)]
        assert trade_off(rows[:1], axis, SIZE).shape == trade_off(rows, axis, SIZE).shape
    with refused("no row has both fd and parameters"):
        trade_off([row("x", family, 10, None)], FD, SIZE)


def test_claims_are_drawn_in_the_colours_of_their_verdicts() -> None:
    one, two = untested_findings()[:2]
    judged = Finding(two.claim, "does not hold", (Part("rule", False, "figures"),))
    picture = verdicts([one, judged])
    assert [count(picture, VERDICT_COLOURS[each.verdict]) > 500 for each in (one, judged)] == [True, True]
    assert count(picture, VERDICT_COLOURS["holds"]) == 0
    assert len(verdicts([one])) < len(picture)
    with refused("no finding to draw"):
        verdicts([])


def test_names_keep_clear_of_points_and_of_one_another() -> None:
    wide = (-1000.0, 1000.0)
    assert name_places(["a", "b"], [(0, 0), (300, 0)], wide) == {"a": (0, 1), "b": (0, 1)}
    crowd = name_places([f"model-{i}" for i in range(12)], [(0.0, 0.0)] * 12, wide)
    assert len(set(crowd.values())) == len(crowd) == 4
    around = [(-6.0, 20.0), (-6.0, -20.0), (20.0, 0.0), (-20.0, 0.0)]
    assert name_places(["x", *"abcd"], [(0.0, 0.0), *around], wide)["x"] == (1, 1)


def test_names_keep_within_the_edges() -> None:
    assert name_places(["generator"], [(95, 0)], (0, 100)) == {"generator": (-1, 0)}
    assert name_places(["generator"], [(10, 0)], (0, 30)) == {}


def test_ticks_are_round_and_enclose_the_values() -> None:
    assert log_ticks([0.3, 4]) == pytest.approx([0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50][: len(log_ticks([0.3, 4]))])
    assert SHARE.ticks([2, 58]) == [0, 10, 20, 30, 40, 50, 60]
    assert SHARE.ticks([0.5, 0.5])[0] <= 0.5 <= SHARE.ticks([0.5, 0.5])[-1]
