"""The way from noise to garment, and what was measured of a flow's settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from genlib.__main__ import main
from genlib.analysis.path import rows, trace
from genlib.images import grid, read_png, to_uint8
from genlib.loading import load
from genlib.metrics import settings
from genlib.metrics.settings import (
    KEPT,
    Measured,
    Settings,
    evaluations,
    keep_settings,
    load_settings,
    measure_settings,
)
from genlib.models.flow import Flow, FlowConfig
from genlib.sampling import generate
from genlib.stages import finish
from tests.tiny import refused, save_tiny, tiny_model


@pytest.mark.parametrize("label", [None, "Coat"])
def test_a_way_begins_at_the_noise_and_ends_at_the_samples(label: str | None) -> None:
    model = tiny_model("flow-unet")
    way = trace(model, 3, seed=5, label=label, steps=4, solver="euler", guidance=2.0)
    assert way.times == pytest.approx([1, 0.75, 0.5, 0.25, 0])
    assert torch.equal(way.images[0], to_uint8(model.draw_latent(3, 5)))
    samples, labels = generate(model, 3, 5, label, steps=4, solver="euler", guidance=2.0)
    assert torch.equal(way.images[-1], samples)
    assert torch.equal(way.expected[-1], samples)
    assert labels is not None and way.labels is not None
    assert torch.equal(way.labels, labels)


def test_the_last_step_of_heun_goes_where_the_point_before_it_expected() -> None:
    way = trace(tiny_model("flow-unet"), 2, steps=3, solver="heun")
    assert torch.equal(way.expected[-2], way.images[-1])
    assert not torch.equal(way.expected[0], way.images[-1])


def test_bad_ways_are_refused() -> None:
    with refused("a VAE model draws in one step: only a flow has a way from noise to image"):
        trace(tiny_model("vae-cnn"))
    with refused("n takes a whole number from 1 to 100, not 0"):
        trace(tiny_model("flow-unet"), 0)
    with refused("steps takes 1 to 1000, not 0"):
        trace(tiny_model("flow-unet"), steps=0)


def test_the_command_draws_two_rows_a_sample(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, out = str(save_tiny(tmp_path, "flow-unet")), tmp_path / "way.png"
    asked = ["path", run, "--out", str(out), "--n", "2"]
    assert main([*asked, "--seed", "3", "--label", "Bag", "--steps", "3", "--guidance", "1.5"]) == 0
    way = trace(load(run), 2, 3, "Bag", steps=3, guidance=1.5)
    images = rows(way.images, way.expected)
    assert np.array_equal(images[4], way.expected[0, 0])
    assert np.array_equal(images[8], way.images[0, 1])
    assert np.array_equal(read_png(out), grid(images, 4, scale=4, gap=4))
    for words, told in {
        ("--n", "21"): "--n takes 1 to 20, not 21",
        ("--label", "Hat"): "no class 'Hat'",
        ("--solver", "huen"): "solver takes euler or heun",
    }.items():
        assert main([*asked, *words]) == 2
        assert told in capsys.readouterr().err
    assert main(["path", str(save_tiny(tmp_path, "vae-cnn")), "--out", str(out)]) == 2
    assert "only a flow has a way" in capsys.readouterr().err


def test_evaluations_are_those_of_the_solvers(monkeypatch: pytest.MonkeyPatch) -> None:
    flow = tiny_model("flow-unet")
    assert isinstance(flow, Flow)
    asked: list[int] = []
    forward = flow.network.forward
    monkeypatch.setattr(flow.network, "forward", lambda x, t, told: asked.append(len(x)) or forward(x, t, told))
    for steps, solver, guidance in [(4, "heun", 1.0), (4, "euler", 1.0), (3, "heun", 2.0), (1, "heun", 0.0)]:
        asked.clear()
        generate(flow, 1, steps=steps, solver=solver, guidance=guidance)
        assert sum(asked) == evaluations(steps, solver, guidance)


def test_settings_are_measured_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = save_tiny(tmp_path, "flow-unet")
    monkeypatch.setattr(settings, "STEPS", (1, 2))
    monkeypatch.setattr(settings, "GUIDANCE", (3.0,))
    found = finish(measure_settings(run, n=20))
    own = tiny_model("flow-unet").config
    assert isinstance(own, FlowConfig)
    assert [(row.steps, row.guidance) for row in found.rows] == [
        (own.steps, own.guidance),
        *[(steps, own.guidance) for steps in (1, 2) if steps != own.steps],
        (own.steps, 3.0),
    ]
    for row in found.rows:
        assert row.figures.keys() == row.spread.keys() == set(KEPT)
    keep_settings(run, found)
    assert load_settings(run) == found


def test_settings_of_other_weights_are_none(tmp_path: Path) -> None:
    run = save_tiny(tmp_path, "flow-unet")
    assert load_settings(run) is None
    keep_settings(
        run, Settings(20, "heun", (Measured("flow", 2, 1.0, 3, dict.fromkeys(KEPT, 1.0), dict.fromkeys(KEPT, 0.1)),))
    )
    kept = json.loads((run / "settings.json").read_text("utf-8"))
    (row,) = kept["rows"]
    damaged: tuple[dict[str, Any], ...] = ({"steps": "2"}, {"guidance": None}, {"figures": {"fd": 1.0}}, {"spread": []})
    for found in ([{"steps": 3}], *([row | change] for change in damaged)):
        (run / "settings.json").write_text(json.dumps(kept | {"rows": found}), "utf-8")
        with refused("settings.json: rows is "):
            load_settings(run)
    (run / "settings.json").write_text(json.dumps(kept | {"sha256": "0" * 64}), "utf-8")
    assert load_settings(run) is None


def test_a_model_of_one_step_has_no_settings(tmp_path: Path) -> None:
    with refused("a VAE model draws in one step: it has no steps and no guidance to measure"):
        finish(measure_settings(save_tiny(tmp_path, "vae-cnn"), n=20))
