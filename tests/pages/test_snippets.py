""" "Show me the code" keeps its word: the lines run as they stand and write the very picture of the page."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genlib.images import read_png
from genlib.questions.question import csv_bytes
from genlib.zoo.leaderboard import leaderboard
from tests.pages.studio import Query, assert_healthy, open_page
from tests.tiny import SHIPPED, SHIPPED_PER_FAMILY, thinned

GENERATE: dict[str, Query] = {
    "plain": {},
    "label": {"label": "Coat", "seed": "3"},
    "mix": {"label": "Shirt", "mix": "Bag", "share": "0.35", "n": "12"},
    "mix-with-itself": {"label": "Bag", "mix": "Bag", "n": "3"},
    "cool": {"t": "0.4", "n": "7"},
    "moved": {"d1": "1.7", "d3": "-2.4", "n": "20"},
    "raw": {"weights": "raw", "n": "15"},
    "raw-and-moved": {"weights": "raw", "d2": "2.0", "t": "1.35", "label": "Sandal", "seed": "4294967295"},
    "vae": {"model": "vae-cnn", "seed": "5"},
    "vae-latents": {"model": "vae-cnn", "d1": "2.0", "d8": "-1.3", "t": "0.7"},
    "mixture": {"model": "gmm-10", "n": "9"},
    "mixture-cool": {"model": "gmm-10", "t": "0.3", "seed": "11"},
    "flow": {"model": "flow-unet", "nfe": "2", "solver": "euler", "guidance": "2.5", "n": "10"},
}
INTERPOLATE: dict[str, Query] = {
    "classes": {},
    "classes-chosen": {"from": "Shirt", "to": "Coat", "seed": "9"},
    "seeds-of-a-class": {"between": "seeds", "label": "Bag", "seed2": "4"},
    "seeds-of-no-class": {"between": "seeds", "path": "straight"},
    "vae-seeds": {"model": "vae-cnn", "between": "seeds", "seed": "2"},
    "vae-images": {"model": "vae-cnn", "between": "test images", "a": "12", "b": "9999"},
    "vae-images-straight": {"model": "vae-cnn", "between": "test images", "path": "straight"},
    "mixture-seeds": {"model": "gmm-10", "between": "seeds"},
    **{f"pairs-{name}": {"model": name, "between": "random pairs", "rows": "3"} for name in SHIPPED_PER_FAMILY},
    "classes-equal": {"equal": "features"},
    "images-equal": {"model": "vae-cnn", "between": "test images", "equal": "features"},
    "pairs-equal": {"between": "random pairs", "equal": "features", "rows": "2"},
    "pairs-straight": {"between": "random pairs", "path": "straight", "seed": "6", "rows": "1"},
}
HISTORY: dict[str, Query] = {
    **{name: {"model": name} for name in SHIPPED},
    "early": {"epoch": "3"},
}
DATASET: dict[str, Query] = {
    "images": {},
    "images-of-a-class": {"label": "Bag", "n": "7", "seed": "4294967295"},
    "classes": {"view": "classes"},
    "components": {"view": "components"},
    "neighbours": {"view": "neighbours", "image": "9999"},
}
PATH: dict[str, Query] = {
    "every-class": {},
    "chosen": {"label": "Coat", "nfe": "3", "solver": "euler", "guidance": "2.5", "at": "1", "seed": "7"},
}
VARIATION: dict[str, Query] = {
    "every-class": {"n": "20"},
    "chosen": {"model": "cgan-mlp", "label": "Bag", "n": "40", "seed": "2"},
}
PAGES = {
    "variation": VARIATION,
    "path": PATH,
    "generate": GENERATE,
    "interpolate": INTERPOLATE,
    "history": HISTORY,
    "dataset": DATASET,
}
CASES = [(page, query) for page, queries in PAGES.items() for query in queries.values()]
IDS = [f"{page}-{name}" for page, queries in PAGES.items() for name in queries]


def is_needed(page: str, query: Query) -> bool:
    """The first two ways of using a page."""
    return query in list(PAGES[page].values())[:2]


class Seen:
    """What a page showed and offered: its pictures as PNG bytes, its code and its downloads by ending."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shown: list[bytes] = []
        self.code = ""
        self.files: dict[str, Callable[[], bytes]] = {}
        from ui import pictures
        from ui import share as sharing

        tiles_png, share = pictures.tiles_png, sharing.share

        def show(*arguments) -> bytes:
            self.shown.append(tiles_png(*arguments))
            return self.shown[-1]

        def offer(page, controls, code, downloads, command="") -> None:
            self.code, self.files = code, {name.rsplit(".", 1)[1]: make for name, make in downloads.items()}
            share(page, controls, code, downloads, command)

        monkeypatch.setattr(pictures, "tiles_png", show)
        monkeypatch.setattr(sharing, "share", offer)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    return Seen(monkeypatch)


