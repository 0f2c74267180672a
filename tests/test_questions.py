"""Every question by its fields alone: its code and its command ask it again, and bad values are one line."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
import torch

import genlib
from genlib import questions
from genlib.__main__ import _parser, main
from genlib.cli.questions import COMMANDS, read
from genlib.data import FashionMNIST
from genlib.errors import GenlibError
from genlib.questions import (
    Compare,
    Dataset,
    Discriminator,
    Diversity,
    Findings,
    Generate,
    History,
    Interpolate,
    Latent,
    Leaderboard,
    Mixtures,
    Reconstruct,
    Trajectory,
    Variation,
)
from genlib.questions.question import Question
from tests.tiny import save_tiny

ASKED: list[Question] = [
    Compare(3, "Bag", 5, "VAE", "as drawn"),
    Dataset(),
    Dataset(view="images", split="test", n=7, seed=4, label="T-shirt/top"),
    Dataset(view="neighbours", image=17),
    Discriminator("dcgan-32", seed=1, threshold=0.4, n=40, norm="batch"),
    Diversity("cgan-mlp", seed=3, per=5),
    Generate("cgan-mlp"),
    Generate("cgan-mlp", 7, "Coat", 0.8, 20, "raw", "Bag", 0.3, (0.0, 1.5)),
    Generate("flow-unet", 7, steps=3, solver="euler", guidance=2.5),
    History("vae-cnn", epoch=3),
    Interpolate("vae-cnn", seed=4, between="random pairs", rows=2, steps=5, path="straight"),
    Interpolate("cgan-mlp", start="Shirt", end="Coat"),
    Findings("partly"),
    Leaderboard("Recall", "time to sample"),
    Latent("cgan-mlp", seed=2, label="Bag", n=500),
    Mixtures("gmm-10", component=4, temperature=0.6),
    Reconstruct("cgan-mlp", 4, label="Bag", first=70, n=2, fresh=True),
    Reconstruct("vae-cnn", file='my "best" boot.png', crop=(0.5, 0.25, 0.5), contrast=1.5, background="kept"),
    Trajectory("flow-unet", at=4),
    Trajectory("flow-unet", 7, "Coat", 3, "euler", 2.5, at=1, n=4),
    Variation("vae-cnn", seed=2, label="Bag", n=20),
]


@pytest.mark.parametrize("asked", ASKED, ids=repr)
def test_the_code_asks_the_same(asked: Question) -> None:
    imports, _, line = asked.code().partition("\n\n")
    names: dict[str, object] = {}
    exec(imports, names)
    expression, saved = line.split(".ask().save(")
    assert eval(expression, names) == asked
    assert saved == f'"{asked.NAME}.png")'


@pytest.mark.parametrize("asked", [each for each in ASKED if not isinstance(each, Findings)], ids=repr)
def test_the_command_asks_the_same(asked: Question) -> None:
    options = _parser().parse_args(shlex.split(asked.command())[3:])
    assert read(options.kind, options) == asked


@pytest.mark.parametrize("name", ["my run", 'a "b" \\ $HOME'])
def test_a_model_is_asked_by_any_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    save_tiny(tmp_path / name, "cgan-mlp")
    asked = Generate(str(tmp_path / name), seed=3)
    options = _parser().parse_args(shlex.split(asked.command())[3:])
    assert read(options.kind, options) == asked
    assert eval(asked.code().splitlines()[-1].split(".ask()")[0], {"Generate": Generate}) == asked


def test_sample_draws_what_generate_asks(tmp_path: Path) -> None:
    asked = Generate("cgan-mlp", 7, "Coat", 0.8, 5, "raw", "Bag", 0.3, (-1.0, 1.5))
    line = asked.command().replace("generate.png", str(tmp_path / "f.npz"))
    assert main(shlex.split(line)[3:]) == 0
    with np.load(tmp_path / "f.npz") as arrays:
        assert np.array_equal(arrays["images"], asked.images)


def test_one_answer_loads_its_model_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads = []
    monkeypatch.setattr("genlib.questions.keeping.load", lambda *given: loads.append(given) or genlib.load(*given))
    Diversity("vae-cnn", per=2).ask().save(tmp_path / "f.npz")
    assert loads == [("vae-cnn", "averaged")]


def test_what_makes_no_sense_is_in_no_address() -> None:
    assert Generate("vae-cnn").query().keys() == {"model", "seed", "t", "n"}
    assert Generate("cgan-mlp").query().keys() == {"model", "seed", "t", "n", "weights", "label"}
    mixed = Generate("cgan-mlp", label="Coat", mix="Bag", moves=(0.0, 1.5)).query()
    assert mixed.keys() == {"model", "seed", "t", "n", "weights", "label", "mix", "share", "d1", "d2"}
    assert Dataset(view="classes").query() == {"view": "classes", "split": "test"}
    assert "steps" not in Interpolate("vae-cnn", between="random pairs").query()


def test_what_is_not_given_is_the_models_own() -> None:
    own = genlib.load("flow-unet").config
    asked = Trajectory("flow-unet", at=2, n=1)
    assert asked.query() | {"at": 2} == {
        **{"model": "flow-unet", "seed": 0, "label": "Every class", "at": 2},
        **{"nfe": own.steps, "solver": own.solver, "guidance": own.guidance},
    }
    assert asked.code().endswith('Trajectory("flow-unet", seed=0, at=2, n=1).ask().save("path.png")')
    told = Trajectory("flow-unet", steps=own.steps, solver=own.solver, guidance=own.guidance, at=2, n=1)
    assert np.array_equal(asked.images, told.images)


def test_a_place_beyond_the_way_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GenlibError, match="at takes a whole number from 0 to 2, not 3"):
        Trajectory("flow-unet", steps=2, at=3).ask().save(tmp_path / "f.png")


@pytest.mark.parametrize(
    ("kind", "values", "match"),
    [
        (Diversity, {"per": 21}, "per takes 1 to 20, not 21"),
        (Diversity, {"seed": -1}, "seed takes 0 to"),
        (Generate, {"label": "Coatt"}, "label takes Every class or T-shirt/top or"),
        (Generate, {"temperature": "warm"}, "temperature takes a number"),
        (Mixtures, {"component": 0}, "component takes 1 or more, not 0"),
    ],
)
def test_a_bad_value_is_refused(kind: type[Question], values: dict, match: str) -> None:
    with pytest.raises(GenlibError, match=match):
        kind("cgan-mlp", **values)  # type: ignore[call-arg]


def test_numbers_of_numpy_are_asked_as_they_are_written() -> None:
    asked = Generate("cgan-mlp", np.int64(7), temperature=np.float64(0.5), moves=(np.float32(1.5),))  # type: ignore[arg-type]
    assert asked.code() == Generate("cgan-mlp", 7, temperature=0.5, moves=(1.5,)).code()
    for several in (np.array([1.0, 2.0]), [1.0, 2.0], torch.tensor([1.0, 2.0])):
        assert Generate("cgan-mlp", moves=several) == Generate("cgan-mlp", moves=(1.0, 2.0))  # type: ignore[arg-type]
    with pytest.raises(GenlibError, match="moves takes 1 to 8 numbers separated by commas, not"):
        Generate("cgan-mlp", moves=np.ones(9))  # type: ignore[arg-type]


def test_more_moves_than_directions_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, most in (("cgan-mlp", 5), ("gmm-10", 0)):
        assert main(["sample", name, "--moves", "1,1,1,1,1,1", "--out", str(tmp_path / "f.png")]) == 2
        assert f"moves takes at most {most} numbers of {name}, not 6" in capsys.readouterr().err


def test_a_question_without_such_a_file_says_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(GenlibError, match=r"saved as \.png or \.npz or \.csv, not"):
        Dataset().ask().save(tmp_path / "dataset.gif")
    assert not list(tmp_path.iterdir())


def test_every_command_has_its_question() -> None:
    assert {kind for kind, _ in COMMANDS.values()} | {"Findings"} == set(questions.__all__)


def test_a_comparison_asks_one_family_by_class_and_by_sight(tmp_path: Path) -> None:
    asked = Compare(3, "Bag", 5, "VAE")
    assert "vae-cnn" in asked.models and "cgan-mlp" not in asked.models
    answer = asked.answer("vae-cnn")
    assert answer.draws == 100 and len(answer.images) == min(answer.found or 0, 5)
    drawn = Compare(3, "Bag", 5, unlabelled="as drawn").answer("vae-cnn")
    assert (drawn.found, len(drawn.images)) == (None, 5)
    with pytest.raises(GenlibError, match="family takes Every family or AE"):
        Compare(family="VEA").ask().save(tmp_path / "f.png")


def test_variation_is_zero_where_pictures_are_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    from genlib.analysis.diversity import ClassSamples
    from genlib.questions import variation

    halves = torch.tensor([0, 200], dtype=torch.uint8).view(2, 1, 1).expand(2, 28, 28)
    monkeypatch.setattr(variation, "loaded", lambda name: None)
    monkeypatch.setattr(
        variation,
        "class_samples",
        lambda model, n, seed: [ClassSamples(halves[:1], 1.0)] * 9 + [ClassSamples(halves, 1.0)],
    )
    photographs, samples = variation.deviations("any", 100, 0)
    assert torch.equal(samples[:9], torch.zeros(9, 28, 28).double())
    assert torch.equal(samples[9], torch.full((28, 28), 100.0).double())
    test = FashionMNIST.load("test")
    bags = test.images[test.labels == 8][:100].double().numpy()
    assert np.allclose(photographs[8].numpy(), bags.std(0))
