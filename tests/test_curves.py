"""The chart that compares runs."""

from __future__ import annotations

from typing import Any

import pytest
import streamlit as st

from ui import curves


@pytest.mark.parametrize(("epochs", "step"), [([1, 2, 3], 1), ([1, 500, 990], None), ([], 1)])
def test_ticks_are_whole_epochs_and_few(epochs: list[int], step: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick an epoch over a thousand of them kept a browser busy for a minute."""
    drawn: list[Any] = []
    monkeypatch.setattr(curves, "points", lambda job, measure: (epochs, [1.0] * len(epochs)))
    monkeypatch.setattr(curves, "labels", lambda jobs: ["1", "2"])
    monkeypatch.setattr(st, "plotly_chart", lambda figure, **_: drawn.append(figure))
    curves._chart([None, None], curves.DISTANCE)  # type: ignore[list-item]
    assert drawn[0].layout.xaxis.dtick == step and drawn[0].layout.xaxis.tickformat == "d"