def gray(png: bytes) -> np.ndarray:
    """A PNG's pixels as int (H, W), what is transparent in it on white."""
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    return np.asarray(Image.alpha_composite(white, picture).convert("L")).astype(int)


def run_snippet(code: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Run the code in an empty directory, as a reader who pasted it would; the pixels of the one file it writes."""
    monkeypatch.chdir(directory)
    exec(compile(code, "snippet", "exec"), {"__name__": "__main__"})
    (written,) = directory.glob("*")
    assert written.suffix == ".png"
    return read_png(written).astype(int)


@pytest.mark.parametrize(("page", "query"), thinned(CASES, is_needed), ids=IDS)
def test_the_code_makes_the_picture_of_the_page(
    page: str, query: Query, seen: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page(page, query)
    assert_healthy(app)
    assert app.code[1].value == seen.code
    directory = tmp_path / "empty"
    directory.mkdir()
    made, downloaded = run_snippet(seen.code, directory, monkeypatch), gray(seen.files["png"]())
    assert made.shape == downloaded.shape
    assert np.abs(made - downloaded).max() <= 1
    assert any(np.array_equal(gray(png), downloaded) for png in seen.shown)
    assert len(np.unique(made)) > 20  # a picture, not a blank
    assert_the_numbers_are_those_of_the_picture(seen)


def assert_the_numbers_are_those_of_the_picture(seen: Seen) -> None:
    with np.load(io.BytesIO(seen.files["npz"]()), allow_pickle=False) as arrays:
        images = arrays["images"]
    assert images.dtype == np.uint8
    assert images.shape[1:] == (28, 28)
    picture = gray(seen.files["png"]())
    assert np.array_equal(picture[:112:4, :112:4], images[0])  # the first tile, enlarged four times


def test_an_unequal_picture_would_be_noticed(seen: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above can fail: another seed's picture is further away than one gray level."""
    open_page("generate")
    made = run_snippet(seen.code.replace("seed=0", "seed=1"), tmp_path, monkeypatch)
    assert np.abs(made - gray(seen.files["png"]())).max() > 1


def test_a_walk_can_be_taken_as_animation_and_table(seen: Seen) -> None:
    open_page("interpolate")
    animation = Image.open(io.BytesIO(seen.files["gif"]()))
    assert animation.n_frames == 50
    header, *rows = seen.files["csv"]().decode().split()
    assert header == "position,change"
    assert len(rows) == 100
    assert all(0 <= float(number) <= 1 for row in rows for number in row.split(","))


def test_the_leaderboards_table_is_the_librarys(seen: Seen) -> None:
    assert_healthy(open_page("leaderboard"))
    assert seen.files["csv"]() == csv_bytes(leaderboard())


def test_a_training_can_be_taken_as_film_and_table(seen: Seen) -> None:
    open_page("history", {"model": "vae-cnn"})
    film = Image.open(io.BytesIO(seen.files["gif"]()))
    assert film.n_frames >= 2
    header, *rows = seen.files["csv"]().decode().split()
    assert header.split(",")[:2] == ["epoch", "loss_loss"]
    assert [row.split(",")[0] for row in rows] == [str(epoch) for epoch in range(1, 16)]
