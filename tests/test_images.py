"""Tensors to bytes, grids and files, and back."""

from __future__ import annotations

import io
import math
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from genlib.images import from_uint8, gif_bytes, grid, npz_bytes, png_bytes, read_png, to_uint8
from genlib.io.files import write_file
from tests.tiny import refused

LEVELS = torch.arange(256, dtype=torch.uint8).repeat(4)[: 28 * 28].view(1, 28, 28)


def test_every_gray_level_survives_the_round_trip() -> None:
    x = from_uint8(LEVELS)
    assert x.shape == (1, 1, 28, 28)
    assert x.dtype == torch.float32
    assert (x.min(), x.max()) == (-1, 1)
    assert torch.equal(to_uint8(x), LEVELS)


def test_out_of_range_pixels_are_clipped_not_wrapped() -> None:
    x = torch.tensor([-5.0, -1.001, 1.001, 5.0]).view(1, 1, 2, 2)
    assert to_uint8(x).flatten().tolist() == [0, 0, 255, 255]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_overflowed_are_no_pixels(value: float) -> None:
    x = torch.zeros(2, 1, 28, 28)
    x[1, 0, 5, 5] = value
    with refused("^the model draws nothing: its numbers overflow$"):
        to_uint8(x)


def test_conversion_leaves_its_argument_alone() -> None:
    x = torch.zeros(1, 1, 28, 28)
    to_uint8(x)
    assert not x.any()


def test_grid_places_tiles_row_by_row() -> None:
    tiles = np.arange(3, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8)
    canvas = grid(tiles, columns=2, scale=3, gap=1)
    assert canvas.shape == (13, 13)
    assert (canvas[:6, :6] == 0).all()
    assert (canvas[:6, 7:] == 1).all()
    assert (canvas[7:, :6] == 2).all()
    assert (canvas[7:, 7:] == 255).all()  # the cell the last row lacks
    assert (canvas[6] == 255).all()


@pytest.mark.parametrize(("count", "columns"), [(0, 3), (3, 0)])
def test_an_empty_grid_is_refused(count: int, columns: int) -> None:
    with refused("a grid needs at least one image and one column"):
        grid(np.zeros((count, 2, 2), np.uint8), columns)


def test_png_round_trip(tmp_path: Path) -> None:
    write_file(tmp_path / "a.png", png_bytes(LEVELS[0].numpy()))
    assert np.array_equal(read_png(tmp_path / "a.png"), LEVELS[0].numpy())


def test_a_png_of_16_bits_keeps_its_shades_and_a_transparent_one_is_refused(tmp_path: Path) -> None:
    levels = LEVELS[0].numpy()
    Image.fromarray(levels.astype(np.uint16) * 257).save(tmp_path / "a.png")
    assert np.array_equal(read_png(tmp_path / "a.png"), levels)
    Image.fromarray(levels.astype(np.uint16)).save(tmp_path / "a.png")
    with refused("a.png has 16 bits a pixel and nothing above 255"):
        read_png(tmp_path / "a.png")
    for cover, kind in ((255, "LA"), (255, "RGBA"), (254, "LA"), (254, "RGBA")):
        light = Image.fromarray(levels).convert(kind)
        light.putalpha(cover)
        light.save(tmp_path / "a.png")
        if cover == 255:
            assert np.array_equal(read_png(tmp_path / "a.png"), levels)
        else:
            with refused("a.png has transparent parts; every pixel takes a gray level"):
                read_png(tmp_path / "a.png")


@pytest.mark.parametrize("content", [b"", b"no picture", png_bytes(LEVELS[0].numpy())[:60]])
def test_a_damaged_png_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with refused("a.png is not a readable PNG"):
        read_png(tmp_path / "a.png")


def test_a_png_with_a_text_that_unfolds_without_end_is_refused(tmp_path: Path) -> None:
    bomb = PngInfo()
    bomb.add_text("note", "0" * 3_000_000, zip=True)
    Image.fromarray(LEVELS[0].numpy()).save(tmp_path / "a.png", pnginfo=bomb)
    with refused("a.png is not a readable PNG"):
        read_png(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (gif_bytes([LEVELS[0].numpy()]), "not a readable PNG"),  # another format under its name
        (png_bytes(np.zeros((1_001, 5_000), np.uint8)), "has 5,000 x 1,001 pixels; it takes at most 5,000,000"),
    ],
)
def test_what_is_no_picture_of_ours_is_not_unpacked(content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with refused(told):
        read_png(tmp_path / "a.png")
    with refused("a.png cannot be read: not a regular file"):
        (tmp_path / "a.png").unlink()
        os.mkfifo(tmp_path / "a.png")
        read_png(tmp_path / "a.png")


def test_gif_holds_its_frames_and_loops() -> None:
    frames = [np.full((8, 8), level, np.uint8) for level in (0, 100, 200)]
    with Image.open(io.BytesIO(gif_bytes(frames, milliseconds=50))) as picture:
        assert picture.n_frames == 3
        assert picture.info["loop"] == 0
        picture.seek(2)
        assert np.asarray(picture.convert("L")).mean() == pytest.approx(200, abs=2)


def test_npz_holds_plain_arrays() -> None:
    with np.load(io.BytesIO(npz_bytes(images=LEVELS.numpy(), labels=np.arange(3))), allow_pickle=False) as arrays:
        assert sorted(arrays) == ["images", "labels"]
        assert np.array_equal(arrays["images"], LEVELS.numpy())


def test_threads_that_write_one_file_do_not_meet(tmp_path: Path) -> None:
    def write(number: int) -> None:
        for _ in range(50):
            write_file(tmp_path / "f", bytes([number]) * 1000)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert len(set((tmp_path / "f").read_bytes())) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_write_file_replaces_whole_and_leaves_nothing_behind(tmp_path: Path) -> None:
    write_file(tmp_path / "f", b"old")
    write_file(tmp_path / "f", b"new")
    assert (tmp_path / "f").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


@pytest.mark.parametrize("place", ["missing/f", "file/f", "directory"])
def test_an_unwritable_place_is_refused(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "directory").mkdir()
    with refused("cannot write"):
        write_file(tmp_path / place, b"data")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["directory", "file"]
