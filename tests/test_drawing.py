"""Pictures without a plotting library: the right colours in the right places."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from genlib.drawing import CLASS_COLOURS, OTHERS, RIGHT, WRONG, pies, scatter
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
