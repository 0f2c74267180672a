"""A one-step generator that learns a flow's answers to noise."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from genlib.data import FashionMNIST
from genlib.images import from_uint8, to_uint8
from genlib.noise import MAX_SEED
from genlib.stages import finish
from genlib.training.events import Preparing
from tests.tiny import tiny_model, tiny_training


def test_the_flow_is_asked_once_and_its_answers_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flow, student = tiny_model("flow-unet"), tiny_model("flow-one-step")
    finish(student.take_base(flow))
    z, y = flow.draw_latent(20, MAX_SEED), torch.arange(20) % 10
    with torch.inference_mode():
        assert torch.equal(student._answers, to_uint8(flow.sample(z, y)))
    monkeypatch.setattr(type(flow), "trajectory", lambda *_, **__: pytest.fail("it was asked again"))
    again = tiny_model("flow-one-step")
    finish(again.take_base(flow))
    assert torch.equal(again._answers, student._answers)
    (kept,) = (tmp_path / "cache" / "genlib").rglob("*.safetensors")
    monkeypatch.undo()
    kept.write_bytes(kept.read_bytes()[:-1])  # torn: it is asked anew
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    finish(again.take_base(flow))
    assert torch.equal(again._answers, student._answers)


def test_every_second_sample_is_of_a_noise_whose_answer_is_known(small_data: FashionMNIST) -> None:
    flow, student = tiny_model("flow-unet"), tiny_model("flow-one-step")
    finish(student.take_base(flow))
    y = torch.tensor([3, 1, 4, 1, 5, 9])
    z, answers = student._noise(y)
    questions, known = flow.draw_latent(20, MAX_SEED), from_uint8(student._answers)
    for noise, answer, label in zip(z[::2], answers, y[::2], strict=True):
        (row,) = [i for i in range(20) if torch.equal(noise, questions[i])]
        assert row % 10 == label
        assert torch.equal(answer, known[row])
    assert not any(torch.equal(noise, question) for noise in z[1::2] for question in questions)
    fake = answers.repeat_interleave(2, 0)
    assert student._lesson(fake, answers)["agreement"] == 0
    assert student._lesson(fake + 0.5, answers)["agreement"] == student.config.agreement / 4


def test_a_training_tells_that_it_asks_and_what_it_learned(small_data: FashionMNIST, tmp_path: Path) -> None:
    events = list(tiny_training("flow-one-step", tmp_path / "run", small_data, epochs=1))
    shares = [event.share for event in events if isinstance(event, Preparing)]
    assert shares == [1.0]
    assert "agreement" in (tmp_path / "run" / "history.json").read_text()
