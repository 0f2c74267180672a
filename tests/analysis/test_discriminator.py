"""Judgements whose outcome is known: perfect, constant and reversed scores."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from genlib.analysis.discriminator import Judgement, batch_norms, judge
from genlib.data import FashionMNIST
from genlib.loading import load
from genlib.sampling import generate
from genlib.store import save_model
from tests.tiny import refused, tiny_model


def judgement(real: torch.Tensor, fake: torch.Tensor) -> Judgement:
    """Blank images with these scores, whose classes cycle."""
    blank, classes = torch.zeros(len(real), 28, 28, dtype=torch.uint8), torch.arange(len(real)) % 10
    return Judgement(blank, blank, real, fake, classes, None)


PERFECT = judgement(torch.linspace(0.6, 1, 50), torch.linspace(0, 0.4, 50))
REVERSED = judgement(PERFECT.fake_scores, PERFECT.real_scores)
CONSTANT = judgement(torch.full((50,), 0.5), torch.full((50,), 0.5))


def test_a_perfect_discriminators_pies_are_whole() -> None:
    assert PERFECT.pies() == {"Overall": 1, "Real images": 1, "Fakes": 1}
    assert REVERSED.pies() == {"Overall": 0, "Real images": 0, "Fakes": 0}


@pytest.mark.parametrize(("threshold", "real", "fake"), [(0.0, 1, 0), (0.5, 1, 0), (0.51, 0, 1), (1.0, 0, 1)])
def test_one_score_for_all_is_real_up_to_the_threshold(threshold: float, real: float, fake: float) -> None:
    assert CONSTANT.accuracy(threshold) == {"overall": 0.5, "real": real, "fake": fake}


@pytest.mark.parametrize(("found", "area"), [(PERFECT, 1), (REVERSED, 0), (CONSTANT, 0.5)])
def test_areas_that_are_known(found: Judgement, area: float) -> None:
    false_positive, true_positive = found.roc()
    assert found.area() == pytest.approx(area)
    for rate in (false_positive, true_positive):
        assert (float(rate[0]), float(rate[-1])) == (0, 1)
        assert (rate.diff() >= 0).all()


def test_the_area_is_how_often_a_real_image_scores_higher() -> None:
    found = judgement((torch.randn(80) + 0.7).sigmoid(), torch.randn(80).sigmoid())
    wins = (found.real_scores[:, None] > found.fake_scores).double().mean()
    assert found.area() == pytest.approx(float(wins), abs=1e-6)


def test_classes_average_to_the_whole() -> None:
    found = judgement(torch.rand(50), torch.rand(50))
    by_class = found.class_accuracy(torch.arange(50) % 10, 0.4)
    for side, share in found.accuracy(0.4).items():
        if side != "overall":
            assert float(by_class[side].mean()) == pytest.approx(share)
    assert found.class_accuracy(torch.zeros(50, dtype=torch.int64))["fake"][1:].isnan().all()


@pytest.fixture(params=["cgan-mlp", "gan-dense-1"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A saved tiny GAN whose averaged generator is not the raw one."""
    model = tiny_model(request.param)
    other = {f"generator.{key}": value + 1 for key, value in model.generator.state_dict().items()}  # type: ignore[union-attr]
    save_model(tmp_path, request.param, model, other)
    return tmp_path


def test_the_raw_generator_is_judged_beside_the_test_images(run: Path, test_split: FashionMNIST) -> None:
    found = judge(run, 60, seed=4)
    labels = test_split.labels[:60] if found.fake_classes is not None else None
    assert torch.equal(found.real, test_split.images[:60])
    assert torch.equal(found.real_classes, test_split.labels[:60])
    assert torch.equal(found.fake, generate(load(run, "raw"), 60, 4, labels)[0])
    assert not torch.equal(found.fake, generate(load(run), 60, 4, labels)[0])
    assert found.fake_classes is None or torch.equal(found.fake_classes, test_split.labels[:60])
    for scores in (found.real_scores, found.fake_scores):
        assert scores.shape == (60,)
        assert ((scores >= 0) & (scores <= 1)).all()


def test_dropout_is_off(run: Path) -> None:
    assert torch.equal(judge(run, 60).real_scores, judge(run, 60).real_scores)


def test_batch_statistics_undo_what_running_statistics_shift(tmp_path: Path) -> None:
    """Running statistics that are wrong move the default's scores; the batch's own know nothing of them."""
    model = tiny_model("dcgan-32")
    average = {f"generator.{key}": value.clone() for key, value in model.generator.state_dict().items()}  # type: ignore[union-attr,operator]
    found = []
    for offset in (0.0, 3.0):
        (layer,) = batch_norms(model)
        layer.running_mean.fill_(offset)  # type: ignore[union-attr,operator]
        save_model(tmp_path, "dcgan-32", model, average)
        found.append([judge(tmp_path, 300, norm=norm).real_scores for norm in ("running", "batch")])
    assert not torch.allclose(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])


def test_the_running_statistics_of_dcgan_32_lag_and_the_area_hardly_cares() -> None:
    running, batch = (judge("dcgan-32", 2_000, norm=norm) for norm in ("running", "batch"))
    assert abs(running.accuracy()["real"] - batch.accuracy()["real"]) > 0.3
    assert running.area() == pytest.approx(batch.area(), abs=0.02)


def test_bad_questions_are_refused(tmp_path: Path) -> None:
    for n in (0, 10_001, True, 2.0):
        with refused("n takes a whole number from 1 to 10000"):
            judge("cgan-mlp", n)  # type: ignore[arg-type]
    for threshold in (-0.1, 1.1, float("nan")):
        with refused("threshold takes 0 to 1"):
            PERFECT.accuracy(threshold)
    with refused("norm takes running or batch"):
        judge("cgan-mlp", 5, norm="layer")
    with refused("cgan-mlp has no batch norm"):
        judge("cgan-mlp", 5, norm="batch")
    save_model(tmp_path, "vae-cnn", tiny_model("vae-cnn"), {})
    with refused("has no discriminator"):
        judge(tmp_path, 5)
