"""Flow matching: the path and its solvers against closed forms, guidance, and what a caller may choose."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from genlib.__main__ import main
from genlib.model import Integrates
from genlib.models.flow import Flow
from genlib.sampling import generate
from genlib.solvers import Point, between, integrate
from tests.tiny import refused, save_tiny, tiny_model

WIDTH = 0.5  # standard deviation of the images of a Gaussian toy, whose flow is known


def gaussian_velocity(x: Tensor, t: Tensor) -> Tensor:
    """E[e - x_0 | x_t] for images N(0, WIDTH^2) and x_t = (1 - t) x_0 + t e."""
    t = t.view(-1, 1)
    variance = (1 - t) ** 2 * WIDTH**2 + t**2
    return (t - (1 - t) * WIDTH**2) / variance * x


def last(way: Any) -> Point:
    *_, point = way
    return point


def error(steps: int, solver: str) -> float:
    """Noise e goes to WIDTH e: the flow between two Gaussians keeps the order of points."""
    noise = torch.linspace(-2, 2, 9, dtype=torch.float64).view(-1, 1)
    return float((last(integrate(gaussian_velocity, noise, steps, solver, 1.0, 0.0)).x - WIDTH * noise).abs().max())


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("heun", 2)])
def test_solvers_converge_in_their_order(solver: str, order: int) -> None:
    coarse, fine = error(64, solver), error(128, solver)
    assert math.log2(coarse / fine) == pytest.approx(order, abs=0.15)
    assert fine < (2e-2, 5e-4)[order - 1]


@pytest.mark.parametrize("solver", ["euler", "heun"])
def test_a_way_has_both_ends_and_expects_the_image(solver: str) -> None:
    """Where the velocity is that of one straight line, each point expects its end and one step is enough."""
    image, noise = torch.randn(3, 4), torch.randn(3, 4)
    way = list(integrate(lambda x, t: noise - image, noise, 5, solver, 1.0, 0.0))
    assert [point.time for point in way] == pytest.approx([1, 0.8, 0.6, 0.4, 0.2, 0])
    for point in way:
        torch.testing.assert_close(point.expected, image)
        torch.testing.assert_close(point.x, between(image, noise, torch.full((3,), point.time)))


def test_the_way_back_is_the_way() -> None:
    image = torch.linspace(-1, 1, 7, dtype=torch.float64).view(-1, 1)
    noise = last(integrate(gaussian_velocity, image, 200, "heun", 0.0, 1.0)).x
    torch.testing.assert_close(noise, image / WIDTH, atol=1e-3, rtol=0)
    torch.testing.assert_close(
        last(integrate(gaussian_velocity, noise, 200, "heun", 1.0, 0.0)).x, image, atol=1e-3, rtol=0
    )


@pytest.fixture
def flow() -> Flow:
    model = tiny_model("flow-unet", steps=8, solver="heun")
    assert isinstance(model, Flow) and isinstance(model, Integrates)
    return model


def test_guidance_is_linear_between_none_and_the_class(flow: Flow) -> None:
    x, t, y = torch.randn(6, 1, 28, 28), torch.rand(6), torch.arange(6)
    with torch.no_grad():
        none, told = flow.velocity(x, t, y, 0), flow.velocity(x, t, y, 1)
        torch.testing.assert_close(flow.velocity(x, t, None, 3), none)
        assert not torch.allclose(none, told)
        torch.testing.assert_close(flow.velocity(x, t, y, 2.5), none + 2.5 * (told - none), atol=1e-5, rtol=1e-4)


def test_one_branch_is_computed_where_one_is_enough(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    forward = flow.network.forward
    monkeypatch.setattr(flow.network, "forward", lambda x, t, told: sizes.append(len(x)) or forward(x, t, told))
    for guidance in (0.0, 1.0, 2.0):
        generate(flow, 4, steps=1, solver="euler", guidance=guidance)
    assert sizes == [4, 4, 8]


def test_what_is_given_is_what_is_drawn(flow: Flow) -> None:
    z, y = flow.draw_latent(4, 0), torch.arange(4)
    with torch.no_grad():
        assert len(list(flow.trajectory(z, y))) == flow.config.steps + 1
        way = list(flow.trajectory(z, y, steps=3, solver="euler", guidance=2.0))
        assert len(way) == 4
        assert torch.equal(way[0].x, z)
        torch.testing.assert_close(way[-1].x.clamp(-1, 1), flow.sample(z, y, steps=3, solver="euler", guidance=2.0))
    assert torch.equal(
        generate(flow, 4)[0], generate(flow, 4, steps=8, solver="heun", guidance=flow.config.guidance)[0]
    )
    assert not torch.equal(generate(flow, 4)[0], generate(flow, 4, steps=2)[0])


BAD = [
    ({"steps": 0}, "steps takes 1 to 1000, not 0"),
    ({"steps": 10_000}, "steps takes 1 to 1000, not 10000"),
    ({"steps": 2.5}, "steps takes a whole number, not 2.5"),
    ({"guidance": -1.0}, r"guidance takes 0.0 to 20.0, not -1.0"),
    ({"guidance": math.nan}, "guidance takes a finite number, not nan"),
    ({"solver": "huen"}, "solver takes euler or heun, not 'huen'"),
]


@pytest.mark.parametrize(("options", "told"), BAD)
def test_bad_options_are_refused(options: dict[str, Any], told: str, flow: Flow) -> None:
    with refused(told):
        generate(flow, 2, **options)


def test_a_model_of_one_step_takes_none_of_it() -> None:
    with refused("a VAE model takes no steps or guidance: it draws in one step"):
        generate(tiny_model("vae-cnn"), 2, steps=4, guidance=2.0)


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, out = str(save_tiny(tmp_path, "flow-unet")), str(tmp_path / "a.png")
    sample = ["sample", run, "--out", out, "--n", "4"]
    assert main([*sample, "--steps", "2", "--solver", "euler", "--guidance", "1.5", "--temperature", "0.9"]) == 0
    for words, told in {
        ("--steps", "0"): "steps takes 1 to 1000",
        ("--steps", "many"): "steps takes a whole number",
        ("--guidance", "-1"): "guidance takes 0.0 to 20.0",
        ("--guidance", "inf"): "guidance takes a finite number",
        ("--solver", "huen"): "solver takes euler or heun",
        ("--temperature", "nan"): "temperature takes",
    }.items():
        assert main([*sample, *words]) == 2
        assert told in capsys.readouterr().err
