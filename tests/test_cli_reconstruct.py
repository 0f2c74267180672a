"""The command `reconstruct`: what it writes, and one line with exit 2 for everything it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import genlib
from genlib.analysis import inversion
from genlib.analysis.reconstruction import choose
from genlib.data import FashionMNIST
from genlib.metrics.reconstruction import reconstruct
from tests.test_cli import CONDITIONAL, MIXTURE, VAE, Capture, assert_refused, run, tree


def tiles(path: Path) -> np.ndarray:
    """The picture's pixels, one for each 4 x 4 enlarged, as (rows, columns, 28, 28, 3)."""
    picture = np.pad(np.asarray(Image.open(path)), ((0, 4), (0, 4), (0, 0)))
    rows, columns = picture.shape[0] // 116, picture.shape[1] // 116
    cut = picture.reshape(rows, 116, columns, 116, 3).swapaxes(1, 2)
    return cut[:, :, :112:4, :112:4]


def test_reconstruct_draws_originals_copies_and_differences(tmp_path: Path, test_split: FashionMNIST) -> None:
    out = tmp_path / "copies.png"
    assert run("reconstruct", VAE, "--out", out, "--n", 12) == 0
    found, originals = tiles(out), test_split.images[choose(12)]
    assert found.shape[:2] == (3, 12)
    copies = reconstruct(genlib.load(VAE), originals)
    for row, expected in zip(found[:2], (originals, copies), strict=True):
        assert np.abs(row[..., 0].astype(int) - expected.numpy()).max() <= 1
    assert tree(tmp_path).keys() == {"copies.png"}


def test_reconstruct_searches_the_latents_of_a_gan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inversion.invert, "__defaults__", (None, 0, 2, 20))
    for file, seed in (("a", 0), ("b", 0), ("c", 1)):
        assert run("reconstruct", CONDITIONAL, "--out", tmp_path / f"{file}.png", "--n", 2, "--seed", seed) == 0
    a, b, c = ((tmp_path / f"{file}.png").read_bytes() for file in "abc")
    assert a == b != c
    found = tiles(tmp_path / "a.png").astype(float)
    assert np.square((found[1] - found[0]) / 255).mean() < 0.05


def test_reconstruct_takes_a_picture_of_ones_own(tmp_path: Path, test_split: FashionMNIST) -> None:
    own, out = tmp_path / "own.png", tmp_path / "copies.png"
    Image.fromarray(test_split.images[17].numpy()).save(own)
    assert run("reconstruct", VAE, "--out", out, "--file", own) == 0
    found = tiles(out)
    assert found.shape[:2] == (3, 1)
    assert np.array_equal(found[0, 0, ..., 0], test_split.images[17].numpy())


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["nope"], "no model 'nope'"),
        ([MIXTURE], "a mixture's latent holds a component's number"),
        ([VAE, "--n", "0"], "--n takes 1 to 100, not 0"),
        ([VAE, "--n", "101"], "--n takes 1 to 100, not 101"),
        ([VAE, "--n", "many"], "n takes a whole number, not 'many'"),
        ([VAE, "--seed", "-1"], "--seed takes 0 to 4294967295, not -1"),
        ([CONDITIONAL, "--seed", "4294967296"], "--seed takes 0 to 4294967295"),
        ([VAE, "--out", "copies.jpg"], "--out takes a file ending in .png"),
        ([VAE, "--out", "nowhere/copies.png"], "there is no directory"),
        ([VAE, "--seeds", "1"], "unrecognized arguments"),
        ([VAE, "--file", "nowhere.png"], "No such file"),
        ([VAE, "--file", __file__], "this is no PNG, JPEG or WebP picture"),
        ([VAE, "--file", "a.png", "--crop", "0.5,0.5"], "crop takes x, y and size, three numbers, not 2"),
        ([VAE, "--file", "a.png", "--contrast", "0"], "--contrast takes 0.1 to 10.0, not 0.0"),
    ],
)
def test_reconstruct_refuses(
    arguments: list[str], match: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    out = [] if "--out" in arguments else ["--out", "copies.png"]
    assert_refused(capsys, match, "reconstruct", *arguments, *out)
    assert not list(tmp_path.iterdir())
