"""The commands that draw an analysis: latent, diversity and discriminator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genlib.__main__ import main
from tests.tiny import save_tiny

Capture = pytest.CaptureFixture[str]
COMMANDS = ("directions", "latent", "diversity", "discriminator")


@pytest.fixture
def run(tmp_path: Path) -> Callable[[str], Path]:
    """Saves an untrained tiny model of a preset; the directory of a run is as good a name as a preset's."""

    def save(name: str) -> Path:
        directory = tmp_path / name
        directory.mkdir()
        return save_tiny(directory, name)

    return save


def command(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def drawn(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture).astype(int)


@pytest.mark.parametrize("name", ["cgan-mlp", "gan-dense-1", "vae-cnn", "gmm-10", "vae-gmm-2", "ae-cnn"])
def test_latent_draws_every_kind_of_space(name: str, run: Callable[[str], Path], tmp_path: Path) -> None:
    directory, pictures = run(name), []
    for options in ((), ("--label", "Coat")):
        out = tmp_path / f"{name}{len(options)}.png"
        assert command("latent", directory, "--out", out, "--n", 200, *options) == 0
        pictures.append(drawn(out))
    panels = 2 if "gan" in name else 1
    assert pictures[0].shape == (682, 580 * panels + 20, 3)
    assert pictures[0].shape == pictures[1].shape
    assert (pictures[0] != pictures[1]).any()


def test_latent_keeps_the_axes_and_then_draws_on_them(run: Callable[[str], Path], tmp_path: Path) -> None:
    directory, pictures = run("cgan-mlp"), []
    for n, options in ((2_000, ("--keep",)), (2_000, ()), (200, ())):
        out = tmp_path / f"{n}{len(options)}.png"
        assert command("latent", directory, "--out", out, "--n", n, *options) == 0
        pictures.append(drawn(out))
    assert (directory / "projections.safetensors").stat().st_size > 1_000
    assert (pictures[0] == pictures[1]).all()
    assert (pictures[0] != pictures[2]).any()


def test_diversity_draws_a_row_a_class(run: Callable[[str], Path], tmp_path: Path) -> None:
    for name in ("cgan-mlp", "vae-cnn"):
        assert command("diversity", run(name), "--out", tmp_path / "d.png", "--n", 3) == 0
        assert drawn(tmp_path / "d.png").shape == (10 * 116 - 4, 3 * 116 - 4)


@pytest.mark.parametrize("name", ["cgan-mlp", "gan-dense-1"])
def test_discriminator_draws_three_pies(name: str, run: Callable[[str], Path], tmp_path: Path) -> None:
    directory, pictures = run(name), []
    for threshold in (0, 1):
        assert (
            command("discriminator", directory, "--out", tmp_path / "p.png", "--n", 40, "--threshold", threshold) == 0
        )
        pictures.append(drawn(tmp_path / "p.png"))
    assert pictures[0].shape == (368, 900, 3)
    assert (pictures[0] != pictures[1]).any()  # all called real, all called fake


@pytest.mark.parametrize("name", COMMANDS)
def test_the_seed_decides_the_picture(name: str, run: Callable[[str], Path], tmp_path: Path) -> None:
    directory, files = run("cgan-mlp"), []
    for i, seed in enumerate((0, 0, 1)):
        files.append(tmp_path / f"{i}.png")
        n = {"directions": 3, "diversity": 2}.get(name, 60)
        threshold = ("--threshold", 0.499) if name == "discriminator" else ()
        assert command(name, directory, "--out", files[-1], "--n", n, "--seed", seed, *threshold) == 0
    first, again, other = (path.read_bytes() for path in files)
    assert first == again
    if name != "discriminator":  # an untrained one may judge both seeds alike
        assert first != other


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        *(((name, "nope", "--out", "f.png"), "no model 'nope'") for name in COMMANDS),
        *(((name, "gmm-10", "--out", "f.jpg"), "--out takes a file ending in .png") for name in COMMANDS),
        *(((name, "gmm-10", "--out", "gone/f.png"), "there is no directory gone") for name in COMMANDS),
        *(((name, "gmm-10", "--out", "f.png", "--n", "many"), "n takes a whole number") for name in COMMANDS),
        *(((name, "gmm-10", "--out", "f.png", "--seed", "1.5"), "seed takes a whole number") for name in COMMANDS),
        *(((name, "gmm-10"), "--out") for name in COMMANDS),
        (("latent", "gmm-10", "--out", "f.png", "--n", "39"), "--n takes 40 to 10000, not 39"),
        (("latent", "gmm-10", "--out", "f.png", "--keep"), "shows its hidden layers"),
        (("latent", "gmm-10", "--out", "f.png", "--label", "coatt"), "no class 'coatt'"),
        (("directions", "gmm-10", "--out", "f.png"), "directions need a model that shows its hidden layers"),
        (("directions", "cgan-mlp", "--out", "f.png", "--n", "0"), "--n takes 1 to 20 samples"),
        (("directions", "cgan-mlp", "--out", "f.png", "--names", "Sleeves"), "5 directions take a name each"),
        (("diversity", "gmm-10", "--out", "f.png", "--n", "21"), "--n takes 1 to 20"),
        (("discriminator", "gmm-10", "--out", "f.png"), "gmm-10 has no discriminator"),
        *((("mixtures", "vae-dense-8", "--out", f"f.{e}"), "components need a mixture") for e in ("png", "csv", "npz")),
        (("discriminator", "cgan-mlp", "--out", "f.png", "--threshold", "2"), "--threshold takes 0.0 to 1.0, not 2.0"),
        (("discriminator", "cgan-mlp", "--out", "f.png", "--threshold", "nan"), "--threshold takes a finite number"),
        (("discriminator", "cgan-mlp", "--out", "f.png", "--threshold", "half"), "threshold takes a number"),
        (("discriminator", "cgan-mlp", "--out", "f.png", "--n", "0"), "--n takes 1 to 10000"),
        (("latent", "cgan-mlp", "--out", "f.png", "--seed", "-1"), "seed"),
    ],
)
def test_bad_input_is_one_line_and_no_file(
    arguments: tuple[str, ...], match: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("genlib: ")
    assert match in line
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("interpolate", "cgan-mlp", "--from", "Bag"), "--from changes nothing here; it goes with --between classes"),
        (("interpolate", "cgan-mlp", "--a", "3"), "--a changes nothing here; it goes with --between 'test images'"),
        (("interpolate", "cgan-mlp", "--between", "classes", "--rows", "2"), "it goes with --between 'random pairs'"),
        (("sample", "cgan-mlp", "--mix", "Bag"), "--mix changes nothing here; it goes with a --label"),
        (("sample", "vae-dense-8", "--label", "3"), "--label changes nothing here: a VAE model takes no label"),
        (("reconstruct", "vae-dense-8", "--contrast", "2"), "--contrast changes nothing here for this model and"),
        (("dataset", "--image", "7"), "--image changes nothing here; it goes with --view neighbours"),
        (("compare", "--unlabelled", "as drawn"), "--unlabelled changes nothing here; it goes with a --label"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)
def test_a_flag_that_changes_nothing_is_refused(
    words: tuple[str, ...], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(*words, "--out", tmp_path / "f.png") == 2
    assert told in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_seed_is_taken_where_nothing_is_random(tmp_path: Path) -> None:
    assert command("reconstruct", "vae-dense-8", "--n", "2", "--seed", "3", "--out", tmp_path / "f.png") == 0
    assert (tmp_path / "f.png").exists()
